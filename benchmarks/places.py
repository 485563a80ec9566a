"""What the cases run in: repositories that are written for them, an emulated cloud, and the same environment for both
sides."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.roots import STATE_BUCKET, write_roots
from pytest_tfpipeline.emulator import Emulator, StateStore, state_path
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.mirrors import find_mirrors

#: What would make one side do something else than the other, or than on another day.
_UNWANTED = ("TF_", "AWS_", "PYTEST_", "CKV_", "BC_", "TFLINT_", "TFPIPELINE_CACHE", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True)
class Place:
    """A directory for everything of one call, and the programs by name."""

    path: Path
    programs: Mapping[str, str]

    @classmethod
    def make(cls, path: Path) -> Place:
        """Make the directory, look for the programs, and install those that the plugin would install."""
        path.mkdir(parents=True, exist_ok=True)
        runner = Runner()
        names = ("terraform", "tflint", "checkov")
        programs = {name: str(find_tool(name, version=None, runner=runner, progress=print).path) for name in names}
        place = cls(path, programs)
        place._write_cli_config()
        return place

    @property
    def cache(self) -> Path:
        """Where the plugin keeps what it reuses."""
        return self.path / "cache"

    def forget(self) -> None:
        """Cold: nothing is left of an earlier run but the tools and the provider."""
        shutil.rmtree(self.cache, ignore_errors=True)
        for kept in self.path.glob("*/.tfpipeline"):
            shutil.rmtree(kept)
        for kept in self.path.glob("*/**/.terraform"):
            shutil.rmtree(kept)

    def repository(self, count: int, resources: int, provider: str | None = "aws") -> Path:
        """A committed repository of so many root modules of so many resources, with `dev` for an environment; made
        once."""
        directory = self.path / f"{provider or 'builtin'}-{count}x{resources}"
        if not directory.exists():
            write_roots(directory, count, resources, provider)
        return directory

    def environment(self) -> dict[str, str]:
        """For the plugin's side: this process's own, but for what would change what is measured."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
        return kept | {"XDG_CACHE_HOME": str(self.cache)}

    def plain_environment(self) -> dict[str, str]:
        """For the plain side: the provider from the same mirror as the plugin's, and nobody phones home."""
        return self.environment() | {
            "TF_CLI_CONFIG_FILE": str(self._cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "TFLINT_DISABLE_VERSION_CHECK": "1",
            "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE",
            "BC_SKIP_MAPPING": "TRUE",
        }

    @contextmanager
    def cloud(self) -> Iterator[dict[str, str]]:
        """The variables that lead to an emulated cloud, which is there before the plain side begins."""
        directory = self.path / "cloud"
        directory.mkdir(exist_ok=True)
        emulator = Emulator.start(
            Runner(),
            environment="dev",
            state_path=state_path(directory, "dev"),
            stores=(StateStore(bucket=STATE_BUCKET),),
            work_path=directory,
            read_only=True,
        )
        try:
            yield emulator.process_env
        finally:
            emulator.stop()

    @property
    def _cli_config(self) -> Path:
        return self.path / "terraform.rc"

    def _write_cli_config(self) -> None:
        mirrors = find_mirrors(os.environ, Path.home(), None)
        blocks = "".join(f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n' for mirror in mirrors)
        # Beside a mirror terraform would ask the registry too, which the emulated cloud does not let it reach.
        sources = blocks or "  direct {}\n"
        self._cli_config.write_text(f"provider_installation {{\n{sources}}}\n", encoding="utf-8")
