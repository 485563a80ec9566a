"""Every tracked text: no path of somebody's machine, no conflict marker, no dead link; examples that are true."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_tfpipeline import __version__

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "pytest_tfpipeline"
COMMANDS = ("pip install uv && uv run pytest --apply-env staging", "pip install uv && uv run pytest tests")

#: Absolute paths that exist on one machine only, and hosts that a package client is configured with, not we.
#: Written in pieces, so that this file does not contain them.
FORBIDDEN = re.compile(
    "|".join([r"(?<![\w.}~])/" + "(?:root|work|home)/", "pypi" + r"\.org", "proxy" + r"\.golang\.org"])
)
CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)
#: Written by tools, which put there what they need.
GENERATED = {"uv.lock"}

FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1`*\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    argv = ["git", "ls-files", "-z"]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=True, timeout=60)
    return [TOP / name for name in done.stdout.split("\0") if name and (TOP / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of every tracked file that people write."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data and path.name not in GENERATED:
            yield path.relative_to(TOP).as_posix(), data.decode("utf-8", "replace")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for name, text in texts()
        for found in pattern.finditer(text)
    ]


def test_no_path_or_host_of_one_machine() -> None:
    assert lines_with(FORBIDDEN) == []


def test_no_conflict_markers() -> None:
    assert lines_with(CONFLICT) == []


@pytest.mark.parametrize("bad", ["see /" + "root/x", 'open("/' + 'work/main")', "https://" + "pypi" + ".org/simple"])
def test_the_pattern_knows_what_it_looks_for(bad: str) -> None:
    assert FORBIDDEN.search(bad)


@pytest.mark.parametrize("good", ["terraform/work/main.tf", "~/work/x", "a/root/b", "{top}/work/x"])
def test_the_pattern_leaves_ordinary_paths_alone(good: str) -> None:
    assert not FORBIDDEN.search(good)


def test_nothing_in_the_package_prints_or_breaks() -> None:
    """Output goes through pytest's terminal or a stream that the caller gave; `print` is left over from a search."""
    found = [
        f"{path.relative_to(TOP)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"print", "breakpoint", "pprint"}
    ]
    assert found == []


def anchors(markdown: str) -> set[str]:
    """The anchors of a Markdown file's headings, made as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", markdown)):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        base = "".join(each for each in plain.lower() if each in " -_" or unicodedata.category(each)[0] in "LNM")
        slug = base.replace(" ", "-")
        found.add(slug if slug not in found else f"{slug}-{sum(1 for each in found if each.startswith(slug))}")
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", markdown))


def dead_links(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    for target in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        file, _, anchor = target.partition("#")
        to = path if not file else (path.parent / file)
        if not to.exists():
            yield f"{path.name}: {target}: no such file"
        elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text(encoding="utf-8")):
            yield f"{path.name}: {target}: no such heading"


def test_links_in_markdown_lead_somewhere() -> None:
    assert [dead for path in tracked() if path.suffix == ".md" for dead in dead_links(path)] == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`, three!\n[ok](#one-two-three) [no](#two) [gone](gone.md) `[code](x)`\n```\n[in](y)\n```\n",
        encoding="utf-8",
    )
    assert [dead.split(": ")[1] for dead in dead_links(page)] == ["#two", "gone.md"]


@pytest.mark.parametrize("command", COMMANDS)
def test_ci_runs_the_commands_that_the_readme_promises(command: str) -> None:
    assert command in (TOP / "README.md").read_text(encoding="utf-8")
    assert command in (TOP / ".ci" / "run").read_text(encoding="utf-8")


def test_the_changelog_knows_this_version() -> None:
    assert re.search(
        rf"^## \[{re.escape(__version__)}\]", (TOP / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_every_dependency_has_a_lower_bound() -> None:
    """`.ci/run` installs exactly these bounds and tests with them; without one it would install the oldest release."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [each for extra in project["optional-dependencies"].values() for each in extra]
    assert [each for each in wanted if ">=" not in each] == []


# The callers in docs/workflows.md


def callers() -> list[tuple[str, dict[str, Any]]]:
    """Each YAML block of the page: its text and what it parses to."""
    blocks = YAML_BLOCK.findall((TOP / "docs" / "workflows.md").read_text(encoding="utf-8"))
    return [(block, yaml.safe_load(block)) for block in blocks]


def called(job: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and secrets of the reusable workflow that a job of a caller names."""
    found = re.fullmatch(r"OWNER/pytest-tfpipeline/(\.github/workflows/\w+\.yml)@COMMIT", job["uses"])
    assert found, job["uses"]
    parsed: dict[Any, Any] = yaml.safe_load((TOP / found[1]).read_text(encoding="utf-8"))
    declared = parsed[True]["workflow_call"]
    return declared["inputs"], declared.get("secrets", {})


def test_a_caller_has_a_dozen_lines() -> None:
    assert len(callers()) == 4
    assert max(len(block.splitlines()) for block, _ in callers()) <= 12


def test_a_caller_gives_inputs_that_the_workflow_takes() -> None:
    for _, parsed in callers():
        for job in parsed["jobs"].values():
            for given, declared in zip((job["with"], job.get("secrets", {})), called(job), strict=True):
                assert set(given) <= set(declared)
                assert {name for name, each in declared.items() if each.get("required")} <= set(given)
            fetches = Path(job["uses"].split("@")[0]).name in ("production.yml", "pipeline.yml")
            granted = {"contents": "read", "id-token": "write"} | ({"actions": "read"} if fetches else {})
            assert (job.get("permissions") or parsed["permissions"]) == granted


def test_the_page_lists_every_input_with_its_default() -> None:
    page = (TOP / "docs" / "workflows.md").read_text(encoding="utf-8")
    for name in ("check.yml", "apply.yml", "production.yml", "pipeline.yml"):
        parsed = yaml.safe_load((TOP / ".github" / "workflows" / name).read_text(encoding="utf-8"))
        for key, value in parsed[True]["workflow_call"]["inputs"].items():
            said = value.get("default")
            default = "(required)" if value.get("required") else f"`{str(said).lower()}`" if said else "empty"
            row = re.compile(rf"^\| `{key}` \|[^|]*`{name}`[^|]*\| {re.escape(default)} \| \S", re.MULTILINE)
            assert row.search(page), f"docs/workflows.md has no row for `{key}` of {name} with default {default}"
