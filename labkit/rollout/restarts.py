"""The restart supervisor: what takes the place of a task that has ended. Pure.

After swarmkit's manager/orchestrator/restart/restart.go: whether a task is replaced, when
its replacement may start, and how often a place may be filled again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from labkit.rollout import states
from labkit.rollout.objects import Place, Service, Task
from labkit.rollout.plan import RestartPolicy
from labkit.rollout.store import Store


@dataclass(slots=True)
class _History:
    """The restarts of one place under one spec."""

    spec_version: int
    times: list[int] = field(default_factory=list)
    total: int = 0


@dataclass(slots=True)
class _Start:
    """A task that waits for its start."""

    task: Task
    #: The task whose end it waits for; `None` if it waits for none.
    old: Task | None
    #: When it stops waiting for that.
    deadline: int
    over: bool = False
    then: list[Callable[[], None]] = field(default_factory=list)


class Restarts:
    """Replaces tasks that have ended, and starts tasks when they may start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._starts: dict[str, _Start] = {}
        self._history: dict[tuple[str, Place], _History] = {}

    # ---- replacing -----------------------------------------------------------------

    def restart(self, task: Task) -> None:
        """Give up on a task, and replace it if its policy says so.

        A task that still waits for its own start is replaced when that wait is over: so a
        missing image is asked for once in a restart delay, and not all the time.
        """
        waiting = self._starts.get(task.id)
        if waiting:
            waiting.then.append(lambda: self._restart_later(task))
            return
        service = self._store.services.get(task.service_id)
        self._store.set_desired(task, states.SHUTDOWN)
        if service is None or not self.should_restart(task):
            return
        replacement = self._store.create_task(service, task.place, states.READY)
        self._remember(replacement)
        node = self._store.nodes.get(task.node_id)
        is_drained = node is not None and node.availability == "drain"
        delay = 0 if is_drained else self._delay(task)
        must_wait = not task.ended and not self._store.is_down(task.node_id)
        self.start_later(replacement, delay, task if must_wait else None)

    def should_restart(self, task: Task) -> bool:
        """Whether a task that has ended is to be replaced; its own spec decides."""
        policy = RestartPolicy.read(task.spec)
        if policy.condition == "none":
            return False
        if policy.condition == "on-failure" and task.observed == states.COMPLETE:
            return False
        history = self._history.get((task.service_id, task.place))
        if not policy.max_attempts or history is None or history.spec_version != task.spec_version:
            return True
        if not policy.window:
            return history.total < policy.max_attempts
        since = task.status_at - policy.window
        history.times = [time for time in history.times if time > since]
        return len(history.times) < policy.max_attempts

    def updatable(self, service: Service, tasks: list[Task]) -> list[Task]:
        """Return those tasks of a place that an update has to do with; none if it is dead.

        The live ones; else the newest, if it will not be replaced: a place that has finished
        still counts as filled. While a rollback runs it does not (`UpdatableTasksInSlot`).
        """
        live = [task for task in tasks if task.desired <= states.RUNNING]
        if live or not tasks:
            return live
        status = service.update_status
        if status and status.state == "rollback_started":
            return []
        newest = max(tasks, key=lambda task: task.status_at)
        if newest.desired > states.SHUTDOWN or self.should_restart(newest):
            return []
        return [newest]

    def forget(self, service: Service) -> None:
        """Forget the restarts of a service that was removed."""
        for key in [key for key in self._history if key[0] == service.id]:
            del self._history[key]

    def _restart_later(self, task: Task) -> None:
        if task.id in self._store.tasks and task.desired <= states.RUNNING:
            self.restart(task)

    def _delay(self, task: Task) -> int:
        delay = RestartPolicy.read(task.spec).delay
        return self._store.timing.restart_delay if delay is None else delay

    def _remember(self, replacement: Task) -> None:
        policy = RestartPolicy.read(replacement.spec)
        if not policy.max_attempts:
            return
        key = (replacement.service_id, replacement.place)
        history = self._history.get(key)
        if history is None or history.spec_version != replacement.spec_version:
            history = self._history[key] = _History(replacement.spec_version)
        history.total += 1
        if policy.window:
            history.times.append(self._store.now)

    # ---- starting ------------------------------------------------------------------

    def start_later(
        self,
        task: Task,
        delay: int,
        old: Task | None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Start a task after a delay, and once another has stopped, or a minute has gone by.

        `then` is called when it has been started (or was found started already).
        """
        start = _Start(task, old, self._store.now + self._store.timing.old_task_timeout)
        if then:
            start.then.append(then)
        self._starts[task.id] = start
        if delay:
            self._store.after(delay, self._delay_is_over, start)
        else:
            self._delay_is_over(start)

    def _delay_is_over(self, start: _Start) -> None:
        store, old = self._store, start.old
        if old is None or old.ended or old.id not in store.tasks or store.is_down(old.node_id):
            self._start(start)
            return
        store.when_stopped(old, lambda: self._start(start))
        store.agenda.at(start.deadline, self._start, start)

    def _start(self, start: _Start) -> None:
        if start.over:
            return
        start.over = True
        if self._starts.get(start.task.id) is start:
            del self._starts[start.task.id]
        if start.task.id in self._store.tasks:
            self._store.set_desired(start.task, states.RUNNING)  # unless it was told to go
        for function in start.then:
            function()
