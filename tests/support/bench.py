"""Bad input, as a user would meet it: the real pytest on a scratch repository with two healthy roots, `a` and `b`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scratch import Result, Scratch

#: What nobody should ever see instead of a message.
_UNREADABLE = ("Traceback", "INTERNALERROR")


class Bench:
    """A scratch repository, and what a user can expect of any run on it: a readable answer."""

    def __init__(self, path: Path) -> None:
        self.scratch = Scratch(path)
        self.scratch.root("a")
        self.scratch.root("b")
        self.scratch.write("tests/test_plain.py", "def test_plain():\n    assert True\n")

    def plan(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """`pytest --tf-plan staging` on the committed tree. checkov has no part in what is looked at here."""
        return self.run("--tf-plan", "staging", "-n0", "-k", "not policy", *args, env=env)

    def run(
        self, *args: str, env: Mapping[str, str] | None = None, commit: bool = True, cwd: str = ".", lines: int = 70
    ) -> Result:
        """Any run; it must not answer with a traceback or a wall of text."""
        if commit:
            self.scratch.commit()
        result = self.scratch.run(*args, env=env, cwd=cwd)
        for word in _UNREADABLE:
            assert word not in result.text, result.text
        assert len(result.text.splitlines()) <= lines, result.text
        return result

    def others_passed(self, but: str = "a") -> bool:
        """Whether the other root went through every check but those of checkov."""
        other = {"a": "b", "b": "a"}[but]
        found = self.scratch.outcomes()
        kinds = ("fmt", "lint", "validate", "plan[staging]")
        return all(found[f"infra/{other}/main.tf::{kind}"] == "passed" for kind in kinds)

    def outcome(self, check: str, root: str = "a") -> str:
        """The outcome of a check of the root."""
        return self.scratch.outcomes()[f"infra/{root}/main.tf::{check}"]

    def refusal(self) -> bool:
        """Whether the evidence is that of a run that was refused."""
        found = self.scratch.evidence()
        return found["run"]["exit_code"] == 4 and found["environments"] == [] and found["checks"] == []
