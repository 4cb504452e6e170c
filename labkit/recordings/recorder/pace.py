"""How long to wait before the next poll. Time is passed in, in seconds of the source's clock."""

from collections.abc import Iterable

from labkit.recordings.recording import Change, TaskSeen

#: Seconds between two polls: where an event has announced a change, just after something
#: moved, during an update, at rest.
ANNOUNCED, FAST, STEADY, SLOW = 0.03, 0.15, 0.5, 2.0
#: For how many seconds an announced change is awaited. A node reports at once, but the manager
#: takes reports ten times a second (swarmkit's manager/dispatcher/dispatcher.go).
_AWAITED = 0.4
#: For how many seconds after a change or an event it polls fast.
_HOT = 0.8


class Pace:
    """Often after something moved, and very often until an announced change is seen."""

    def __init__(self) -> None:
        self._hot_until = 0.0
        #: Until when a change of a task is awaited, by the task's id.
        self._awaited: dict[str, float] = {}

    def event(self, now: float, task: str = "") -> None:
        """Take an event, from any thread; `task` is the id of the task that it announces."""
        self._hot_until = now + _HOT
        if task:
            self._awaited[task] = now + _AWAITED

    def changed(self, now: float, changes: Iterable[Change]) -> None:
        """Take what a poll has found."""
        self._hot_until = now + _HOT
        for change in changes:
            if isinstance(change, TaskSeen) and (change.task.running or change.task.ended):
                self._awaited.pop(change.task.id, None)

    def pause(self, now: float, *, moving: bool) -> float:
        """Return how many seconds to wait; `moving` says that an update is under way."""
        for task, until in tuple(self._awaited.items()):
            if until <= now:  # else a long recording would keep every task that ever started
                self._awaited.pop(task, None)
        if self._awaited:
            return ANNOUNCED
        if now < self._hot_until:
            return FAST
        return STEADY if moving else SLOW
