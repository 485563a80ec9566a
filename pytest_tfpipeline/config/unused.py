"""Values of `vars` that no root takes: said, since one of them is most often a name misspelt."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfpipeline.config.check import entry_key
from pytest_tfpipeline.config.keys import Config, RootConfig
from pytest_tfpipeline.config.match import root_config
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import Repository, Root


def takes(root: Root, entry: RootConfig, name: str) -> bool:
    """Whether the root declares that variable, as far as is known: `prepare` commands may write what declares it,
    `copy_in` may bring it, and it may stand in a file that could not be read."""
    unknown = bool(entry.prepare or entry.copy_in or root.problems)
    return unknown or any(variable.name == name for variable in root.variables)


def unused_variables(config: Config, repository: Repository) -> Iterator[str]:
    """A line for each value that no root of its entry takes: terraform is not given it."""
    for index, entry in enumerate(config.root):
        roots = [root for root in repository.roots if root_config(config, root.dir) is entry]
        for name in entry.vars if roots else ():
            if not any(takes(root, entry, name) for root in roots):
                declared = sorted({variable.name for root in roots for variable in root.variables})
                whose = said(roots[0].dir) if len(roots) == 1 else f"its {len(roots)} roots"
                where = entry_key(config, ("root", index, "vars", name))
                hint = did_you_mean(name, declared)
                yield f"{where}: no variable of {whose} is called that, so terraform does not get it{hint}"
