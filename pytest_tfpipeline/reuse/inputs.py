"""All that the answer of a static check depends on, by kind of check.

Everything is named; what cannot be named makes a result that is not kept. `tests/reuse` leaves each of it out in turn.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from platform import machine

from pytest_tfpipeline.checks.baseline import entries_key
from pytest_tfpipeline.checks.lint import is_suite
from pytest_tfpipeline.checks.records import below
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, CheckKind, KnownFindings, Target
from pytest_tfpipeline.reuse.configuration import LOCK_FILE, Configuration, Configurations
from pytest_tfpipeline.reuse.linters import of_checkov, of_ruff, of_tflint
from pytest_tfpipeline.reuse.own import own_code
from pytest_tfpipeline.reuse.programs import program_of
from pytest_tfpipeline.reuse.tree import Tree, Unknowable
from pytest_tfpipeline.reuse.variables import matching, of_providers
from pytest_tfpipeline.tools.lockfile import providers_of_lock

_SHAPE = 1
_PYTHON = (".py", ".pyi", ".ipynb")


@dataclass(frozen=True)
class Inputs:
    """What the checks of one tree depend on: the repository's, or those of a private copy."""

    ctx: Context
    tree: Tree
    configurations: Configurations = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "configurations", Configurations(self.tree))

    def describe(self, check: Check) -> str:
        """As canonical JSON. Raises Unknowable."""
        described = {
            "shape": _SHAPE,
            "check": asdict(check),
            "own": own_code(),
            "platform": [sys.platform, machine()],
            "of": _BY_KIND[check.kind](self, check),
        }
        return json.dumps(described, sort_keys=True, ensure_ascii=True)

    def has_strays(self, check: Check) -> bool:
        """Whether there is a file where the check looks that is not of the tree: a test of a suite may have left it."""
        if check.kind is CheckKind.LINT and is_suite(self.ctx.run.repository, check):
            return self.tree.has_strays(check.dir, below=True)
        found = self.configuration(check.dir)
        if found.reads:
            return self.tree.has_strays(".", below=True)
        return any(self.tree.has_strays(directory, below=False) for directory in found.directories)

    def configuration(self, directory: str) -> Configuration:
        """The directory's, with that of the local modules it calls."""
        return self.configurations.of(directory)


def shares_tree(ctx: Context, check: Check) -> str | None:
    """The environment in whose copy of the tree the check is made; None for the one without."""
    return (
        _planned(ctx, check.dir).environment if check.kind is CheckKind.VALIDATE and _is_planned(ctx, check) else None
    )


def _fmt(inputs: Inputs, check: Check) -> dict[str, object]:
    name = _terraform(inputs, check.dir)
    return {
        "program": program_of(inputs.ctx, name, check.dir),
        "files": inputs.tree.digests(inputs.tree.files(check.dir)),
        "known": _known(inputs.ctx, "fmt", check.dir),
    }


def _lint(inputs: Inputs, check: Check) -> dict[str, object]:
    return _ruff(inputs, check) if is_suite(inputs.ctx.run.repository, check) else _tflint(inputs, check)


def _tflint(inputs: Inputs, check: Check) -> dict[str, object]:
    ctx, configuration = inputs.ctx, inputs.configuration(check.dir)
    unread = ("TFLINT_LOG", "TFLINT_CONFIG_FILE", "TFLINT_PLUGIN_DIR")
    return {
        "program": program_of(ctx, "tflint", check.dir),
        "configuration": _described(inputs, configuration),
        "tflint": of_tflint(inputs.tree, check.dir, remote=configuration.remote),
        "severity": ctx.run.settings.get("lint_severity"),
        "variables": matching(ctx.runner.environ, ("TFLINT_*", "TF_VAR_*"), unread),
        "known": _known(ctx, "lint", check.dir),
    }


def _ruff(inputs: Inputs, check: Check) -> dict[str, object]:
    ctx, tree = inputs.ctx, inputs.tree
    code = [name for name in tree.below(check.dir) if name.endswith(_PYTHON)]
    return {
        "program": program_of(ctx, "ruff", check.dir),
        "files": tree.digests(code),
        "ruff": of_ruff(tree, check.dir),
        # Which imports are the repository's own is told by what is there.
        "names": sorted(name for name in tree.names if name.endswith(_PYTHON)),
        "inner": [each.dir for each in ctx.run.repository.suites if below(each.dir, check.dir)],
        "variables": matching(ctx.runner.environ, ("RUFF_*",), ("RUFF_OUTPUT_FILE", "RUFF_CONFIG")),
        "known": _known(ctx, "ruff", check.dir),
    }


