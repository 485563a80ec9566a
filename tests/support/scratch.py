"""A scratch git repository with tiny Terraform roots, and the real pytest run on it in a process of its own.

The roots use the builtin `terraform_data` and keep their state outside of the repository, so that a test can ask the
state file itself what was applied, whatever the run says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import interruptible  # noqa: F401

#: Variables of the surrounding run that would change the inner one.
_DROPPED = ("PYTEST_", "TF_", "TFPIPELINE_", "GITHUB_", "AWS_", "COV_", "CI")

_TFLINT = """config {
  disabled_by_default = true
}

rule "terraform_deprecated_interpolation" {
  enabled = true
}
"""

_NO_CHECKOV = """#!/bin/sh
[ "$1" = --version ] && exec echo 3.0.0
echo '{"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0}'
"""

#: The plugin of hypothesis imports all of it at the end of every process: a second for each, and nobody's report here.
_PYTEST = """[pytest]
testpaths = tests
xfail_strict = true
addopts = -p no:hypothesispytest
"""


@dataclass(frozen=True)
class Result:
    """What a run said; `code` is pytest's exit code."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Everything that was printed, for `in` and for a failing assertion."""
        return self.stdout + self.stderr


class Scratch:
    """A repository at `path`; call `commit` once its files are written."""

    def __init__(self, path: Path, environments: tuple[str, ...] = ("staging",)) -> None:
        self.path = path / "repository"
        self.states = path / "states"
        self.output = self.path / ".tfpipeline"
        self.environments = environments
        self.env: dict[str, str] = {}
        self.path.mkdir(parents=True)
        self.write(".tflint.hcl", _TFLINT)
        self.write("pytest.ini", _PYTEST)
        self.write(".gitignore", ".pytest_cache/\n__pycache__/\n")
        self.configure()

    def without_checkov(self) -> None:
        """Put a program in checkov's place that finds nothing to check. For tests that claim nothing about checkov,
        which takes six seconds for each policy check."""
        program = self.path.parent / "bin" / "checkov"
        program.parent.mkdir(exist_ok=True)
        program.write_text(_NO_CHECKOV)
        program.chmod(0o755)
        self.env["TFPIPELINE_CHECKOV"] = str(program)

    def write(self, name: str, text: str) -> Path:
        """A file of the repository."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def configure(self, text: str = "", *, roots: str = 'match = "infra/*"\napply = true\n') -> None:
        """The configuration: `text` on top, `roots` as the only [[root]]."""
        names = ", ".join(f'"{name}"' for name in self.environments)
        self.write("tfpipeline.toml", f"environments = [{names}]\n{text}\n[[root]]\n{roots}")

    def root(self, name: str, body: str = "", *, reads: str | None = None, value: str = "hello") -> Path:
        """A root `infra/NAME` with one `terraform_data.it`, an output, and `body` behind it.

        With `reads` it takes its value from that root's state.
        """
        given = f'"{value}"' if reads is None else f"data.terraform_remote_state.{reads}.outputs.value"
        data = "" if reads is None else _DATA.format(name=reads, path=self._state_path(reads))
        text = _ROOT.format(path=self._state_path(name), data=data, given=given)
        return self.write(f"infra/{name}/main.tf", text + (f"\n{body.strip()}\n" if body else ""))

    def commit(self, message: str = "Change") -> None:
        """Commit everything that git does not ignore; the first call makes the repository."""
        if not (self.path / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def git(self, *words: str) -> str:
        """Git's output; it must succeed."""
        user = ("-c", "user.name=Scratch", "-c", "user.email=scratch@example.org", "-c", "commit.gpgsign=false")
        argv = ["git", *user, *words]
        return subprocess.run(argv, cwd=self.path, check=True, capture_output=True, text=True).stdout

    def run(self, *args: str, env: Mapping[str, str] | None = None, timeout: float = 120, cwd: str = ".") -> Result:
        """`pytest ARGS` to its end. Variables of the surrounding run that could matter are not inherited."""
        done = subprocess.run(
            self._argv(args),
            cwd=self.path / cwd,
            env=self._environ(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=timeout,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """`pytest ARGS` in a process group of its own, not waited for; its stderr goes to its stdout."""
        return subprocess.Popen(
            self._argv(args),
            cwd=self.path,
            env=self._environ(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
        )

    def evidence(self) -> dict[str, Any]:
        """The last run's evidence."""
        found: dict[str, Any] = json.loads((self.output / "evidence.json").read_bytes())
        return found

    def environment(self, name: str | None = None) -> dict[str, Any]:
        """What the last evidence says of an environment; the first one if it is not named."""
        found: list[dict[str, Any]] = self.evidence()["environments"]
        return next(one for one in found if name in (None, one["name"]))

    def reasons(self, name: str | None = None) -> set[str]:
        """The codes of the reasons in the last evidence."""
        return {reason["code"] for reason in self.environment(name)["verdict"]["reasons"]}

    def outcomes(self) -> dict[str, str]:
        """The outcome of each check in the last evidence, by id."""
        return {check["id"]: check["outcome"] for check in self.evidence()["checks"]}

    def state(self, root: str) -> dict[str, Any] | None:
        """The root's state file; None if there is none."""
        path = self._state_path(root)
        return json.loads(path.read_bytes()) if path.exists() else None

    def applied(self, root: str) -> bool:
        """Whether terraform has put anything into the root's state."""
        state = self.state(root)
        return state is not None and bool(state["resources"] or state["outputs"])

    def value(self, root: str) -> str | None:
        """The output `value` in the root's state."""
        state = self.state(root)
        return None if state is None else state["outputs"].get("value", {}).get("value")

    def locks(self) -> list[Path]:
        """Locks that terraform left on states."""
        return sorted(self.states.glob(".*.lock.info")) if self.states.exists() else []

    def clean(self) -> bool:
        """Whether the user's tree is what was committed."""
        return not self.git("status", "--porcelain")

    def _state_path(self, root: str) -> Path:
        return self.states / f"{root}.tfstate"

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "pytest", *args]

    def _environ(self, given: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        plain = {"COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1", "TFPIPELINE_CACHE": "off"}
        return {**kept, **plain, **self.env, **(given or {})}


_ROOT = """terraform {{
  backend "local" {{
    path = "{path}"
  }}
}}
{data}
resource "terraform_data" "it" {{
  input = {given}
}}

output "value" {{
  value = terraform_data.it.output
}}
"""

_DATA = """
data "terraform_remote_state" "{name}" {{
  backend = "local"
  config = {{
    path = "{path}"
  }}
}}
"""
