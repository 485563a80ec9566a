"""Providers that cannot be kept running: what plain terraform says counts, and it is said once."""

from __future__ import annotations

import json
import os
import re
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from packages import BUILT, HOST, build
from scratch import Scratch
from strange import BEHAVIOURS, LOCK, NAMED, all_ended, installed, pids, started, strange_mirror

from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.mirrors import os_arch, package_hash
from pytest_tfpipeline.warm.plugin_process import ProviderProcess
from pytest_tfpipeline.warm.reattach import VARIABLE, reattached
from pytest_tfpipeline.warm.service import Warm, warm_providers

ROOT = """terraform {
  backend "local" {
    path = "STATE"
  }
  required_providers {
    time = {
      source  = "hashicorp/time"
      version = "0.14.2"
    }
  }
}

resource "time_static" "it" {
  rfc3339 = "2024-01-01T00:00:00Z"
}
"""
SAID = re.compile("could not be kept running|passed only with the providers' whole schema")
ALIASES = """
provider "time" {
  alias = "second"
}

resource "time_static" "second" {
  provider = time.second
  rfc3339  = "2024-01-01T00:00:00Z"
}
"""
WHY = {
    "it ends at once": "ended before it listened",
    "it says nonsense": "unknown handshake",
    "its protocol is unknown": "unknown handshake",
    "it speaks TLS": "unknown handshake",
    "it listens nowhere": "failed to connect",
    "it does not answer": "Deadline Exceeded",
}


def make(path: Path, behaviour: str, *names: str) -> Scratch:
    scratch = Scratch(path)
    mirror = strange_mirror(path / "mirror", behaviour)
    package = mirror / HOST / "hashicorp" / "time" / "0.14.2" / os_arch()
    for name in names:
        scratch.write(f"infra/{name}/main.tf", ROOT.replace("STATE", str(scratch.states / f"{name}.tfstate")))
        scratch.write(f"infra/{name}/.terraform.lock.hcl", LOCK.format(hash=package_hash(package)))
    scratch.env["TFPIPELINE_PROVIDER_MIRROR"] = str(mirror)
    return scratch


def run(scratch: Scratch) -> str:
    scratch.commit()
    return scratch.run("--tf-plan", "staging", "-n", "0", "-m", "tf_validate or tf_plan", timeout=600).text


def outcomes(scratch: Scratch) -> set[str]:
    """Of what was asked for."""
    return {outcome for name, outcome in scratch.outcomes().items() if name.endswith(("validate", "plan[staging]"))}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Warm]:
    service = warm_providers(Runner(), tmp_path)
    service.begin()
    yield service
    service.stop()


@pytest.mark.parametrize("name", WHY)
def test_it_is_left_to_terraform_and_the_reason_is_named(tmp_path: Path, service: Warm, name: str) -> None:
    mirror = strange_mirror(tmp_path / "mirror", BEHAVIOURS[name])
    said: list[str] = []
    with reattached(service.address, installed(tmp_path, mirror), {}, shared=True, tell=said.append) as words:
        assert words is None
    assert WHY[name] in said[0]
    assert started(mirror) == ["ours"]


def test_one_that_others_use_and_that_has_died_is_started_anew(tmp_path: Path, service: Warm) -> None:
    mirror = strange_mirror(tmp_path / "mirror", "true")
    root = installed(tmp_path, mirror)
    assert pid_of(service, root) == pid_of(service, root)
    process = os.pidfd_open(pid_of(service, root))
    signal.pidfd_send_signal(process, signal.SIGKILL)
    select.select([process], [], [])
    os.close(process)
    assert pid_of(service, root)
    assert started(mirror) == ["ours", "ours"]


def pid_of(service: Warm, root: Path) -> int:
    with reattached(service.address, root, {}, shared=True) as words:
        assert words is not None
        (entry,) = json.loads(words[VARIABLE]).values()
        return int(entry["Pid"])


def test_the_built_providers_speak_protocol_5(tmp_path: Path) -> None:
    with TemporaryDirectory() as sockets:  # short: a socket's path has 107 characters at most
        for _, _, module in BUILT:
            process = ProviderProcess(Runner(), str(build(module)), tmp_path, {}, Path(sockets))
            assert process.protocol == 5
            process.close()


