"""Every root of the corpus, with short cuts and without: the same checks, findings and plan digest.

What plain terraform says of AWS roots takes minutes, and is recorded: `DIFFERENTIAL_WRITE=1 pytest tests/differential`
writes it anew, `DIFFERENTIAL_LIVE=1` asks again for all of it; else the first of them is asked for again. Every other
root is asked about both ways each time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from case import Case
from corpus import AWS, SMALL
from differential import Side, ask

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool

RECORDED = Path(__file__).with_name("answers.json")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Side, Side]:
    top = tmp_path_factory.mktemp("small")
    return ask(top / "quick", SMALL, shortcuts=True), ask(top / "plain", SMALL, shortcuts=False)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return ask(tmp_path_factory.mktemp("aws") / "quick", AWS, shortcuts=True, emulated=True)


@pytest.fixture(scope="module")
def plain_aws(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What plain terraform says of each root of AWS."""
    path = tmp_path_factory.mktemp("aws") / "plain"
    terraform = find_tool("terraform", version=None, runner=Runner()).version
    recorded = json.loads(RECORDED.read_bytes()) if RECORDED.exists() else {"terraform": "", "answers": {}}
    if os.environ.keys() & {"DIFFERENTIAL_WRITE", "DIFFERENTIAL_LIVE"} or recorded["terraform"] != terraform:
        live = ask(path, AWS, shortcuts=False, emulated=True).answers
    else:
        first = AWS[0].root
        live = {first: ask(path, AWS, shortcuts=False, emulated=True, only=(first,)).answers[first]}
    answers = {**recorded["answers"], **live}
    if "DIFFERENTIAL_WRITE" in os.environ:
        whole = {"terraform": terraform, "answers": dict(sorted(live.items()))}
        RECORDED.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return answers


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_the_same_is_said(case: Case, small: tuple[Side, Side]) -> None:
    quick, plain = small
    assert plain.answers[case.root]
    assert quick.answers[case.root] == plain.answers[case.root]
    passes_only_as_it_should(case, quick)
    assert not any(filtered for _, filtered, _ in plain.commands.get(case.root, ()))


@pytest.mark.parametrize("case", AWS, ids=lambda case: case.name)
def test_the_same_is_said_of_aws(case: Case, aws: Side, plain_aws: Mapping[str, Any]) -> None:
    assert aws.answers[case.root] == plain_aws[case.root]
    passes_only_as_it_should(case, aws)


def passes_only_as_it_should(case: Case, quick: Side) -> None:
    """A short cut that leads nowhere gives the right answer too, and all that it costs besides."""
    assert quick.plain_again(case.root) == case.again
    ran = quick.commands.get(case.root, ())
    if (case.uses or (case.tofu and case.locked)) and ran and "zh:" not in case.edited:
        first = {name: filtered for name, filtered, _ in reversed(ran)}
        assert {name for name, filtered in first.items() if not filtered} == set()
