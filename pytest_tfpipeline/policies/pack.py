"""The shipped policy pack: a few rules that hold for every plan, whatever the cloud, and destroy protection.

Each rule is a pure function from a plan to what is wrong with it. `docs/policies.md` has the same rules as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_tfpipeline.model import Finding, Severity
from pytest_tfpipeline.terraform.plan import Plan, destroys

#: (address or None, what is wrong)
Hit = tuple[str | None, str]

#: The rule of a finding about a protected resource.
PROTECTED_DESTROY = "protected-destroy"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the pack: `mend` is what to do, as a sentence without its full stop."""

    id: str
    title: str
    severity: Severity
    mend: str
    judge: Callable[[Plan], Iterable[Hit]]


def review(plan: Plan) -> tuple[Finding, ...]:
    """What the pack has to say about a plan, in the order of its rules."""
    return tuple(
        Finding(rule.id, rule.severity, f"{text}\n-> {rule.mend}", address=address)
        for rule in RULES
        for address, text in rule.judge(plan)
    )


def protected_destroys(plan: Plan, protect: Iterable[str]) -> tuple[str, ...]:
    """Addresses of the resources of a protected type that the plan deletes or replaces, in the plan's order.

    A plan's actions decide, not `prevent_destroy`, which vanishes together with the block that holds it.
    """
    types = frozenset(protect)
    return tuple(dict.fromkeys(change.address for change in destroys(plan) if change.type in types))


def _errored(plan: Plan) -> Iterator[Hit]:
    if plan.errored:
        yield None, "terraform met an error while it made this plan, and what it holds is only a part"


def _incomplete(plan: Plan) -> Iterator[Hit]:
    if not plan.complete:
        yield None, "this plan is incomplete: terraform says that another one must follow"


def _failed_checks(plan: Plan) -> Iterator[Hit]:
    """`check` blocks that fail: terraform only warns of them, and applies."""
    for check in plan.checks:
        address = str(check.get("address", {}).get("to_display", ""))
        if check.get("status") == "fail" and check.get("address", {}).get("kind") == "check":
            problems = [str(each.get("message", "")) for one in check.get("instances") or () for each in _problems(one)]
            yield address or None, "a check block of the configuration fails: " + ("; ".join(problems) or "no message")


def _problems(instance: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return instance.get("problems") or ()


def _tainted(plan: Plan) -> Iterator[Hit]:
    for change in plan.resources:
        if change.replaces and change.action_reason == "replace_because_tainted":
            yield change.address, "is replaced because it is tainted: an earlier apply left it half made"


def _forgotten(plan: Plan) -> Iterator[Hit]:
    for change in plan.resources:
        if change.forgets and change.mode == "managed":
            yield change.address, "is forgotten: it stays in the cloud, and nothing manages it from then on"


def _deposed(plan: Plan) -> Iterator[Hit]:
    for change in plan.resources:
        if change.deletes and change.deposed is not None:
            yield change.address, f"an object that an earlier replacement left behind ({change.deposed}) is deleted"


RULES = (
    Rule("TFP001", "plan with an error", Severity.ERROR, "mend the error of the plan check and plan again", _errored),
    Rule(
        "TFP002",
        "incomplete plan",
        Severity.ERROR,
        "plan without `-target` and without deferred changes; an incomplete plan is never applied",
        _incomplete,
    ),
    Rule(
        "TFP003",
        "failing check block",
        Severity.ERROR,
        "make the check's condition hold, or take the check block away: terraform itself would only warn",
        _failed_checks,
    ),
    Rule(
        "TFP004",
        "tainted resource",
        Severity.NOTICE,
        "look at it before this is applied; `terraform untaint ADDRESS` keeps it as it is",
        _tainted,
    ),
    Rule(
        "TFP005",
        "forgotten resource",
        Severity.NOTICE,
        "say in the change who looks after it from now on, or use `destroy = true` in the `removed` block",
        _forgotten,
    ),
    Rule(
        "TFP006",
        "deposed object",
        Severity.NOTICE,
        "nothing, if its replacement is the one in use; it is what a failed apply left",
        _deposed,
    ),
)
