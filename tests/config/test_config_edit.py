"""Adding to a configuration file: nothing of it is lost, and what cannot be added safely is not added."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_tfpipeline.config.edit import Addition, addition_text, with_addition, write_text
from pytest_tfpipeline.config.entries import Home, literal, pattern_for, root_entry, value
from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.errors import ConfigurationError

OWN, SHARED = Home("tfpipeline.toml", ""), Home("pyproject.toml", "tool.tfpipeline.")
ENTRY = ('match = "a/*"', 'workspace = "{env}"', "# a remark")

FILES: dict[str, tuple[Home, str]] = {
    "no file": (OWN, ""),
    "a file of our own": (OWN, "# ours\nskips = 'fail'   # really\n\n[[root]]\nmatch = \"b\"\n"),
    "a schema line first": (OWN, '#:schema x.json\nskips = "fail"\n'),
    "no newline at the end": (OWN, 'skips = "fail"'),
    "Windows": (OWN, 'skips = "fail"\r\n\r\n[[root]]\r\nmatch = "b"\r\n'),
    "a byte order mark": (OWN, '\ufeffskips = "fail"\n'),
    "no table yet": (SHARED, "[project]\nname = 'x'  # odd   spacing\n"),
    "a table": (SHARED, '[tool.tfpipeline] # ours\nskips = "fail"\n\n[tool.ruff]\nline-length = 120\n'),
    "only tables below it": (SHARED, "[tool.tfpipeline.environment.staging]\nemulator = 'aws'\n"),
    "a header in a text": (SHARED, "[tool.x]\ny = '''\n[tool.other]\n'''\n\n[tool.tfpipeline]\n"),
}


def _addition(home: Home, top: bool = True) -> Addition:
    entry = (home.header("root", array=True), *ENTRY)
    return Addition({"environments": ["dev", "prod"]} if top else {}, (entry,))


@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize(("home", "before"), FILES.values(), ids=FILES.keys())
def test_everything_stays_and_the_addition_is_there(tmp_path: Path, home: Home, before: str, top: bool) -> None:
    path = tmp_path / home.file
    if before:
        path.write_bytes(before.encode())
    after = with_addition(path, home, _addition(home, top))
    assert path.exists() == bool(before)
    lines = iter(after.removeprefix("\ufeff").splitlines())
    assert all(line in lines for line in before.removeprefix("\ufeff").splitlines())
    found = tomllib.loads(after.removeprefix("\ufeff"))
    table = found if home is OWN else found["tool"]["tfpipeline"]
    assert table.get("environments") == (["dev", "prod"] if top else None)
    assert table["root"][-1] == {"match": "a/*", "workspace": "{env}"}
    assert ("\r\n" in before) == ("\r\n" in after)
    assert after.count("\ufeff") == before.count("\ufeff")
    assert "# a remark" in after


REFUSED = {
    "a table on one line": (SHARED, '[tool]\ntfpipeline = { skips = "fail" }\n'),
    "entries on one line": (OWN, 'root = [{ match = "b" }]\n'),
    "the header in a text only": (SHARED, "[tool.x]\ny = '''\n[tool.tfpipeline]\n'''\n"),
    "the key is there": (OWN, 'environments = ["x"]\n'),
}


@pytest.mark.parametrize(("home", "before"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_added_safely_is_refused(tmp_path: Path, home: Home, before: str) -> None:
    path = tmp_path / home.file
    path.write_text(before)
    with pytest.raises(ConfigurationError, match=f"{home.file}: is written in a way"):
        with_addition(path, home, _addition(home))
    assert path.read_text() == before


def test_a_file_that_is_not_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / OWN.file).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        with_addition(tmp_path / OWN.file, OWN, _addition(OWN))


def test_writing_keeps_permissions_and_links(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("x = 1\n")
    (tmp_path / "real.toml").chmod(0o640)
    (tmp_path / "link.toml").symlink_to("real.toml")
    write_text(tmp_path / "link.toml", "x = 2\n")
    assert (tmp_path / "link.toml").is_symlink()
    assert (tmp_path / "real.toml").read_text() == "x = 2\n"
    assert (tmp_path / "real.toml").stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_is_nothing() -> None:
    assert Addition({}, ()).empty
    assert addition_text(SHARED, Addition({}, ())) == ""


@pytest.mark.parametrize("given", ['a "b" \\ ü', True, 3, 1.5, ["a", 2], {"a b": {"c": []}}, {}, "\x7f\n"])
def test_values_as_toml(given: object) -> None:
    assert tomllib.loads(f"x = {value(given)}")["x"] == given


@pytest.mark.parametrize(
    ("wanted", "others", "pattern"),
    [
        (["a/b"], ["a/c"], "a/b"),
        (["a/b", "a/c"], ["b/c"], "a/*"),
        (["a/b", "a/c/d"], ["b"], "a/**"),
        (["a/x/c", "b/x/c"], ["a/y/c"], "*/x/c"),
        (["a/b", "a/c"], ["a/d"], None),
        (["."], ["a"], "."),
        (["a[1]/x", "a[1]/y"], ["a1/x"], "a[[]1]/*"),
    ],
)
def test_a_pattern_that_means_these_and_no_others(wanted: list[str], others: list[str], pattern: str | None) -> None:
    assert pattern_for(wanted, others) == pattern


def test_many_patterns_are_on_several_lines() -> None:
    names = [f"a/{'long ' * 8}{n}" for n in range(3)]
    lines = root_entry(Home("tfpipeline.toml", ""), names, {"workspace": "{env}"})
    assert tomllib.loads("\n".join(lines)) == {"root": [{"match": names, "workspace": "{env}"}]}
    assert max(map(len, lines)) < 100
    assert root_entry(Home("x", ""), names[:1], {})[1] == f'match = ["{names[0]}"]'


def test_a_literal_pattern_matches_its_directory_alone() -> None:
    assert matches(literal("a[bc]/*?"), "a[bc]/*?")
    assert not matches(literal("a[bc]"), "ab")
