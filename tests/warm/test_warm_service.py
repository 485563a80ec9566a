"""When what is kept running is started: at once where a call is expected, else by the first call."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.warm.service import Warm


class Asked:
    """Knows whether the service was to be started, which then answers by ending."""

    def __init__(self, path: Path) -> None:
        self.event = threading.Event()
        self.service = Warm(Runner(), path, "service", self._request)

    def _request(self, descriptor: str) -> Request | None:
        self.event.set()
        return None


def test_where_no_call_is_expected_and_none_comes_nothing_is_started(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.service.begin(expected=False)
    asked.service.stop()
    assert not asked.event.is_set()
    assert not Path(asked.service.address).parent.exists()


def test_the_first_call_starts_what_nobody_expected(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.service.begin(expected=False)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(asked.service.address)
        assert asked.event.wait(60)
    asked.service.stop()


def test_what_is_expected_is_started_without_a_call(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.service.begin()
    assert asked.event.wait(60)
    asked.service.stop()


#: Says at the end of a run whether the process that keeps providers is there.
_LOOK = """
import psutil


def pytest_sessionfinish():
    started = [one for one in psutil.Process().children() if "pytest_tfpipeline.warm.providers" in one.cmdline()]
    print("kept running:", len(started))
"""


@pytest.mark.parametrize("locked", [False, True])
def test_a_run_whose_roots_lock_no_provider_keeps_none(locked: bool, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    scratch.root("a")
    scratch.write("conftest.py", _LOOK)
    if locked:
        scratch.write("infra/a/.terraform.lock.hcl", "")
    scratch.commit()
    done = scratch.run("-n", "0", "-s", "-m", "tf_validate")
    assert done.code == 0, done.text
    assert f"kept running: {int(locked)}" in done.text
