"""The manager's store: objects, their versions, the clock, and watchers of changes. Pure.

swarmkit's parts talk to each other only through its store, by writing to it and by
watching it. So do the parts here; what they are told of, they are told at once.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import Any, Literal

from swarmsim.model import states
from swarmsim.model.nodes.timing import Range, Timing
from swarmsim.model.objects import Node, Place, Service, StoreEvent, Task, UpdateStatus

#: swarmkit's identity/randomid.go: 25 digits to the base of 36. Here each is made of a byte.
_ID_LENGTH = 25
_DIGITS = bytes(b"0123456789abcdefghijklmnopqrstuvwxyz"[byte % 36] for byte in range(256))

#: Objects that a new manager writes first: its cluster, itself, the ingress network.
_FIRST_INDEX = 8

Function = Callable[..., object]
TaskListener = Callable[[Task], None]


class Agenda:
    """Calls functions at their moments, in order; those of one moment as they were asked for."""

    def __init__(self, now: int) -> None:
        #: Nanoseconds since 1970; moves only in `run_until`.
        self.now = now
        self._due: list[tuple[int, int, Function, tuple[Any, ...]]] = []
        self._number = count()

    def call_at(self, moment: int, function: Function, *arguments: Any) -> None:
        """Call a function at a moment; a past moment counts as now."""
        if moment < self.now:
            moment = self.now
        heapq.heappush(self._due, (moment, next(self._number), function, arguments))

    def call_off(self, *owners: type) -> None:
        """Call no method of such objects that was asked for."""
        kept = (e for e in self._due if not isinstance(getattr(e[2], "__self__", None), owners))
        self._due[:] = sorted(kept, key=lambda each: each[:2])

    def next_due(self) -> int | None:
        """Return when something is due next; `None` if nothing is."""
        return self._due[0][0] if self._due else None

    def run_until(self, moment: int, pause: Callable[[], bool] | None = None) -> None:
        """Call what is due until a moment, that moment included, and make it now.

        With `pause`, this stops early, at the time of the last call, as soon as it says so.
        """
        due = self._due
        while due and due[0][0] <= moment:
            self.now, _, function, arguments = heapq.heappop(due)
            function(*arguments)
            if pause and pause():
                return
        self.now = max(self.now, moment)


class Store(Agenda):
    """Objects by id, one counter for all their versions, the clock, and those who watch."""

    def __init__(self, now: int, seed: int, timing: Timing) -> None:
        super().__init__(now)
        self.random = Random(seed)  # noqa: S311 - a run that can be repeated is what is wanted
        self.timing = timing
        self.index = _FIRST_INDEX
        #: When something was last written, and when the writes began that it follows with
        #: hardly a pause: the scheduler waits for one.
        self.written_at = now
        self.busy_since = now
        self._gap = timing.schedule_gap
        #: How many tasks of a place are kept, the present one included; negative keeps all.
        self.history_limit = 5
        self.services: dict[str, Service] = {}
        self.tasks: dict[str, Task] = {}
        self.nodes: dict[str, Node] = {}
        #: The tasks of each service, by the place that they fill, the oldest first.
        self.places: dict[str, dict[Place, list[Task]]] = {}
        #: Who is told of everything, before those below.
        self.watchers: list[Callable[[StoreEvent], None]] = []
        #: Who is told that a service was made or changed, by whomever.
        self.on_service: list[Callable[[Service], None]] = []
        #: Who is told that a task was made, that what is desired of it changed, that it was
        #: observed in another state, that tasks have ended, and that one was deleted.
        self.on_created: list[TaskListener] = []
        self.on_desired: list[TaskListener] = []
        self.on_observed: list[TaskListener] = []
        self.on_ended: list[Callable[[list[Task]], None]] = []
        self.on_deleted: list[TaskListener] = []
        #: Says whether a task can be given all that it wants from the allocator.
        self.can_allocate: Callable[[Task], bool] = lambda _: True
        self._ending: list[Task] = []
        self._is_batch = False
        self._when_running: dict[str, list[Callable[[], None]]] = {}
        self._when_stopped: dict[str, list[Callable[[], None]]] = {}

    def forget_listeners(self) -> None:
        """Tell nobody of anything any more, but those who watch."""
        told = (self.on_service, self.on_created, self.on_desired, self.on_observed)
        for each in (*told, self.on_ended, self.on_deleted):
            each.clear()
        self._when_running.clear()
        self._when_stopped.clear()

    def bump(self) -> int:
        """Return a new version for an object that is written; one counter serves all."""
        now = self.now
        if now > self.written_at + self._gap:
            self.busy_since = now
        self.written_at = now
        self.index += 1
        return self.index

    def new_id(self) -> str:
        """Return an id such as swarmkit makes."""
        return self.random.randbytes(_ID_LENGTH).translate(_DIGITS).decode()

    def after(self, length: Range | int, function: Function, *arguments: object) -> None:
        """Call a function after a time; of a range, a length is drawn."""
        if not isinstance(length, int):
            length = self.draw(length)
        self.call_at(self.now + length, function, *arguments)

    def draw(self, length: Range) -> int:
        """Return one of the lengths that a step may take."""
        least, most = length
        return least + int(self.random.random() * (most - least))

    def watch(self, callback: Callable[[StoreEvent], None]) -> None:
        """Call a function for every write to the store."""
        self.watchers.append(callback)

    # ---- services ------------------------------------------------------------------

    def keep_service(self, service: Service) -> None:
        """Keep a new service."""
        self.services[service.id] = service
        self.places[service.id] = {}
        self._notify("create", service)
        self._service_changed(service)

    def write_service(self, service: Service, before: Service) -> None:
        """Note that a service was changed; `before` is what it was."""
        service.version = self.bump()
        service.updated_at = self.now
        self._notify("update", service, before)
        self._service_changed(service)

    def delete_service(self, service: Service) -> None:
        """Forget a service; its tasks stay until they are deleted."""
        del self.services[service.id]
        self.bump()
        self._notify("remove", service)

    def write_status(self, service: Service, status: UpdateStatus) -> None:
        """Write the status of a service's update, as the updater does."""
        before = service.snapshot()
        service.update_status = status
        self.write_service(service, before)

    # ---- tasks ---------------------------------------------------------------------

    def tasks_of(self, service_id: str) -> list[Task]:
        """Return all tasks of a service that the manager still knows."""
        return [task for tasks in self.places.get(service_id, {}).values() for task in tasks]

    def tasks_on(self, node_id: str) -> list[Task]:
        """Return all tasks of a node that the manager still knows."""
        return [task for task in self.tasks.values() if task.node_id == node_id]

    def create_task(self, service: Service, place: Place, desired: int) -> Task:
        """Make a task from a service's spec (swarmkit's orchestrator/task.go)."""
        is_global = isinstance(place, str)
        now = self.now
        task = Task(
            id=self.new_id(),
            service_id=service.id,
            service_name=service.name,
            service_labels=service.spec.get("Labels") or {},
            slot=None if is_global else int(place),
            node_id=str(place) if is_global else "",
            spec=service.template,
            endpoint_spec=service.spec.get("EndpointSpec"),
            spec_version=service.spec_version,
            version=self.bump(),
            created_at=now,
            updated_at=now,
            desired=desired,
            status_at=now,
        )
        self.tasks[task.id] = task
        self.places[service.id].setdefault(place, []).append(task)
        self._notify("create", task)
        for listener in self.on_created:
            listener(task)
        return task

    def set_desired(self, task: Task, desired: int) -> None:
        """Write what is desired of a task; it only ever grows."""
        if desired <= task.desired:
            return
        task.desired = desired
        self._write(task)
        for listener in self.on_desired:
            listener(task)

    def observe(
        self, task: Task, state: int, message: str = "", error: str = "", at: int | None = None
    ) -> None:
        """Write the state in which a task was observed; one that is behind it is ignored.

        Without a message the last one stays, as it does in swarmkit when a task fails. `at`
        is when it came to be in that state, if that was before it is written.
        """
        if state <= task.observed or task.id not in self.tasks:
            return
        was = task.observed
        task.observed = state
        self.note(task, message or task.message, error, at)
        for listener in self.on_observed:
            listener(task)
        if was < states.RUNNING <= state:
            self._call(self._when_running, task)
        if was <= states.RUNNING < state:
            self._call(self._when_stopped, task)
            self._ending.append(task)
            if not self._is_batch:
                self._notify_of_ends()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Write what is observed of several tasks at once: of their ends all hear together."""
        self._is_batch = True
        try:
            yield
        finally:
            self._is_batch = False
        self._notify_of_ends()

    def _notify_of_ends(self) -> None:
        ended, self._ending = self._ending, []
        if ended:
            for listener in self.on_ended:
                listener(ended)

    def note(self, task: Task, message: str, error: str, at: int | None = None) -> None:
        """Write a task's status: what is said of the state that it is in, and since when."""
        task.message, task.error = message, error
        task.status_at = self.now if at is None else at
        self._write(task)

    def delete_task(self, task: Task) -> None:
        """Forget a task."""
        del self.tasks[task.id]
        place = self.places[task.service_id]
        place[task.place].remove(task)
        if not place[task.place]:
            del place[task.place]
        if not place and task.service_id not in self.services:
            del self.places[task.service_id]
        self._when_running.pop(task.id, None)
        self._when_stopped.pop(task.id, None)
        self.bump()
        self._notify("remove", task)
        for listener in self.on_deleted:
            listener(task)

    def when_running(self, task: Task, function: Callable[[], None]) -> None:
        """Call a function when a task runs, or has ended without running.

        If the task is deleted before, that never happens, as in swarmkit.
        """
        if task.id in self.tasks:
            self._when_running.setdefault(task.id, []).append(function)

    def when_stopped(self, task: Task, function: Callable[[], None]) -> None:
        """Call a function when a task has ended, or its node has gone away.

        If the task is deleted before, neither is told.
        """
        if task.id in self.tasks:
            self._when_stopped.setdefault(task.id, []).append(function)

    # ---- nodes ---------------------------------------------------------------------

    def keep_node(self, node: Node) -> None:
        """Keep a new node."""
        self.nodes[node.id] = node
        self._notify("create", node)

    def write_node(self, node: Node) -> None:
        """Note that a node was changed."""
        node.version = self.bump()
        node.updated_at = self.now
        self._notify("update", node)
        if node.state == "down":
            self._gone(node)

    def delete_node(self, node: Node) -> None:
        """Forget a node."""
        del self.nodes[node.id]
        self.bump()
        self._notify("remove", node)
        self._gone(node)

    def _gone(self, node: Node) -> None:
        """Let those go on who wait for the end of a task on a node that is down, or gone."""
        for task in [self.tasks[task_id] for task_id in self._when_stopped]:
            if task.node_id == node.id:
                self._call(self._when_stopped, task)

    # ---- telling -------------------------------------------------------------------

    def _service_changed(self, service: Service) -> None:
        for listener in self.on_service:
            listener(service)

    def _write(self, task: Task) -> None:
        task.version = self.bump()
        task.updated_at = self.now
        if self.watchers:
            self._notify("update", task)

    def _call(self, waiting: dict[str, list[Callable[[], None]]], task: Task) -> None:
        for function in waiting.pop(task.id, ()):
            function()

    def _notify(
        self,
        action: Literal["create", "update", "remove"],
        changed: Service | Task | Node,
        before: Service | None = None,
    ) -> None:
        if self.watchers:
            change = StoreEvent(action, changed, before)
            for watcher in self.watchers:
                watcher(change)
