"""The exit code over every short chain of environments: 0 is never said of anything but all, 10 never of a failure."""

from __future__ import annotations

from itertools import product

import pytest

from pytest_tfpipeline.gate.ending import FAILED, OK, PARTIAL, WAITING, exit_code, unproved
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.waves import Applied, Left, Result
from pytest_tfpipeline.model import EnvironmentRun

DIGEST = "sha256:" + "a" * 64
DONE, SAME, BROKEN = Applied("a", 1, "applied"), Applied("a", 1, "unchanged"), Applied("b", 1, "failed")


def one(result: Result | None = None, waits: str | None = None, tests: tuple[str, ...] = ()) -> EnvironmentResult:
    closed = Verdict("e", (Reason(Code.CHECK_FAILED, "no"),)) if result is None else Verdict("e")
    return EnvironmentResult(EnvironmentRun("e"), (), closed, result, waits=waits, broken_outputs=tests)


#: What can become of an environment, by name.
ENDS = {
    "complete": one(Result((DONE,))),
    "unchanged": one(Result((SAME,))),
    "closed": one(),
    "waits": one(waits=DIGEST),
    "waits in a later wave": one(Result((DONE,), (Left("b", "not approved", waits=True),)), DIGEST),
    "failed": one(Result((DONE, BROKEN))),
    "left": one(Result((SAME,), (Left("b", "refused"),))),
    "interrupted": one(Result((DONE,), interrupted=True)),
    "broken": one(Result((DONE,), broken=RuntimeError("bug"))),
    "outputs": one(Result((DONE,)), tests=("test_url",)),
}
WELL = {"complete", "unchanged"}
WAITS = {"waits", "waits in a later wave"}
IN_PART = {"failed", "left", "interrupted", "broken", "outputs"}
CHAINS = [(), *((name,) for name in ENDS), *((first, second) for first in sorted(WELL) for second in ENDS)]


def test_other_programs_act_on_these_numbers() -> None:
    assert (OK, FAILED, WAITING, PARTIAL) == (0, 1, 10, 11)


@pytest.mark.parametrize("chain", [*CHAINS, *product(sorted(ENDS.keys() - WELL), ENDS)])
def test_each_code_is_said_of_nothing_better_or_worse(chain: tuple[str, ...]) -> None:
    """The last half are chains that no run should make: an environment was tried behind one that is not complete."""
    results = [ENDS[name] for name in chain]
    for wanted, said, elsewhere in product((1, 2, 3), (0, 1), (False, True)):
        if len(chain) > wanted:
            continue
        code = exit_code(results, wanted, said, elsewhere=elsewhere)
        assert code in (OK, FAILED, WAITING, PARTIAL)
        complete = WELL.issuperset(chain)
        if code == OK:
            assert (said, complete, len(chain), elsewhere) == (0, True, wanted, False)
        if code == WAITING:
            assert said == 0
            assert WAITS & set(chain) or (elsewhere and complete and len(chain) == wanted)
            assert WELL.issuperset(chain[: next((i for i, name in enumerate(chain) if name in WAITS), None)])
        if IN_PART & set(chain):
            assert code == PARTIAL
        if code == PARTIAL:
            assert set(chain) & (IN_PART | {"complete", "waits in a later wave"})


@pytest.mark.parametrize(
    ("chain", "wanted", "said", "code"),
    [
        (["complete"], 1, 0, OK),
        (["unchanged", "complete"], 2, 0, OK),
        (["complete"], 1, 1, FAILED),
        (["unchanged", "unchanged"], 2, 1, FAILED),
        (["closed"], 1, 0, FAILED),
        (["waits"], 1, 0, WAITING),
        (["waits"], 1, 1, FAILED),
        (["complete", "waits"], 2, 0, WAITING),
        (["complete", "waits"], 3, 0, WAITING),
        (["complete", "waits"], 2, 1, PARTIAL),
        (["unchanged", "waits"], 2, 1, FAILED),
        (["waits in a later wave"], 1, 0, WAITING),
        (["complete", "closed"], 2, 0, PARTIAL),
        (["unchanged", "closed"], 2, 0, FAILED),
        (["complete"], 2, 0, PARTIAL),
        (["failed"], 1, 0, PARTIAL),
        (["outputs"], 1, 1, PARTIAL),
        (["waits", "closed"], 2, 0, WAITING),
        ([], 1, 0, FAILED),
        ([], 1, 1, FAILED),
    ],
)
def test_what_each_run_ends_with(chain: list[str], wanted: int, said: int, code: int) -> None:
    assert exit_code([ENDS[name] for name in chain], wanted, said) == code


@pytest.mark.parametrize(("chain", "code"), [("complete", WAITING), ("closed", FAILED), ("failed", PARTIAL)])
def test_another_job_goes_on_only_after_what_this_one_completed(chain: str, code: int) -> None:
    assert exit_code([ENDS[chain]], 1, 0, elsewhere=True) == code
    assert exit_code([], 1, 0, elsewhere=True) == FAILED
    assert exit_code([ENDS["complete"]], 1, 1, elsewhere=True) == FAILED


@pytest.mark.parametrize("names", CHAINS)
@pytest.mark.parametrize("code", [OK, FAILED, 2, 3, WAITING, PARTIAL])
def test_without_evidence_nothing_is_well_and_what_was_applied_is_not_called_nothing(
    names: tuple[str, ...], code: int
) -> None:
    results = [ENDS[name] for name in names]
    applied = any(each.outcome == "applied" for end in results if end.result for each in end.result.applied)
    worse = PARTIAL if applied else 3
    assert unproved(results, code) == (worse if code in (OK, WAITING) else code)
