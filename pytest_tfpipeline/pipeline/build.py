"""Build the description of a run: configuration -> repository -> targets -> expected checks -> `Run`."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_tfpipeline.config.check import check_against
from pytest_tfpipeline.config.entries import home_of
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.load import load_config
from pytest_tfpipeline.config.match import known_environments
from pytest_tfpipeline.config.operator import (
    Operator,
    check_order,
    overruled,
    read_operator,
    require_files,
    tighten,
)
from pytest_tfpipeline.config.reviewed import in_force
from pytest_tfpipeline.config.unused import unused_variables
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.discover.files import repository_files
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import Changed, EnvironmentRun, Repository, Run, Target
from pytest_tfpipeline.pipeline.assumed import check_assumed, question_note
from pytest_tfpipeline.pipeline.baseline import Known, keep_known, read_known
from pytest_tfpipeline.pipeline.deciding import deciding_files
from pytest_tfpipeline.pipeline.exceptions import Exceptions, exception_notes, policed, read_exceptions, require_signers
from pytest_tfpipeline.pipeline.expected import expected_checks
from pytest_tfpipeline.pipeline.groups import Scope, scope_of
from pytest_tfpipeline.pipeline.narrowed import Narrowing, changed_notes, narrowed, what_changed
from pytest_tfpipeline.pipeline.nativetests import native_test_notes, native_test_settings
from pytest_tfpipeline.pipeline.programs import Programs, choose_programs, tofu_notes
from pytest_tfpipeline.pipeline.providers import check_providers
from pytest_tfpipeline.pipeline.source import read_commit
from pytest_tfpipeline.pipeline.states import check_states, shared_by_roots, with_shared_states
from pytest_tfpipeline.pipeline.targets import (
    check_applied,
    check_environments,
    prepare_without_environment,
    resolve_targets,
    timeouts_without_environment,
)
from pytest_tfpipeline.pipeline.timings import read_timings
from pytest_tfpipeline.process import Runner, denied
from pytest_tfpipeline.workspace import clean_old_runs, make_private, prepare_output, write_private
from pytest_tfpipeline.workspace.digest import sha256
from pytest_tfpipeline.workspace.tree import matching

DEFAULT_OUTPUT = ".tfpipeline"

#: Work directories of earlier runs that are kept, to look into.
KEPT_RUNS = 1
_FILES = "files.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for. `mode` is check, plan or apply. `alone`: an apply in a job of its own, which
    believes no cache and takes no provider out of the tree. `record`: the run makes the baseline anew. `changed`: only
    what a change can affect is checked."""

    mode: str = "check"
    environments: tuple[str, ...] = ()
    config_file: Path | None = None
    output: Path | None = None
    allow_destroy: tuple[str, ...] = ()
    operator: Path | None = None
    group: str | None = None
    alone: bool = False
    record: bool = False
    #: The file that pytest takes its options from.
    ini: Path | None = None
    changed: Narrowing | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The repository and its configuration, before anything is written or started; `commit` is HEAD before both.

    `config` is what counts: what the operator fixes stands over what the repository says.
    """

    config: Config
    repository: Repository
    commit: str | None = None
    notes: tuple[str, ...] = ()
    providers: tuple[str, ...] | None = None
    #: The operator's own baseline: what the repository's may let through at most.
    limit: Path | None = None
    changed: Changed | None = None


def describe(top: Path, wish: Wish, runner: Runner) -> Described:
    """Read the configuration and the repository; raises ConfigurationError, UsageError and DiscoveryError."""
    commit = read_commit(runner, top) if wish.mode == "apply" else None
    own = load_config(top, wish.config_file)
    operator = Operator() if wish.operator is None else read_operator(wish.operator, top)
    require_files(operator)
    config = tighten(own, operator)
    repository = discover(top, config, None if wish.alone else cache_path(os.environ), runner)
    check_against(own, repository)
    check_order(operator, config, repository, wish.environments)
    check_environments(wish.environments, repository, config)
    if wish.mode == "apply":
        require_signers(config, own, wish.environments, wish.operator)
    unsaid = () if wish.operator is None else tuple(_unsaid(config, operator, wish))
    limit = Path(operator.baseline) if operator.baseline else None
    narrowing = None
    if wish.changed is not None:
        narrowing = what_changed(
            top, wish.changed, repository, config, wish.environments, runner, cache_path(os.environ)
        )
    repository = replace(repository, notes=(*repository.notes, *unused_variables(config, repository)))
    notes = (*overruled(own, operator), *unsaid)
    return Described(config, repository, commit, notes, operator.providers, limit, narrowing)


def _unsaid(config: Config, operator: Operator, wish: Wish) -> Iterator[str]:
    """A note for each environment that the operator fixes nothing for. A branch may have given it that name, so that
    nothing is applied there if the operator's file names others; raises UsageError then."""
    for name in wish.environments:
        if (config.lender(name) or name) in operator.environment:
            continue
        if wish.mode == "apply" and operator.environment:
            raise UsageError(
                f"the operator file knows {', '.join(operator.environment)}, and says nothing about {name}",
                where=operator.source,
                mend=f"give it a table [environment.{name}], be it empty, if {name} may be applied",
            )
        yield f"the operator file says nothing about {name}: what is allowed there is the repository's own word"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a run is about, resolved and allowed: nothing is written or started before."""

    scope: Scope
    targets: tuple[Target, ...]
    exceptions: Exceptions
    known: Known
    today: date


def build_run(top: Path, wish: Wish, described: Described, runner: Runner) -> tuple[Run, tuple[str, ...]]:
    """The finished run, with its work directory made; and notes to be said once."""
    asked = _asked(top, wish, described)
    output = prepare_output(wish.output or top / DEFAULT_OUTPUT)
    clean_old_runs(output, KEPT_RUNS)
    run_id = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
    work = make_private(output / "runs" / run_id)
    write_private(work / _FILES, json.dumps(_files(runner, top, hashed=wish.mode == "apply")))
    # A provider that lies in the tree is called as the branch likes, so that a list of names says nothing about it.
    own = None if wish.alone or described.providers is not None else top
    programs = choose_programs(
        top, described.repository, asked.targets, described.config.tools, work, tree=own, allowed=described.providers
    )
    run = replace(
        _described_run(top, wish, described, asked),
        id=run_id,
        output_path=str(output),
        work_path=str(work),
        files_path=str(work / _FILES),
        timings=read_timings(output),
        tool_versions=programs.exact,
        preferred_versions=programs.preferred,
        root_versions=programs.by_root,
        cli_config_path=programs.cli_config,
        tofu_config_path=programs.tofu_config,
        settings=_settings(described, wish) | {"mirrors": programs.mirrors},
    )
    keep_known(run, asked.known)
    return run, (*_notes(top, run, wish, described, asked, programs), *withheld(run.repository, os.environ))


def _asked(top: Path, wish: Wish, described: Described) -> _Asked:
    """Raises UsageError and ConfigurationError for what may not be done."""
    config, repository = described.config, described.repository
    scope = scope_of(repository, config, wish.group)
    targets = scope.targets(_targets(repository, config, wish))
    if wish.mode == "apply":
        check_applied(wish.environments, targets, home_of(top, config))
        check_assumed(top, repository, config, targets)
    check_providers(top, repository, scope.judged, described.providers)
    exceptions = read_exceptions(top, repository, config)
    known = read_known(top, config, described.limit, recording=wish.record)
    return _Asked(scope, targets, exceptions, known, datetime.now(UTC).date())


def _described_run(top: Path, wish: Wish, described: Described, asked: _Asked) -> Run:
    """The run without its work directory and its programs."""
    config, repository = described.config, described.repository
    scope, exceptions, today = asked.scope, asked.exceptions, asked.today
    return Run(
        id="",
        mode=wish.mode,
        repository=repository,
        output_path="",
        work_path="",
        environments=tuple(environment_run(config, name, exceptions, today) for name in wish.environments),
        targets=asked.targets,
        checks=narrowed(scope.checks(expected_checks(repository, asked.targets, config)), described.changed),
        commit=described.commit,
        retry=config.retry,
        isolation=config.isolation,
        signers=exceptions.signers,
        today=today.isoformat(),
        waivers=exceptions.waivers,
        baseline=asked.known.use,
        deciding=deciding_files(top, config, asked.known.use, wish.ini),
        policed=policed(repository, config),
        group=scope.group,
        not_judged=scope.not_judged,
        changed=described.changed,
    )


def _notes(top: Path, run: Run, wish: Wish, described: Described, asked: _Asked, programs: Programs) -> Iterator[str]:
    repository = run.repository
    yield from changed_notes(described.changed)
    yield from described.notes
    yield from repository.notes
    yield from question_note(repository.questions)
    yield from tofu_notes(repository)
    yield from programs.notes
    yield from _copy_in_notes(top, run)
    yield from asked.known.notes
    yield from _shared_notes(repository, wish, asked.targets)
    yield from exception_notes(asked.exceptions, wish.environments, asked.today)
    yield from native_test_notes(described.config, repository)
    yield from asked.scope.notes()


def _targets(repository: Repository, config: Config, wish: Wish) -> tuple[Target, ...]:
    """The targets of the environments asked for, none of which may have the state of another one."""
    asked = wish.environments
    names = dict.fromkeys((*asked, *known_environments(config, repository.environments)))
    targets = resolve_targets(repository, config, tuple(names) if asked else (), os.environ)
    if wish.mode == "apply":
        check_states(repository, config, asked, targets)
    else:
        targets = with_shared_states(repository, config, asked, targets)
    return tuple(target for target in targets if target.environment in asked)


def _shared_notes(repository: Repository, wish: Wish, targets: Sequence[Target]) -> Iterator[str]:
    """Of states that configuration or workspaces make one: discovery says by itself what backend blocks say."""
    if wish.mode == "plan":
        given = [target for target in targets if target.backend_config or target.workspace]
        for text in shared_by_roots(repository, wish.environments, given):
            yield f"{text}; an apply there would be refused"


def withheld(repository: Repository, environ: Mapping[str, str]) -> tuple[str, ...]:
    """A note that names the inherited variables that terraform is not given."""
    declared = {variable.name for root in repository.roots for variable in root.variables}
    names = denied(environ, declared) if repository.roots else ()
    why = "they would change it behind the run's back, or no root declares them"
    return (f"terraform does not get {', '.join(names)}: {why}",) if names else ()


def environment_run(
    config: Config, name: str, exceptions: Exceptions | None = None, today: date | None = None
) -> EnvironmentRun:
    """An environment's settings as the run needs them."""
    found = config.environment_config(name)
    return EnvironmentRun(
        name,
        emulator=found.emulator,
        protect=found.protect,
        identity=found.identity.model_dump(exclude_none=True) if found.identity else {},
        after=found.after,
        approval=found.approval,
        seed=found.seed,
        signatures=found.signatures,
        lent_by=config.lender(name),
        allowed_destroys=in_force(exceptions.allowances, name, today) if exceptions and today else (),
    )


