"""What is kept is believed only as it was written, and by whom: anything else is as if it were not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.reuse.entries import LARGEST, Entries
from pytest_tfpipeline.reuse.place import find_place

SECRET = b"s" * 32
NAME = "0" * 64


@pytest.fixture
def entries(tmp_path: Path) -> Entries:
    """One entry, called NAME."""
    made = Entries(tmp_path, SECRET)
    made.put(NAME, "text")
    return made


def test_what_was_put_is_got(entries: Entries, tmp_path: Path) -> None:
    assert entries.get(NAME) == "text"
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    entries.put(NAME, "other \N{SNOWMAN}")
    assert entries.get(NAME) == "other \N{SNOWMAN}"
    assert entries.get("1" * 64) is None


def test_names_are_nothing_without_the_secret(entries: Entries, tmp_path: Path) -> None:
    assert entries.name("x") == entries.name("x") != entries.name("y")
    assert Entries(tmp_path, b"t" * 32).name("x") != entries.name("x")


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(lambda raw: raw[:-1], id="truncated"),
        pytest.param(lambda raw: raw[:10], id="not even a seal"),
        pytest.param(lambda raw: b"", id="empty"),
        pytest.param(lambda raw: b"\xff\0garbage" * 20, id="garbage"),
        pytest.param(lambda raw: raw[:64] + b"TEXT", id="forged"),
        pytest.param(lambda raw: b"0" * 64 + raw[64:], id="another seal"),
        pytest.param(lambda raw: raw + b" ", id="longer"),
    ],
)
def test_an_entry_that_is_not_as_it_was_written_is_none(entries: Entries, tmp_path: Path, spoilt: object) -> None:
    path = tmp_path / NAME
    path.write_bytes(spoilt(path.read_bytes()))  # type: ignore[operator]
    assert entries.get(NAME) is None


def test_an_entry_under_another_name_is_none(entries: Entries, tmp_path: Path) -> None:
    (tmp_path / NAME).rename(tmp_path / ("1" * 64))
    assert entries.get("1" * 64) is None


def test_an_entry_of_another_secret_is_none(entries: Entries, tmp_path: Path) -> None:
    assert Entries(tmp_path, b"t" * 32).get(NAME) is None


def test_an_entry_that_others_may_read_or_write_is_none(entries: Entries, tmp_path: Path) -> None:
    (tmp_path / NAME).chmod(0o620)
    assert entries.get(NAME) is None


def test_a_link_a_pipe_and_a_directory_are_none(entries: Entries, tmp_path: Path) -> None:
    (tmp_path / NAME).rename(tmp_path / "real")
    (tmp_path / NAME).symlink_to("real")
    assert entries.get(NAME) is None
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME, 0o600)
    assert entries.get(NAME) is None
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    assert entries.get(NAME) is None


def test_an_entry_that_is_too_large_is_neither_kept_nor_read(entries: Entries, tmp_path: Path) -> None:
    entries.put("1" * 64, "x" * LARGEST)
    assert not (tmp_path / ("1" * 64)).exists()
    with (tmp_path / NAME).open("r+b") as file:
        file.truncate(LARGEST + 1)
    assert entries.get(NAME) is None


def test_the_oldest_go_until_the_others_have_room(tmp_path: Path) -> None:
    entries = Entries(tmp_path, SECRET, room=1000)
    for age in range(10):
        entries.put(str(age) * 64, "x" * 200)
        os.utime(tmp_path / (str(age) * 64), (1_000_000 - age, 1_000_000 - age))
    entries.shrink()
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_what_is_taken_counts_as_new(entries: Entries, tmp_path: Path) -> None:
    os.utime(tmp_path / NAME, (1_000_000, 1_000_000))
    assert entries.get(NAME) == "text"
    assert (tmp_path / NAME).stat().st_mtime > 1_000_000


def test_a_directory_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    entries = Entries(tmp_path / "nowhere", SECRET)
    entries.put(NAME, "text")
    entries.shrink()
    assert entries.get(NAME) is None


_WRITER = """
import sys
from pathlib import Path
from pytest_tfpipeline.reuse.entries import Entries
entries = Entries(Path(sys.argv[1]), b"s" * 32)
print("begun", flush=True)
number = 0
while True:
    number += 1
    entries.put(str(number % 10) * 64, str(number % 10) * 300_000)
