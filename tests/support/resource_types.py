"""Which AWS resource types the emulated cloud plans, applies, plans again without a change, and destroys.

`python tests/support/resource_types.py [--write]` runs terraform and the AWS provider on all configurations in
`tests/emulator/types` at once, which takes five minutes, prints the table, and with `--write` renews it in
docs/emulator.md.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.emulator import Emulator, state_path
from pytest_tfpipeline.process import Outcome, Request, Runner

TOP = Path(__file__).parents[2]
TYPES = TOP / "tests" / "emulator" / "types"
DOCUMENT = TOP / "docs" / "emulator.md"
BEGIN = "<!-- generated: python tests/support/resource_types.py --write -->"
END = "<!-- end of generated -->"
COLUMNS = ("plan", "apply", "plan again", "destroy")
#: Of how many repositories each type was found in, and in how many blocks.
USAGE = TYPES / "usage.json"
_LIMIT = 1200
_RESOURCE = re.compile(r'^resource "(aws_\w+)"', re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """What one terraform command said, line by line, and how it ended."""

    code: int | None
    lines: tuple[dict[str, Any], ...]

    def refused(self) -> dict[str, str]:
        """The first error of each address."""
        found: dict[str, str] = {}
        for line in self.lines:
            told = line.get("diagnostic", {}) if line.get("@level") == "error" else {}
            found.setdefault(told.get("address", ""), told.get("summary", ""))
        return found

    def done(self) -> set[str]:
        """The addresses that something was done to."""
        complete = (line["hook"]["resource"]["addr"] for line in self.lines if line.get("type") == "apply_complete")
        return set(complete)

    def planned(self) -> dict[str, str]:
        """What is planned, by address."""
        changes = (line["change"] for line in self.lines if line.get("type") == "planned_change")
        return {change["resource"]["addr"]: change["action"] for change in changes}


@dataclass(frozen=True)
class Trial:
    """The four steps; `before` and the others are missing where the plan could not be made."""

    plan: Step
    apply: Step
    again: Step
    destroy: Step

    def row(self, kind: str) -> tuple[str, ...]:
        """Of each step `yes`, or what is wrong, for all resources of that type together."""
        own = [address for address in self.plan.planned() if _type_of(address) == kind]
        if not own:
            return (
                self.plan.refused().get("", "") or _first(self.plan.refused(), kind) or "not planned",
                "-",
                "-",
                "-",
            )
        made = all(address in self.apply.done() for address in own)
        changed = sorted({self.again.planned()[one] for one in own if one in self.again.planned()})
        gone = all(address in self.destroy.done() for address in own)
        return (
            "yes",
            "yes" if made else _first(self.apply.refused(), kind) or "no: what it needs is not there",
            "yes" if made and not changed else ", ".join(changed) or "-",
            "yes" if gone else _first(self.destroy.refused(), kind) or "-",
        )


def configured(directory: Path = TYPES) -> set[str]:
    """The types that have a configuration."""
    return {kind for path in directory.glob("*.tf") for kind in _RESOURCE.findall(path.read_text(encoding="utf-8"))}


def most_used() -> list[str]:
    """The types in the order of the table: in how many repositories, then in how many blocks."""
    usage: dict[str, list[int]] = json.loads(USAGE.read_text(encoding="utf-8"))["types"]
    return sorted(usage, key=lambda kind: (-usage[kind][0], -usage[kind][1], kind))


def try_out(source: Path, work: Path) -> Trial:
    """Plan, apply, plan again and destroy the configuration in `source`, on an empty emulated cloud."""
    root = work / "root"
    shutil.copytree(source, root)
    runner = Runner()
    cloud = Emulator.start(
        runner, environment="types", state_path=state_path(work, "types"), work_path=work, read_only=True
    )
    try:
        return _trial(_Terraform(runner, root, {**cloud.process_env, **_settings(work)}))
    finally:
        cloud.stop()


def table(trial: Trial) -> str:
    """The trial of the most used types as Markdown."""
    usage: dict[str, list[int]] = json.loads(USAGE.read_text(encoding="utf-8"))["types"]
    rows = [
        f"| {number} | `{kind}` | {usage[kind][0]} | {usage[kind][1]} | {' | '.join(trial.row(kind))} |"
        for number, kind in enumerate(most_used(), 1)
    ]
    head = f"| | type | repositories | blocks | {' | '.join(COLUMNS)} |"
    return "\n".join([head, "| --- | --- | --- | --- " + "| --- " * len(COLUMNS) + "|", *rows])


def documented() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows of the documentation's table: a type and its four cells."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for line in text[text.index(BEGIN) : text.index(END)].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 + len(COLUMNS) and cells[1].startswith("`"):
            yield cells[1].strip("`"), tuple(cells[4:])


def main(arguments: list[str]) -> int:
    """Try all of them, and print or write the table."""
    with tempfile.TemporaryDirectory() as work:
        text = table(try_out(TYPES, Path(work)))
    if arguments == ["--write"]:
        document = DOCUMENT.read_text(encoding="utf-8")
        before, rest = document.split(BEGIN, 1)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")
    else:
        sys.stdout.write(f"{text}\n")
    return 0


class _Terraform:
    def __init__(self, runner: Runner, root: Path, env: Mapping[str, str]) -> None:
        self._runner, self._root, self._env = runner, root, env

    def run(self, *words: str) -> Step:
        request = Request(("terraform", *words), self._root, self._env, timeout=_LIMIT)
        return _step(self._runner.run(request))


def _trial(terraform: _Terraform) -> Trial:
    init = terraform.run("init", "-input=false", "-no-color")
    if init.code != 0:
        raise SystemExit("terraform init failed")
    plan = terraform.run("plan", "-json", "-input=false", "-out=plan")
    if plan.code != 0:
        return Trial(plan, Step(None, ()), Step(None, ()), Step(None, ()))
    return Trial(
        plan,
        terraform.run("apply", "-json", "plan"),
        terraform.run("plan", "-json", "-input=false"),
        terraform.run("destroy", "-json", "-input=false", "-auto-approve"),
    )


def _step(outcome: Outcome) -> Step:
    lines = (json.loads(line) for line in outcome.stdout.splitlines() if line.startswith("{"))
    return Step(outcome.code, tuple(lines))


def _settings(work: Path) -> dict[str, str]:
    """Providers from an unpacked mirror where the machine has one, else from the registry."""
    places = [os.environ.get("TFPIPELINE_PROVIDER_MIRROR", "")]
    places += [str(one.parent) for top in ("/opt", "/usr/local") for one in Path(top).glob("*/registry.terraform.io")]
    mirrors = [place for place in places if place]
    inner = f"filesystem_mirror {{\n path = {json.dumps(mirrors[0])}\n }}" if mirrors else "direct {}"
    (work / "terraform.rc").write_text(f"provider_installation {{\n {inner}\n}}\n", encoding="utf-8")
    return {"TF_CLI_CONFIG_FILE": str(work / "terraform.rc"), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}


def _type_of(address: str) -> str:
    return address.split(".")[0]


def _first(refused: Mapping[str, str], kind: str) -> str:
    return next((f"no: {text}" for address, text in refused.items() if _type_of(address) == kind), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