def cache_path(environ: Mapping[str, str]) -> Path | None:
    """Where parsed configuration is kept between runs, per user; None where there is no home directory."""
    base = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(base) / "pytest-tfpipeline" if Path(base).is_absolute() else None


def changed_since(run: Run) -> tuple[str, ...]:
    """Files of the repository that are not any more what the run's description says."""
    described: dict[str, str] = json.loads(Path(run.files_path).read_bytes())
    top = Path(run.repository.path)
    now = _hashes(top, list(described))
    return tuple(name for name, digest in described.items() if digest != now[name])


def _files(runner: Runner, top: Path, *, hashed: bool) -> dict[str, str]:
    names = repository_files(top, runner)
    return _hashes(top, names) if hashed else dict.fromkeys(names, "")


def _hashes(top: Path, names: Sequence[str]) -> dict[str, str]:
    """SHA-256 by name; "" for what is no regular file (a submodule, a symlink, a file that is gone)."""

    def digest(name: str) -> str:
        path = top / name
        return sha256(path) if path.is_file() and not path.is_symlink() else ""

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(digest, names), strict=True))


def _settings(described: Described, wish: Wish) -> dict[str, object]:
    config, repository = described.config, described.repository
    return {
        "lint_severity": config.lint_severity,
        "unknown": config.unknown,
        "skips": config.skips,
        "shortcuts": config.shortcuts,
        "reuse": config.reuse,
        "copy_in": sorted({pattern for root in config.root for pattern in root.copy_in}),
        "allow_destroy": list(wish.allow_destroy),
        "tests": native_test_settings(config, repository),
        "prepare": {} if wish.alone else prepare_without_environment(repository, config),
        "timeouts": timeouts_without_environment(repository, config),
    }


def _copy_in_notes(top: Path, run: Run) -> Iterator[str]:
    """A pattern that brings nothing: a file that is not built yet, or a mistake that would be felt much later."""
    for pattern in run.settings["copy_in"]:
        if next(matching(top, pattern), None) is None:
            yield f"copy_in: `{pattern}` matches no file; `DIRECTORY/**` is everything below a directory"


def emulated(run: Run) -> dict[str, tuple[Target, ...]]:
    """The targets of each emulated environment, by its name."""
    names = [one.name for one in run.environments if one.emulator]
    return {name: tuple(target for target in run.targets if target.environment == name) for name in names}
