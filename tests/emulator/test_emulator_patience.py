"""Whoever waits for what never comes is told so, and nobody else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

import pytest

from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.emulator.cloud import Call, Cloud
from pytest_tfpipeline.emulator.patience import LIMIT, Patience
from pytest_tfpipeline.model import Repository, Run, Target

AGENT = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 tfpipeline/0a1b2c3d"


@dataclass
class Asking:
    """A patience whose clock goes on by `step` seconds with every question."""

    step: float = 10.0
    now: float = 0.0
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(clock=lambda: self.now)

    def ask(self, answer: bytes = b"CREATING", agent: str = AGENT, question: bytes = b"describe") -> bool:
        self.now += self.step
        return self.patience.is_over(agent, question, answer)

    def until_over(self, times: int) -> Iterator[int]:
        """The questions, by number, whose answer is refused."""
        return (number for number in range(times) if self.ask())


def test_the_same_answer_for_minutes_is_the_last() -> None:
    asking = Asking()
    assert list(asking.until_over(33)) == [30, 31, 32]
    assert asking.now - asking.step >= LIMIT
    assert not asking.ask(b"AVAILABLE"), "what changes after all is heard"


def test_identifiers_of_requests_are_no_change() -> None:
    asking = Asking()
    bodies = [f"<RequestId>{n}</RequestId>{n:08x}-0000-4000-8000-{n:012x} CREATING".encode() for n in range(31)]
    assert [asking.ask(body) for body in bodies] == [False] * 30 + [True]


@pytest.mark.parametrize(
    ("step", "agents", "answers"),
    [
        (0.5, [AGENT], [b"x"]),
        (200.0, [AGENT], [b"x"]),
        (10.0, [AGENT], [b"x", b"y"]),
        (10.0, [f"{AGENT}1", f"{AGENT}2"] * 15, [b"x"]),
        (10.0, ["Boto3/1.40", "APN/1.0 Terraform/1.11.4"], [b"x"]),
    ],
    ids=["reads often", "asks rarely", "sees it change", "are two for a while", "is not terraform"],
)
def test_nobody_else_is_told(step: float, agents: list[str], answers: list[bytes]) -> None:
    asking = Asking(step)
    agents = agents if len(agents) > 2 else agents * 500
    said = [asking.ask(answers[n % len(answers)], agent) for n, agent in enumerate(agents)]
    assert not any(said)


def test_the_cloud_names_service_and_action() -> None:
    headers = Message()
    headers["User-Agent"] = AGENT
    headers["X-Amz-Target"] = "AmazonEC2ContainerServiceV20141113.ListClusters"
    headers["Content-Type"] = "application/x-amz-json-1.1"
    call = Call("POST", "https", "ecs.eu-west-2.amazonaws.com", "/", headers, b"{}")
    asking = Asking(60.0)

    def later() -> float:
        asking.now += 60.0
        return asking.now

    cloud = Cloud(_patience=Patience(clock=later))
    answers = [cloud.answer(call) for _ in range(7)]
    assert [answer.status for answer in answers] == [200] * 5 + [501] * 2
    text = answers[-1].body.decode()
    assert "the emulated cloud cannot do ecs ListClusters: for 300 seconds it has answered the same" in text


def test_each_process_of_an_emulated_environment_is_known_by_a_name_of_its_own(tmp_path: Path) -> None:
    targets = (Target("core", "staging", emulated=True), Target("core", "production"))
    run = Run("r", "plan", Repository(""), "", str(tmp_path), targets=targets, process_env={"staging": {"A": "b"}})
    ctx = open_context(run)
    first, second, real = (ctx.request(("terraform",), tmp_path, target).env for target in (targets[0], *targets))
    names = [env["TF_APPEND_USER_AGENT"] for env in (first, second)]
    assert all(re.fullmatch(r"tfpipeline/[0-9a-f]{8}", name) for name in names)
    assert names[0] != names[1]
    assert "TF_APPEND_USER_AGENT" not in real
