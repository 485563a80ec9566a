"""Three levels of roots, a chain and a diamond, with the real terraform.

After each run every claim of its evidence is held against the state files, and against a log outside of the
repository to which each root writes whenever it is created or replaced.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from attack import Scene
from scratch import Result

#: root -> the roots whose state it reads: the diamond net, left and right, top; the chain one, two, three.
UPSTREAMS = {
    "net": (),
    "left": ("net",),
    "right": ("net",),
    "top": ("left", "right"),
    "one": (),
    "two": ("one",),
    "three": ("two",),
}
LEVEL = {"net": 1, "one": 1, "left": 2, "right": 2, "two": 2, "top": 3, "three": 3}

SECOND = """
data "terraform_remote_state" "right" {{
  backend = "local"
  config = {{
    path = "{path}"
  }}
}}

resource "terraform_data" "both" {{
  input = data.terraform_remote_state.right.outputs.value
}}
"""
FRAGILE = """
resource "terraform_data" "fragile" {{
  triggers_replace = terraform_data.it.input

  provisioner "local-exec" {{
    command = "test -e '{switch}'"
  }}
}}
"""


class Waves(Scene):
    """The seven roots; `left` can be applied only while `switch` is there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        (self.scratch.path / "infra/a/main.tf").unlink()
        self.switch = path / "works"
        self.switch.touch()
        self.start_from("hello")

    def start_from(self, value: str) -> None:
        """Write all roots; those of the first level with this value, which the others take over."""
        bodies = {
            "left": FRAGILE.format(switch=self.switch),
            "top": SECOND.format(path=self.scratch.states / "right.tfstate"),
        }
        for name, upstreams in UPSTREAMS.items():
            self.root(name, bodies.get(name, ""), value=value, reads=upstreams[0] if upstreams else None)
        self.scratch.commit()

    def run(self, code: int, *args: str) -> Result:
        """One run, whose evidence must be true."""
        self.mark()
        before = self.states()
        result = self.scratch.run("--apply-env", "staging", *(args or ("-n", "0")))
        assert result.code == code, result.text
        assert_true(self.scratch.evidence(), before, self.states(), code)
        assert self.scratch.locks() == []
        return result

    def states(self) -> dict[str, bytes]:
        """{root: its state}."""
        return {path.stem: path.read_bytes() for path in self.scratch.states.glob("*.tfstate")}

    def values(self) -> dict[str, str | None]:
        """{root: the output in its state}, of roots that have a state."""
        return {name: self.scratch.value(name) for name in self.states()}

    def outcomes(self) -> dict[str, str]:
        """{root: what the evidence says became of it}."""
        environment = self.scratch.environment()
        done = {name_of(one): one["outcome"] for one in environment["applied"]}
        return done | {name_of(one): "left" for one in environment["left"]}


def name_of(entry: dict[str, Any]) -> str:
    return str(entry["root"]).removeprefix("infra/")


def assert_true(evidence: dict[str, Any], before: dict[str, bytes], after: dict[str, bytes], code: int) -> None:
    """Hold what the evidence claims against the states before and after the run."""
    (environment,) = evidence["environments"]
    assert evidence["run"]["exit_code"] == code
    applied = {name_of(one): one for one in environment["applied"]}
    left = {name_of(one): one["why"] for one in environment["left"]}
    assert environment["verdict"]["open"] is True
    assert sorted([*applied, *left]) == sorted(UPSTREAMS)
    for name, one in applied.items():
        moved = before.get(name) != after.get(name)
        assert moved is (one["outcome"] != "unchanged"), (name, one)
        assert ("error" in one) is (one["outcome"] == "failed"), (name, one)
        for up in UPSTREAMS[name]:
            assert applied[up]["wave"] < one["wave"], (name, up)
            assert applied[up]["outcome"] != "failed", (name, up)
    for name, why in left.items():
        assert before.get(name) == after.get(name), name
        (cause,) = [up for up in UPSTREAMS[name] if up in left or applied[up]["outcome"] == "failed"]
        assert f"it depends on infra/{cause}, which was not applied" in why
    assert_plans(environment["plans"], applied, left, before)


