"""The task reaper: how much of the past is kept. Pure.

After swarmkit's manager/orchestrator/taskreaper/task_reaper.go: the limit is on all tasks
of a place, the present one included, and it is looked at when a task is made there.
"""

from __future__ import annotations

from labkit.rollout import states
from labkit.rollout.objects import Place, Task
from labkit.rollout.plan import RestartPolicy
from labkit.rollout.store import Store


class Reaper:
    """Deletes tasks that are no longer kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: How many tasks of one place are kept; a negative number keeps all.
        self.limit = 5
        self._full: dict[tuple[str, Place], None] = {}
        self._gone: dict[str, Task] = {}
        self._is_planned = False
        store.on_created.append(self._created)
        store.on_desired.append(self._look_at)
        store.on_observed.append(self._look_at)

    def _created(self, task: Task) -> None:
        self._full[task.service_id, task.place] = None
        self._plan()

    def _look_at(self, task: Task) -> None:
        """A task that is to be removed goes when it has stopped, or if it never began."""
        if task.desired == states.REMOVE and not (
            states.ASSIGNED <= task.observed < states.COMPLETE
        ):
            self._gone[task.id] = task
            self._plan()

    def _plan(self) -> None:
        if not self._is_planned:
            self._is_planned = True
            self._store.after(self._store.timing.reap, self._tick)

    def _tick(self) -> None:
        self._is_planned = False
        gone, self._gone = self._gone, {}
        for task in gone.values():
            self._delete(task)
        for service_id, place in list(self._full):
            tasks = self._store.places.get(service_id, {}).get(place, [])
            if self._thin_out(tasks):
                del self._full[service_id, place]

    def _thin_out(self, tasks: list[Task]) -> bool:
        """Delete the oldest of too many tasks; whether there are now few enough."""
        limit = self._limit_of(tasks)
        excess = len(tasks) - limit
        if limit < 0 or excess <= 0:
            return True
        for task in sorted(tasks, key=lambda task: task.status_at):
            if excess and _may_go(task):
                self._delete(task)
                excess -= 1
        return not excess

    def _limit_of(self, tasks: list[Task]) -> int:
        attempts = RestartPolicy.read(tasks[-1].spec).max_attempts if tasks else 0
        return attempts + 1 if attempts > 0 else self.limit

    def _delete(self, task: Task) -> None:
        if task.id in self._store.tasks:
            self._store.delete_task(task)


def _may_go(task: Task) -> bool:
    """Whether a task has ended, or will never begin."""
    return task.ended or (task.observed < states.ASSIGNED and task.desired > states.RUNNING)
