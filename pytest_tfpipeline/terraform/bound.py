"""What a plan stands on and its JSON form does not say: backend, state, providers, files; and the key of digests."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PlanReadError, UsageError
from pytest_tfpipeline.model import PlanResult, Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.localstate import READS_OVERRIDE
from pytest_tfpipeline.terraform.planfile import is_encrypted
from pytest_tfpipeline.terraform.planning import planned_inputs
from pytest_tfpipeline.terraform.sealed import lock_of
from pytest_tfpipeline.tools.lockfile import LOCK_FILE, providers_of_lock
from pytest_tfpipeline.workspace.digest import manifest

KEY_VARIABLE = "TFPIPELINE_DIGEST_KEY"
KEY_COMMAND = "python -c 'import secrets; print(secrets.token_hex(32))'"

_KEY_BYTES = 32
#: Fewer different bytes are no chance: a key of zeros, or one character over and over.
_DIFFERENT_BYTES = 12
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
#: The refreshed state has lineage and serial, and already the outputs that are planned; the one before has neither.
_STATE = "tfstate"
_STATE_BEFORE = "tfstate-prev"
#: Of an empty state whose serial is not above this, nothing was ever applied: `terraform workspace new` leaves it.
_NEVER_APPLIED = 1
#: Written into the copy to keep a state file elsewhere, with paths of this machine; the backend says what it says.
_OVERRIDE = "tfpipeline_backend_override.tf.json"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a plan's digest is bound to besides the plan.

    `backend_type` is None without a backend block; `backend` is its configuration as terraform merged it. `providers`
    is {source: (version, hashes in the lock)}; `files` is {file: SHA-256} of all that the plan could read, downloaded
    modules included; `tree` is the absolute path of the private copy, as terraform sees it.
    """

    repository: str
    environment: str
    account: str | None
    root: str
    backend_type: str | None
    backend: Mapping[str, Any]
    workspace: str
    lineage: str
    serial: int
    terraform: str
    providers: Mapping[str, tuple[str, tuple[str, ...]]]
    files: Mapping[str, str]
    tree: str


def bound_of(ctx: Context, target: Target, result: PlanResult, account: str | None, repository: str) -> Bound:
    """What the target's saved plan stands on, read from the plan file and the private copy; raises PlanReadError."""
    directory = directory_of(ctx, target.root, target.environment)
    saved = _sealed(directory, result) if is_encrypted(str(result.plan_path)) else _read_saved(str(result.plan_path))
    backend_type, backend = _backend(directory)
    return Bound(
        repository=repository,
        environment=target.environment,
        account=account,
        root=target.root,
        backend_type=backend_type,
        backend=backend,
        workspace=_workspace(directory),
        lineage=saved.lineage,
        serial=saved.serial,
        terraform=_program(directory),
        providers=saved.providers,
        files=_files(directory, target),
        tree=str(directory.copy.resolve()),
    )


def _program(directory: Directory) -> str:
    """The version of terraform; of OpenTofu with its name: both have had the same numbers."""
    tool = directory.terraform
    return tool.version if tool.name == "terraform" else f"{tool.name} {tool.version}"


def digest_key(environ: Mapping[str, str]) -> tuple[bytes, bool]:
    """The key of plan digests, and whether it outlives this run; raises UsageError for one that is none.

    `TFPIPELINE_DIGEST_KEY` is hex or base64 of at least 32 random bytes. Without it, or where it is empty (as CI leaves
    a secret that a job may not see), the key is random and good for this run alone.
    """
    text = environ.get(KEY_VARIABLE, "").strip()
    if not text:
        return secrets.token_bytes(_KEY_BYTES), False
    key = bytes.fromhex(text) if _HEX.fullmatch(text) else _from_base64(text)
    if len(key) < _KEY_BYTES or len(set(key)) < _DIFFERENT_BYTES:
        raise UsageError(
            f"is not hex or base64 of at least {_KEY_BYTES} random bytes",
            where=KEY_VARIABLE,
            mend=f"make one with `{KEY_COMMAND}` and keep it as a secret of the environment",
        )
    return key, True


def _from_base64(text: str) -> bytes:
    """The bytes; none where it is something else. Either alphabet, padded or not."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


class _Saved(NamedTuple):
    lineage: str
    serial: int
    providers: dict[str, tuple[str, tuple[str, ...]]]


def _sealed(directory: Directory, result: PlanResult) -> _Saved:
    """Of a plan that is encrypted what was read beside it when it was made: OpenTofu refuses to apply it on any other
    state, and with other providers."""
    providers = dict(providers_of_lock(lock_of(directory)))
    if not result.state_exists and result.state_serial <= _NEVER_APPLIED:
        return _Saved("", 0, providers)
    return _Saved(result.state_lineage, result.state_serial, providers)


def _read_saved(path: str) -> _Saved:
    """State and locks in the plan file. A state that was never applied has no lineage yet, or that of an empty
    workspace, which each run without rights makes anew: it counts as none."""
    try:
        with zipfile.ZipFile(path) as archive:
            state, before = (json.loads(archive.read(name)) for name in (_STATE, _STATE_BEFORE))
            lock = archive.read(LOCK_FILE).decode() if LOCK_FILE in archive.namelist() else ""
        lineage, serial = str(state.get("lineage") or ""), int(state.get("serial") or 0)
        filled = before.get("resources") or before.get("outputs")
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
    ) as error:
        raise PlanReadError(f"is not a saved plan: {error}", where=path, mend="plan again") from error
    if not filled and serial <= _NEVER_APPLIED:
        lineage, serial = "", 0
    return _Saved(lineage, serial, dict(providers_of_lock(lock)))


def _backend(directory: Directory) -> tuple[str | None, dict[str, Any]]:
    """Type and arguments of the backend that init chose, without those that are not set."""
    path = directory.cwd / ".terraform" / "terraform.tfstate"
    try:
        found = json.loads(path.read_bytes()).get("backend") or {}
        arguments = dict(found.get("config") or {})
    except FileNotFoundError:
        return None, {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PlanReadError(f"does not say which backend it is: {error}", where=str(path), mend="run again") from error
    given = {name: _anywhere(directory.ctx, value) for name, value in arguments.items() if value is not None}
    return str(found.get("type") or "") or None, given


def _anywhere(ctx: Context, value: Any) -> Any:
    """A backend's argument without the places of this machine and run."""
    if isinstance(value, str):
        for path, name in ((ctx.run.work_path, "${run}"), (ctx.run.output_path, "${output}")):
            value = value.replace(str(Path(path).resolve()), name).replace(path, name)
    return value


def _workspace(directory: Directory) -> str:
    try:
        return (directory.cwd / ".terraform" / "environment").read_text("utf-8").strip() or "default"
    except FileNotFoundError:
        return "default"


def _files(directory: Directory, target: Target) -> dict[str, str]:
    """What the plan could read, and the modules that init downloaded for it (a branch may have moved meanwhile)."""
    downloaded = manifest(directory.cwd / ".terraform" / "modules", exclude=(".git",))
    below = f"{target.root}/.terraform/modules"
    return {
        **{name: digest for name, digest in planned_inputs(directory.ctx, target).items() if not _is_override(name)},
        **{f"{below}/{name}": digest for name, digest in downloaded.items()},
    }


def _is_override(name: str) -> bool:
    return name.rpartition("/")[2] in (_OVERRIDE, READS_OVERRIDE)
