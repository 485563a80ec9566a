from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.discover.cache import FactsCache
from pytest_tfpipeline.discover.facts import FileFacts
from pytest_tfpipeline.discover.hcl import parse_bytes

BACKEND = 'terraform {\n  backend "s3" {\n    key = "a"\n  }\n}\n'
RESOURCE = 'resource "terraform_data" "x" {}\n'


def kept_file(cache: Path) -> Path:
    (found,) = cache.iterdir()
    return found


def test_facts_survive_being_kept(tmp_path: Path) -> None:
    text = (
        BACKEND
        + RESOURCE
        + 'provider "aws" {}\nvariable "v" {}\nmodule "m" {\n  source = "../m"\n}\n'
        + 'data "terraform_remote_state" "s" {\n  backend = "s3"\n  config = { key = "b" }\n}\nbroken\n'
    )
    for facts in (parse_bytes(text.encode(), is_json=False), parse_bytes(text[:-7].encode(), is_json=False)):
        assert FileFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_an_edit_is_seen_and_a_touch_costs_nothing(describe: Callable[..., Any], tmp_path: Path) -> None:
    cache = tmp_path / ".tfpipeline" / "cache"
    assert describe({"a/m.tf": RESOURCE}, cache=cache).kind("a") == "library"
    before = kept_file(cache).stat().st_mtime_ns
    assert describe({"a/m.tf": RESOURCE}, cache=cache).kind("a") == "library"
    assert kept_file(cache).stat().st_mtime_ns == before
    assert describe({"a/m.tf": BACKEND + RESOURCE}, cache=cache).kind("a") == "root"
    assert describe({"a/m.tf": RESOURCE}, cache=cache).kind("a") == "library"


@pytest.mark.parametrize(
    "kept", [b"", b"\xff", b"[]", b'{"k": 1}', b"[" * 100_000], ids=["empty", "bytes", "list", "odd", "deep"]
)
def test_a_corrupt_cache_is_ignored_and_mended(describe: Callable[..., Any], tmp_path: Path, kept: bytes) -> None:
    cache = tmp_path / ".tfpipeline" / "cache"
    describe({"a/m.tf": BACKEND + RESOURCE}, cache=cache)
    good = kept_file(cache).read_bytes()
    kept_file(cache).write_bytes(kept)
    assert describe(cache=cache).roots["a"].backend_config == {"key": "a"}
    assert kept_file(cache).read_bytes() == good


@pytest.mark.parametrize("entry", [1, {"backend": {"kind": "s3"}}, {"calls": [1]}, {"variables": 3}])
def test_a_corrupt_entry_is_ignored(describe: Callable[..., Any], tmp_path: Path, entry: Any) -> None:
    cache = tmp_path / ".tfpipeline" / "cache"
    describe({"a/m.tf": BACKEND + RESOURCE}, cache=cache)
    kept = json.loads(kept_file(cache).read_text())
    kept_file(cache).write_text(json.dumps(dict.fromkeys(kept, entry)))
    assert describe(cache=cache).roots["a"].backend_config == {"key": "a"}


def test_native_and_json_files_of_the_same_bytes_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("{}")
    (tmp_path / "a.tf.json").write_text("{}")
    cache = FactsCache(None)
    assert cache.facts(tmp_path / "a.tf").problem is not None
    assert cache.facts(tmp_path / "a.tf.json").problem is None


def test_a_cache_that_cannot_be_written_is_no_error(describe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert describe({"a/m.tf": BACKEND + RESOURCE}, cache=tmp_path / "file" / "cache").kind("a") == "root"


def test_plain_configurations_do_not_load_the_parser(tmp_path: Path) -> None:
    """Importing python-hcl2 and building its grammar takes more than the whole of discovery."""
    (tmp_path / "main.tf").write_text(BACKEND + RESOURCE)
    code = (
        "import sys; from pathlib import Path; from pytest_tfpipeline.config import Config\n"
        "from pytest_tfpipeline.discover import discover; from pytest_tfpipeline.process import Runner\n"
        "assert discover(Path(sys.argv[1]), Config(), None, Runner()).roots; print('hcl2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
