"""What each directory with Terraform is: the ordered rules of the specification ("Discovery"). Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_tfpipeline.config.patterns import matches_any
from pytest_tfpipeline.discover.directories import TerraformDirectory, join, parent
from pytest_tfpipeline.discover.names import is_usual
from pytest_tfpipeline.discover.places import ENVIRONMENT_PARENTS
from pytest_tfpipeline.model import Kind

_EXAMPLES = frozenset({"example", "examples", "test", "tests"})
_MODULES = frozenset({"modules", "wrappers"})
_TEMPLATES = frozenset({"template", "templates"})
_TERRAGRUNT_SOURCE = re.compile(r"^\s*source\s*=(.*)$", re.MULTILINE)
#: Relative paths in it: alone, as an answer of a condition, or below the directory of the file.
_RELATIVE = re.compile(r'"(?:\$\{get_terragrunt_dir\(\)\}/)?(\.{1,2}/[^"$\n]*)"')
_FROM_TOP = re.compile(r'"\$\{get_repo_root\(\)\}/+([^"$\n]+)"')


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a directory was taken for, the rule that said so, and whether that is a guess."""

    kind: Kind
    rule: str
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules need to know beside the directory itself.

    `callers` are by called directory; `linked` are files that a link in another directory points to; `dirs` all
    directories with Terraform; `run_elsewhere` those with a backend, cloud or provider block.
    """

    callers: Mapping[str, tuple[str, ...]]
    linked: frozenset[str] = frozenset()
    dirs: frozenset[str] = frozenset()
    run_elsewhere: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()


def classify(directory: TerraformDirectory, around: Surroundings) -> Verdict:
    """The first rule that fits."""
    if matches_any(around.include, directory.dir):
        return Verdict(Kind.ROOT, "0: included by the configuration")
    return next(verdict for rule in _RULES if (verdict := rule(directory, around)))


def excluded(directory: str, patterns: Sequence[str]) -> bool:
    """Whether the directory, or one above it, matches an `exclude` pattern."""
    return bool(patterns) and any(matches_any(patterns, path) for path in with_parents(directory))


def with_parents(directory: str) -> Iterator[str]:
    """Those above it, the highest first, and the directory itself."""
    parts = directory.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def callers(directories: Iterable[TerraformDirectory]) -> dict[str, tuple[str, ...]]:
    """The directories that call each local module, by the module's directory (which need not exist)."""
    found: dict[str, set[str]] = {}
    for directory in directories:
        for source in directory.sources:
            called = resolve(directory.dir, source)
            if called != directory.dir:
                found.setdefault(called, set()).add(directory.dir)
    return {called: tuple(sorted(by)) for called, by in found.items()}


def terragrunt_targets(path: str, text: str) -> Iterator[str]:
    """The directories that a terragrunt file takes its configuration from by a relative path."""
    for expression in _TERRAGRUNT_SOURCE.findall(text):
        for source in _RELATIVE.findall(expression):
            yield resolve(parent(path), source)
        for source in _FROM_TOP.findall(expression):
            yield resolve(".", source)


def is_terragrunt(path: str) -> bool:
    """Whether it is a file of terragrunt's, which says what it runs and with what."""
    name = posixpath.basename(path)
    return name.startswith("terragrunt") and name.endswith(".hcl")


def resolve(directory: str, source: str) -> str:
    """The directory that a relative source means; `//` divides a package from the directory in it."""
    scheme = source.split("?")[0]
    return posixpath.normpath(join(directory, scheme.replace("//", "/")))


def is_example(directory: str, dirs: frozenset[str] = frozenset()) -> bool:
    """Whether the path leads through examples or tests; a `test` that is an environment among others does not."""
    parts = directory.split("/")
    return any(
        part in _EXAMPLES and not _is_environment("/".join(parts[: index + 1]), dirs)
        for index, part in enumerate(parts)
    )


def _is_environment(path: str, dirs: frozenset[str]) -> bool:
    """Whether that directory, called `test` or the like, stands beside directories of other environments."""
    above, name = parent(path), posixpath.basename(path)
    if not is_usual(name):
        return False
    prefix = "" if above == "." else f"{above}/"
    beside = {other[len(prefix) :].split("/")[0] for other in dirs if other.startswith(prefix)}
    return posixpath.basename(above) in ENVIRONMENT_PARENTS or any(
        is_usual(other) and other not in _EXAMPLES for other in beside
    )


def _fragment(directory: TerraformDirectory, around: Surroundings) -> Verdict | None:
    if not directory.has_content:
        return Verdict(Kind.FRAGMENT, "1: no resource, data, module or output block")
    if all(join(directory.dir, name) in around.linked for name in directory.files):
        return Verdict(Kind.FRAGMENT, "1: every file is linked to from elsewhere")
    return None


def _backend_or_template(directory: TerraformDirectory, around: Surroundings) -> Verdict | None:
    if directory.has_placeholders:
        return Verdict(Kind.TEMPLATE, "2: unresolved placeholders")
    below = not _TEMPLATES.isdisjoint(directory.dir.split("/"))
    if below and (directory.backend or directory.dir not in around.callers):
        return Verdict(Kind.TEMPLATE, "2: in a templates directory")
    if directory.backend is None:
        return None
    block = "cloud block" if directory.backend.type == "cloud" else "backend block"
    return Verdict(_run(directory, around), f"2: {block}")


def _called(directory: TerraformDirectory, around: Surroundings) -> Verdict | None:
    if directory.dir in around.callers:
        return Verdict(Kind.MODULE, "3: called as a module")
    if directory.has_aliases:
        return Verdict(Kind.MODULE, "3: configuration_aliases")
    return None


def _in_modules(directory: TerraformDirectory, around: Surroundings) -> Verdict | None:
    below = not _MODULES.isdisjoint(directory.dir.split("/"))
    if below and not directory.has_provider and not is_example(directory.dir, around.dirs):
        return Verdict(Kind.MODULE, "4: in a modules directory")
    return None


def _run_by_itself(directory: TerraformDirectory, around: Surroundings) -> Verdict | None:
    if is_example(directory.dir, around.dirs):
        return Verdict(Kind.EXAMPLE, "5: example or test path")
    if directory.has_provider:
        return Verdict(Kind.ROOT, "5: provider block")
    if directory.has_tfvars:
        return Verdict(Kind.ROOT, "5: tfvars beside it")
    return None


def _top(directory: TerraformDirectory, _: Surroundings) -> Verdict | None:
    return Verdict(Kind.LIBRARY, "6: the repository's top") if directory.dir == "." else None


def _guess(directory: TerraformDirectory, around: Surroundings) -> Verdict:
    if around.run_elsewhere - {directory.dir}:
        return Verdict(Kind.ROOT, "7: other directories are roots", guessed=True)
    return Verdict(Kind.LIBRARY, "7: no directory is a root", guessed=True)


def _run(directory: TerraformDirectory, around: Surroundings) -> Kind:
    return Kind.EXAMPLE if is_example(directory.dir, around.dirs) else Kind.ROOT


_RULES = (_fragment, _backend_or_template, _called, _in_modules, _run_by_itself, _top, _guess)
