"""Which worker runs what: the items of one root stay together, roots that others wait for and long ones go first."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from pytest_tfpipeline.plugin.scopes import Scopes
from pytest_tfpipeline.plugin.state import State


class RootScheduling(LoadScopeScheduling):
    """pytest-xdist's scheduling by scope, with a root (in all environments) as the scope.

    A plan is made once, by whichever item needs it first, and terraform's working directory is used by one process at
    a time: both are free of waiting when one worker does everything about a root.
    """

    def __init__(self, config: pytest.Config, log: Producer | None, state: State) -> None:
        super().__init__(config, log)
        self._scopes = Scopes(state, config)
        self.workqueue: OrderedDict[str, dict[str, bool]]

    def _split_scope(self, nodeid: str) -> str:
        return self._scopes.scope(nodeid)

    def schedule(self) -> None:
        """Put the heaviest groups first, once; then go on as pytest-xdist does."""
        if self.collection is None:
            self.config.option.loadscopereorder = False
            ids: list[str] = next(iter(self.registered_collections.values()), [])
            self._scopes.weigh(ids)
        super().schedule()

    def _assign_work_unit(self, node: WorkerController) -> None:
        heaviest = max(self.workqueue, key=self._scopes.weight)
        self.workqueue.move_to_end(heaviest, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        # A worker starts an item only when it knows the next one, so it must get more work while one is pending.
        if not node.shutting_down and self.workqueue and self._pending_of(self.assigned_work[node]) > 1:
            return
        super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """A crashed item is not run again: its crash is its result."""
        crashed: str | None = super().remove_node(node)
        if crashed is not None:
            scope = self._split_scope(crashed)
            for work in (self.workqueue, *self.assigned_work.values()):
                if scope in work:
                    work[scope][crashed] = True
            self.workqueue = OrderedDict((k, v) for k, v in self.workqueue.items() if not all(v.values()))
        return crashed
