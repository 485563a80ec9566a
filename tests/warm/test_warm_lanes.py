"""A configured provider belongs to one connection of terraform, whatever the others ask and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pytest_tfpipeline.warm.lanes import Lane, Processes
from pytest_tfpipeline.warm.proxy import Schemas

FIVE = ("/tfplugin5.Provider/PrepareProviderConfig", "/tfplugin5.Provider/Configure", "/tfplugin5.Provider/Stop")
SIX = (
    "/tfplugin6.Provider/ValidateProviderConfig",
    "/tfplugin6.Provider/ConfigureProvider",
    "/tfplugin6.Provider/StopProvider",
)
PREPARE, CONFIGURE, STOP = FIVE
VALIDATE = "/tfplugin5.Provider/ValidateResourceTypeConfig"
PLAN = "/tfplugin5.Provider/PlanResourceChange"
SCHEMA = "/tfplugin5.Provider/GetSchema"


class Recorded:
    """A provider that says its number, and remembers what it was asked."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: list[tuple[str, bytes]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()

    def call(self, method: str, request: bytes, limit: float | None = None) -> bytes:
        self.calls.append((method, request))
        if request == b"slow":
            self.entered.set()
            assert self.go_on.wait(30)
            self.calls.append(("done", request))
        return str(self.number).encode()

    def stream(self, method: str, request: bytes) -> Iterator[bytes]:
        yield self.call(method, request)

    def schema(self, method: str, request: bytes) -> bytes:
        return self.call(method, request)


class World:
    """Processes that are recorded."""

    def __init__(self) -> None:
        self.started = [Recorded(0)]
        self.processes = Processes(self.started[0], self._start, Schemas())

    def _start(self) -> Recorded:
        self.started.append(Recorded(len(self.started)))
        return self.started[-1]

    def lane(self) -> Lane:
        return Lane(self.processes)

    def asked(self, number: int) -> list[tuple[str, bytes]]:
        return self.started[number].calls


@pytest.fixture
def world() -> World:
    return World()


def test_each_configuration_has_a_process_that_nobody_else_reaches(world: World) -> None:
    lanes = [world.lane() for _ in range(3)]
    for index, lane in enumerate(lanes):
        lane.call(CONFIGURE, b"%d" % index)
    for index, lane in enumerate(lanes):
        assert lane.call(PLAN, b"plan") == b"%d" % index
        assert lane.call(VALIDATE, b"look") == b"%d" % index
        assert list(lane.stream("/tfplugin5.Provider/ListResource", b"list")) == [b"%d" % index]
        configured = [request for method, request in world.asked(index) if method == CONFIGURE]
        assert configured == [b"%d" % index]


def test_what_is_asked_before_a_configuration_one_process_answers(world: World) -> None:
    for _ in range(5):
        lane = world.lane()
        assert lane.call(PREPARE, b"a") == lane.call(VALIDATE, b"b") == lane.call("/grpc.health.v1.Health/Check", b"")
    assert len(world.started) == 1


def test_a_configured_process_is_asked_nothing_by_those_that_come_later(world: World) -> None:
    first, second = world.lane(), world.lane()
    first.call(CONFIGURE, b"first")
    before = list(world.asked(0))
    assert second.call(VALIDATE, b"look") == b"1"
    assert world.asked(0) == before
    assert second.call(CONFIGURE, b"second") == b"1", "the one that it has looked with"
    assert len(world.started) == 2


@pytest.mark.parametrize(("prepare", "configure", "_stop"), [FIVE, SIX])
def test_a_process_hears_its_own_configuration_last(world: World, prepare: str, configure: str, _stop: str) -> None:
    first, second = world.lane(), world.lane()
    first.call(prepare, b"first")
    second.call(prepare, b"second")
    first.call(configure, b"first")
    second.call(configure, b"second")
    assert world.asked(0)[-2:] == [(prepare, b"first"), (configure, b"first")]
    assert world.asked(1) == [(prepare, b"second"), (configure, b"second")]