def assert_plans(
    plans: list[dict[str, Any]], applied: dict[str, Any], left: dict[str, str], before: dict[str, bytes]
) -> None:
    """A plan for each root, with the changes that were carried out; deferred only what was left behind a failure."""
    assert sorted(name_of(plan) for plan in plans) == sorted(UPSTREAMS)
    for plan in plans:
        name = name_of(plan)
        if name in applied:
            assert plan["has_changes"] is (applied[name]["outcome"] != "unchanged"), plan
        if name in left and name not in before:
            assert plan["deferred"] is True, plan


@pytest.fixture
def waves(tmp_path: Path) -> Waves:
    return Waves(tmp_path)


ONCE = dict.fromkeys(UPSTREAMS, 1)


@pytest.mark.parametrize("args", [("-n", "0"), ("-n", "2")], ids=["alone", "workers"])
def test_from_nothing_in_three_waves_then_a_change_then_nothing_to_do(args: tuple[str, ...], waves: Waves) -> None:
    first = waves.run(0, *args)

    assert waves.values() == dict.fromkeys(UPSTREAMS, "hello")
    assert Counter(waves.lines()) == ONCE
    environment = waves.scratch.environment()
    assert {name_of(one): one["wave"] for one in environment["applied"]} == LEVEL
    assert "not seen yet" not in first.stdout  # all of it is applied by then

    waves.start_from("second")
    waves.run(0, *args)

    assert waves.values() == dict.fromkeys(UPSTREAMS, "second")
    assert Counter(waves.lines()) == dict.fromkeys(UPSTREAMS, 2)
    assert set(waves.outcomes().values()) == {"applied"}

    states = waves.states()
    last = waves.run(0, *args)

    assert waves.states() == states
    assert set(waves.outcomes().values()) == {"unchanged"}
    assert "staging: nothing to change" in last.stdout


def test_a_failure_in_the_middle_from_nothing_is_finished_by_the_same_command(waves: Waves) -> None:
    waves.switch.unlink()

    first = waves.run(11)

    assert waves.outcomes() == {**dict.fromkeys(UPSTREAMS, "applied"), "left": "failed", "top": "left"}
    for name, level in LEVEL.items():
        assert (f"not seen yet: infra/{name} " in first.stdout) is (level > 1)
    assert waves.values() == {name: "hello" for name in UPSTREAMS if name != "top"}
    assert "infra/top  left: it depends on infra/left" in first.stdout

    waves.switch.touch()
    waves.run(0)

    assert waves.outcomes() == {**dict.fromkeys(UPSTREAMS, "unchanged"), "left": "applied", "top": "applied"}
    assert waves.values() == dict.fromkeys(UPSTREAMS, "hello")
    assert Counter(waves.lines()) == ONCE


def test_a_failure_in_the_middle_of_a_full_environment_leaves_its_dependants_as_they_were(waves: Waves) -> None:
    waves.run(0)
    waves.switch.unlink()
    waves.start_from("second")

    waves.run(11)

    assert waves.outcomes() == {**dict.fromkeys(UPSTREAMS, "applied"), "left": "failed", "top": "left"}
    assert waves.values() == {**dict.fromkeys(UPSTREAMS, "second"), "top": "hello"}

    waves.switch.touch()
    waves.run(0)

    assert waves.outcomes() == {**dict.fromkeys(UPSTREAMS, "unchanged"), "left": "applied", "top": "applied"}
    assert waves.values() == dict.fromkeys(UPSTREAMS, "second")
    assert Counter(waves.lines()) == dict.fromkeys(UPSTREAMS, 2)


def test_a_failure_at_the_beginning_leaves_two_levels_and_says_behind_what(waves: Waves) -> None:
    waves.switch.unlink()
    waves.root("one", FRAGILE.format(switch=waves.switch))
    waves.scratch.commit()

    waves.run(11)

    expected = {"one": "failed", "left": "failed", "two": "left", "three": "left", "top": "left"}
    assert waves.outcomes() == {"net": "applied", "right": "applied", **expected}
    left = {name_of(one): one["why"] for one in waves.scratch.environment()["left"]}
    assert left["three"] == "it depends on infra/two, which was not applied"

    waves.switch.touch()
    waves.run(0)

    assert waves.values() == dict.fromkeys(UPSTREAMS, "hello")
    assert Counter(waves.lines()) == ONCE
