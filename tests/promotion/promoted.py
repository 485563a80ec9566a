"""A scratch repository that goes from staging to production, and what must be true of each of its runs."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scratch import Result, Scratch

from pytest_tfpipeline.proof.document import Evidence, read_evidence

KEY = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff" * 2}
MANUAL = '[environment.production]\nafter = "staging"\napproval = "manual"\n'
NONE = '[environment.production]\nafter = "staging"\napproval = "none"\n'
SIGNED = '[environment.production]\nafter = "staging"\napproval = "signed"\n'
PROMOTE = ("--apply-env", "staging", "--promote-to", "production")
#: No digest of anything.
OTHER = "sha256:" + "0" * 64

ROOT = """terraform {
  backend "local" {}
}

variable "environment" {
  type = string
}

resource "terraform_data" "it" {
  input = "${var.environment} VALUE"
}

output "value" {
  value = terraform_data.it.output
}
"""
OUTPUTS = """
def test_value(tf_outputs):
    assert tf_outputs["value"].startswith(tf_outputs.environment)
"""


class Promotion:
    """One root, `a`, whose state each environment has for itself. Nothing is committed yet."""

    def __init__(
        self, path: Path, text: str = MANUAL, *, environments: tuple[str, ...] = ("staging", "production")
    ) -> None:
        self.path = path
        self.scratch = Scratch(path, environments)
        self.scratch.without_checkov()
        self.scratch.env.update(KEY)
        self.configure(text)
        self.root("a")
        self.scratch.write("tests/test_outputs.py", OUTPUTS)

    def configure(self, text: str, *, root: str = "") -> None:
        """The configuration; `root` are more keys of the only [[root]]."""
        state = f'backend = ["path={self.scratch.states}/{{name}}-{{env}}.tfstate"]\n'
        given = 'match = "infra/*"\napply = true\nvars = { environment = "{env}" }\n'
        self.scratch.configure(text, roots=f"{given}{state}{root}")

    def root(self, name: str, body: str = "", *, value: str = "one") -> None:
        """A root whose output is its environment and this value, with `body` behind it."""
        self.scratch.write(f"infra/{name}/main.tf", ROOT.replace("VALUE", value) + body)

    def commit(self) -> None:
        self.scratch.commit()

    def run(self, code: int, *args: str, env: Mapping[str, str] | None = None, workers: str = "0") -> Result:
        """One run of pytest, whose evidence must be true."""
        before = self.states()
        result = self.scratch.run(*args, "-n", workers, env=env)
        assert result.code == code, result.text
        self.check(code, before, result.text)
        return result

    def alone(self, code: int, environment: str, evidence: Path, *args: str, **given: Any) -> Result:
        """One apply in a job of its own, whose evidence must be true."""
        before = self.states()
        result = self.apply_job(environment, evidence, *args, **given)
        assert result.code == code, result.text
        self.check(code, before, result.text)
        return result

    def apply_job(
        self, environment: str, evidence: Path, *args: str, env: Mapping[str, str] | None = None, isolated: bool = True
    ) -> Result:
        """`python -I -m pytest_tfpipeline apply`, to its end."""
        argv = [sys.executable, *(["-I"] if isolated else []), "-m", "pytest_tfpipeline", "apply", environment]
        done = subprocess.run(
            [*argv, "--evidence", str(evidence), *args],
            cwd=self.scratch.path,
            env=self.environ(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def check(self, code: int, before: Mapping[str, bytes], text: str) -> None:
        """Hold the evidence against the exit code and the states: exactly what it says was applied has moved."""
        assert "Traceback" not in text
        evidence = self.evidence()
        assert evidence.run.exit_code == code
        after, said = self.states(), set()
        for one in evidence.environments:
            for applied in one.applied:
                if applied.outcome != "unchanged":
                    said.add(f"{applied.root.removeprefix('infra/')}-{one.name}")
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == said, text

    def evidence(self) -> Evidence:
        """The last run's, read as any reader of it would."""
        return read_evidence(self.scratch.output / "evidence.json")

    def states(self) -> dict[str, bytes]:
        """{root-environment: its state}."""
        return {path.stem: path.read_bytes() for path in self.scratch.states.glob("*.tfstate")}

    def live(self, environment: str, root: str = "a") -> str | None:
        """The value that the state has; None where nothing was ever applied."""
        return self.scratch.value(f"{root}-{environment}")

    def digest(self, environment: str = "production") -> str:
        """What waits, by the last evidence."""
        found = self.scratch.environment(environment)["plan_set_digest"]
        assert isinstance(found, str)
        return found

    def reasons(self, environment: str = "production") -> dict[str, str]:
        """{code: text} of the last evidence."""
        return {one["code"]: one["text"] for one in self.scratch.environment(environment)["verdict"]["reasons"]}

    def summary(self) -> str:
        return (self.scratch.output / "summary.md").read_text(encoding="utf-8")

    def environ(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of a run."""
        dropped = ("PYTEST_", "TF_", "TFPIPELINE_", "GITHUB_", "AWS_", "COV_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return {
            **kept,
            "COLUMNS": "120",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TFPIPELINE_CACHE": "off",
            **self.scratch.env,
            **(env or {}),
        }


#: Takes the terminal as the session's own, so that Ctrl-C reaches it, and becomes pytest.
_START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"


class Terminal:
    """pytest as a person sees it: everything it shows, and keys that are pressed."""

    def __init__(self, promotion: Promotion, *args: str) -> None:
        self.shown = ""
        self._fd, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, sys.executable, "-m", "pytest", *args],
            cwd=promotion.scratch.path,
            env=promotion.environ(),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)

    def until(self, text: str, seconds: float = 100) -> None:
        """Read until that was shown."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert self._read(deadline - time.monotonic()), f"never shown: {text}\n{self.shown}"

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self, seconds: float = 100) -> int:
        """Its exit code, once it has ended; everything it has shown is there then."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(max(deadline - time.monotonic(), 1))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


def make_keys(folder: Path, *names: str) -> dict[str, Path]:
    """A private key for each of these people."""
    folder.mkdir(exist_ok=True)
    for name in names:
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(argv, check=True, timeout=60)
    return {name: folder / name for name in names}


def allowed(keys: Mapping[str, Path], *names: str) -> str:
    """The allowed_signers file that names these people."""
    return "".join(f"{name} {keys[name].with_suffix('.pub').read_text()}" for name in names)


def sign(statement: Path, key: Path) -> Path:
    """Somebody's signature beside the statement, made as the run says that it is made."""
    argv = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "tfpipeline-approval"]
    done = subprocess.run(argv, input=statement.read_bytes(), check=True, capture_output=True, timeout=60)
    path = statement.with_name(f"{statement.name}.{key.name}.sig")
    path.write_bytes(done.stdout)
    return path
