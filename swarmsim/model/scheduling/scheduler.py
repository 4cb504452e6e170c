"""The scheduler: which node a task goes to, and why none will do. Pure.

After swarmkit's manager/scheduler/scheduler.go: it waits until nothing has been written to
the store for a moment, then schedules all pending tasks together, spec by spec.
"""

from swarmsim.model import states
from swarmsim.model.objects import Node, Task
from swarmsim.model.scheduling.node_info import Filters, NodeInfo
from swarmsim.model.scheduling.spreading import Spreading
from swarmsim.model.store import Store


class Scheduler:
    """Gives pending tasks their nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Tasks to find a node for, and tasks of global services, which have theirs.
        self._unassigned: dict[str, Task] = {}
        self._preassigned: dict[str, Task] = {}
        self._node_infos: dict[str, NodeInfo] = {}
        self._is_planned = False
        store.on_created.append(self._created)
        store.on_desired.append(self._desired)
        store.on_ended.append(self._ended)
        store.on_deleted.append(self._deleted)

    # ---- what happens ---------------------------------------------------------------

    def node_changed(self, node: Node) -> None:
        """Note what can take tasks, and have those looked at that wait for it."""
        self._node_infos.setdefault(node.id, NodeInfo(node))
        self._look_again()

    def node_left(self, node: Node) -> None:
        """Put nothing more on a node that is gone."""
        self._node_infos.pop(node.id, None)

    def found(self, task: Task) -> None:
        """Take over a task that is stored already (`setupTasksList`)."""
        if task.observed < states.ASSIGNED:
            self._created(task)
        elif not task.ended and (info := self._node_infos.get(task.node_id)):
            info.add(task)
            if task.desired > states.COMPLETE:
                info.told_to_stop(task)

    def _created(self, task: Task) -> None:
        self._store.after(self._store.timing.allocate, self._allocated, task)

    def _allocated(self, task: Task) -> None:
        if task.id not in self._store.tasks or not self._store.can_allocate(task):
            return
        queue = self._preassigned if task.node_id else self._unassigned
        queue[task.id] = task
        self._store.observe(task, states.PENDING, "pending task scheduling")
        self._look_again()

    def _desired(self, task: Task) -> None:
        if task.observed == states.PENDING and not task.node_id:
            self._unassigned[task.id] = task
            self._look_again()
        elif task.desired > states.COMPLETE and (info := self._node_infos.get(task.node_id)):
            info.told_to_stop(task)

    def _ended(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._unassigned.pop(task.id, None)
            self._preassigned.pop(task.id, None)
            if info := self._node_infos.get(task.node_id):
                was_chosen = task.slot is not None
                if was_chosen and task.observed in (states.FAILED, states.REJECTED):
                    info.failed(task, self._store.now)
                info.remove(task)
        self._look_again()

    def _deleted(self, task: Task) -> None:
        self._unassigned.pop(task.id, None)
        self._preassigned.pop(task.id, None)
        info = self._node_infos.get(task.node_id)
        if info and task.id in info.tasks:
            info.remove(task)
            self._look_again()

    # ---- when it schedules --------------------------------------------------------------

    def _look_again(self) -> None:
        if (self._unassigned or self._preassigned) and not self._is_planned:
            self._is_planned = True
            self._plan()

    def _plan(self) -> None:
        store, timing = self._store, self._store.timing
        pause = store.written_at + timing.schedule_gap
        at = min(pause, store.busy_since + timing.schedule_at_latest)
        store.call_at(at + store.draw(timing.schedule), self._wake)

    def _wake(self) -> None:
        """Look at what is pending, unless something has been written in the meantime."""
        store, timing = self._store, self._store.timing
        quiet = store.now - store.written_at
        if quiet < timing.schedule_gap and store.now - store.busy_since < timing.schedule_at_latest:
            self._plan()
            return
        self._is_planned = False
        store.busy_since = store.now
        for task in list(self._preassigned.values()):
            self._confirm(task)
        self._schedule()

    # ---- finding a node ------------------------------------------------------------

    def _confirm(self, task: Task) -> None:
        """Let a task of a global service go to its node, if that can take it."""
        info, filters = self._node_infos.get(task.node_id), Filters(task)
        if info is None:
            return
        if filters.pass_(info):
            self._assign(task, info, "scheduler confirmed task can run on preassigned node")
        else:
            self._explain(task, filters.explain())

    def _schedule(self) -> None:
        groups: dict[tuple[str, int], list[Task]] = {}
        for task in self._unassigned.values():
            groups.setdefault((task.service_id, task.spec_version), []).append(task)
        self._unassigned = {}
        for group in groups.values():
            filters = Filters(group[0])
            spreading = Spreading(group, filters, self._store.now, self._place)
            spreading.over(self._node_infos.values())
            for task in spreading.left:
                self._give_up(task, filters)

    def _place(self, task: Task, info: NodeInfo) -> None:
        task.node_id = info.node.id
        self._assign(task, info, "scheduler assigned task to node")

    def _assign(self, task: Task, info: NodeInfo, message: str) -> None:
        self._preassigned.pop(task.id, None)
        # it comes back here while all are placed when the task before it ends in between
        self._unassigned.pop(task.id, None)
        info.add(task)
        self._store.observe(task, states.ASSIGNED, message)

    def _give_up(self, task: Task, filters: Filters) -> None:
        """Say why no node will do; a task of an old spec that is to stop is at its end."""
        service = self._store.services.get(task.service_id)
        if service is None:
            return
        if service.spec_version > task.spec_version:
            if task.desired >= states.SHUTDOWN:
                self._store.observe(task, states.SHUTDOWN)
            return
        self._unassigned[task.id] = task
        why = filters.explain()
        self._explain(task, f"no suitable node ({why})" if why else "no suitable node")

    def _explain(self, task: Task, error: str) -> None:
        if task.error != error:
            self._store.note(task, task.message, error)
