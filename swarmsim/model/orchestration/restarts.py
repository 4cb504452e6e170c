"""The restart supervisor: what takes the place of a task that has ended. Pure.

After swarmkit's manager/orchestrator/restart/restart.go: whether a task is replaced, when
its replacement may start, and how often a place may be filled again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from swarmsim.model import states
from swarmsim.model.objects import Place, Service, Task
from swarmsim.model.plan import RestartPolicy
from swarmsim.model.store import Store


@dataclass(slots=True)
class _History:
    """The restarts of one place under one spec."""

    spec_version: int
    times: list[int] = field(default_factory=list)
    total: int = 0


@dataclass(slots=True, eq=False)
class _Start:
    """A task that waits for its start."""

    task: Task
    delay_is_over: bool
    #: The task whose end it waits for has ended, or was waited for long enough.
    old_is_gone: bool
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
        if waiting := self._starts.get(task.id):
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
        is_down = node is not None and node.state == "down"
        delay = 0 if is_drained else self._delay(task)
        self.start_later(replacement, delay, None if is_down else task)

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
        before = sum(time < task.status_at for time in history.times)
        return before < policy.max_attempts

    def updatable(self, service: Service, tasks: list[Task]) -> list[Task]:
        """Return those tasks of a place that an update has to do with; none if it is dead.

        The live ones; else the newest, if it will not be replaced: a place that has finished
        still counts as filled. While a rollback runs it does not (`UpdatableTasksInSlot`).
        """
        live = [task for task in tasks if task.desired <= states.RUNNING]
        if live or not tasks:
            return live
        if service.rolls_back:
            return []
        newest = max(tasks, key=lambda task: task.status_at)
        return [] if self.should_restart(newest) else [newest]

    def found(self, task: Task) -> None:
        """Start a task that is stored as one that waits for its start (`taskinit.CheckTasks`)."""
        waited = self._store.now - task.status_at
        self.start_later(task, max(0, self._delay(task) - waited), None)

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

        `then` is called when it has been started, or that was called off. A start that was
        planned for the task before is called off (`DelayStart`).
        """
        store = self._store
        before = self._starts.get(task.id)
        old_is_gone = old is None or old.ended
        start = _Start(task, delay_is_over=not delay, old_is_gone=old_is_gone)
        if then:
            start.then.append(then)
        self._starts[task.id] = start
        if before:
            self._end(before)
        if old is not None and not old_is_gone:
            store.when_stopped(old, lambda: self._old_is_gone(start))
            store.after(store.timing.old_task_timeout, self._old_is_gone, start)
        if delay:
            store.after(delay, self._delay_is_over, start)
        self._try(start)

    def cancel(self, task: Task) -> None:
        """Call off the start of a task that was deleted."""
        if start := self._starts.pop(task.id, None):
            self._end(start)

    def _delay_is_over(self, start: _Start) -> None:
        start.delay_is_over = True
        self._try(start)

    def _old_is_gone(self, start: _Start) -> None:
        start.old_is_gone = True
        self._try(start)

    def _try(self, start: _Start) -> None:
        if start.over or not (start.delay_is_over and start.old_is_gone):
            return
        del self._starts[start.task.id]
        self._store.set_desired(start.task, states.RUNNING)  # unless it was told to go
        self._end(start)

    def _end(self, start: _Start) -> None:
        start.over = True
        for function in start.then:
            function()
