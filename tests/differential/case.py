"""One configuration of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: What `uses` puts into `versions.tf`.
_VERSIONS = {"aws": "5.100.0", "local": "2.6.0", "time": "0.14.2"}
_BACKEND = '  backend "local" {}\n'
#: Without anything that is made, read or told, a directory is no root.
_OUTPUT = 'output "always" {\n  value = path.module\n}\n'


@dataclass(frozen=True)
class Case:
    """A root `cases/NAME`; `main` is its main.tf, `files` are others of it, relative to it.

    `uses` are the providers that `versions.tf` requires, beside a local backend; None: there is no such file.
    `locked` are those in its lock file, if not the same; there is none without any, and `edited` is one text of it and
    what stands there instead. `again` are commands that pass, and only plainly.
    """

    name: str
    main: str = ""
    uses: tuple[str, ...] | None = ()
    files: Mapping[str, str] = field(default_factory=dict)
    locked: tuple[str, ...] | None = None
    edited: tuple[str, str] = ("", "")
    again: tuple[str, ...] = ()
    tofu: bool = False

    @property
    def root(self) -> str:
        """Its directory in the repository."""
        return f"cases/{self.name.replace(' ', '-').replace(',', '')}"

    def write(self, top: Path, locks: Mapping[str, str]) -> None:
        """Into the repository at `top`; `locks` are entries of a lock file by provider."""
        main = {"main.tofu" if self.tofu else "main.tf": self.main} if self.main else {}
        versions = {} if self.uses is None else {"versions.tf": _versions(self.uses)}
        locked = "\n".join(locks[name] for name in ((self.uses or ()) if self.locked is None else self.locked))
        lock = {".terraform.lock.hcl": locked.replace(*self.edited)} if locked else {}
        for name, text in {**main, **versions, **lock, **self.files}.items():
            path = top / self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"), encoding="utf-8")


def _versions(uses: tuple[str, ...]) -> str:
    wanted = "".join(
        f'    {name} = {{\n      source  = "hashicorp/{name}"\n      version = "{_VERSIONS[name]}"\n    }}\n'
        for name in uses
    )
    return f"terraform {{\n{_BACKEND}  required_providers {{\n{wanted}  }}\n}}\n" + (
        "" if "aws" in uses else f"\n{_OUTPUT}"
    )
