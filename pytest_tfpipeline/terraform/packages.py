"""Providers that an init need not install: packages of a mirror, held against the root's lock file.

terraform hashes the package of every provider in every root, hundreds of MB each. Here a package is hashed once per
run, before anything of it is started, and put in place as terraform puts it, by a link; terraform is told that somebody
else runs these providers and leaves them alone. What it then does not see to is seen to here: that the locked version
is one that every module asks for. In doubt the answer is no, and init is run plainly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.discover.constraints import satisfies
from pytest_tfpipeline.discover.providers import REGISTRY, TOFU_REGISTRY
from pytest_tfpipeline.discover.requirements import constraints
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.tools.lockfile import LOCK_FILE, providers_of_lock
from pytest_tfpipeline.tools.mirrors import mirror_place, os_arch, package_hash
from pytest_tfpipeline.warm import INSTALLED, short_cuts
from pytest_tfpipeline.warm.reattach import configuration_files, unreached

_PROVIDERS = ".terraform/providers"


@dataclass(frozen=True, slots=True)
class Package:
    """An unpacked package and its `h1:` hash; `path` is "" where no mirror has it unpacked."""

    path: str = ""
    hash: str = ""


def put_in_place(directory: Directory) -> dict[str, str] | None:
    """Link every package that the lock file names; the variables with which init leaves them alone.

    None where the run takes no short cut, there is no lock file, or one of its packages is not in a mirror, unpacked
    and with a hash that the lock file has.
    """
    ctx = directory.ctx
    mirrors = ctx.run.settings.get("mirrors", {}).get("tofu" if _by_tofu(directory) else "terraform", ())
    if INSTALLED not in short_cuts(ctx.run) or not mirrors:
        return None
    found = {}
    for source, (version, hashes) in _locked(directory).items():
        package = _known(ctx, mirrors, source, version)
        if package.hash not in hashes:
            return None
        found[_place(directory, source, version)] = Path(package.path)
    if not found or not all(_link(place, package) for place, package in found.items()):
        return None
    return unreached(_locked(directory))


def take_away(directory: Directory) -> None:
    """Leave nothing of it to a plain init."""
    for source, (version, _) in _locked(directory).items():
        place = _place(directory, source, version)
        if place.is_symlink():
            place.unlink()


def as_asked_for(directory: Directory) -> bool:
    """Whether the lock's versions are ones that every module of the initialised root allows."""
    locked = _locked(directory)
    try:
        return all(
            satisfies(locked[source][0], wanted) for source, wanted in _wanted(directory) if wanted and source in locked
        )
    except (OSError, ValueError):
        return False


def _wanted(directory: Directory) -> Iterator[tuple[str, str]]:
    registry = TOFU_REGISTRY if _by_tofu(directory) else REGISTRY
    for path in configuration_files(directory.cwd):
        yield from constraints(path.name, path.read_text(encoding="utf-8"), registry)


def _by_tofu(directory: Directory) -> bool:
    return directory.terraform.name == "tofu"


def _locked(directory: Directory) -> Mapping[str, tuple[str, Collection[str]]]:
    """{source: (version, hashes)}; {} without a lock file."""
    try:
        return dict(providers_of_lock((directory.cwd / LOCK_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _known(ctx: Context, mirrors: Collection[str], source: str, version: str) -> Package:
    """The package that terraform would install, hashed by whoever needs it first."""

    def look() -> Package:
        place = mirror_place(mirrors, source, version)
        unpacked = place is not None and place.is_dir()
        return Package(str(place.resolve()), package_hash(place)) if place and unpacked else Package()

    return ctx.workspace.once(f"package/{source}/{version}", Package, look)


def _place(directory: Directory, source: str, version: str) -> Path:
    return directory.cwd / _PROVIDERS / source / version / os_arch()


def _link(place: Path, package: Path) -> bool:
    """Whether the link is there, ours, and leads to the package."""
    if not place.is_symlink() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(package)
    return place.is_symlink() and place.readlink() == package
