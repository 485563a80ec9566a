"""Which directories OpenTofu runs in Terraform's place, and what says so.

Both read `.tf`; OpenTofu reads `.tofu` too, and `x.tofu` in the place of `x.tf`.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfpipeline.discover.eitherengine import the_one_required

if TYPE_CHECKING:
    from pytest_tfpipeline.config.keys import ToolsConfig

#: Endings of the files that OpenTofu alone reads.
TOFU_ENDINGS = (".tofu", ".tofu.json")
#: Endings of the native tests that OpenTofu alone reads.
TOFU_TEST_ENDINGS = (".tofutest.hcl", ".tofutest.json")
#: Endings of the files that both read.
COMMON_ENDINGS = (".tf", ".tf.json")
#: What says so where it is no file.
CONFIGURED = "the configuration"
_TOFU, _TERRAFORM = "tofu", "terraform"
_LOCK = ".terraform.lock.hcl"
#: By whose registry a lock file names providers, it says who wrote it.
_LOCKED = re.compile(r'^\s*provider\s+"registry\.(opentofu\.org|terraform\.io)/', re.MULTILINE)
#: The file of a version manager, and what it is about; `.tool-versions` says so by line.
_VERSION_FILES = {".opentofu-version": _TOFU, ".terraform-version": _TERRAFORM}
_TOOL_VERSIONS = ".tool-versions"
_NAMES = {"opentofu": _TOFU, "tofu": _TOFU, "terraform": _TERRAFORM}


@dataclass(frozen=True, slots=True)
class Sign:
    """A file that says which program runs a directory. `strong` signs are about their neighbours too. `versions` are
    those of a file that names both programs."""

    program: str
    file: str
    strong: bool = True
    versions: Mapping[str, str] = field(default_factory=dict)


def configured(tools: ToolsConfig) -> str | None:
    """The program that the tools' configuration names; None where it names neither, or a version of each."""
    if tools.terraform == _TOFU:
        return _TOFU
    if (tools.terraform is None) == (tools.tofu is None):
        return None
    return _TERRAFORM if tools.tofu is None else _TOFU


