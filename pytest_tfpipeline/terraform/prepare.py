"""The commands that must run in a private copy before terraform sees it.

Without an environment, those that name none run in a copy of its own, for `validate` and native tests: `fmt` and the
linters are about what is in the repository, and must not meet what is generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.model import Finding
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.workspace import PREPARED
from pytest_tfpipeline.workspace.digest import manifest


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the `prepare` commands of an environment left.

    `findings` are by root; `files` are all files of the copy before any terraform ran: what belongs to everybody.
    """

    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def copy_without_environment(ctx: Context) -> Path:
    """The private copy that terraform works in where no environment is meant."""
    return ctx.workspace.tree(PREPARED if _without_environment(ctx) else None)


def _without_environment(ctx: Context) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = ctx.run.settings.get("prepare", {})
    return found


def ensure_prepared(ctx: Context, environment: str | None) -> Prepared:
    """Run the commands of all the environment's targets, each distinct one once, before the first init in its copy;
    None: those that name no environment.

    All of them at once, so that none changes a file that another root's plan has already read.
    """
    if environment is None and not _without_environment(ctx):
        return Prepared()
    copy = copy_without_environment(ctx) if environment is None else ctx.workspace.tree(environment)
    return ctx.workspace.once(f"prepared/{environment}", Prepared, lambda: _prepare(ctx, environment, copy))


def _prepare(ctx: Context, environment: str | None, copy: Path) -> Prepared:
    done: dict[tuple[str, ...], tuple[Finding, ...]] = {}
    findings: dict[str, tuple[Finding, ...]] = {}
    for directory, commands in _wanted(ctx, environment, copy):
        findings[directory.dir] = _prepare_root(directory, commands, done)
    return Prepared({root: found for root, found in findings.items() if found}, tuple(manifest(copy)))


def _wanted(ctx: Context, environment: str | None, copy: Path) -> Iterator[tuple[Directory, Iterable[tuple[str, ...]]]]:
    if environment is None:
        for root, commands in _without_environment(ctx).items():
            yield Directory(ctx, root, None, copy), map(tuple, commands)
    for target in ctx.run.targets:
        if target.environment == environment:
            yield Directory(ctx, target.root, target, copy), target.prepare


def _prepare_root(
    directory: Directory, commands: Iterable[tuple[str, ...]], done: dict[tuple[str, ...], tuple[Finding, ...]]
) -> tuple[Finding, ...]:
    for argv in commands:
        if argv not in done:
            outcome = directory.run(argv, "prepare", cwd=directory.copy, rights=Phase.PREPARE)
            broken = directory.broken(outcome, "prepare", f"prepare command {' '.join(argv)!r}")
            done[argv] = () if outcome.ok else (broken,)
        if done[argv]:
            return done[argv]
    return ()
