"""argv for every terraform command the pipeline uses, and what each exit code means.

Pure: no process is started here. The only importer of python_terraform, of which nothing but the argv builder is used:
its own way of running terraform reads state files, has no timeout and takes plan's exit code 2 for a failure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from python_terraform import IsFlagged, Terraform

Argv = tuple[str, ...]
#: A value of one option; the type is `IsFlagged` itself, for an option without a value.
Option = bool | int | str | list[str] | type | None


class Meaning(StrEnum):
    """What an exit code says."""

    DONE = "done"
    #: plan -detailed-exitcode: there are changes.
    CHANGES = "changes"
    #: fmt -check: at least one file is not formatted.
    UNFORMATTED = "unformatted"
    FAILED = "failed"
    #: Ended by a signal, by us after a timeout or by somebody else.
    KILLED = "killed"
    NOT_STARTED = "not started"


#: Documented exit codes by command (terraform's own CLI documentation); every other code is a failure.
EXIT_CODES: Mapping[str, Mapping[int, Meaning]] = {
    "plan": {0: Meaning.DONE, 1: Meaning.FAILED, 2: Meaning.CHANGES},
    "fmt": {0: Meaning.DONE, 2: Meaning.FAILED, 3: Meaning.UNFORMATTED},
}


_BROKEN = re.compile(r"^\s+on (.+) line \d+", re.MULTILINE)


def meaning(command: str, code: int | None) -> Meaning:
    """What the exit code of that command says; a code that is not documented is a failure, never a success."""
    if code is None:
        return Meaning.NOT_STARTED
    if code < 0:
        return Meaning.KILLED
    return EXIT_CODES.get(command, {0: Meaning.DONE}).get(code, Meaning.FAILED)


def version(terraform: str) -> Argv:
    """`terraform version -json`."""
    return _argv(terraform, "version", json=IsFlagged)


def init(
    terraform: str,
    *,
    backend: bool = True,
    backend_config: Sequence[str] = (),
    readonly_lock: bool = False,
    json: bool = True,
    upgrade: bool = False,
    plugin_dir: str | None = None,
    test_directory: str | None = None,
    var_files: Sequence[str] = (),
) -> Argv:
    """`terraform init` that never asks. `backend_config` are paths or `key=value`; `json` needs terraform 1.9; with
    `plugin_dir` providers come from there alone; `test_directory` is where the native tests are, if not in `tests`.
    Only OpenTofu reads `var_files` here, and in all but plan below."""
    return _argv(
        terraform,
        "init",
        input=False,
        backend=None if backend else False,
        backend_config=list(backend_config),
        reconfigure=IsFlagged if backend else None,
        lockfile="readonly" if readonly_lock else None,
        upgrade=IsFlagged if upgrade else None,
        plugin_dir=plugin_dir,
        test_directory=test_directory,
        var_file=list(var_files),
        **_output(json=json),
    )


def validate(terraform: str, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform validate -json`."""
    return _argv(terraform, "validate", json=IsFlagged, var_file=list(var_files))


def plan(
    terraform: str,
    out: Path,
    *,
    var_files: Sequence[str] = (),
    lock: bool = True,
    lock_timeout: str = "0s",
    parallelism: int | None = None,
) -> Argv:
    """`terraform plan -json -out`: diagnostics as JSON lines, and the plan in a file."""
    return _argv(
        terraform,
        "plan",
        input=False,
        json=IsFlagged,
        detailed_exitcode=IsFlagged,
        lock=None if lock else False,
        lock_timeout=lock_timeout if lock else None,
        parallelism=parallelism,
        var_file=list(var_files),
        out=str(out),
    )


def show(terraform: str, plan_path: Path, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform show -json PLAN`."""
    return _argv(terraform, "show", str(plan_path), json=IsFlagged, var_file=list(var_files))


def apply(
    terraform: str,
    plan_path: Path,
    *,
    lock_timeout: str = "0s",
    parallelism: int | None = None,
    var_files: Sequence[str] = (),
) -> Argv:
    """`terraform apply` of a saved plan: there is no way to build one that plans by itself."""
    return _argv(
        terraform,
        "apply",
        str(plan_path),
        input=False,
        json=IsFlagged,
        lock_timeout=lock_timeout,
        parallelism=parallelism,
        var_file=list(var_files),
    )


def fmt(terraform: str, directory: str = ".") -> Argv:
    """`terraform fmt -check -diff` of one directory, not those below it."""
    return _argv(terraform, "fmt", directory, check=IsFlagged, diff=IsFlagged, no_color=IsFlagged)


def fmt_list(terraform: str, directories: Sequence[str]) -> Argv:
    """`terraform fmt -check` of several directories, which names the files that are not formatted."""
    return _argv(terraform, "fmt", *directories, check=IsFlagged, no_color=IsFlagged)


def fmt_broken(stderr: str) -> tuple[str, ...]:
    """The files that `terraform fmt` could not parse."""
    return tuple(found[1] for found in _BROKEN.finditer(stderr))


def test(terraform: str, file: str, directory: str, *, var_files: Sequence[str]) -> Argv:
    """`terraform test` of one file; `directory` is what it finds the file in, beside its working directory."""
    return _argv(terraform, "test", json=IsFlagged, filter=file, test_directory=directory, var_file=list(var_files))


def select_workspace(terraform: str, name: str, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform workspace select`, which fails where there is none of that name."""
    return _argv(terraform, "workspace select", name, no_color=IsFlagged, var_file=list(var_files))


def new_workspace(terraform: str, name: str, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform workspace new`."""
    return _argv(terraform, "workspace new", name, no_color=IsFlagged, var_file=list(var_files))


def pull_state(terraform: str, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform state pull`: the state as JSON, nothing where there is none."""
    return _argv(terraform, "state pull", var_file=list(var_files))


def push_state(terraform: str, path: Path) -> Argv:
    """`terraform state push`, for a user to run after terraform could not write its state."""
    return _argv(terraform, "state push", str(path))


def output(terraform: str, *, var_files: Sequence[str] = ()) -> Argv:
    """`terraform output -json`."""
    return _argv(terraform, "output", json=IsFlagged, var_file=list(var_files))


def _output(*, json: bool) -> dict[str, Option]:
    return {"json": IsFlagged} if json else {"no_color": IsFlagged}


def _argv(terraform: str, command: str, *args: str, **options: Option) -> Argv:
    """The adapter: None is left out, a bool becomes `true`/`false`, a list repeats its option."""
    # The constructor would read a state file in the working directory; here it finds none.
    builder = Terraform(working_dir=os.devnull, terraform_bin_path=terraform)
    return tuple(builder.generate_cmd_string(command, *args, **options))
