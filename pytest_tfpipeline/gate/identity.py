"""Whose credentials are in use, held against what `identity` of the environment says. Pure: the answers come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_tfpipeline.gate.reasons import Code, Reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking once. `what` names what was asked for (`AWS account`), `when` the phase (`plan`, `apply`).

    `found` is None where it could not be found out; `problem` then says why.
    """

    what: str
    when: str
    expected: str
    found: str | None
    problem: str = ""

    @property
    def right(self) -> bool:
        """Whether these are the credentials that the configuration expects."""
        return self.found == self.expected


def to_identity(environment: str, answers: Iterable[Answer]) -> Iterator[Reason]:
    """Credentials of somebody else; or of nobody knows whom, which is no better."""
    for answer in answers:
        if not answer.right:
            yield Reason(Code.WRONG_IDENTITY, _say(environment, answer))


def told(answers: Iterable[Answer]) -> str | None:
    """What was found, for the evidence; None where nothing was."""
    found = sorted({answer.found for answer in answers if answer.found is not None})
    return ", ".join(found) or None


def _say(environment: str, answer: Answer) -> str:
    whose = f"the {answer.when} credentials for {environment}: {answer.what}"
    if answer.found is None:
        unknown = "nothing" if answer.what.endswith(" says") else "could not be found out"
        return f"{whose} {unknown} (`identity` expects {answer.expected}): {answer.problem}"
    return f"{whose} {answer.found}, but `identity` expects {answer.expected}"
