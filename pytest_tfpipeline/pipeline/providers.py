"""The operator's list of providers, held against what the configuration asks for, before anything is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_tfpipeline.discover.providers import Asked, asked_for
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import Repository
from pytest_tfpipeline.tools.providers import is_one_of


def refused(top: Path, repository: Repository, judged: Iterable[str], allowed: Sequence[str]) -> Iterator[Asked]:
    """What the roots among these directories, and the modules that they call, ask for and may not have."""
    roots = [root for root in repository.roots if root.dir in set(judged)]
    runs = dict.fromkeys((name, root.dir in repository.tofu) for root in roots for name in (root.dir, *root.modules))
    for directory, tofu in runs:
        yield from (one for one in asked_for(top, directory, tofu=tofu) if not is_one_of(one.name, allowed))


def to_providers(found: Iterable[Asked]) -> Iterator[Reason]:
    """A reason for each of them."""
    for one in found:
        text = f"{one.file}:{one.line}: {one.name} is not among the `providers` of the operator file"
        yield Reason(Code.PROVIDER_REFUSED, text)


def check_providers(top: Path, repository: Repository, judged: Iterable[str], allowed: Sequence[str] | None) -> None:
    """Raise UsageError where a provider is asked for that is not allowed: installed, it would be run with the
    credentials of the plan before anybody could look at what it does."""
    if allowed is None:
        return
    reasons = list(to_providers(refused(top, repository, judged, allowed)))
    if reasons:
        lines = "\n".join(f"  {reason.code.value}: {reason.text}" for reason in reasons)
        raise UsageError(
            f"providers that the operator does not allow\n{lines}", mend="use another, or ask the operator"
        )
