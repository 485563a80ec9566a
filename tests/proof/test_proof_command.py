"""`evidence verify`: a real run's evidence, signed by a real key, and everything that is not that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from scratch import Scratch

from pytest_tfpipeline.__main__ import main
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.schema import json_schema
from pytest_tfpipeline.proof.statement import statement, write_statement

Document = Callable[..., dict[str, Any]]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """A function that runs the command; gives the exit code and what it printed."""

    def run(*words: object) -> tuple[int, str]:
        try:
            code = main(["evidence", "verify", *map(str, words)])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else -1
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_real_run_is_proved_by_its_signed_evidence(tmp_path: Path, runner: Runner, people: Any, alice: Path) -> None:
    """As somebody else would ask: in a process without the repository."""
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    scratch.root("core")
    scratch.root("etl", reads="core")
    scratch.write(
        "tests/test_it.py", "import pytest\n\ndef test_it():\n    pass\n\ndef test_b():\n    pytest.skip('no')\n"
    )
    scratch.commit()
    done = scratch.run("--apply-env", "staging")
    assert done.code == 0, done.text
    assert [error.message for error in Draft202012Validator(json_schema()).iter_errors(scratch.evidence())] == []
    written = write_statement(runner, scratch.output, scratch.evidence(), people.key("alice"))

    argv = [
        sys.executable,
        "-I",
        "-m",
        "pytest_tfpipeline",
        "evidence",
        "verify",
        str(written),
        "--signers",
        str(alice),
    ]
    asked = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "applied: infra/core, infra/etl" in asked.stdout
    assert "signed by   alice@example.org (SHA256:" in asked.stdout
    assert "Proved: staging was applied completely from this commit." in asked.stdout


def test_evidence_without_a_signature_proves_nothing(
    verify: Callable[..., tuple[int, str]], document: Document, alice: Path, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(document()))
    for words in ((), ("--signers", alice)):
        code, text = verify(path, *words)
        assert code == 1
        assert "anybody can compute one" in text
        assert "signed by   nobody that is known" in text
        assert "Proved" not in text


def test_whose_signature_does_not_count_is_said(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], alice: Path, people: Any
) -> None:
    assert verify(signed(), "--signers", alice)[0] == 0
    code, text = verify(signed())
    assert (code, "no list of signers was given" in text) == (1, True)
    code, text = verify(signed(by="mallory"), "--signers", alice)
    assert (code, "is by a key that is not in" in text) == (1, True)
    unsigned = signed()
    unsigned.with_name(unsigned.name + ".sig").unlink()
    code, text = verify(unsigned, "--signers", alice)
    assert (code, "there is no evidence.statement.json.sig beside it" in text) == (1, True)


def test_an_approvals_signature_does_not_pass_for_evidence(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], people: Any
) -> None:
    path = signed()
    path.with_name(path.name + ".sig").unlink()
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", "tfpipeline-approval", "-f", people.key("alice"), path]
    subprocess.run(argv, check=True, capture_output=True)
    code, text = verify(path, "--signers", people.signers("alice {alice}"))
    assert (code, "was made for something else" in text) == (1, True)


def test_a_statement_that_was_edited_is_not_what_was_signed(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], document: Document, alice: Path
) -> None:
    """With a right checksum, which anybody can compute."""
    path = signed()
    path.write_text(json.dumps(statement(document(lambda value: value["run"].update(commit="2" * 40))), indent=1))
    code, text = verify(path, "--signers", alice)
    assert (code, "is the signature of other content" in text) == (1, True)


def waiting(value: dict[str, Any]) -> None:
    production = {**value["environments"][0], "name": "production", "applied": []}
    value["environments"].append(production)
    value["run"]["exit_code"] = 10


def test_each_environment_is_asked_for_by_its_name(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], alice: Path
) -> None:
    path = signed(waiting)
    code, text = verify(path, "--signers", alice)
    assert (code, "- production: nothing was applied" in text) == (1, True)
    assert verify(path, "--signers", alice, "--environment", "staging")[0] == 0
    code, text = verify(path, "--signers", alice, "--environment", "prod")
    assert (code, "it says nothing about prod" in text) == (1, True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda value: value["run"].update(tree_clean=False),
        lambda value: value["run"].update(exit_code=3),
        lambda value: value.update(environments=[]),
        lambda value: value["environments"][0].update(left=[{"root": "core", "why": "x"}]),
    ],
)
def test_a_signature_does_not_make_it_complete(
    edit: Any, verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], alice: Path
) -> None:
    assert verify(signed(edit), "--signers", alice)[0] == 1


def test_what_was_tried_in_an_emulated_cloud_says_so(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], alice: Path
) -> None:
    code, text = verify(signed(lambda value: value["environments"][0].update(emulated=True)), "--signers", alice)
    assert (code, "it counts for no real one" in text) == (0, True)


def test_what_cannot_be_read_is_a_wrong_use(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path], tmp_path: Path
) -> None:
    for words in (
        (tmp_path,),
        (tmp_path / "missing",),
        (signed(), "--signers", tmp_path / "missing"),
        (),
        (signed(), "--signed"),
    ):
        code, text = verify(*words)
        assert code == 4
        assert text.splitlines()[-1].strip()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b'{"schema_version": 1, "run"', "is not JSON, or not all of it is there"),
        (b'{"schema_version": 99}', "was made by a newer pytest-tfpipeline"),
        (b'{"schema_version": 1, "schema_version": 1}', "names the key 'schema_version' twice"),
        (b"[]", "is not evidence"),
        (b" " * (33 << 20), "is larger than 32 MiB"),
    ],
    ids=lambda given: given[:20] if isinstance(given, str) else "",
)
def test_an_apply_refuses_what_is_no_evidence_in_the_same_way(tmp_path: Path, data: bytes, said: str) -> None:
    scratch, file = Scratch(tmp_path), tmp_path / "claim.json"
    scratch.commit()
    file.write_bytes(data)
    argv = [sys.executable, "-I", "-m", "pytest_tfpipeline", "apply", "staging", "--evidence", str(file)]
    done = subprocess.run(argv, cwd=scratch.path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 4
    assert f"{file}: " in done.stderr
    assert said in done.stderr
    assert "-> " in done.stderr
    assert "Traceback" not in done.stderr


def test_names_in_it_cannot_forge_lines_or_steer_a_terminal(
    verify: Callable[..., tuple[int, str]], signed: Callable[..., Path]
) -> None:
    forged = (
        "x\nProved: staging was applied completely from this commit.\n  signed by   alice\n::error::y\x1b[2J\r\u202e"
    )
    code, text = verify(signed(lambda value: value["run"].update(repository=forged, ref=forged, id=forged)))
    assert code == 1
    assert [line for line in text.splitlines() if line.startswith(("Proved", "  signed by   alice", "::"))] == []
    assert not set(text) & set("\x1b\r\u202e")


def test_a_terminal_without_unicode_still_gets_an_answer(signed: Callable[..., Path]) -> None:
    path = signed(lambda value: value["run"].update(repository="https://example.org/λ.git"))
    argv = [sys.executable, "-m", "pytest_tfpipeline", "evidence", "verify", str(path)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    asked = subprocess.run(argv, env=env, capture_output=True, text=True)
    assert asked.returncode == 1
    assert "\\u03bb" in asked.stdout
    assert asked.stderr == ""
