"""Imports that stay: the garbage collector looks through nothing of them, and works as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.lasting import lasting_imports

#: Says in the controller, or in a worker, how much is frozen when the tests end, and whether there is a collector.
_LOOK = """
import gc
from pathlib import Path


def pytest_sessionfinish(session):
    role = "worker" if hasattr(session.config, "workerinput") else "controller"
    Path(__file__).with_name(role).write_text(f"{gc.get_freeze_count()} {gc.isenabled()}")
"""


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_in_the_block_and_nothing_of_it_later() -> None:
    before = gc.get_freeze_count()
    with lasting_imports():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    assert gc.isenabled()
    assert gc.get_freeze_count() > before + len(kept)


def test_it_collects_again_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), lasting_imports():
        raise ImportError
    assert gc.isenabled()


def test_who_collects_nothing_does_not_begin_to() -> None:
    gc.disable()
    with lasting_imports():
        pass
    assert not gc.isenabled()


def test_a_run_starts_so_in_each_of_its_processes(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.root("a")
    scratch.write("conftest.py", _LOOK)
    scratch.commit()
    done = scratch.run("-n", "1", "-m", "tf_fmt")
    assert done.code == 0, done.text
    for role in ("controller", "worker"):
        frozen, enabled = (scratch.path / role).read_text().split()
        assert int(frozen) > 20_000
        assert enabled == "True"
