"""What was found and never said: good enough for a plan, and not for an apply to a real cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_tfpipeline.config.entries import home_of
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import root_config
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Question, Repository, Root, Target


def check_assumed(top: Path, repository: Repository, config: Config, targets: Sequence[Target]) -> None:
    """Raise ConfigurationError where a target that would be applied has its state's place from files or a workspace
    that were found, not configured: a wrong one would make everything a second time."""
    roots = {root.dir: root for root in repository.roots}
    assumed = [
        f"{target.root} in {target.environment} ({what})"
        for target in targets
        if target.apply and not target.emulated and (what := _assumed(roots[target.root], target, config))
    ]
    if assumed:
        raise ConfigurationError(
            f"the place of these states was found and not configured, so that nothing is applied: {', '.join(assumed)}",
            where=home_of(top, config).file,
            mend="say it in the [[root]] of each; `python -m pytest_tfpipeline init --write` does, where there is none",
        )


def question_note(questions: Sequence[Question]) -> tuple[str, ...]:
    """One line for all that is ambiguous."""
    if not questions:
        return ()
    count = f"{len(questions)} questions" if len(questions) > 1 else "One question"
    return (f"{count} about this repository: `pytest --tf-list` asks, with the lines of configuration to answer",)


def _assumed(root: Root, target: Target, config: Config) -> str:
    entry = root_config(config, root.dir)
    found = []
    if target.backend_config and (entry is None or entry.backend is None):
        found.append(f"backend {' and '.join(target.backend_config)}")
    if target.workspace is not None and (entry is None or entry.workspace is None):
        found.append(f"workspace {target.workspace}")
    return ", ".join(found)
