"""OpenTofu's files for programs that know only terraform's: tflint and checkov pass `.tofu` by without a word.

They get a copy of the tree in which each `x.tofu` is the `x.tf` that it stands for.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.discover.engines import COMMON_ENDINGS, TOFU_ENDINGS, configuration
from pytest_tfpipeline.model import Finding

_ENDINGS = dict(zip(TOFU_ENDINGS, COMMON_ENDINGS, strict=True))
_BACK = dict(zip(COMMON_ENDINGS, TOFU_ENDINGS, strict=True))


def readable_tree(ctx: Context, environment: str | None) -> Path:
    """The private copy as a program that reads `.tf` alone must see it: itself, where no file is OpenTofu's only."""
    tree = ctx.workspace.tree(environment)
    if not any(True for directory in ctx.run.repository.tofu for _ in _own_files(tree / directory)):
        return tree
    name = tree.name
    copied = ctx.workspace.once(f"as-terraform/{name}", str, lambda: str(_copy(ctx, tree)))
    return Path(copied)


def as_written(ctx: Context, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in such a copy with the files that the repository has."""
    return tuple(replace(one, file=_written(ctx, one.file)) if one.file else one for one in findings)


def _copy(ctx: Context, tree: Path) -> Path:
    """Links instead of copies: whoever reads it writes nothing."""
    made = ctx.workspace.path / "as-terraform" / tree.name
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(tree, made, symlinks=True, ignore=shutil.ignore_patterns(".terraform"), copy_function=_link)
    for directory in ctx.run.repository.tofu:
        for name, ending in list(_own_files(made / directory)):
            (made / directory / name).replace(made / directory / f"{name.removesuffix(ending)}{_ENDINGS[ending]}")
    return made


def _link(source: str, target: str) -> str:
    os.link(source, target, follow_symlinks=False)
    return target


def _own_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Files that only OpenTofu reads, each with its ending."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    for name in configuration(names, tofu=True):
        ending = next((ending for ending in reversed(TOFU_ENDINGS) if name.endswith(ending)), None)
        if ending is not None:
            yield name, ending


def _written(ctx: Context, file: str) -> str:
    if (posixpath.dirname(file) or ".") not in ctx.run.repository.tofu:
        return file
    ending = next((ending for ending in reversed(COMMON_ENDINGS) if file.endswith(ending)), None)
    own = file if ending is None else f"{file.removesuffix(ending)}{_BACK[ending]}"
    return own if (ctx.workspace.tree(None) / own).is_file() else file
