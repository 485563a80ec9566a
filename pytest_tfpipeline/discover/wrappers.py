"""What a wrapper passes to terraform: make, task, just and shell scripts, read for a hint and never run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate

from pytest_tfpipeline.config.entries import UNKNOWN
from pytest_tfpipeline.config.types import is_pair
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.files import prunes
from pytest_tfpipeline.model import Root

_WRAPPERS = (
    *("Makefile", "makefile", "GNUmakefile", "*.mk", "Taskfile.y*ml", "taskfile.y*ml", "justfile"),
    *("*.sh", "*.bash"),
)
_WRAPPER = re.compile("|".join(map(translate, _WRAPPERS)))
_PROGRAM = re.compile(r"\b(?:terraform|tofu)\b|\$[({]?(?:TERRAFORM|TF|TOFU)\b", re.IGNORECASE)
_OPTION = re.compile(r"(?<!\S)[\"']?--?(var-file|backend-config|chdir)(?:=|\s+)(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']\S*)")
_WORKSPACE = re.compile(r"\bworkspace\s+(?:select|new)\s+(?:-\S+\s+)*(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]+)")
_CD = re.compile(r"(?:^|[\s@;&(])cd\s+(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]+)")
_VARIABLE = re.compile(
    r"\$\((?P<make>[A-Za-z_]\w*)\)|\$\{(?P<brace>\w+)[^}]*\}|\$(?P<plain>[A-Za-z_]\w*|\d)"
    r"|\{\{\s*\.?(?P<task>\w+)[^}]*\}\}"
)
_SPACED = re.compile(r"\{\{\s*\.?(\w+)\s*\}\}")
_ENVIRONMENT = re.compile(r"env|stage|workspace|tier|^\d$", re.IGNORECASE)
_ROOT = re.compile(r"root|stack|module|component|layer|project|service|name|app|dir|target", re.IGNORECASE)
_TEST = re.compile(rf"(?:{_PROGRAM.pattern})[)}}]?[\"']?(?:\s+-chdir[=\s]\S+)?\s+test\b", re.IGNORECASE)
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Call:
    """One command line: where it stands (`file`, `line`), the directory that it changes to, and what it passes, with
    `{env}` and `{name}` for the wrapper's own variables. What has any other variable in it is left out; of the backend
    `computed` are its settings, "" for a file."""

    file: str
    line: int
    directory: str | None = None
    var_files: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    workspace: str | None = None
    computed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """What wrappers pass for a root; paths are relative to the repository, `environments` those that have the files.

    `places` tells of each setting which line says it (`{"backend": "Makefile:7"}`); `computed` are settings of the
    backend that are passed there too, with values that only the wrapper knows.
    """

    places: Mapping[str, str]
    var_files: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    workspace: str | None = None
    environments: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[str, ...]:
        """What is passed for the backend, all of it: half of it would be another state."""
        return (*self.backend, *(f"{name}={UNKNOWN}" for name in self.computed))


def is_wrapper(path: str) -> bool:
    """Whether the file may be one, by its name."""
    return bool(_WRAPPER.match(posixpath.basename(path))) and not prunes(path)


def hints(files: Sequence[str], roots: Sequence[Root], read: Callable[[str], str]) -> dict[str, Hint]:
    """By root, what the first wrapper that names its files, its backend or its workspace says of each of them; one
    that says the whole of a backend comes before one that computes some of it."""
    calls = [call for path in files if is_wrapper(path) for call in calls_of(path, read(path)[:_LONGEST])]
    known = frozenset(files)
    with_terraform = frozenset(parent(path) for path in files if path.endswith((".tf", ".tofu")))
    found: dict[str, Hint] = {}
    for call in calls:
        for root in _meant(call, roots, with_terraform):
            hint = _merged(found.get(root.dir), _hint(call, root, known))
            if hint.var_files or hint.backend or hint.workspace:
                found[root.dir] = hint
    return found


def hinted(roots: Iterable[Root], found: Mapping[str, Hint]) -> Iterator[Root]:
    """The same roots, with what wrappers pass for their backends."""
    for root in roots:
        hint = found.get(root.dir)
        told = hint is not None and hint.backend
        if hint and told:
            root = replace(root, backend_hint=hint.pairs, backend_hint_from=hint.places["backend"])
        yield root


def var_files_of_tests(
    files: Sequence[str], tests: Iterable[str], read: Callable[[str], str]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By directory with native tests, the wrapper in it (`Makefile:7`) that runs them, and the var files below it that
    this passes; the first one counts."""
    known, wanted, found = frozenset(files), frozenset(tests), dict[str, tuple[str, tuple[str, ...]]]()
    for path in files:
        here = parent(path)
        if here not in wanted or here in found or not is_wrapper(path):
            continue
        for call in _calls(path, read(path)[:_LONGEST], tests=True):
            passed = [posixpath.normpath(join(here, word)) for word in call.var_files]
            below = all(name in known and (here == "." or name.startswith(f"{here}/")) for name in passed)
            if passed and below and call.directory in (None, "."):
                found.setdefault(here, (f"{call.file}:{call.line}", tuple(passed)))
    return found


def calls_of(file: str, text: str) -> Iterator[Call]:
    """Every command line of terraform in the text that passes something; native tests left out, which are given their
    variables for themselves."""
    return _calls(file, text, tests=False)


