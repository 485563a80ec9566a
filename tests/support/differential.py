"""The same roots in two real runs, with short cuts and without, and what each says of every root."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from packages import lock_file, provider_mirror
from scratch import Result, Scratch

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool

#: Digests of two runs can be compared only under one key.
_KEY = bytes(range(32)).hex()
#: Outside of the repository, whose bytes are in every plan's digest.
_CONFIGURATION = """environments = ["staging"]
shortcuts = {shortcuts}

[[root]]
match = "cases/*"
"""
_EMULATED = """
[environment.staging]
emulator = "aws"
"""
#: In the place of a program: writes down what is asked of it, and whether its providers run already.
_LISTENER = """#!/bin/sh
'{program}' "$@"
code=$?
echo "$PWD|$1|${{TF_REATTACH_PROVIDERS:+filtered}}|$code" >>'{log}'
exit $code
"""
_AWS_LOCK = Path(__file__).parents[2] / "terraform/core/.terraform.lock.hcl"
#: Of a finding of the evidence.
_REQUEST = re.compile(r"(RequestID: )[0-9A-Za-z-]+")
_SAID = ("rule", "severity", "address", "file", "line", "text")
_PASSED = {"validate": ("0",), "plan": ("0", "2"), "show": ("0",)}

Answer = Mapping[str, Any]


class Case(Protocol):
    """What a repository is made of."""

    def write(self, top: Path, locks: Mapping[str, str]) -> None:
        """Into the repository at `top`; `locks` are entries of a lock file by provider."""


@dataclass(frozen=True)
class Side:
    """What a run said of the roots, by directory: outcome and findings of each check, and the plan's digest; and the
    commands that were run in each, with whether the providers were filtered, and whether it passed."""

    result: Result
    answers: Mapping[str, Answer]
    commands: Mapping[str, tuple[tuple[str, bool, bool], ...]]

    def plain_again(self, root: str) -> tuple[str, ...]:
        """Commands that passed plainly after they had not passed with filtered providers."""
        ran = self.commands.get(root, ())  # none where init has failed
        pairs = pairwise(ran)
        return tuple(
            two[0] for one, two in pairs if one[0] == two[0] and one[1:] == (True, False) and two[1:] == (False, True)
        )


def ask(
    path: Path, cases: Iterable[Case], *, shortcuts: bool, emulated: bool = False, only: Sequence[str] = ()
) -> Side:
    """Validate and plan the cases in a repository at `path`, which is made; of `only` these roots, if any are named."""
    path.mkdir(parents=True)
    scratch = Scratch(path)
    log = path / "commands.log"
    (scratch.path / "tfpipeline.toml").unlink()
    configuration = path / "tfpipeline.toml"
    text = _CONFIGURATION.format(shortcuts=str(shortcuts).lower()) + (_EMULATED if emulated else "")
    configuration.write_text(text)
    mirror = provider_mirror(path / "share" / "terraform" / "plugins")
    for case in cases:
        case.write(scratch.path, locks(mirror))
    scratch.commit()
    scratch.git("remote", "add", "origin", "https://example.org/cases.git")
    scratch.env |= {
        "TFPIPELINE_DIGEST_KEY": _KEY,
        "XDG_DATA_DIRS": str(path / "share"),
        **{f"TFPIPELINE_{name.upper()}": _listener(path, name, log) for name in ("terraform", "tofu")},
    }
    wanted = (f"--tf-config={configuration}", "--tf-plan", "staging", "-n", "2", "-m", "tf_validate or tf_plan")
    result = scratch.run(*wanted, *only, timeout=3000)
    assert (scratch.output / "evidence.json").exists(), result.text
    return Side(result, _answers(scratch), _commands(log))


def locks(mirror: Path) -> dict[str, str]:
    """The entry of a lock file for each provider, for this machine: of the mirror's, and of AWS's."""
    built = dict(zip(("local", "time"), lock_file(mirror).split("\n\n"), strict=True))
    return {name: text.strip() + "\n" for name, text in built.items()} | {"aws": _AWS_LOCK.read_text(encoding="utf-8")}


def _listener(path: Path, name: str, log: Path) -> str:
    program = find_tool(name, version=None, runner=Runner()).path
    listener = path / "bin" / name
    listener.parent.mkdir(exist_ok=True)
    listener.write_text(_LISTENER.format(program=program, log=log))
    listener.chmod(0o755)
    return str(listener)


def _answers(scratch: Scratch) -> dict[str, Answer]:
    evidence, place = scratch.evidence(), str(scratch.path.parent)
    found: dict[str, dict[str, Any]] = {}
    for check in evidence["checks"]:
        if not check["root"]:  # what was not selected
            continue
        kind = check["id"].rpartition("::")[2]
        said = [{name: _steady(finding[name], place) for name in _SAID} for finding in check["findings"]]
        about = found.setdefault(check["root"], {})
        about[kind] = {"outcome": check["outcome"], "findings": sorted(said, key=lambda one: json.dumps(one))}
    for environment in evidence["environments"]:
        for plan in environment["plans"]:
            found[plan["root"]]["digest"] = plan["digest"]
    return found


def _steady(value: Any, place: str) -> Any:
    """Without what differs from call to call: the order in a cycle, the number of a request to a cloud, the place."""
    if not isinstance(value, str):
        return value
    if value.startswith("Cycle: "):
        return "Cycle: " + ", ".join(sorted(value.removeprefix("Cycle: ").split(", ")))
    return _REQUEST.sub(r"\1", value.replace(place, ""))


def _commands(log: Path) -> dict[str, tuple[tuple[str, bool, bool], ...]]:
    found: dict[str, list[tuple[str, bool, bool]]] = {}
    for line in log.read_text().splitlines():
        place, name, filtered, code = line.split("|")
        if name in _PASSED:
            root = "cases/" + place.rpartition("/cases/")[2]
            found.setdefault(root, []).append((name, bool(filtered), code in _PASSED[name]))
    return {root: tuple(ran) for root, ran in found.items()}
