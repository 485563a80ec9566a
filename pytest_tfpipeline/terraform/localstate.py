"""State that is a file: it must outlive the run, and the private copy does not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.model import Finding, Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.diagnostics import failure
from pytest_tfpipeline.workspace import make_private, write_private

#: terraform merges files with this ending last (its documentation on override files).
_OVERRIDE = "tfpipeline_backend_override.tf.json"
READS_OVERRIDE = "tfpipeline_reads_override.tf.json"
_STATE = "terraform.tfstate"
_WORKSPACES = "terraform.tfstate.d"
_BACKEND = re.compile(r'^\s*(terraform\s*\{\s*)?(backend\s+"|cloud\s*\{)|"(backend|cloud)"\s*:', re.MULTILINE)


def place_state(directory: Directory, target: Target) -> tuple[Finding, ...]:
    """See to it that a state in a file is kept below the output directory, by an override in the copy alone.

    That is for `backend = "local"`, and for roots whose own backend is a file in the tree; others are left alone.
    Where the state is committed, an apply is refused: what it writes would be lost with the copy.
    """
    path = _state_file(directory, target)
    if path is None:
        return ()
    here = directory.cwd / path
    if target.backend_local:
        # init would take a state that is committed for one to migrate.
        here.unlink(missing_ok=True)
    elif here.exists():
        return _refuse(target, path) if target.apply and directory.ctx.run.can_apply else ()
    _override(directory, directory.ctx.workspace.state_path(target.environment, target.root))
    return ()


def use_empty_state(directory: Directory, target: Target) -> None:
    """Let a plan stand on an empty state of this run's own, in place of a workspace that is not there yet.

    The plan is the same, and a run that cannot apply writes nothing to the backend.
    """
    _override(directory, make_private(directory.ctx.workspace.vars_path(target).with_suffix(".state")))


def place_reads(directory: Directory, target: Target) -> None:
    """Let the root and its modules read the state of a root that is kept here (`backend = "local"`) from where it is,
    by an override of their data sources in the copy alone."""
    ctx, root = directory.ctx, directory.root
    found: dict[Path, dict[str, object]] = {}
    for read in root.remote_states if root else ():
        upstream = ctx.target(read.root, target.environment) if read.root and read.backend != "local" else None
        if upstream is not None and upstream.backend_local:
            folder = (directory.copy / read.file).parent
            found.setdefault(folder, {})[read.name] = _read_here(directory, upstream, own=folder == directory.cwd)
    for folder, data in found.items():
        write_private(folder / READS_OVERRIDE, json.dumps({"data": {"terraform_remote_state": data}}))


def _read_here(directory: Directory, upstream: Target, *, own: bool) -> dict[str, object]:
    """The data source's arguments. From the root's own directory the path is a relative one, which is the same on
    every machine and in every run; a module is called from several directories."""
    kept = directory.ctx.workspace.state_path(upstream.environment, upstream.root)
    path = kept / _WORKSPACES / upstream.workspace / _STATE if upstream.workspace else kept / _STATE
    shown = os.path.relpath(path.resolve(), directory.cwd.resolve()) if own else str(path)
    return {"backend": "local", "config": {"path": shown}, "workspace": None}


def link_state(directory: Directory, target: Target) -> None:
    """After init: symlinks where the state would be in the tree, for roots that read it by its path there.

    Not before: init would take what is there for a state to migrate, and empty it. And nothing writes through them:
    terraform would replace the symlink by a file.
    """
    path = _state_file(directory, target)
    if path is not None and is_overridden(directory):
        kept = directory.ctx.workspace.state_path(target.environment, target.root)
        _link(directory.cwd / path, kept / _STATE)
        _link(directory.cwd / _WORKSPACES, kept / _WORKSPACES)


def _override(directory: Directory, folder: Path) -> None:
    local = {"path": str(folder / _STATE), "workspace_dir": str(folder / _WORKSPACES)}
    write_private(directory.cwd / _OVERRIDE, json.dumps({"terraform": {"backend": {"local": local}}}))


def is_overridden(directory: Directory) -> bool:
    """Whether `place_state` has replaced the root's backend; its configuration does not apply then."""
    return (directory.cwd / _OVERRIDE).exists()


def _state_file(directory: Directory, target: Target) -> PurePosixPath | None:
    """Where the state is in the tree, relative to the root; None where the backend keeps it elsewhere."""
    root = directory.root
    backend = root.backend if root else None
    if target.backend_local:
        return PurePosixPath(_STATE)
    if backend not in (None, "local") or (backend is None and _mentions_backend(directory.cwd)):
        return None
    literal = root.backend_config if root else {}
    chosen = [item.removeprefix("path=") for item in target.backend_config if item.startswith("path=")]
    path = PurePosixPath([literal.get("path", _STATE), *chosen][-1])
    return None if path.is_absolute() else path


def _mentions_backend(folder: Path) -> bool:
    """Whether a file seems to have a backend that discovery did not see (a file it could not parse, say): to override
    that one would plan on an empty state."""
    files = (path for pattern in ("*.tf", "*.tofu", "*.json") for path in folder.glob(pattern))
    return any(_BACKEND.search(path.read_text("utf-8", "replace")) for path in files if path.name != _OVERRIDE)


def _link(link: Path, kept: Path) -> None:
    if not link.is_symlink() and not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(kept)


def _refuse(target: Target, path: PurePosixPath) -> tuple[Finding, ...]:
    return (
        failure(
            "state-in-the-tree",
            "The state is a file of the repository, and an apply would write it to the run's private copy alone.\n"
            '-> Use a remote backend, or `backend = "local"` on the root; and take the state out of git.',
            file=(PurePosixPath(target.root) / path).as_posix(),
        ),
    )
