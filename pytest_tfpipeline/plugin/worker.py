"""A pytest-xdist worker: it gets the finished description of the run, and tells what it collected."""

from __future__ import annotations

import json
from collections.abc import Generator

import pytest

from pytest_tfpipeline import codec
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import Run
from pytest_tfpipeline.plugin import fixtures
from pytest_tfpipeline.plugin.collection import Collection, add_anchors
from pytest_tfpipeline.plugin.place import top_of
from pytest_tfpipeline.plugin.reporting import Reporting
from pytest_tfpipeline.plugin.state import STATE, WIRE_KEY, Phase, State


def join(config: pytest.Config) -> None:
    """Take up the controller's description; without one there is nothing to do here."""
    text = config.workerinput.get(WIRE_KEY)  # type: ignore[attr-defined]
    if text is None:
        return
    handed = json.loads(text)
    run = codec.loads(Run, handed["run"])
    only = None if handed["only"] is None else frozenset((root, env) for root, env in handed["only"])
    state = State(run, open_context(run), top_of(config.rootpath), Phase(only, handed["wave"]))
    config.stash[STATE] = state
    add_anchors(config, state)
    config.pluginmanager.register(fixtures, "tfpipeline-fixtures")
    config.pluginmanager.register(Collection(state, config), "tfpipeline-collection")
    config.pluginmanager.register(Reporting(), "tfpipeline-reporting")
    config.pluginmanager.register(Witness(config, state), "tfpipeline-witness")


def hand_over(run: Run, phase: Phase) -> str:
    """What `join` takes: one string, as pytest-xdist is slow with nested objects and refuses many types."""
    only = None if phase.only is None else sorted(phase.only)
    return json.dumps({"run": codec.dumps(run), "only": only, "wave": phase.wave})


class Witness:
    """Remembers every test that was collected, so that one that is dropped afterwards is missed."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state
        self._collected: list[str] = []

    @property
    def answer(self) -> dict[str, list[str]]:
        """Tests that were collected and are not among the run's items, and those that no plan was asked for."""
        return {"dropped": self._dropped, "unplanned": sorted(self._state.unplanned)}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Before anybody can take it away."""
        self._collected.append(item.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """A usage error in a worker is swallowed by pytest-xdist: it is sent to the controller instead."""
        output = getattr(self._config, "workeroutput", {})
        try:
            return (yield)
        except pytest.UsageError as error:
            output[f"{WIRE_KEY}_usage"] = str(error)
            raise
        finally:
            kept = {item.nodeid for item in session.items} | self._state.unplanned
            self._dropped = [nodeid for nodeid in self._collected if nodeid not in kept]
            output[WIRE_KEY] = json.dumps(self.answer)
