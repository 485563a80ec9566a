"""Which state files are believed: a pickle is code, so all but one's own are refused, by name."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfpipeline.emulator import Emulator, keep, reset, state_path
from pytest_tfpipeline.errors import EmulatorError, UsageError


@pytest.fixture
def state(output_path: Path) -> Path:
    path = state_path(output_path, "staging")
    keep.write(path, b"payload")
    return path


def edit_header(state: Path, **changes: str) -> None:
    header, payload = state.read_bytes().split(b"\n", 1)
    state.write_bytes(json.dumps({**json.loads(header), **changes}).encode() + b"\n" + payload)


def test_what_was_written_is_read_and_is_ones_own(state: Path) -> None:
    assert keep.read(state) == b"payload"
    assert state.stat().st_mode & 0o777 == 0o600
    assert state.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in state.parent.iterdir()] == ["staging.state"]


def test_no_file_is_an_empty_cloud(tmp_path: Path) -> None:
    assert keep.read(tmp_path / "none.state") is None


def link(state: Path) -> None:
    state.rename(state.parent / "elsewhere")
    state.symlink_to(state.parent / "elsewhere")


def fifo(state: Path) -> None:
    state.unlink()
    os.mkfifo(state, 0o600)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (link, "is a symbolic link"),
        (fifo, "is not a regular file"),
        (lambda state: os.link(state, state.parent / "second"), "more than one name"),
        (lambda state: state.chmod(0o644), "by other users (mode 0644, not 0600)"),
        (lambda state: state.write_bytes(b""), "is not the state of an emulated cloud"),
        (lambda state: state.write_bytes(b"\x80\x04garbage" * 2000), "is not the state of an emulated cloud"),
        (lambda state: state.write_bytes(b"[1]\n"), "is not the state of an emulated cloud"),
        (lambda state: state.write_bytes(state.read_bytes()[:-1]), "is damaged"),
        (lambda state: edit_header(state, moto="1.0"), "was written with moto 1.0, and this is moto "),
        (lambda state: edit_header(state, python="2.7"), "was written with python 2.7"),
        (lambda state: edit_header(state, format="other"), "is not the state of an emulated cloud"),
    ],
)
def test_a_file_that_is_not_wholly_ours_is_refused_with_the_mend(
    state: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(state)
    with pytest.raises(EmulatorError) as caught:
        keep.read(state)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{state}: the kept state of the emulated cloud ")
    assert str(caught.value).endswith("python -m pytest_tfpipeline emulator reset staging")


def test_a_file_of_another_user_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(EmulatorError, match=rf"belongs to another user \(uid {owner}\)"):
        keep.read(state)


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))


def test_a_strange_pickle_is_never_loaded(start: Callable[..., Emulator], state: Path, tmp_path: Path) -> None:
    state.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(EmulatorError, match="is not the state of an emulated cloud"):
        start()
    assert not (tmp_path / "exploded").exists()


def test_a_payload_that_does_not_fit_ends_the_cloud_with_one_sentence(
    start: Callable[..., Emulator], state: Path
) -> None:
    assert state.exists()
    emulator = start()
    assert emulator.process_env
    with pytest.raises(
        EmulatorError, match=r"failed \(1\): the kept state cannot be loaded: UnpicklingError"
    ) as caught:
        emulator.stop()
    assert "Traceback" not in str(caught.value)
    assert "emulator reset staging" in str(caught.value)
    assert keep.read(state) == b"payload"


def test_reset_removes_what_was_refused(state: Path, output_path: Path) -> None:
    link(state)
    keep.write(state_path(output_path, "production"), b"")
    assert reset(output_path) == ("production", "staging")
    assert (state.parent / "elsewhere").exists()
    assert reset(output_path) == ()


def test_reset_of_an_output_directory_that_is_not_there_makes_none(output_path: Path) -> None:
    assert reset(output_path) == ()
    assert not output_path.exists()


@pytest.mark.parametrize("name", ["", "..", "../staging", "a/b", ".hidden"])
def test_an_environment_cannot_name_a_path(output_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of an environment"):
        reset(output_path, name)
