"""The table of attacks, from their declarations and from what their last real run came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attack import Attack, Trial

PAGE = Path(__file__).parents[1] / "attacks" / "table.md"

_HEAD = """# Attacks

What was tried to have something applied that should not be, and what came of it. Each row was a real run on a
repository of its own; afterwards its states were asked what had been applied, and not the run. `applied` counts the
roots in which the attack had an effect. A run shared by several rows names each of them in a reason of its own.

These are mistakes: what goes wrong by accident or carelessness, in one process. Code that means harm can do whatever
its process may do, and no gate in the same process can stop it.

Written by `ATTACKS_WRITE=1 pytest tests/attacks`; `tests/attacks/test_attacks_table.py` compares.
"""
_COLUMNS = "| attack | what it does | what comes of it | applied |\n|---|---|---|---|"
_ROW = re.compile(r"^\| (?!attack \||---)(.*) \| (.*) \| (.*) \| (\S+) \|$", re.MULTILINE)


def page(by_kind: Mapping[str, tuple[Trial, ...]], applied: Mapping[str, object]) -> str:
    """The whole page; an attack that was not run has a question mark."""
    parts = [_HEAD]
    for heading, trials in by_kind.items():
        rows = [_row(attack, trial, applied) for trial in trials for attack in trial.attacks]
        parts.append("\n".join([f"## {heading}\n", _COLUMNS, *rows]) + "\n")
    return "\n".join(parts)


def written(text: str) -> Iterator[tuple[str, str]]:
    """(attack, applied) of each row of a page."""
    return ((row[1], row[4]) for row in _ROW.finditer(text))


def _row(attack: Attack, trial: Trial, applied: Mapping[str, object]) -> str:
    return f"| {attack.id} | {attack.tries} | {_answer(attack, trial)} | {applied.get(attack.id, '?')} |"


def _answer(attack: Attack, trial: Trial) -> str:
    codes = ", ".join(f"`{code}`" for code in ([attack.code] if attack.code else sorted(trial.codes or ())))
    kinds = {0: "exit 0", 2: "exit 2: interrupted", 4: "exit 4: refused before anything is run"}
    told = codes or trial.answer or kinds.get(trial.exit, "")
    return told if told.startswith("exit") else f"exit {trial.exit}: {told}"
