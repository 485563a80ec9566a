"""Install a program into the plugin's own tool directory: once, under a lock, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools.compile import compile_program
from pytest_tfpipeline.tools.download import Unreachable, download_release
from pytest_tfpipeline.tools.pinned import build_environment, environment_name, locked_version
from pytest_tfpipeline.tools.places import TOOLS_VARIABLE, candidates, tool_directory

_PYTHON_PROGRAMS = frozenset({"checkov", "ruff"})
_LOCK_TIMEOUT = 1200.0
#: What Go can build where its releases cannot be reached.
_BY_GO = frozenset({"tflint", "tofu"})


@dataclass(frozen=True, slots=True)
class Installer:
    """How programs are installed in this run."""

    runner: Runner
    environ: Mapping[str, str]
    progress: Callable[[str], None]

    def place(self, name: str, version: str) -> Path:
        """Where the executable of that version is, or would be, in the tool directory."""
        base = tool_directory(self.environ) / name
        if name in _PYTHON_PROGRAMS:
            own = version == locked_version(name)
            return base / (environment_name(name) if own else version) / "bin" / name
        return base / version / name

    def install(self, name: str, version: str) -> Path:
        """The executable, installed if it is not there yet. Raises ToolError where it cannot be had."""
        path = self.place(name, version)
        home = path.parent.parent if name in _PYTHON_PROGRAMS else path.parent
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with self._alone(name, home):
                if not path.exists():
                    self._make(name, version, home)
        except Timeout:
            raise ToolError(f"another run has been installing {name} for too long", where=str(home)) from None
        except OSError as error:
            mend = f"Make room there, or set {TOOLS_VARIABLE} to another directory."
            raise ToolError(f"{name} cannot be installed: {error.strerror}", where=str(home), mend=mend) from None
        return path

    def _alone(self, name: str, home: Path) -> AbstractContextManager[object]:
        """The lock, taken. That somebody else has it is said once: an install can take minutes."""
        lock = FileLock(home.parent / f".{home.name}.lock", timeout=_LOCK_TIMEOUT)
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            self.progress(f"{name} is being installed by another process: waiting for it")
            return lock.acquire()

    def _make(self, name: str, version: str, home: Path) -> None:
        """Build beside its place and move it there when it is complete; under the lock."""
        for left in home.parent.glob(f".{home.name}-*.partial"):
            shutil.rmtree(left, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}-", suffix=".partial"))
        try:
            self._build(name, version, partial)
            partial.chmod(0o755)
            if home.exists():
                shutil.rmtree(home)
            partial.rename(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _build(self, name: str, version: str, target: Path) -> None:
        if name in _PYTHON_PROGRAMS:
            if version != locked_version(name):
                raise ToolError(f"only {name} {locked_version(name)} can be installed with known hashes")
            uv = next(candidates("uv", self.environ), None)
            if uv is None:
                raise ToolError("uv is missing", mend="pip install uv")
            build_environment(name, target, str(uv), self.runner, self.progress)
            return
        try:
            download_release(name, version, target, self.environ, self.progress)
        except Unreachable as error:
            go = shutil.which("go", path=self.environ.get("PATH", ""))
            if name not in _BY_GO or go is None:
                raise
            other = f"`{name}` of [tools] may say another version"
            self.progress(
                f"{error.where}: {error.what}; building {name} {version} with Go, which takes minutes; {other}"
            )
            try:
                compile_program(name, version, target, go, self.runner)
            except ToolError as second:
                raise ToolError(f"{error}\nand {second}") from None
