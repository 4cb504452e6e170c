"""The task reaper: how much of the past is kept. Pure.

After swarmkit's manager/orchestrator/taskreaper/task_reaper.go: the limit is on all tasks
of a place, the present one included, and it is looked at when a task is made there.
"""

from swarmsim.model import states
from swarmsim.model.objects import Place, Task
from swarmsim.model.plan import RestartPolicy
from swarmsim.model.store import Store

#: So much to do is done at once (task_reaper.go: maxDirty).
_MOST = 1000


class Reaper:
    """Deletes tasks that are no longer kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Places in which a task was made, and tasks that are to be removed.
        self._dirty: dict[tuple[str, Place], None] = {}
        self._gone: dict[str, Task] = {}
        #: It wakes a while after it was told of a task, whatever that was.
        self._wakes_at = 0
        self._is_planned = False
        store.on_created.append(self._created)
        store.on_desired.append(self._changed)
        store.on_observed.append(self._changed)

    def found(self, task: Task) -> None:
        """Look at a task that is stored already (`TaskReaper.Run`)."""
        self._created(task)
        self._changed(task)

    def _created(self, task: Task) -> None:
        self._dirty[task.service_id, task.place] = None
        self._schedule_wake()

    def _changed(self, task: Task) -> None:
        """A task that is to be removed goes when it has stopped, or if it never began."""
        if task.desired == states.REMOVE and not (
            states.ASSIGNED <= task.observed < states.COMPLETE
        ):
            self._gone[task.id] = task
        self._schedule_wake()

    def _schedule_wake(self) -> None:
        now = self._store.now
        if now >= self._wakes_at:
            self._wakes_at = now + self._store.timing.reap
        if not (self._dirty or self._gone):
            return
        if len(self._dirty) + len(self._gone) > _MOST:
            self._reap()
        elif not self._is_planned:
            self._is_planned = True
            self._store.call_at(self._wakes_at, self._wake)

    def _wake(self) -> None:
        self._is_planned = False
        self._reap()

    def _reap(self) -> None:
        gone, self._gone = self._gone, {}
        dirty, self._dirty = self._dirty, {}
        for service_id, place in dirty:
            if self._thin_out(service_id, place, gone):
                self._dirty[service_id, place] = None
        for task in gone.values():
            if task.id in self._store.tasks:
                self._store.delete_task(task)

    def _thin_out(self, service_id: str, place: Place, gone: dict[str, Task]) -> bool:
        """Collect the oldest of too many tasks; whether the place is to be looked at again.

        It is if several of its tasks have not ended yet.
        """
        service = self._store.services.get(service_id)
        tasks = self._store.places[service_id].get(place, ()) if service else ()
        attempts = RestartPolicy.read(service.template).max_attempts if service else 0
        limit = attempts + 1 if attempts > 0 else self._store.history_limit
        excess = len(tasks) - limit
        if limit < 0 or excess <= 0:
            return False
        live = 0
        for task in sorted(tasks, key=lambda task: task.status_at):
            if not _may_go(task):
                live += 1
                continue
            gone[task.id] = task
            excess -= 1
            if not excess:
                break
        return live > 1


def _may_go(task: Task) -> bool:
    """Whether a task has ended, or will never begin."""
    return task.ended or (task.observed < states.ASSIGNED and task.desired > states.RUNNING)
