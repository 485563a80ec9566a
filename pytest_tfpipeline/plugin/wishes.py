"""What the command line asks for, checked as far as that needs no configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.given import EMPTY, given_path
from pytest_tfpipeline.plugin.narrowing import typed_values
from pytest_tfpipeline.plugin.options import TYPED_ONLY
from pytest_tfpipeline.plugin.place import top_of

if TYPE_CHECKING:
    from pytest_tfpipeline.model import Run
    from pytest_tfpipeline.pipeline.narrowed import Narrowing

CHECK_MODE = "check"
#: Options that mean nothing without an apply.
_NEED_APPLY = ("--promote-to", "--approve", "--approval", "--tf-prior", "--tf-rollback")
_APPROVALS = ("--approve", "--approval")
_PASTED = re.compile(r"::(?:plan|policy)\[([^\[\]]+)\]$")


def asked_for(config: pytest.Config) -> str:
    """The run's mode: check, plan or apply. A pasted `main.tf::plan[staging]` asks for a plan."""
    if config.option.apply_env is not None:
        return "apply"
    return "plan" if config.option.tf_plan or pasted_environments(config) else CHECK_MODE


def environments(config: pytest.Config) -> tuple[str, ...]:
    """The environments that are planned, in the order they were named."""
    option = config.option
    if option.apply_env is not None and option.tf_changed is not None:
        raise pytest.UsageError(
            "--tf-changed leaves out what a change cannot affect, and an apply is allowed by every check of its "
            "environment: it cannot be given with --apply-env (take it out, also from addopts and PYTEST_ADDOPTS)"
        )
    if option.apply_env is not None and option.tf_plan:
        raise pytest.UsageError("--apply-env plans for itself: give either --tf-plan or --apply-env")
    if option.apply_env is not None:
        return (_environment_to_apply(config), *_promoted(config))
    for flag in (flag for flag in TYPED_ONLY if flag in _NEED_APPLY):
        if getattr(option, flag.lstrip("-").replace("-", "_")):
            raise pytest.UsageError(f"{flag} counts for an apply only: give --apply-env ENV too")
    named = [name.strip() for value in option.tf_plan or () for name in value.split(",")]
    if option.tf_plan and not all(named):
        raise pytest.UsageError("--tf-plan ENV[,ENV]: an environment's name is missing")
    return tuple(dict.fromkeys([*named, *pasted_environments(config)]))


def _environment_to_apply(config: pytest.Config) -> str:
    name: str = config.option.apply_env
    if not name.strip():
        raise pytest.UsageError("--apply-env ENV: the environment's name is missing (is a variable not set?)")
    if "," in name:
        raise pytest.UsageError(f"--apply-env ENV: a run applies one environment, and {name!r} names several")
    _refuse_empty(config)
    _refuse_untyped(config)
    if len(typed_values(config, "--apply-env")) > 1:
        raise pytest.UsageError("--apply-env was given more than once: a run applies one environment")
    return name


def _promoted(config: pytest.Config) -> tuple[str, ...]:
    """The environments after the first, in their order."""
    names = tuple(config.option.promote_to or ())
    for name in names:
        if not name.strip() or "," in name:
            raise pytest.UsageError(f"--promote-to ENV takes one environment (it may be repeated), and not {name!r}")
    twice = [name for index, name in enumerate((config.option.apply_env, *names)) if name in names[index:]]
    if twice:
        raise pytest.UsageError(f"--promote-to {twice[0]}: an environment is applied once in a run")
    return names


def _refuse_untyped(config: pytest.Config) -> None:
    for flag in TYPED_ONLY:
        given = getattr(config.option, flag.lstrip("-").replace("-", "_"))
        if given is True:
            untyped = flag not in map(str, config.invocation_params.args)
        else:
            values = [given] if isinstance(given, str) else list(given or ())
            untyped = not set(values) <= set(typed_values(config, flag))
        if untyped:
            raise pytest.UsageError(f"{flag} counts only when it is typed on the command line")


def _refuse_empty(config: pytest.Config) -> None:
    for flag in (*_APPROVALS, "--tf-prior", "--tf-operator"):
        given = getattr(config.option, flag.lstrip("-").replace("-", "_"))
        values = [given] if isinstance(given, str) else list(given or ())
        if not all(value.strip() for value in values):
            raise pytest.UsageError(f"{flag}: {EMPTY}")


def going_on(config: pytest.Config) -> tuple[str, ...]:
    """The command line again, without the approvals in it: what a run that waits goes on with."""
    return ("pytest", *_typed_without(config, _APPROVALS))


def next_job(config: pytest.Config, names: Sequence[str], prior: str | None) -> tuple[str, ...]:
    """The command line of the job that goes on with these environments, given this run's evidence."""
    given = () if prior is None else ("--tf-prior", prior)
    promoted = (word for name in names[1:] for word in ("--promote-to", name))
    rest = _typed_without(config, (*_APPROVALS, "--apply-env", "--promote-to", "--tf-prior"))
    return ("pytest", "--apply-env", names[0], *promoted, *given, *rest)