"""


def _writer(place: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def _is_whole(entries: Entries, path: Path) -> bool:
    return entries.get(path.name) == path.name[0] * 300_000


def test_a_write_that_is_killed_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    """Two write the same names at once, and both are killed in the middle."""
    entries, left_over = Entries(tmp_path, SECRET), []
    for _ in range(8):
        writers = [_writer(tmp_path), _writer(tmp_path)]
        while not (tmp_path / ("5" * 64)).exists():
            assert all(writer.poll() is None for writer in writers)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
        whole = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
        assert whole
        assert all(_is_whole(entries, path) for path in whole)
        for path in whole:
            path.unlink()
    left_over = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    for path in left_over:
        os.utime(path, (1_000_000, 1_000_000))
    entries.shrink()
    assert not list(tmp_path.iterdir())


def test_whoever_reads_while_others_write_sees_whole_entries(tmp_path: Path) -> None:
    entries, writers = Entries(tmp_path, SECRET), [_writer(tmp_path), _writer(tmp_path)]
    try:
        seen = 0
        while seen < 500:
            for digit in "0123456789":
                text = entries.get(digit * 64)
                assert text in (None, digit * 300_000)
                seen += text is not None
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_the_secret_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    place = find_place({"HOME": str(tmp_path)})
    assert place is not None
    key = place.own / "reuse.key"
    assert (key.stat().st_mode & 0o777, len(place.secret)) == (0o600, 32)
    again = find_place({"HOME": str(tmp_path)})
    assert again == place
    assert not key.is_relative_to(place.results.parent), "whoever carries the results must not carry the secret"


def test_many_who_need_the_secret_at_once_get_the_same(tmp_path: Path) -> None:
    code = "from pytest_tfpipeline.reuse.place import find_place; import os; print(find_place(os.environ).secret.hex())"
    env = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CACHE_HOME": ""}
    env.pop("TFPIPELINE_CACHE", None)
    made = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env) for _ in range(6)]
    assert len({process.communicate()[0] for process in made}) == 1


def test_a_secret_that_others_may_read_is_none(tmp_path: Path) -> None:
    place = find_place({"HOME": str(tmp_path)})
    assert place is not None
    (place.own / "reuse.key").chmod(0o644)
    assert find_place({"HOME": str(tmp_path)}) is None


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "cache/results").mkdir(parents=True)
    (tmp_path / "cache/results").chmod(0o777)
    assert find_place({"HOME": str(tmp_path), "TFPIPELINE_CACHE": str(tmp_path / "cache")}) is None


def test_a_word_that_is_no_directory_is_no_place_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path), "TFPIPELINE_CACHE": "of"}
    with pytest.raises(UsageError, match=r"(?s)TFPIPELINE_CACHE.*no directory `of`.*`off`.*`\./of`"):
        find_place(environ)
    assert not (tmp_path / "of").exists()
    place = find_place({**environ, "TFPIPELINE_CACHE": "./of"})
    assert place is not None
    assert find_place(environ) == place, "it is there now"


@pytest.mark.parametrize("environ", [{}, {"HOME": "/x", "TFPIPELINE_CACHE": "off"}, {"HOME": "/dev/null"}])
def test_without_a_place_nothing_is_kept(environ: dict[str, str]) -> None:
    assert find_place(environ) is None


def test_a_secret_comes_from_a_variable_where_the_directory_is_carried(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "TFPIPELINE_CACHE": str(tmp_path / "cache"), "TFPIPELINE_CACHE_KEY": "k" * 64}
    place = find_place(environ)
    assert place is not None
    assert (place.secret, place.results) == (b"k" * 64, tmp_path / "cache/results")
    with pytest.raises(UsageError, match="shorter than 16"):
        find_place({**environ, "TFPIPELINE_CACHE_KEY": "short"})
