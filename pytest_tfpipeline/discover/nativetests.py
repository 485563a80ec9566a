"""Native tests (`.tftest.hcl`, `.tofutest.hcl`, and as JSON): where and whose they are, and what run blocks say.

Only the outline is read: which run blocks there are and where, whether they plan or apply, which module each is about,
and which providers are mocked. terraform is the judge of everything else.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_tfpipeline.discover.directories import TerraformDirectory
from pytest_tfpipeline.discover.engines import TOFU_TEST_ENDINGS
from pytest_tfpipeline.discover.facts import Problem
from pytest_tfpipeline.discover.files import prunes
from pytest_tfpipeline.discover.jsonsyntax import json_blocks
from pytest_tfpipeline.discover.outline import OutlineBlock, OutlineError, outline

#: The endings of such files; a directory of them alone is no directory with Terraform.
ENDINGS = (".tftest.hcl", ".tftest.json", *TOFU_TEST_ENDINGS)
#: Where terraform looks beside the directory itself, unless it is told otherwise.
DEFAULT_DIRECTORY = "tests"
_LOCAL = ("./", "../")
_AMONG_TESTS = frozenset({"test", "tests"})
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)?")
_PAIR = re.compile(rf"({_REFERENCE.pattern})\s*[=:]\s*({_REFERENCE.pattern})")
#: Arguments and blocks that not every version knows.
_MARKED = ("mock_provider", "override_resource", "override_data", "override_module", "test")
_MARKED_ARGUMENTS = ("parallel", "state_key", "override_during")


@dataclass(frozen=True, slots=True)
class RunBlock:
    """One `run` block. `plans` is false where it applies; `module` is the source of another module that it runs, or "".

    `providers` are the providers that it hands on: what the configuration calls them, and what the file does; None
    where it says nothing, so that they go by their names.
    """

    name: str
    line: int
    plans: bool = False
    module: str = ""
    providers: Mapping[str, str] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class TestFile:
    """What a test file says. `mocks` are its mocked providers (`aws`, `aws.west`); `features` are what only newer
    versions know, with the line. With a `problem` the rest is empty."""

    #: pytest would take it for a class of tests.
    __test__ = False

    runs: tuple[RunBlock, ...] = ()
    mocks: tuple[str, ...] = ()
    features: tuple[tuple[str, int], ...] = ()
    problem: Problem | None = None

    @property
    def applies(self) -> bool:
        """Whether a run block makes something, or nobody can say."""
        return self.problem is not None or not all(run.plans for run in self.runs)


@dataclass(frozen=True, slots=True)
class Owned:
    """A test file, the directory whose configuration it tests, and the local modules that its run blocks call."""

    file: str
    directory: str
    modules: tuple[str, ...] = ()


def find_tests(top: Path, files: Iterable[str], dirs: Collection[str]) -> tuple[Owned, ...]:
    """The test files, each with one of `dirs` (the directories with Terraform), or with "" where it belongs to none."""
    wanted = (file for file in files if file.endswith(ENDINGS) and not prunes(file))
    return tuple(_owned(top, file, dirs) for file in wanted)


def by_directory(tests: Iterable[Owned]) -> dict[str, tuple[str, ...]]:
    """The test files by the directory that they test."""
    found: dict[str, tuple[str, ...]] = {}
    for test in tests:
        found[test.directory] = (*found.get(test.directory, ()), test.file)
    return found


def run_tests_of(tests: Mapping[str, Sequence[str]], tofu: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Of each directory's test files those that its program reads: terraform none of OpenTofu's, and OpenTofu
    `x.tofutest.hcl` in the place of `x.tftest.hcl`. `tofu` are the directories that OpenTofu runs."""
    read = {
        directory: tuple(file for file in files if _is_read(file, files, tofu=directory in tofu or not directory))
        for directory, files in tests.items()
    }
    return {directory: files for directory, files in read.items() if files}


def stem_of(file: str) -> str:
    """The file without its ending."""
    return file.removesuffix(next((one for one in ENDINGS if file.endswith(one)), ""))


def _is_read(file: str, files: Collection[str], *, tofu: bool) -> bool:
    if file.endswith(TOFU_TEST_ENDINGS):
        return tofu
    stem = stem_of(file)
    return not tofu or f"{stem}.tofutest{file.removeprefix(f'{stem}.tftest')}" not in files


