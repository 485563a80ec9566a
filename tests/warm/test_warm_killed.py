"""What the service of providers has started does not outlive it, also where it could not end anything itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from strange import NAMED, all_ended, installed, pids, strange_mirror

from pytest_tfpipeline.process import Request, Runner, Service
from pytest_tfpipeline.warm.reattach import VARIABLE, reattached
from pytest_tfpipeline.warm.service import Warm, warm_providers


class Recording(Runner):
    """Keeps what it has started."""

    def __init__(self) -> None:
        super().__init__()
        self.services: list[Service] = []

    def spawn(self, request: Request, *, pass_fds: tuple[int, ...] = (), heard: bool = False) -> Service:
        self.services.append(super().spawn(request, pass_fds=pass_fds, heard=heard))
        return self.services[-1]


@pytest.fixture
def runner() -> Recording:
    return Recording()


@pytest.fixture
def service(tmp_path: Path, runner: Runner) -> Iterator[Warm]:
    service = warm_providers(runner, tmp_path)
    service.begin()
    yield service
    service.stop()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_providers_end_with_it(
    tmp_path: Path, runner: Recording, service: Warm, number: signal.Signals, *, shared: bool
) -> None:
    mirror = strange_mirror(tmp_path / "mirror", NAMED)
    with reattached(service.address, installed(tmp_path, mirror), {}, shared=shared) as words:
        assert words is not None
        (entry,) = json.loads(words[VARIABLE]).values()
        processes = [os.pidfd_open(pid) for pid in pids(mirror)]
        assert len(processes) == 1
        (process,) = runner.services
        os.kill(process.pid, number)
        assert process.wait(60) == -number
        assert all_ended(processes)
    sockets = Path(entry["Addr"]["String"]).parent
    assert sockets.name.startswith("tfpipeline-")
    assert not sockets.exists()