def test_protocol_6_is_spoken_too(tmp_path: Path, service: Warm) -> None:
    """The same provider, behind the names of that protocol."""
    scratch = make(tmp_path, BEHAVIOURS["it speaks protocol 6"], "a")
    text = run(scratch)
    assert outcomes(scratch) == {"passed"}, text
    assert "ours" in started(tmp_path / "mirror")
    with reattached(service.address, installed(tmp_path, tmp_path / "mirror"), {}, shared=True) as words:
        assert words is not None
        assert [entry["ProtocolVersion"] for entry in json.loads(words[VARIABLE]).values()] == [6]


@pytest.mark.parametrize("name", ["it ends at once", "it dies in a call"])
def test_terraform_starts_it_itself_and_that_is_said_once(tmp_path: Path, name: str) -> None:
    scratch = make(tmp_path, BEHAVIOURS[name], "a", "b")
    text = run(scratch)
    assert outcomes(scratch) == {"passed"}, text
    assert {"ours", "plainly"} == set(started(tmp_path / "mirror"))
    assert len([line for line in text.splitlines() if SAID.search(line)]) == 1, text


def test_a_configuration_whose_process_does_not_start_is_planned_plainly_and_that_is_said(tmp_path: Path) -> None:
    scratch = make(tmp_path, BEHAVIOURS["only two of it can be started"], "a")
    scratch.write("infra/a/aliases.tf", ALIASES)
    text = run(scratch)
    assert outcomes(scratch) == {"passed"}, text
    by = started(tmp_path / "mirror")
    assert by[:3] == ["ours"] * 3, "one for validate, and one that was to be for each configuration"
    assert "plainly" in by
    (said,) = [line for line in text.splitlines() if SAID.search(line)]
    assert "the provider ended before it listened" in said


def test_each_configuration_has_a_process_and_all_end_with_the_command(tmp_path: Path, service: Warm) -> None:
    mirror = strange_mirror(tmp_path / "mirror", NAMED)
    root = installed(tmp_path, mirror)
    (root / "main.tf").write_text(ROOT.replace("STATE", str(tmp_path / "state")) + ALIASES)
    with reattached(service.address, root, {}, shared=False) as words:
        assert words is not None
        assert plan(root, words).ok
        processes = [os.pidfd_open(pid) for pid in pids(mirror)]
        assert len(processes) == 2
    assert all_ended(processes)


def test_they_end_with_the_service(tmp_path: Path, service: Warm) -> None:
    """Also while somebody is still connected: the run may end before its clients."""
    mirror = strange_mirror(tmp_path / "mirror", NAMED)
    root = installed(tmp_path, mirror)
    with reattached(service.address, root, {}, shared=False):
        processes = [os.pidfd_open(pid) for pid in pids(mirror)]
        service.stop()
        assert len(processes) == 1
        assert all_ended(processes)


def plan(root: Path, words: dict[str, str]) -> Outcome:
    """With providers that run already; init asks for no others then."""
    terraform, runner = find_tool("terraform", version=None, runner=Runner()).path, Runner()
    env = {"PATH": os.environ["PATH"], "CHECKPOINT_DISABLE": "1", **words}
    told = runner.run(Request((terraform, "init", "-input=false"), root, env=env, only_env=True))
    assert told.ok, told
    return runner.run(Request((terraform, "plan", "-input=false"), root, env=env, only_env=True))


def test_a_switch_turns_it_off(tmp_path: Path) -> None:
    scratch = make(tmp_path, "exit 1", "a")
    scratch.configure("shortcuts = false")
    text = run(scratch)
    assert outcomes(scratch) == {"passed"}, text
    assert set(started(tmp_path / "mirror")) == {"plainly"}
    assert not SAID.search(text)


def test_nothing_of_a_package_is_started_that_is_not_the_locked_one(tmp_path: Path) -> None:
    scratch = make(tmp_path, "exit 1", "a")
    lock = scratch.path / "infra/a/.terraform.lock.hcl"
    lock.write_text(lock.read_text().replace("h1:", "h1:A"))
    run(scratch)
    assert outcomes(scratch) == {"failed"}
    assert started(tmp_path / "mirror") == []