def _calls(file: str, text: str, *, tests: bool) -> Iterator[Call]:
    line, waiting, started = 0, "", 1
    for raw in text.splitlines():
        line += 1
        started = started if waiting else line
        waiting += raw.rstrip("\\").rstrip() + " "
        if raw.endswith("\\"):
            continue
        if _PROGRAM.search(waiting) and not waiting.lstrip().startswith("#") and tests is bool(_TEST.search(waiting)):
            call = _call(file, started, waiting)
            if call.var_files or call.backend or call.workspace:
                yield call
        waiting = ""


def _call(file: str, line: int, text: str) -> Call:
    text = _SPACED.sub(r"{{\1}}", text)
    given = [(name, _template(word)) for name, word in _OPTION.findall(text)]
    changed = [_template(word) for word in _CD.findall(text)] + [word for name, word in given if name == "chdir"]
    workspace = [_template(word) for word in _WORKSPACE.findall(text)]
    return Call(
        file,
        line,
        directory=changed[-1] if changed else None,
        var_files=tuple(word for name, word in given if name == "var-file" and word),
        backend=tuple(word for name, word in given if name == "backend-config" and word),
        workspace=next((word for word in workspace if word == "{env}" or (word and "{env}" in word)), None),
        computed=tuple(dict.fromkeys(_computed(text))),
    )


def _computed(text: str) -> Iterator[str]:
    for name, word in _OPTION.findall(text):
        if name == "backend-config" and not _template(word):
            bare = word.strip("\"'")
            yield bare.partition("=")[0] if is_pair(bare) else ""


def _template(word: str) -> str | None:
    """The word with placeholders for the wrapper's variables; None where one of them could be anything."""
    bare = word.strip("\"'").replace("$$", "$")
    unknown = False

    def placeholder(found: re.Match[str]) -> str:
        nonlocal unknown
        name = next(filter(None, found.groups()))
        if name.lower() in ("pwd", "curdir", "root_dir", "repo_root", "makefile_dir"):
            return "."
        if _ENVIRONMENT.search(name):
            return "{env}"
        unknown = unknown or not _ROOT.search(name)
        return "{name}"

    text = _VARIABLE.sub(placeholder, bare)
    return None if unknown or "$" in text or "`" in text else text


def _meant(call: Call, roots: Sequence[Root], with_terraform: Collection[str]) -> Sequence[Root]:
    """The roots that the call is about: the one that it changes to, that in which the wrapper is, or any; none where
    the wrapper is in another directory with Terraform, a module's."""
    if call.directory is not None and "{" not in call.directory:
        named = {posixpath.normpath(join(base, call.directory)) for base in (parent(call.file), ".")}
        return [root for root in roots if root.dir in named]
    if call.directory is not None:
        return roots
    here = parent(call.file)
    around = [root for root in roots if root.dir == here or (root.dir != "." and here.startswith(f"{root.dir}/"))]
    if around:
        return [max(around, key=lambda root: len(root.dir))]
    return [] if here in with_terraform else roots


def _hint(call: Call, root: Root, files: frozenset[str]) -> Hint:
    bases = (root.dir, parent(call.file), ".")
    found = [_located(word, bases, root, files) for word in call.var_files]
    backend = [word if is_pair(word) else _located(word, bases, root, files)[0] for word in _telling(call.backend)]
    names = {name for _, names in found for name in names}
    passed: dict[str, tuple[str, ...]] = {
        "var_files": tuple(path for path, _ in found if path) if all(path for path, _ in found) else (),
        "backend": tuple(word for word in backend if word) if all((*backend, *call.computed)) else (),
    }
    said = {**passed, "workspace": call.workspace}
    return Hint(
        {key: f"{call.file}:{call.line}" for key, value in said.items() if value},
        **passed,
        workspace=call.workspace,
        environments=tuple(sorted(names)),
        computed=call.computed if passed["backend"] else (),
    )


def _telling(backend: Sequence[str]) -> tuple[str, ...]:
    """None of them where the variable of a pair cannot be the root's name: several settings have it as their value."""
    whole = [word for word in backend if word.endswith("={name}")]
    return () if len(whole) > 1 else tuple(backend)


def _located(word: str, bases: Iterable[str], root: Root, files: frozenset[str]) -> tuple[str | None, frozenset[str]]:
    """The file's path in the repository, `{env}` in it, and the environments for which it is there; None: for none."""
    for base in bases:
        template = posixpath.normpath(join(base, word))
        plain = template.replace("{name}", root.name)
        if "{env}" not in plain:
            if plain in files:
                return template, frozenset()
            continue
        pattern = re.compile(re.escape(plain).replace(r"\{env\}", r"([\w-]+)"))
        names = frozenset(found[1] for path in files if (found := pattern.fullmatch(path)))
        if names:
            return template, names
    return None, frozenset()


def _merged(one: Hint | None, other: Hint) -> Hint:
    if one is None:
        return other
    backend = other if not one.backend or (one.computed and other.backend and not other.computed) else one
    places = {**other.places, **one.places}
    if backend.backend:
        places["backend"] = backend.places["backend"]
    return Hint(
        places,
        one.var_files or other.var_files,
        backend.backend,
        one.workspace or other.workspace,
        one.environments or other.environments,
        backend.computed,
    )