def test_what_it_has_heard_last_is_not_said_again(world: World) -> None:
    lane = world.lane()
    lane.call(PREPARE, b"a")
    lane.call(CONFIGURE, b"a")
    assert world.asked(0) == [(PREPARE, b"a"), (CONFIGURE, b"a")]


def test_of_two_that_come_at_once_nobody_knows_which_is_heard_last(world: World) -> None:
    first, second = world.lane(), world.lane()
    slow = threading.Thread(target=first.call, args=(PREPARE, b"slow"))
    slow.start()
    assert world.started[0].entered.wait(30)
    second.call(PREPARE, b"b")
    world.started[0].go_on.set()
    slow.join()
    second.call(CONFIGURE, b"b")
    assert world.asked(0)[-2:] == [(PREPARE, b"b"), (CONFIGURE, b"b")]


def test_nothing_of_another_is_under_way_in_a_process_that_is_configured(world: World) -> None:
    first, second = world.lane(), world.lane()
    slow = threading.Thread(target=first.call, args=(VALIDATE, b"slow"), daemon=True)
    slow.start()
    assert world.started[0].entered.wait(30)
    configuring = threading.Thread(target=second.call, args=(CONFIGURE, b"b"), daemon=True)
    configuring.start()
    deadline = time.monotonic() + 30
    while first.call(VALIDATE, b"meanwhile") == b"0":  # it is not taken yet
        assert time.monotonic() < deadline
    assert (CONFIGURE, b"b") not in world.asked(0)
    world.started[0].go_on.set()
    configuring.join()
    slow.join()
    assert world.asked(0)[-2:] == [("done", b"slow"), (CONFIGURE, b"b")]


@pytest.mark.parametrize(
    "name", ["PlanResourceChange", "ReadDataSource", "UpgradeResourceState", "ImportResourceState"]
)
def test_a_connection_that_is_made_anew_reaches_no_configured_process(world: World, name: str) -> None:
    """And no other one either: what it asks for was meant for one that is configured."""
    world.lane().call(CONFIGURE, b"a")
    before = list(world.asked(0))
    for again in (world.lane(), world.lane()):
        with pytest.raises(ConnectionError, match=f"{name}: nobody has configured"):
            again.call(f"/tfplugin5.Provider/{name}", b"a")
        with pytest.raises(ConnectionError, match="nobody has configured"):
            again.stream(f"/tfplugin5.Provider/{name}", b"a")
    assert (world.asked(0), len(world.started)) == (before, 1)


def test_a_stop_reaches_the_process_of_the_same_connection_alone(world: World) -> None:
    first, second, third = world.lane(), world.lane(), world.lane()
    first.call(CONFIGURE, b"first")
    second.call(CONFIGURE, b"second")
    third.call(VALIDATE, b"third")
    assert second.call(STOP, b"") == b"1"
    assert third.call(STOP, b"") == b""
    asked = [[method for method, _ in process.calls] for process in world.started]
    assert asked == [[CONFIGURE], [CONFIGURE, STOP], [VALIDATE]]


@pytest.mark.parametrize(("_prepare", "configure", "stop"), [FIVE, SIX])
def test_a_stop_that_comes_first_is_heard_before_the_configuration(
    world: World, _prepare: str, configure: str, stop: str
) -> None:
    lane = world.lane()
    lane.call(stop, b"")
    lane.call(configure, b"a")
    assert world.asked(0) == [(stop, b""), (configure, b"a")]


def test_a_schema_that_is_known_needs_no_process(world: World) -> None:
    first, second = world.lane(), world.lane()
    assert first.schema(SCHEMA, b"") == b"0"
    first.call(CONFIGURE, b"a")
    assert second.schema(SCHEMA, b"") == b"0"
    assert world.asked(0) == [(SCHEMA, b""), (CONFIGURE, b"a")]
    assert len(world.started) == 1
