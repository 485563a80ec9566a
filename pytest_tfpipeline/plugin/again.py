"""Phases after the first: the policy tests of roots that were planned again in the middle of an apply, and the tests of
outputs after it.

With pytest-xdist a second set of workers does it, so that a test that crashes cannot take the apply with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_tfpipeline.model import CheckKind, Outcome, Record, Target
from pytest_tfpipeline.plugin.collection import belongs_to
from pytest_tfpipeline.plugin.state import Phase, State


def run_policy_tests(session: pytest.Session, state: State, targets: Sequence[Target], wave: int) -> None:
    """Run them and let their reports go the usual way."""
    _run(session, state, Phase(_pairs(targets), wave))


def run_output_tests(session: pytest.Session, state: State, targets: Iterable[Target]) -> None:
    """Run the tests that ask for `tf_outputs` of these targets, which have been applied; their reports go the usual
    way. Where there are none, no worker is started."""
    pairs = _pairs(targets)
    if any((check.dir, check.environment) in pairs for check in state.held.values()):
        _run(session, state, Phase(pairs, outputs=True))


def silent_output_tests(state: State, found: Iterable[Record], targets: Iterable[Target]) -> list[Record]:
    """A record of each test of these targets' outputs that was collected and has no result among `found`."""
    pairs, heard = _pairs(targets), {record.check for record in found}
    return [
        Record(check.id, check.kind, Outcome.MISSING, check.dir, check.environment, summary="no result after the apply")
        for check in state.held.values()
        if check.id not in heard and (check.dir, check.environment) in pairs
    ]


def in_the_way(found: Iterable[Record]) -> tuple[Record, ...]:
    """Of the results of tests of outputs, those that close the way to the next environment: as for every policy test,
    a skip too, and nothing but `unknown` besides a pass lets it through."""
    return tuple(record for record in found if record.outcome not in (Outcome.PASSED, Outcome.UNKNOWN))


def _run(session: pytest.Session, state: State, phase: Phase) -> None:
    first = state.phase
    state.phase = phase
    try:
        if session.config.pluginmanager.hasplugin("dsession"):
            _with_workers(session)
        else:
            _in_this_process(session, state)
    finally:
        state.phase = first


def silent_tests(earlier: Iterable[Record], found: Iterable[Record], targets: Iterable[Target]) -> list[Record]:
    """A record of each policy test about these targets that has a result from before and none now.

    A worker that died in it leaves a record that names no root, and the tests behind it may have none at all.
    """
    concerned = _pairs(targets)
    heard = {record.check for record in found if record.kind is CheckKind.POLICY_TEST}
    expected = {
        record.check: record
        for record in earlier
        if record.kind is CheckKind.POLICY_TEST and (record.dir, record.environment) in concerned
    }
    return [
        Record(check, record.kind, Outcome.MISSING, record.dir, record.environment, summary="no result on the new plan")
        for check, record in expected.items()
        if check not in heard
    ]


def _in_this_process(session: pytest.Session, state: State) -> None:
    items = [item for item in (*session.items, *state.held_items) if belongs_to(state.phase, item)]
    session.testscollected += len(items)
    for item, following in zip(items, [*items[1:], None], strict=False):  # there may be none at all
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _pairs(targets: Iterable[Target]) -> frozenset[tuple[str, str]]:
    return frozenset((target.root, target.environment) for target in targets)


def _with_workers(session: pytest.Session) -> None:
    from xdist.dsession import DSession, Interrupted

    config, manager = session.config, session.config.pluginmanager
    collected = session.testscollected
    first = manager.unregister(name="dsession")
    shown = manager.unregister(name="terminaldistreporter") if manager.hasplugin("terminaldistreporter") else None
    again = DSession(config)
    if manager.hasplugin("terminaldistreporter"):  # how many workers there are has been said
        manager.unregister(name="terminaldistreporter")
        again.terminal = None
    manager.register(again, "dsession")
    try:
        again.pytest_sessionstart(session)
        if again.nodemanager is not None:
            again.pytest_runtestloop()
    except Interrupted as stopped:  # `-x` in the ini file: what was not run is missed
        if "keyboard-interrupt" in str(stopped):
            raise
    finally:
        again.pytest_sessionfinish()
        for name, plugin in (("dsession", first), ("terminaldistreporter", shown)):
            if manager.hasplugin(name):
                manager.unregister(name=name)
            if plugin is not None:
                manager.register(plugin, name)
        session.testscollected += collected
