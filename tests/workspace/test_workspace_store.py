"""Results computed once per run, and the output directory."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.model import Changes
from pytest_tfpipeline.workspace import clean_old_runs, hold, prepare_output
from pytest_tfpipeline.workspace.store import Store, file_name
from pytest_tfpipeline.workspace.write import explain_disk, write_private


def _ask(folder: str) -> int:
    def make() -> int:
        with (Path(folder) / "made").open("a") as stream:
            stream.write("x")
        return os.getpid()

    return Store(Path(folder) / "store").once("who/ä", int, make)


def test_processes_compute_a_result_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.map(_ask, [str(tmp_path)] * 8)
    assert len(set(found)) == 1
    assert (tmp_path / "made").read_text() == "x"


def test_an_exception_is_not_kept_and_put_replaces(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ZeroDivisionError):
        store.once("k", int, lambda: 1 // 0)
    assert store.once("k", int, lambda: 1) == 1
    store.put("k", 2)
    assert store.once("k", int, lambda: 3) == 2


def test_what_is_kept_is_private_and_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.once("k", Changes, lambda: Changes(add=1, outputs=("a",))) == store.get("k", Changes)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "store").iterdir()}
    assert modes == {"k.json": 0o600, "k.lock": 0o600}


def test_file_names_are_one_component_and_distinct() -> None:
    keys = [".", "..", "a/b", "a%2Fb", "x" * 500, "x" * 501, "\udcff", "a\nb"]
    names = [file_name(key) for key in keys]
    assert len(set(names)) == len(keys)
    assert all("/" not in name and len(name) < 200 and name.strip(".") for name in names)


def test_the_output_directory_is_private_and_ignores_itself(tmp_path: Path) -> None:
    path = prepare_output(tmp_path / "deep" / ".tfpipeline")
    path.chmod(0o755)
    assert prepare_output(path).stat().st_mode & 0o777 == 0o700
    assert (path / ".gitignore").read_text() == "*\n"


def test_an_output_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").write_text("")
    for name, said in (("link", "symlink"), ("file", "not a directory")):
        with pytest.raises(WorkspaceError, match=said) as caught:
            prepare_output(tmp_path / name)
        assert "--tf-output" in str(caught.value)
    assert list((tmp_path / "real").iterdir()) == []


def test_an_output_of_another_user_is_refused() -> None:
    # Every user finds a directory of somebody else: root's for most, and for root one that is given away.
    foreign = Path("/usr")
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() == 0:
            patch.setattr(os, "geteuid", lambda: 4242)
        with pytest.raises(WorkspaceError, match="belongs to another user"):
            prepare_output(foreign)


def test_a_full_disk_is_said_with_the_free_space(tmp_path: Path) -> None:
    # /dev/full answers every write with the real "no space left on device".
    with pytest.raises(WorkspaceError, match=r"disk is full \(.* MiB free\)"), explain_disk(tmp_path):
        Path("/dev/full").write_bytes(b"x")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(IsADirectoryError):
        write_private(tmp_path / "f", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_old_runs_go_but_for_the_newest_live_ones_and_unwritten_states(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for age, name in enumerate(("newest", "live", "errored", "old")):
        (runs / name / "tree").mkdir(parents=True)
        os.utime(runs / name, (1000 - age, 1000 - age))
    (runs / "errored" / "tree" / "errored.tfstate").write_text("{}")
    os.utime(runs / "errored", (998, 998))
    lock = hold(runs / "live")
    os.utime(runs / "live", (999, 999))
    assert clean_old_runs(tmp_path, keep=1) == (runs / "old",)
    lock.release()
    assert clean_old_runs(tmp_path, keep=0) == (runs / "newest", runs / "live")
    assert [path.name for path in runs.iterdir()] == ["errored"]


def test_a_run_that_is_just_being_made_is_left_alone(tmp_path: Path) -> None:
    """Between its directory and its mark, another run may clean up."""
    (tmp_path / "runs" / "new").mkdir(parents=True)
    assert clean_old_runs(tmp_path, keep=0) == ()
    hold(tmp_path / "runs" / "new").release()
    assert clean_old_runs(tmp_path, keep=0) == (tmp_path / "runs" / "new",)