def _typed_without(config: pytest.Config, flags: Sequence[str]) -> Iterator[str]:
    given = iter(map(str, config.invocation_params.args))
    for word in given:
        if word in flags:
            next(given, None)
        elif not word.startswith(tuple(f"{flag}=" for flag in flags)):
            yield word


def allowed_destroys(config: pytest.Config) -> tuple[str, ...]:
    """The values of --allow-destroy: each a root's directory and an address."""
    values = tuple(config.option.allow_destroy or ())
    for value in values:
        root, found, address = value.partition("//")
        if not (root and found and address):
            raise pytest.UsageError(
                f"--allow-destroy takes ROOT//ADDRESS, such as terraform/core//aws_kms_key.this, and not {value!r}"
            )
    return values


def refuse_isolated(run: Run, said: str) -> None:
    """With `isolation = "jobs"`, nothing is applied by a run that executes the repository's own code. `said` is the
    file and the key that say it."""
    if run.can_apply and run.isolation == "jobs":
        name = run.environments[0].name
        raise UsageError(
            f'what checks may not apply here: `isolation = "jobs"` ({said})',
            where=f"--apply-env {name}",
            mend=f"check with `pytest --tf-plan {name}`, and apply in a job of its own with "
            f"`python -I -m pytest_tfpipeline apply {name} --evidence FILE`",
        )


def operator_file(config: pytest.Config) -> Path | None:
    """The file of --tf-operator, as it was typed: it counts only then, whatever the run is for."""
    given: str | None = config.option.tf_operator
    if given is None:
        return None
    file_option(config, "--tf-operator", given)
    if tuple(typed_values(config, "--tf-operator")) != (given,):
        raise pytest.UsageError("--tf-operator FILE: give one file, typed on the command line")
    return config.invocation_params.dir / given


def group_asked_for(config: pytest.Config) -> str | None:
    """The value of --tf-group."""
    given: str | None = config.option.tf_group
    if given is not None and not given.strip():
        raise pytest.UsageError("--tf-group NAME: the group's name is missing (is a variable not set?)")
    if given is not None and len(typed_values(config, "--tf-group")) > 1:
        raise pytest.UsageError("--tf-group was given more than once: a run is about one group")
    return given


def changed_asked_for(config: pytest.Config) -> Narrowing | None:
    """What --tf-changed narrows the run to; None without it. Files that were named on the command line are in any case
    checked."""
    given = config.option.tf_changed
    if given is None:
        return None
    if config.option.tf_baseline:
        raise pytest.UsageError("--tf-baseline records every finding: it cannot be given with --tf-changed")
    from pytest_tfpipeline.pipeline.narrowed import Narrowing  # costs what the other options need not pay

    start = config.invocation_params.dir
    words = [str(word) for word in config.invocation_params.args]
    if given is not True and (start / given).exists() and f"--tf-changed={given}" not in words and given in words:
        raise pytest.UsageError(
            f"--tf-changed {given} takes {given} for a commit: write --tf-changed=REF, or the path first"
        )
    top = top_of(config.rootpath)
    named = [(start / str(arg).split("::")[0]).absolute() for arg in config.option.file_or_dir]
    inside = (path.relative_to(top).as_posix() for path in named if path.is_file() and path.is_relative_to(top))
    own = (config.inipath, file_option(config, "--tf-config", config.option.tf_config))
    return Narrowing(
        None if given is True else given,
        tuple(path for path in own if path),
        tuple(inside),
        _looked_in(config, top),
        planned=bool(config.option.tf_list),
    )


def _looked_in(config: pytest.Config, top: Path) -> tuple[str, ...]:
    """Where pytest looks for tests, as far as its ini file says it."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return ()
    named = [Path(config.invocation_params.dir, arg) for arg in config.args]
    inside = [path.relative_to(top).as_posix() for path in named if path.is_relative_to(top)]
    return tuple(inside) if len(inside) == len(named) else ()


def records_baseline(config: pytest.Config) -> bool:
    """Whether --tf-baseline was given; it loosens later runs, so it counts only when typed, and never in an apply."""
    if not config.option.tf_baseline:
        return False
    if config.option.apply_env is not None:
        raise pytest.UsageError("--tf-baseline records findings and judges none: it cannot be given with --apply-env")
    if "--tf-baseline" not in map(str, config.invocation_params.args):
        raise pytest.UsageError("--tf-baseline counts only when it is typed on the command line")
    return True


def pasted_environments(config: pytest.Config) -> tuple[str, ...]:
    """Environments in node ids that were pasted back."""
    found = [match[1] for arg in config.invocation_params.args if (match := _PASTED.search(str(arg)))]
    return tuple(dict.fromkeys(found))


def file_option(config: pytest.Config, flag: str, value: str | None) -> Path | None:
    """A path from the command line, relative to where pytest was started."""
    return None if value is None else typed_path(config, flag, value)


def typed_path(config: pytest.Config, flag: str, value: str) -> Path:
    """The same; raises pytest.UsageError where it is empty, as a variable that is not set makes it."""
    if not value.strip():
        raise pytest.UsageError(f"{flag}: {EMPTY}")
    return given_path(value, config.invocation_params.dir)