def tofu_directories(top: Path, files: Iterable[str], tools: ToolsConfig) -> dict[str, str]:
    """{directory: what says so} for each directory with configuration that OpenTofu runs.

    A directory with nothing that terraform reads is OpenTofu's. Then the tools' configuration counts, where it names
    one of the two; the nearest version file, and where that names both the only one that `required_version` allows; a
    file that OpenTofu alone reads; and who wrote the lock file. A directory that nothing speaks of goes with the
    others, where they are OpenTofu's.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        names[posixpath.dirname(path) or "."].add(posixpath.basename(path))
    with_files = [folder for folder in sorted(names) if _reads(names[folder])]
    only = {folder: own for folder in with_files if (own := _only_tofu(folder, names[folder]))}
    program = configured(tools)
    if program is not None:
        return dict.fromkeys(with_files, CONFIGURED) if program == _TOFU else only
    versions = {folder: sign for folder, here in names.items() if (sign := _by_version_file(top, folder, here))}
    signs = {folder: _sign(top, folder, _with_tests(folder, names), versions) for folder in with_files}
    signs = _told_apart(top, names, signs)
    rest = _rest(signs.values())
    found = {folder: sign.file for folder, sign in signs.items() if sign is not None and sign.program == _TOFU}
    found |= {folder: rest for folder, sign in signs.items() if sign is None and rest}
    return found | only


def readable(files: Iterable[str], tofu: Mapping[str, str]) -> list[str]:
    """The files without those that only OpenTofu reads, where it is not the one that runs."""
    return [path for path in files if not path.endswith(TOFU_ENDINGS) or (posixpath.dirname(path) or ".") in tofu]


def configuration(names: Collection[str], *, tofu: bool) -> list[str]:
    """Of the file names in a directory those that are read as configuration, sorted: by OpenTofu, or by terraform."""
    endings = (*COMMON_ENDINGS, *TOFU_ENDINGS) if tofu else COMMON_ENDINGS
    return sorted(name for name in names if name.endswith(endings) and not (tofu and hidden(name, names)))


def hidden(name: str, names: Collection[str]) -> bool:
    """Whether OpenTofu passes a file by for another: `x.tofu` hides `x.tf`, and `x.tofu.json` hides `x.tf.json`."""
    stem, ending = (name[:-8], ".tofu.json") if name.endswith(".tf.json") else (name.removesuffix(".tf"), ".tofu")
    return stem != name and stem + ending in names


def _reads(names: Iterable[str]) -> bool:
    return any(name.endswith((*COMMON_ENDINGS, *TOFU_ENDINGS)) for name in names)


def _only_tofu(folder: str, names: Iterable[str]) -> str:
    """The first file for OpenTofu in a directory that has no other; "" in any other directory."""
    if any(name.endswith(COMMON_ENDINGS) for name in names):
        return ""
    return _join(folder, min(name for name in names if name.endswith(TOFU_ENDINGS)))


def _rest(signs: Iterable[Sign | None]) -> str:
    """What says that OpenTofu also runs what nothing speaks of; "" where nothing does."""
    every = list(signs)
    said = [sign for sign in every if sign is not None]
    ours = [sign for sign in said if sign.program == _TOFU]
    if len(ours) != len(said) or not ours:
        return ""
    strong = next((sign.file for sign in ours if sign.strong), "")
    return strong or (ours[0].file if 2 * len(ours) >= len(every) else "")


def _with_tests(folder: str, names: Mapping[str, set[str]]) -> set[str]:
    """The files of a directory, and those of its `tests`."""
    return names[folder] | {f"tests/{name}" for name in names.get(_join(folder, "tests"), ())}


def _sign(top: Path, folder: str, names: Iterable[str], versions: Mapping[str, Sign]) -> Sign | None:
    by_version = next((versions[place] for place in _upwards(folder) if place in versions), None)
    if by_version is not None:
        return by_version
    own = sorted(name for name in names if name.endswith((*TOFU_ENDINGS, *TOFU_TEST_ENDINGS)))
    return Sign(_TOFU, _join(folder, own[0]), strong=False) if own else _by_lock(top, folder, names)


def _told_apart(top: Path, names: Mapping[str, set[str]], signs: Mapping[str, Sign | None]) -> dict[str, Sign | None]:
    """Of directories whose version file names both programs, those that require a version of one are run by that one;
    nothing speaks of the others then."""
    either = {folder: sign for folder, sign in signs.items() if sign is not None and len(sign.versions) > 1}
    required = {
        folder: program
        for folder, sign in either.items()
        if (program := the_one_required(top / folder, names[folder], dict(sign.versions)))
    }
    told = {either[folder].file for folder in required}
    silent = {folder: None for folder, sign in either.items() if sign.file in told and folder not in required}
    known = {folder: replace(either[folder], program=program) for folder, program in required.items()}
    return {**signs, **silent, **known}


def _by_version_file(top: Path, folder: str, names: Iterable[str]) -> Sign | None:
    """What a directory's version files say. Whoever names both is on the way to OpenTofu, unless directories require
    the version of one of them."""
    said = {
        _VERSION_FILES[name]: (name, _text(top / folder / name).strip()) for name in names if name in _VERSION_FILES
    }
    if _TOOL_VERSIONS in names:
        told = _in_tool_versions(top / folder / _TOOL_VERSIONS)
        said |= {program: (_TOOL_VERSIONS, version) for program, version in told}
    program = _TOFU if _TOFU in said else _TERRAFORM
    versions = {program: version for program, (_, version) in said.items()}
    return Sign(program, _join(folder, said[program][0]), versions=versions) if said else None


def _in_tool_versions(path: Path) -> Iterator[tuple[str, str]]:
    for line in _text(path).splitlines():
        word, *versions = line.split("#")[0].split() or [""]
        if word in _NAMES:
            yield _NAMES[word], " ".join(versions[:1])


def _by_lock(top: Path, folder: str, names: Iterable[str]) -> Sign | None:
    if _LOCK not in names:
        return None
    hosts = set(_LOCKED.findall(_text(top / folder / _LOCK)))
    if len(hosts) != 1:
        return None
    return Sign(_TOFU if hosts == {"opentofu.org"} else _TERRAFORM, _join(folder, _LOCK))


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder != ".":
        folder = posixpath.dirname(folder) or "."
        yield folder


def _join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
