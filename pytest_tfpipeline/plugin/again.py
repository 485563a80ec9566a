"""Run the policy tests of roots that were planned again, in the middle of an apply.

With pytest-xdist a second set of workers does it, so that a test that crashes cannot take the apply with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_tfpipeline.model import CheckKind, Outcome, Record, Target
from pytest_tfpipeline.plugin.collection import subject_of
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.state import Phase, State


def run_policy_tests(session: pytest.Session, state: State, targets: Sequence[Target], wave: int) -> None:
    """Run them and let their reports go the usual way."""
    first = state.phase
    state.phase = Phase(frozenset((target.root, target.environment) for target in targets), wave)
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
    concerned = {(target.root, target.environment) for target in targets}
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
    only = state.phase.only or frozenset()
    items = [item for item in session.items if _concerns(item, only)]
    session.testscollected += len(items)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _concerns(item: pytest.Item, only: frozenset[tuple[str, str]]) -> bool:
    subject = subject_of(item)
    return not isinstance(item, CheckItem) and subject is not None and (subject.dir, subject.environment) in only


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
