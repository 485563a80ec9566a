"""Calls that are begun before their turn: which, how many, and whose answer is whose."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.process import Request
from pytest_tfpipeline.warm.ahead import Ahead
from pytest_tfpipeline.warm.client import Call

ROOT = 'terraform {\n  backend "local" {}\n}\n\n'
QUEUE = ROOT + 'resource "aws_sqs_queue" "it" {\n  name = "it"\n}\n'
DATA = ROOT + 'resource "terraform_data" "it" {}\n'


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Of a server that takes every call and answers none."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen(16)
        yield listening


@pytest.fixture
def begun() -> list[str]:
    """What was begun, in order."""
    return []


@pytest.fixture
def begin(tmp_path: Path, begun: list[str], listener: socket.socket) -> Callable[[str], Call]:
    assert listener.fileno() >= 0

    def one(name: str) -> Call:
        begun.append(name)
        if name == "gone" and begun.count(name) == 1:
            raise FileNotFoundError(name)
        return Call(str(tmp_path / "s"), Request(("x",), tmp_path, only_env=True))

    return one


def take(ahead: Ahead, name: str, begin: Callable[[str], Call]) -> None:
    found = ahead.take(name, begin)
    assert found is not None
    found.close()


def test_so_many_are_under_way_and_each_is_begun_once(begin: Callable[[str], Call], begun: list[str]) -> None:
    ahead = Ahead()
    ahead.expect(["a", "b", "c", "d", "e"], 3)
    take(ahead, "a", begin)
    assert begun == ["a", "b", "c"]
    take(ahead, "b", begin)
    assert begun == ["a", "b", "c", "d"]
    for name in "cde":
        take(ahead, name, begin)
    assert begun == ["a", "b", "c", "d", "e"]


def test_what_is_not_expected_is_begun_in_its_turn(begin: Callable[[str], Call], begun: list[str]) -> None:
    ahead = Ahead()
    ahead.expect(["a", "b"], 1)
    for name in ("x", "a", "b", "x"):
        take(ahead, name, begin)
    assert begun == ["x", "a", "b", "x"]


def test_one_that_cannot_be_begun_takes_nothing_from_the_others(begin: Callable[[str], Call], begun: list[str]) -> None:
    ahead = Ahead()
    ahead.expect(["a", "gone", "b"], 3)
    take(ahead, "a", begin)
    assert begun == ["a", "gone", "b"]
    take(ahead, "gone", begin)
    take(ahead, "b", begin)
    assert begun == ["a", "gone", "b", "gone"]


def test_calls_that_nobody_comes_for_are_ended(begin: Callable[[str], Call], listener: socket.socket) -> None:
    """The server ends a call whose connection is closed."""
    ahead = Ahead()
    ahead.expect(["a", "b"], 2)
    take(ahead, "a", begin)
    ahead.close()
    for _ in "ab":
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            while connection.recv(4096):
                pass


def test_each_root_of_a_run_gets_its_own_answer(tmp_path: Path) -> None:
    """One of them fails, and one that fails too is below one that passes."""
    scratch = Scratch(tmp_path)
    for name in ("a", "b", "c", "c/inner", "d"):
        scratch.write(f"infra/{name}/main.tf", QUEUE if name in ("b", "c/inner") else DATA)
    scratch.configure(roots='match = "infra/**"\n')
    scratch.commit()
    result = scratch.run("-m", "tf_policy", "-p", "no:xdist")
    found = {check["root"]: check for check in scratch.evidence()["checks"] if check["check"] == "policy"}
    assert {root: one["outcome"] for root, one in found.items()} == {
        "infra/a": "passed",
        "infra/b": "failed",
        "infra/c": "passed",
        "infra/c/inner": "failed",
        "infra/d": "passed",
    }, result.text
    files = {root: {finding["file"] for finding in one["findings"]} for root, one in found.items()}
    assert files["infra/b"] == {"infra/b/main.tf"}
    assert files["infra/c/inner"] == {"infra/c/inner/main.tf"}

    stopped = scratch.run("-m", "tf_policy", "-p", "no:xdist", "-x")
    assert stopped.code == 1, stopped.text
    assert list(scratch.outcomes().values()).count("failed") == 1
