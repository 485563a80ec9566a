"""The table of attacks, from their declarations and from what their last real run came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attack import Attack, Trial

PAGE = Path(__file__).parents[2] / "docs/attacks.md"

_HEAD = """# Attacks

What was tried to have something applied that should not be, and what came of it. Each row was a real run on a
repository of its own; afterwards its states were asked what had been applied, and not the run.

Two kinds, since they are promised different things ([the gate](gate.md)). *Mistakes* are what goes wrong by accident
or carelessness, in one process: nothing may be applied. *Hostile code* can do whatever its process may do, and no gate
in the same process can stop it: in one process it is shown as it is, and in two jobs nothing may come of it, but for
what the last table names.

Written by `ATTACKS_WRITE=1 pytest tests/attacks`; `tests/attacks/test_attacks_table.py` compares.
"""
_MISTAKES = """## Mistakes, in one process

`applied` counts the roots in which the attack had an effect. A run shared by several rows names each of them in a
reason of its own.
"""
_HOSTILE = """## Hostile code

The same commit, in both arrangements, from the same states. `one process` is `pytest --apply-env staging`; where a row
needs an operator file, it has none. `two jobs` is `pytest --tf-plan staging`, then, in a fresh clone with an empty
home, `python -I -m pytest_tfpipeline apply staging --evidence FILE`. What may apply is a credential that the check job
does not have: what it wrote to a state all the same is undone before the apply job begins.

Both columns count what the attack came to: a root applied that should not be, a resource deleted, something shown raw,
or code of the branch's that ran beside the credential. `-` is where one process has nothing of the kind.
"""
_COLUMNS = "| attack | what it does | what comes of it | applied |\n|---|---|---|---|"
_BOTH = "| attack | what it does | the apply job | one process | two jobs |\n|---|---|---|---|---|"
_ROW = re.compile(r"^\| (?!attack \||---)(.*?) \| (?:.*) \| (\S+) \|$", re.MULTILINE)


class Threat(Protocol):
    """A row of hostile code."""

    @property
    def id(self) -> str: ...

    @property
    def tries(self) -> str: ...


class Raid(Protocol):
    """What several of them share."""

    @property
    def threats(self) -> Sequence[Threat]: ...

    @property
    def exit(self) -> int: ...

    @property
    def answer(self) -> str: ...


def page(
    mistakes: Mapping[str, tuple[Trial, ...]], hostile: Mapping[str, Sequence[Raid]], found: Mapping[str, object]
) -> str:
    """The whole page; `found` is what each attack came to, by its name, of hostile code in one process and in two jobs.
    One that was not run has a question mark."""
    parts = [_HEAD, _MISTAKES]
    for heading, trials in mistakes.items():
        rows = [_row(attack, trial, found) for trial in trials for attack in trial.attacks]
        parts.append("\n".join([f"### {heading}\n", _COLUMNS, *rows]) + "\n")
    parts.append(_HOSTILE)
    for heading, raids in hostile.items():
        rows = [_raid_row(threat, raid, found.get(threat.id, "??")) for raid in raids for threat in raid.threats]
        parts.append("\n".join([f"### {heading}\n", _BOTH, *rows]) + "\n")
    return "\n".join(parts)


def written(text: str) -> Iterator[tuple[str, object]]:
    """(attack, what it came to) of each row of a page."""
    mistakes = text.partition(_HOSTILE.splitlines()[0])[0]
    for row in _ROW.finditer(text):
        if row.start() < len(mistakes):
            yield row[1], row[2]
        else:
            yield row[1], row[0].rstrip(" |").split(" | ")[-2:]


def _row(attack: Attack, trial: Trial, found: Mapping[str, object]) -> str:
    return f"| {attack.id} | {attack.tries} | {_answer(attack, trial)} | {found.get(attack.id, '?')} |"


def _raid_row(threat: Threat, raid: Raid, found: Any) -> str:
    alone, jobs = ("-" if one is None else one for one in found)
    answer = f"exit {raid.exit}" + (f": {raid.answer}" if raid.answer else "")
    return f"| {threat.id} | {threat.tries} | {answer} | {alone} | {jobs} |"


def _answer(attack: Attack, trial: Trial) -> str:
    codes = ", ".join(f"`{code}`" for code in ([attack.code] if attack.code else sorted(trial.codes or ())))
    kinds = {0: "exit 0", 2: "exit 2: interrupted", 4: "exit 4: refused before anything is run"}
    told = codes or trial.answer or kinds.get(trial.exit, "")
    return told if told.startswith("exit") else f"exit {trial.exit}: {told}"
