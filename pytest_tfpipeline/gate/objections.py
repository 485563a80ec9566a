"""Turn what the controller saw into reasons against an apply. Pure: facts come in as arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import Deciding, EnvironmentRun, PlanResult, PlanStatus, Tool
from pytest_tfpipeline.terraform.plan import Plan, destroys

_SHOWN = 5
#: terraform's reason to replace what `terraform taint` or a creation that broke off has marked.
_TAINTED = "replace_because_tainted"


def to_narrowing(options: Iterable[str]) -> Iterator[Reason]:
    """Options that take something away from the run."""
    for option in options:
        yield Reason(Code.NARROWED, f"{option} was given: run without it to apply")


def to_tree(dirty: Sequence[str], ignored: Sequence[str], environment: EnvironmentRun) -> Iterator[Reason]:
    """A tree that is not the commit. An emulated environment may be tried from a dirty tree."""
    if environment.emulator is not None:
        return
    if dirty:
        yield Reason(Code.TREE_DIRTY, f"not committed: {_some(dirty)}; commit or stash, then run again")
    if ignored:
        text = f"git ignores what terraform or pytest would read: {_some(ignored)}; remove or track it"
        yield Reason(Code.IGNORED_INPUT, text)


def to_locks(unlocked: Sequence[str], environment: EnvironmentRun) -> Iterator[Reason]:
    """Lock files that the commit does not have: init then took whatever providers there were at that moment."""
    if unlocked and environment.emulator is None:
        text = f"not in the commit: {_some(unlocked)}; so init chose the providers: run `terraform init` and commit it"
        yield Reason(Code.IGNORED_INPUT, text)


def to_deciding(outside: Iterable[Deciding], environment: EnvironmentRun) -> Iterator[Reason]:
    """Files that decide and are not the commit's: whoever reviewed that has not seen what they say."""
    if environment.emulator is None:
        for one in outside:
            text = f"not in the commit: {one.file}, which {one.role}; commit it, or do without it"
            yield Reason(Code.IGNORED_INPUT, text)


def to_changes_of_tree(changed: Sequence[str]) -> Iterator[Reason]:
    """Files that are not any more what was checked."""
    if changed:
        yield Reason(Code.TREE_CHANGED, f"changed while the run was going on: {_some(changed)}")


def to_moved_commit(began: str | None, now: str | None) -> Iterator[Reason]:
    """Another commit is checked out than at the beginning: it may hold files that nobody has checked."""
    if began != now:
        text = f"HEAD is {_commit(now)} and was {_commit(began)} when the run began; run again"
        yield Reason(Code.TREE_CHANGED, text)


def to_changed_tools(tools: Iterable[Tool], now: Mapping[str, str]) -> Iterator[Reason]:
    """Programs that are not any more what they were at their first use; `now` holds checksums by path."""
    for tool in tools:
        if now[tool.path] != tool.sha256:
            text = f"{tool.name} at {tool.path} is not the program any more that the plans were made and checked with"
            yield Reason(Code.TOOL_CHANGED, f"{text}; run again")


def to_plan(plan: PlanResult, read: Plan | None, problem: str, check: str) -> Iterator[Reason]:
    """A saved plan that is not whole, or that the controller could not read for itself."""
    if plan.status is not PlanStatus.PLANNED:
        return
    if read is None:
        yield Reason(Code.PLAN_CHANGED, problem, check)
    elif read.errored or not read.complete or read.deferred:
        yield Reason(Code.PLAN_INCOMPLETE, "the saved plan is incomplete: it was made with -target or errored", check)


def to_changed_inputs(changed: Sequence[str], check: str) -> Iterator[Reason]:
    """Files in the private copy that are not any more what the plan was made of."""
    if changed:
        yield Reason(Code.TREE_CHANGED, f"changed since the plan was made: {_some(changed)}", check)


def to_destroys(
    plan: PlanResult, read: Plan, environment: EnvironmentRun, allowed: Sequence[str], check: str
) -> Iterator[Reason]:
    """Protected resources that the plan deletes or replaces and that nobody allowed, as `root//address`."""
    for resource in destroys(read):
        name = f"{plan.root}//{resource.address}"
        if resource.type in environment.protect and name not in allowed:
            verb = "replaces" if resource.replaces else "deletes"
            tainted = " (its creation did not finish)" if resource.action_reason == _TAINTED else ""
            text = f"the plan {verb} {resource.address}{tainted}; if that is meant: --allow-destroy '{name}'"
            yield Reason(Code.PROTECTED_DESTROY, text, check)


def to_unused_allowances(allowed: Sequence[str], used: Iterable[str], reviewed: Sequence[str] = ()) -> Iterator[str]:
    """Notes about `--allow-destroy` values, and entries of the `reviewed` file, that name nothing in any plan: a typo
    would otherwise go unseen."""
    used = set(used)
    for name in sorted(set(allowed) - used):
        yield f"--allow-destroy {name} names nothing that a plan deletes or replaces"
    for name in sorted(set(reviewed) - used):
        yield f"the allowed deletion of {name} is not used: no plan deletes or replaces it; take it out of the file"


def _commit(name: str | None) -> str:
    return name[:12] if name else "no commit"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