def helper_modules(tests: Iterable[Owned], directories: Iterable[TerraformDirectory]) -> dict[str, tuple[str, ...]]:
    """Modules that are there for tests alone, with the directories that are tested: those that run blocks call, that
    lie among tests, and that configure neither a provider nor a backend. An example that is tested stays one."""
    plain = {one.dir for one in directories if not (one.has_provider or one.backend)}
    found: dict[str, tuple[str, ...]] = {}
    for test in tests:
        for module in test.modules:
            if module in plain and not _AMONG_TESTS.isdisjoint(module.split("/")):
                found[module] = tuple(sorted({*found.get(module, ()), test.directory}))
    return found


def read_test_file(path: Path) -> TestFile:
    """What the file says; never raises."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _of_json(text) if path.name.endswith(".json") else _of_outline(outline(text))
    except OutlineError as error:
        return TestFile(problem=Problem("syntax-error", f"The file is not valid HCL: {error}.", error.line))
    except (OSError, ValueError, RecursionError, TypeError, AttributeError) as error:
        line = getattr(error, "lineno", None)
        return TestFile(problem=Problem("unreadable-file", f"The file cannot be read: {error}.", line))


def item_name(file: str, directory: str) -> str:
    """What the item of that file is called: `test[tests/basic.tftest.hcl]`."""
    return f"test[{posixpath.relpath(file, directory)}]"


def place_of_tests(file: str, directory: str) -> str:
    """What terraform must be told to find the file: the directory that it is in, relative to the tested one."""
    folder = posixpath.relpath(posixpath.dirname(file) or ".", directory)
    return DEFAULT_DIRECTORY if folder == "." else folder


def _owned(top: Path, file: str, dirs: Collection[str]) -> Owned:
    """By the nearest directory with Terraform, from the file's own upwards, in which the modules that the run blocks
    call are there: helper modules may lie right beside the tests."""
    folder = posixpath.dirname(file) or "."
    above = [folder]
    while above[-1] != ".":
        above.append(posixpath.dirname(above[-1]) or ".")
    candidates = [one for one in above if one in dirs]
    if not candidates:
        return Owned(file, "")
    sources = {run.module for run in read_test_file(top / file).runs if run.module.startswith(_LOCAL)}
    called = {one: [posixpath.normpath(posixpath.join(one, source)) for source in sources] for one in candidates}
    owner = next((one for one in candidates if all(module in dirs for module in called[one])), candidates[0])
    return Owned(file, owner, tuple(sorted(module for module in called[owner] if module in dirs)))


def _of_outline(blocks: Iterable[OutlineBlock]) -> TestFile:
    blocks = tuple(blocks)
    return TestFile(
        runs=tuple(_run(block) for block in blocks if block.kind == "run" and block.labels),
        mocks=tuple(
            _mock(block.labels[0], _literal(block.arguments.get("alias", "")))
            for block in blocks
            if block.kind == "mock_provider" and block.labels
        ),
        features=tuple(_features(blocks)),
    )


def _run(block: OutlineBlock) -> RunBlock:
    module = next((_literal(inner.arguments.get("source", "")) for inner in block.inside("module")), "")
    providers = block.arguments.get("providers")
    return RunBlock(
        name=block.labels[0],
        line=block.line,
        plans=block.arguments.get("command", "").strip() == "plan",
        module=module,
        providers=None if providers is None else dict(_PAIR.findall(providers.replace('"', ""))),
    )


def _features(blocks: Iterable[OutlineBlock]) -> Iterator[tuple[str, int]]:
    for block in blocks:
        if block.kind in _MARKED:
            yield block.kind, block.line
        yield from ((name, block.line) for name in _MARKED_ARGUMENTS if name in block.arguments)
        yield from _features(block.blocks)


def _of_json(text: str) -> TestFile:
    found = json_blocks(json.loads(text), {"run": 1, "mock_provider": 1, "provider": 1})
    return TestFile(
        runs=tuple(_json_run(labels[0], body) for kind, labels, body in found if kind == "run"),
        mocks=tuple(_mock(labels[0], str(body.get("alias", ""))) for kind, labels, body in found if _mocks(kind)),
        features=tuple((name, 1) for name in (*_MARKED, *_MARKED_ARGUMENTS) if f'"{name}"' in text),
    )


def _mocks(kind: str) -> bool:
    return kind == "mock_provider"


def _json_run(name: str, body: Mapping[str, Any]) -> RunBlock:
    module = body.get("module") or {}
    module = module[0] if isinstance(module, list) else module
    providers = body.get("providers")
    named = None if providers is None else {str(key): str(value).strip("${}") for key, value in providers.items()}
    return RunBlock(name, 1, body.get("command") == "plan", str(module.get("source", "")), named)


def _mock(name: str, alias: str) -> str:
    return f"{name}.{alias}" if alias else name


def _literal(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
