"""Run one file of native tests, with nothing around it but what it needs: no credentials, in variables or in files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_tfpipeline.context import FIXED_ENVIRONMENT, Context
from pytest_tfpipeline.discover.nativetests import place_of_tests
from pytest_tfpipeline.model import Finding
from pytest_tfpipeline.process import Outcome, Request
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.diagnostics import failure
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.workspace import make_private, root_file_name, write_private

#: What is inherited; everything else could be a credential, or lead to one.
_INHERITED = ("PATH", "LANG", "LC_*", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "NIX_*")
#: Where SDKs would find credentials without any variable: the metadata services of a cloud's machine.
_NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true", "GCE_METADATA_HOST": "127.0.0.1:9"}
#: Seconds that an interrupted terraform gets to destroy what it has made.
_GRACE = 120.0
#: What terraform calls the state of what it could not destroy.
_ERRORED = "errored_test.tfstate"


@dataclass(frozen=True, slots=True)
class Ended:
    """How terraform ended, and where the state of what it could not destroy is kept, if there is one."""

    outcome: Outcome
    errored_state: Path | None = None


def run_tests(
    ctx: Context,
    directory: str,
    file: str,
    cloud: Mapping[str, str],
    timeout: float,
    var_files: Sequence[str] = (),
) -> Ended:
    """`terraform test` of that file, in the static copy, where the directory has been initialised.

    `cloud` are the variables of an emulated cloud, or nothing; `var_files` are relative to the repository. An
    interrupt is passed on once: terraform then destroys what it has made before this raises KeyboardInterrupt.
    """
    where = directory_of(ctx, directory, None)
    own = os.path.relpath(where.copy / file, where.cwd)
    given = [str(where.copy / name) for name in var_files]
    argv = command.test(where.terraform.path, own, place_of_tests(file, directory), var_files=given)
    request = Request(
        argv, where.cwd, env=_environ(ctx, cloud), only_env=True, timeout=timeout, grace=min(_GRACE, timeout)
    )
    kept: Path | None = None
    try:
        outcome = ctx.runner.run(request)
    finally:
        # Also after an interrupt: it may hold all that is known of what was made.
        kept = _keep_errored(ctx, where.cwd / _ERRORED, file)
    return Ended(outcome, kept)


def modules_by_key(ctx: Context, directory: str) -> Mapping[str, str]:
    """The directories of the modules that init found, by key, relative to the tested directory."""
    where = directory_of(ctx, directory, None)
    try:
        listed = json.loads((where.cwd / ".terraform" / "modules" / "modules.json").read_bytes())
    except (OSError, ValueError):
        return {"": "."}
    return {"": ".", **{str(item["Key"]): str(item["Dir"]) for item in listed.get("Modules", ())}}


def left_behind(names: Iterable[str], kept: Path | None, file: str, *, emulated: bool) -> Finding:
    """A finding that names what could not be destroyed."""
    text = f"terraform could not destroy what this test made: {', '.join(names) or 'see the state that it left'}"
    mend = "It was made in an emulated cloud, which is gone." if emulated else "Destroy it by hand."
    state = f"\nIts state is kept: {kept}" if kept is not None and not emulated else ""
    return failure("test-left-behind", f"{text}{state}\n-> {mend}", file=file)


def _environ(ctx: Context, cloud: Mapping[str, str]) -> dict[str, str]:
    """Also the home directory is empty: most clouds' tools keep credentials there."""
    home = make_private(ctx.workspace.path / "home")
    inherited = {
        name: value
        for name, value in ctx.runner.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in _INHERITED)
    }
    return {
        **inherited,
        **FIXED_ENVIRONMENT,
        **_NO_METADATA,
        "HOME": str(home),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TF_CLI_CONFIG_FILE": str(_cli_config(ctx, home)),
        **cloud,
    }


def _cli_config(ctx: Context, home: Path) -> Path:
    """An empty one: after init nothing of it is needed, and the user's may hold the tokens of registries. Where it
    says that a provider is taken from somewhere else, terraform needs it again."""
    own = Path(ctx.run.cli_config_path) if ctx.run.cli_config_path else None
    if own is not None and own.is_file() and b"dev_overrides" in own.read_bytes():
        return own
    empty = home / "terraform.tfrc"
    if not empty.is_file():
        write_private(empty, "disable_checkpoint = true\n")
    return empty


def _keep_errored(ctx: Context, errored: Path, file: str) -> Path | None:
    if not errored.is_file():
        return None
    kept = (
        make_private(Path(ctx.run.output_path) / "errored" / ctx.run.id / "tests") / f"{root_file_name(file)}.tfstate"
    )
    shutil.move(errored, kept)
    kept.chmod(0o600)
    return kept