def _policy(inputs: Inputs, check: Check) -> dict[str, object]:
    ctx, waivers = inputs.ctx, inputs.ctx.run.waivers
    return {
        "program": program_of(ctx, "checkov", check.dir),
        "configuration": _described(inputs, inputs.configuration(check.dir)),
        "checkov": of_checkov(inputs.tree, check.dir),
        "not walked": inputs.tree.children(check.dir),
        "waivers": [asdict(waiver) for waiver in waivers],
        "today": ctx.run.today if waivers else None,
        "known": _known(ctx, "policy", check.dir),
    }


def _validate(inputs: Inputs, check: Check) -> dict[str, object]:
    ctx, configuration = inputs.ctx, inputs.configuration(check.dir)
    if configuration.remote:
        raise Unknowable(f"{check.dir} calls modules that are not in the repository")
    target, name = _planned(ctx, check.dir) if _is_planned(ctx, check) else None, _terraform(inputs, check.dir)
    if any(one.prepare for one in ctx.run.targets if target and one.environment == target.environment):
        raise Unknowable(f"`prepare` makes files for {check.dir}")
    root = ctx.root(check.dir)
    environ = {**ctx.runner.environ, **(target.env | target.plan_env if target else {})}
    early = ("TF_*",) if name == "tofu" else ("TF_[!V]*",)
    return {
        "program": program_of(ctx, name, check.dir),
        "configuration": _described(inputs, configuration),
        "variables": matching(environ, early, ("TF_CLI_CONFIG_FILE",))
        | of_providers(environ, _providers(inputs, check.dir, configuration)),
        "early": _early(inputs, target) if name == "tofu" and target is not None else {},
        "unread": [asdict(problem) for problem in root.problems] if root else [],
    }


_BY_KIND: Mapping[CheckKind, Callable[[Inputs, Check], dict[str, object]]] = {
    CheckKind.FMT: _fmt,
    CheckKind.LINT: _lint,
    CheckKind.POLICY: _policy,
    CheckKind.VALIDATE: _validate,
}


def _terraform(inputs: Inputs, directory: str) -> str:
    return "tofu" if directory in inputs.ctx.run.repository.tofu else "terraform"


def _described(inputs: Inputs, configuration: Configuration) -> dict[str, object]:
    tofu = inputs.ctx.run.repository.tofu
    return {
        "directories": configuration.directories,
        "files": configuration.files,
        "tofu": [directory for directory in configuration.directories if directory in tofu],
        "whole tree": inputs.tree.whole if configuration.reads else None,
    }


def _known(ctx: Context, name: str, directory: str) -> object:
    """What the baseline says about the check; None where the run has none."""
    if ctx.run.baseline is None:
        return None
    entries = ctx.workspace.get(entries_key((name, directory, None)), KnownFindings) or KnownFindings()
    return [asdict(entry) for entry in entries.entries]


def _is_planned(ctx: Context, check: Check) -> bool:
    return any(target.root == check.dir and not target.problems for target in ctx.run.targets)


def _planned(ctx: Context, directory: str) -> Target:
    """The target whose init the check shares."""
    return next(target for target in ctx.run.targets if target.root == directory and not target.problems)


def _providers(inputs: Inputs, directory: str, configuration: Configuration) -> tuple[str, ...]:
    """The providers that the root's lock file names, which is what they are held against. Raises Unknowable where it
    does not say which package that is."""
    if not configuration.providers:
        return ()
    name = LOCK_FILE if directory == "." else f"{directory}/{LOCK_FILE}"
    locked = dict(providers_of_lock(inputs.tree.content(name).decode("utf-8", "replace")))
    if name not in inputs.tree.names or not all(hashes for _, hashes in locked.values()):
        raise Unknowable(f"{name} does not say which packages of providers {directory} needs")
    run = inputs.ctx.run
    if any("dev_overrides" in _text(path) for path in (run.cli_config_path, run.tofu_config_path) if path):
        raise Unknowable("`dev_overrides` put providers in place of those that are locked")
    return tuple(sorted(locked))


def _early(inputs: Inputs, target: Target) -> dict[str, object]:
    """What OpenTofu is given before a plan."""
    return {"files": inputs.tree.digests(target.var_files), "vars": target.vars}


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
