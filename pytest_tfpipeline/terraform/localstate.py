"""State that is a file: it must outlive the run, and the private copy does not."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.model import Finding, Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.diagnostics import failure
from pytest_tfpipeline.workspace import write_private

#: terraform merges files with this ending last (its documentation on override files).
_OVERRIDE = "tfpipeline_backend_override.tf.json"
_DEFAULT = "terraform.tfstate"


def override_backend(directory: Directory, target: Target) -> None:
    """`backend = "local"`: replace the root's backend by a file below the output directory, in the copy alone."""
    state = directory.ctx.workspace.state_path(target.environment, target.root) / _DEFAULT
    write_private(
        directory.cwd / _OVERRIDE,
        json.dumps({"terraform": {"backend": {"local": {"path": str(state)}}}}),
    )


def keep_state(directory: Directory, target: Target) -> tuple[Finding, ...]:
    """Put a symlink where a root without a remote backend has its state, to a file that outlives the run.

    Where the state is committed, an apply is refused: what it writes would be lost with the copy.
    """
    path = _state_file(directory)
    if path is None:
        return ()
    here = directory.cwd / path
    if here.exists() and not here.is_symlink():
        return _refuse(target, path) if target.apply and directory.ctx.run.can_apply else ()
    kept = directory.ctx.workspace.state_path(target.environment, target.root)
    _link(here, kept / here.name)
    # Other workspaces than the default one have theirs in this directory.
    workspaces = kept / "terraform.tfstate.d"
    workspaces.mkdir(mode=0o700, exist_ok=True)
    _link(directory.cwd / "terraform.tfstate.d", workspaces)
    return ()


def _state_file(directory: Directory) -> PurePosixPath | None:
    root = directory.root
    if root is None or root.backend not in (None, "local"):
        return None
    path = PurePosixPath(root.backend_config.get("path", _DEFAULT))
    return None if path.is_absolute() else path


def _link(link: Path, kept: Path) -> None:
    if not link.is_symlink() and not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(kept)


def _refuse(target: Target, path: PurePosixPath) -> tuple[Finding, ...]:
    where = (PurePosixPath(target.root) / path).as_posix()
    return (
        failure(
            "state-in-the-tree",
            "The state is a file of the repository, and an apply would write it to the run's private copy alone.\n"
            '-> Use a remote backend, or `backend = "local"` on the root; and take the state out of git.',
            file=where,
        ),
    )
