"""Where a run works: private copies of the tree, results that are computed once, and the output directory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pytest_tfpipeline.model import Run, Target
from pytest_tfpipeline.workspace.digest import changed_files, manifest, tree_digest
from pytest_tfpipeline.workspace.output import clean_old_runs, hold, prepare_output
from pytest_tfpipeline.workspace.store import Store, file_name
from pytest_tfpipeline.workspace.tree import leads_out, make_copy
from pytest_tfpipeline.workspace.write import make_private, write_private

__all__ = [
    "Workspace",
    "changed_files",
    "clean_old_runs",
    "hold",
    "make_private",
    "manifest",
    "prepare_output",
    "root_file_name",
    "tree_digest",
    "write_private",
]

T = TypeVar("T")
#: The name of the copy that checks without an environment share; no environment may be called so.
STATIC = "_static"
#: The copy for `validate` and native tests, where commands have to generate something before.
PREPARED = "_prepared"


class Workspace:
    """The run's own directory (`Run.work_path`), as every process of the run sees it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.path = Path(run.work_path)
        self._store = Store(self.path / "store")

    def tree(self, environment: str | None) -> Path:
        """The private copy of the repository for that environment (None: for the checks without one).

        Whoever needs it first makes it; raises WorkspaceError.
        """
        name = environment or STATIC
        path = self.path / "tree" / file_name(name)
        with self._store.locked(f"tree/{name}"):
            if not path.exists():
                make_private(path.parent)
                make_copy(Path(self._run.repository.path), path, self._files(), self._copy_in())
        return path

    def once(self, key: str, kind: type[T], make: Callable[[], T]) -> T:
        """What `make` gives, computed by whichever process of the run asks first and kept as JSON.

        An exception of `make` is not kept: the next who asks tries again.
        """
        return self._store.once(key, kind, make)

    def put(self, key: str, value: object) -> None:
        """Replace what `once` gives for the key."""
        self._store.put(key, value)

    def get(self, key: str, kind: type[T]) -> T | None:
        """What is kept for the key, or None."""
        return self._store.get(key, kind)

    def plan_paths(self, target: Target) -> tuple[Path, Path]:
        """Where the saved plan of a target is, and its JSON form; their directory is there afterwards."""
        folder = make_private(self.path / "plans" / file_name(target.environment))
        name = root_file_name(target.root)
        return folder / f"{name}.tfplan", folder / f"{name}.json"

    def vars_path(self, target: Target) -> Path:
        """Where the strongest variables of a target are written; outside of the tree, so that plan never finds it."""
        return make_private(self.path / "vars" / file_name(target.environment)) / (
            f"{root_file_name(target.root)}.tfvars.json"
        )

    def state_path(self, environment: str, root: str) -> Path:
        """A directory that outlives the run, for the state of a root whose backend is a file in its own tree."""
        return make_private(Path(self._run.output_path) / "state" / file_name(environment) / root_file_name(root))

    def outer_links(self, directories: Iterable[str]) -> tuple[str, ...]:
        """Symlinks in or below these directories that lead out of the repository, relative to it."""
        top, inside = Path(self._run.repository.path), tuple(directories)
        below = (name for name in self._files() if any(each == "." or name.startswith(f"{each}/") for each in inside))
        return tuple(name for name in below if (top / name).is_symlink() and leads_out(top, top / name))

    def _files(self) -> Mapping[str, str]:
        files: dict[str, str] = json.loads(Path(self._run.files_path).read_bytes())
        return files

    def _copy_in(self) -> tuple[str, ...]:
        return tuple(self._run.settings.get("copy_in", ()))


def root_file_name(root: str) -> str:
    """A root's directory as one file name: `terraform/core` -> `terraform__core`; unlike roots never share one."""
    name = "__" if root == "." else root.replace("/", "__")
    if root != "." and name.replace("__", "/") != root:
        # It has underscores where they could be taken for a slash.
        name = f"{name}~{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"
    return file_name(name)
