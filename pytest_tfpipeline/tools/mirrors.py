"""Find directories that are laid out as provider mirrors, and the packages in them.

A mirror holds `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/` (unpacked) or
`HOST/NAMESPACE/TYPE/terraform-provider-TYPE_VERSION_OS_ARCH.zip` (packed), as terraform documents for
`filesystem_mirror`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.errors import ProviderError

#: The user's own mirror, a directory.
MIRROR_VARIABLE = "TFPIPELINE_PROVIDER_MIRROR"
#: Where add-on software usually lives; a mirror is looked for one and two levels below each.
ADD_ON_PREFIXES = ("/opt", "/usr/local", "/usr/local/share", "/usr/local/lib", "/srv")
_HOSTS = ("registry.terraform.io", "registry.opentofu.org")
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386", "armv7l": "arm"}


def os_arch() -> str:
    """This machine as terraform's releases name it: `linux_amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}_{_MACHINES.get(machine, machine)}"


def find_mirrors(
    environ: Mapping[str, str], home: Path | None, top: Path | None, prefixes: Iterable[str] = ADD_ON_PREFIXES
) -> tuple[Path, ...]:
    """Mirrors that are there, strongest first. Raises ProviderError where the user named one that is not."""
    found: dict[Path, None] = {}
    named = environ.get(MIRROR_VARIABLE)
    if named:
        if not Path(named).is_dir():
            mend = f"Name the directory that holds {_HOSTS[0]}/, or unset {MIRROR_VARIABLE}."
            raise ProviderError("there is no such directory", where=f"{MIRROR_VARIABLE}={named}", mend=mend)
        found[Path(named).absolute()] = None
    found |= {path.absolute(): None for path in _implied(environ, home, top) if path.is_dir()}
    for prefix in prefixes:
        found |= dict.fromkeys(_below(Path(prefix)))
    return tuple(found)


def _implied(environ: Mapping[str, str], home: Path | None, top: Path | None) -> Iterator[Path]:
    """The directories that terraform or OpenTofu itself searches where nothing is configured."""
    if top is not None:
        yield top / "terraform.d/plugins"
    if home is not None:
        yield home / ".terraform.d/plugins"
    data_home = environ.get("XDG_DATA_HOME") or (str(home / ".local/share") if home else "")
    data_dirs = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for directory in (data_home, *data_dirs.split(os.pathsep)):
        if directory:
            yield Path(directory) / "terraform/plugins"
            yield Path(directory) / "opentofu/plugins"


def _below(prefix: Path) -> Iterator[Path]:
    for child in _directories(prefix):
        if _is_mirror(child):
            yield child
        else:
            yield from (grandchild for grandchild in _directories(child) if _is_mirror(grandchild))


def _directories(path: Path) -> list[Path]:
    with suppress(OSError), os.scandir(path) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    return []


def _is_mirror(path: Path) -> bool:
    """Nobody configured it, so it must also be one that only the administrator or the user can write to."""
    if not any((path / host).is_dir() for host in _HOSTS):
        return False
    with suppress(OSError):
        info = path.stat()
        return info.st_uid in {0, os.getuid()} and not info.st_mode & stat.S_IWOTH
    return False


def providers_in(mirror: Path) -> tuple[str, ...]:
    """Addresses (`registry.terraform.io/hashicorp/aws`) of the providers it has for this machine, sorted."""
    return tuple(sorted({source for source, _, _ in _packages(mirror)}))


def mirror_place(mirrors: Iterable[str | Path], source: str, version: str) -> Path | None:
    """Where the package of that provider and version comes from: the first mirror that has it, as terraform does."""
    for mirror in mirrors:
        for found, its_version, path in _packages(Path(mirror)):
            if (found, its_version) == (source, version):
                return path
    return None


def _packages(mirror: Path) -> Iterator[tuple[str, str, Path]]:
    """Address, version and path of each package for this machine."""
    machine = os_arch()
    for host in (each for each in _directories(mirror) if "." in each.name or ":" in each.name):
        for provider in (each for namespace in _directories(host) for each in _directories(namespace)):
            source = provider.relative_to(mirror).as_posix()
            for unpacked in provider.glob(f"*/{machine}"):
                yield source, unpacked.parent.name, unpacked
            prefix, suffix = f"terraform-provider-{provider.name}_", f"_{machine}.zip"
            for packed in provider.glob(f"{prefix}*{suffix}"):
                yield source, packed.name.removeprefix(prefix).removesuffix(suffix), packed


def lend_packages(mirrors: Iterable[Path], place: Path, locked: Mapping[str, Mapping[str, Collection[str]]]) -> Path:
    """A mirror at `place`, of links, in which OpenTofu finds what these have under the name of terraform's registry.

    OpenTofu asks for `hashicorp/aws` at a registry of its own, whose packages are built from the same sources and are
    not the same bytes. A provider that a mirror has under OpenTofu's own name is left alone; and so is a package that
    a lock file (`locked`: hashes by version by address) knows with other hashes: it must come from where it was locked.
    """
    theirs, ours = (f"{host}/" for host in _HOSTS)
    sources = list(mirrors)
    own = {source for mirror in sources for source in providers_in(mirror) if source.startswith(ours)}
    for source, version, package in (each for mirror in sources for each in _packages(mirror)):
        name = source.replace(theirs, ours, 1)
        if source.startswith(theirs) and name not in own and _agrees(package, locked.get(name, {}).get(version, ())):
            path = place / name / (package.name if package.suffix == ".zip" else f"{version}/{package.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_symlink():
                path.symlink_to(package)
    return place


def _agrees(package: Path, hashes: Collection[str]) -> bool:
    """Whether the package is one that the lock file knows; where it knows none, any package is."""
    if not hashes:
        return True
    if package.suffix == ".zip":
        with package.open("rb") as file:
            return f"zh:{hashlib.file_digest(file, 'sha256').hexdigest()}" in hashes
    return package_hash(package) in hashes


def package_hash(package: Path) -> str:
    """The `h1:` hash of an unpacked package, as `.terraform.lock.hcl` holds it (Go's dirhash "Hash1")."""
    summary = hashlib.sha256()
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    for name in names:
        with (package / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        summary.update(f"{digest}  {name}\n".encode())
    return "h1:" + base64.b64encode(summary.digest()).decode()
