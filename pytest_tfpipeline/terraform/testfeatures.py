"""Since when terraform's own tests have what a test file asks for (terraform's and OpenTofu's changelogs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packaging.version import Version

from pytest_tfpipeline.discover.nativetests import TestFile
from pytest_tfpipeline.model import Finding, Tool
from pytest_tfpipeline.terraform.diagnostics import failure

#: The version that has test files at all.
_TESTS = Version("1.6")
#: By program, then by block or argument. What is not there, no version of that program has.
_SINCE: Mapping[str, Mapping[str, Version]] = {
    "terraform": {
        **dict.fromkeys(("mock_provider", "override_resource", "override_data", "override_module"), Version("1.7")),
        **dict.fromkeys(("override_during", "state_key"), Version("1.11")),
        **dict.fromkeys(("parallel", "test"), Version("1.12")),
    },
    "tofu": dict.fromkeys(("mock_provider", "override_resource", "override_data", "override_module"), Version("1.8")),
}


def lacking(tool: Tool, tests: TestFile, file: str) -> Iterator[Finding]:
    """A finding for each thing that the file asks for and that the program does not have, at its first line."""
    if Version(tool.version) < _TESTS:
        yield _finding(tool, "native tests", _TESTS, file, None)
        return
    known = _SINCE.get(tool.name, _SINCE["terraform"])
    for name, line in _first(tests.features):
        since = known.get(name)
        if since is None or Version(tool.version) < since:
            yield _finding(tool, f"`{name}` of a test file", since, file, line)


def _finding(tool: Tool, what: str, since: Version | None, file: str, line: int | None) -> Finding:
    if since is None:
        text, mend = f"{tool.name} has no such thing as {what}.", "Take it out, or use terraform."
    else:
        text = f"{tool.name} has {what} since version {since}, and this run uses {tool.version} ({tool.path})."
        mend = (
            f"Take a newer one, with `{tool.name}` under [tool.tfpipeline.tools]; or leave the file out: `run = false`."
        )
    made = failure("terraform-version", f"{text}\n-> {mend}", file=file)
    return Finding(made.rule, made.severity, made.text, file=file, line=line)


def _first(features: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for name, line in features:
        if name not in seen:
            seen.add(name)
            yield name, line
