"""`terraform init`, once per root and environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.discover.nativetests import DEFAULT_DIRECTORY
from pytest_tfpipeline.model import Finding, Severity, Target, Tool
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform import command, packages
from pytest_tfpipeline.terraform.call import Directory, retrying, succeeded
from pytest_tfpipeline.terraform.diagnostics import errors
from pytest_tfpipeline.terraform.download import (
    has_remote_modules,
    stall_of,
    stalled_finding,
    temporary_path,
)
from pytest_tfpipeline.terraform.localstate import is_overridden, link_state, place_reads, place_state, use_empty_state
from pytest_tfpipeline.terraform.prepare import copy_without_environment, ensure_prepared
from pytest_tfpipeline.terraform.variables import early_var_files
from pytest_tfpipeline.terraform.versions import refuse_version

#: Where init puts packages; it is laid out as a mirror.
_PROVIDERS = ".terraform/providers"
#: Where init writes down which backend is in use.
_BACKEND_IN_USE = ".terraform/terraform.tfstate"
#: The first terraform whose init has `-json`.
_JSON_SINCE = Version("1.9")
#: What terraform says of `dev_overrides` in a CLI configuration.
_OVERRIDDEN = "Provider development overrides are in effect"
_OVERRIDDEN_MEND = (
    "-> An apply takes the providers that the lock file names: take `dev_overrides` out of the CLI configuration, or "
    "only plan."
)
_OUTSIDE_MEND = (
    "-> Replace it by the file, or let git ignore it: the private copy that terraform works in must not depend on it."
)


@dataclass(frozen=True, slots=True)
class InitResult:
    """Whether the root can be used in `cwd`, its directory in the private copy; `findings` say why not."""

    ok: bool
    findings: tuple[Finding, ...]
    seconds: float
    cwd: str


def ensure_init(ctx: Context, root_dir: str, environment: str | None) -> InitResult:
    """Prepare and initialise the root in the environment's private copy; None: without backend, in the static copy.

    Whoever comes first does it; the others wait and get the same answer.
    """
    return ctx.workspace.once(
        f"init/{environment or ''}/{root_dir}", InitResult, lambda: _init(ctx, root_dir, environment)
    )


def ensure_tests_init(ctx: Context, directory: str, test_directories: Sequence[str]) -> InitResult:
    """The same as without an environment, and what the native tests in these directories need beyond that."""
    return ctx.workspace.once(
        f"init-tests/{directory}", InitResult, lambda: _init_tests(ctx, directory, test_directories)
    )


def speaks_json(terraform: Tool) -> bool:
    """Whether its init can print JSON lines."""
    return Version(terraform.version) >= _JSON_SINCE


def directory_of(ctx: Context, root_dir: str, environment: str | None) -> Directory:
    """The root's directory in the environment's private copy."""
    if not environment:
        return Directory(ctx, root_dir, None, copy_without_environment(ctx))
    where = ctx.target(root_dir, environment) or environment
    return Directory(ctx, root_dir, where, ctx.workspace.tree(environment))


def _init(ctx: Context, root_dir: str, environment: str | None) -> InitResult:
    directory = directory_of(ctx, root_dir, environment)
    unwanted = refuse_version(directory)
    if unwanted:
        return InitResult(False, unwanted, 0.0, str(directory.cwd))
    outside = _leading_outside(directory)
    if outside:
        return InitResult(False, outside, 0.0, str(directory.cwd))
    prepared = ensure_prepared(ctx, environment).findings.get(root_dir)
    if prepared:
        return InitResult(False, prepared, 0.0, str(directory.cwd))
    target = directory.where if isinstance(directory.where, Target) else None
    if target is not None:
        refused = place_state(directory, target)
        if refused:
            return InitResult(False, refused, 0.0, str(directory.cwd))
        place_reads(directory, target)
    result = _without_overrides(ctx, _run_init(directory, target))
    if not result.ok or target is None:
        return result
    link_state(directory, target)
    return _select_workspace(directory, target, target.workspace, result) if target.workspace else result


def _init_tests(ctx: Context, directory: str, test_directories: Sequence[str]) -> InitResult:
    result = ensure_init(ctx, directory, None)
    for name in test_directories:
        if result.ok and name != DEFAULT_DIRECTORY:
            result = _init_once(directory_of(ctx, directory, None), None, tests=name)
    return result


def _without_overrides(ctx: Context, result: InitResult) -> InitResult:
    """Refuse provider packages that no lock file holds, where the run may apply."""
    found = tuple(one for one in result.findings if _OVERRIDDEN in one.text) if ctx.run.can_apply else ()
    if not found:
        return result
    refused = (
        replace(one, rule="dev-overrides", severity=Severity.ERROR, text=f"{one.text}\n{_OVERRIDDEN_MEND}")
        for one in found
    )
    return replace(result, ok=False, findings=(*refused, *errors(result.findings)))


def _leading_outside(directory: Directory) -> tuple[Finding, ...]:
    """Symlinks out of the repository that the root or its modules may read: they lead nowhere in the copy."""
    modules = directory.root.modules if directory.root else ()
    top = Path(directory.ctx.run.repository.path)
    return tuple(
        Finding(
            "outer-symlink",
            Severity.ERROR,
            clean(f"is a symlink that leads out of the repository, to {(top / name).readlink()}\n{_OUTSIDE_MEND}"),
            file=clean(name),
        )
        for name in directory.ctx.workspace.outer_links((directory.dir, *modules))
    )


def _run_init(directory: Directory, target: Target | None) -> InitResult:
    """An emulated cloud has neither modules nor providers: what no mirror has is fetched before, past it."""
    emulated = target is not None and directory.emulated
    if not emulated:
        return _init_once(directory, target)
    if not has_remote_modules(directory):
        result = _init_once(directory, target)
        if result.ok:
            return result
    # Without the emulator's variables, and without credentials of a real cloud. And without the backend that init has
    # just put down: even told to use none, terraform would ask that one for the state, past the emulated cloud.
    (directory.cwd / _BACKEND_IN_USE).unlink(missing_ok=True)
    fetched = _init_once(directory, None, Phase.PREPARE)
    return _init_once(directory, target, fetched=True) if fetched.ok else fetched


def _init_once(
    directory: Directory,
    target: Target | None,
    rights: Phase = Phase.PLAN,
    *,
    fetched: bool = False,
    tests: str | None = None,
) -> InitResult:
    """One init; with `fetched`, from the packages that another has just put in place (and that the lock names), since
    terraform would ask the registry for its versions all the same. The lock need not have what only `tests`, another
    directory of tests, asks for."""
    tool = directory.terraform
    argv = command.init(
        tool.path,
        backend=target is not None,
        backend_config=_backend_config(directory, target),
        readonly_lock=tests is None and (directory.cwd / ".terraform.lock.hcl").exists(),
        json=speaks_json(tool),
        var_files=early_var_files(directory),
        plugin_dir=_PROVIDERS if fetched and (directory.cwd / _PROVIDERS).is_dir() else None,
        test_directory=tests,
    )
    stall = stall_of(directory)
    env = {} if stall is None else {"TMPDIR": str(temporary_path(directory))}

    def run(words: Mapping[str, str]) -> Outcome:
        return directory.run(argv, "init", rights=rights, stall=stall, env={**env, **words})

    quick = None if tests else _without_installing(directory, run)
    outcome = quick or retrying(lambda: run({}), "init", directory.ctx.run.retry)
    findings = (stalled_finding(directory, outcome),) if outcome.stalled else directory.judge(outcome, "init")
    return InitResult(succeeded("init", outcome), findings, outcome.seconds, str(directory.cwd))


def _without_installing(directory: Directory, run: Callable[[Mapping[str, str]], Outcome]) -> Outcome | None:
    """Of an init that leaves providers alone which are there, and are what the root asks for; None where it has to be
    run plainly, and that answer counts."""
    words = packages.put_in_place(directory)
    if words is None:
        return None
    outcome = run(words)
    as_it_should = succeeded("init", outcome) and packages.as_asked_for(directory)
    if as_it_should or outcome.timed_out:
        return outcome
    packages.take_away(directory)
    return None


def _backend_config(directory: Directory, target: Target | None) -> tuple[str, ...]:
    """Files of the copy by their path there, `key=value` pairs as they are."""
    if target is None or is_overridden(directory):
        return ()
    return tuple(
        str(directory.copy / item) if (directory.copy / item).is_file() else item for item in target.backend_config
    )


def _select_workspace(directory: Directory, target: Target, name: str, result: InitResult) -> InitResult:
    """Select the workspace. One that is not there yet is made where the run may apply: terraform writes an empty state
    for it."""
    terraform, given = directory.terraform.path, early_var_files(directory)
    outcome = directory.run(command.select_workspace(terraform, name, var_files=given), "init")
    if not outcome.ok and "doesn't exist" in outcome.stderr:
        if not directory.ctx.run.can_apply and not is_overridden(directory):
            use_empty_state(directory, target)
            result = _run_init(directory, target)
            if not result.ok:
                return result
        outcome = directory.run(command.new_workspace(terraform, name, var_files=given), "init")
    seconds = result.seconds + outcome.seconds
    if outcome.ok:
        return replace(result, seconds=seconds)
    broken = directory.broken(outcome, "init", f"{directory.terraform.name} workspace select {name}")
    return replace(result, ok=False, findings=(*errors(result.findings), broken), seconds=seconds)


def modules_of(directory: Directory) -> tuple[str, ...]:
    """Directories of the modules that init found for the root, relative to the copy; those it downloaded left out."""
    try:
        listed = json.loads((directory.cwd / ".terraform" / "modules" / "modules.json").read_bytes())
    except (OSError, ValueError):
        return ()
    places = [(directory.cwd / item["Dir"]).resolve() for item in listed.get("Modules", ())]
    top = directory.copy.resolve()
    inside = [place.relative_to(top) for place in places if place.is_relative_to(top)]
    return tuple(sorted({place.as_posix() for place in inside if ".terraform" not in place.parts}))
