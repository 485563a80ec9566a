"""The commands that must run in an environment's private copy before terraform sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.model import Finding, Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.workspace.digest import manifest


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the `prepare` commands of an environment left.

    `findings` are by root; `files` are all files of the copy before any terraform ran: what belongs to everybody.
    """

    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def ensure_prepared(ctx: Context, environment: str | None) -> Prepared:
    """Run the commands of all the environment's targets, each distinct one once, before the first init in its copy.

    All of them at once, so that none changes a file that another root's plan has already read.
    """
    copy = ctx.workspace.tree(environment)
    return ctx.workspace.once(f"prepared/{environment}", Prepared, lambda: _prepare(ctx, environment, copy))


def _prepare(ctx: Context, environment: str | None, copy: Path) -> Prepared:
    done: dict[tuple[str, ...], tuple[Finding, ...]] = {}
    findings: dict[str, tuple[Finding, ...]] = {}
    for target in (target for target in ctx.run.targets if target.environment == environment):
        findings[target.root] = _prepare_target(ctx, target, copy, done)
    return Prepared({root: found for root, found in findings.items() if found}, tuple(manifest(copy)))


def _prepare_target(
    ctx: Context, target: Target, copy: Path, done: dict[tuple[str, ...], tuple[Finding, ...]]
) -> tuple[Finding, ...]:
    directory = Directory(ctx, target.root, target, copy)
    for argv in target.prepare:
        if argv not in done:
            outcome = directory.run(argv, "prepare", cwd=copy, rights=Phase.PREPARE)
            broken = directory.broken(outcome, "prepare", f"prepare command {' '.join(argv)!r}")
            done[argv] = () if outcome.ok else (broken,)
        if done[argv]:
            return done[argv]
    return ()
