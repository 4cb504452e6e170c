"""What notebook 4 asks: how the tasks of a removed service stop. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import not_over
from labkit.lessons.checks.wording import seconds
from labkit.recordings.recording import Recording, ServiceRemoved, TaskForgotten, TaskSeen
from labkit.recordings.values import Task

#: Tasks that were told to stop so shortly after one another were told together: a look at
#: the engine may fall between.
_TOGETHER = timedelta(seconds=1)


def _stack_rm(recording: Recording) -> Reading:
    """Read whether the last task was told to stop before the first had gone."""
    told, gone = _told(recording)
    if len(told) < 2:
        left = "one task was" if told else "no task was"
        saw = f"{left} left when the service was removed; that is no order."
        return Reading("", saw, _WHY)
    spread, steps = max(told) - min(told), _at_first(told)
    saw = (
        f"{len(told)} tasks were told to stop within {seconds(spread)}, "
        f"and {seconds(max(gone) - min(told))} later the last was gone."
    )
    if spread <= _TOGETHER or max(told) <= min(gone):
        return Reading("together", saw, _WHY)
    choice = {1: "slots", 2: "pairs"}.get(steps, "")
    return Reading(choice, saw, f"Something told them in turn. {_WHY}")


def _told(recording: Recording) -> tuple[list[datetime], list[datetime]]:
    """Return when each task that the service still had was told to stop, and when it was gone.

    Raises `NotSettled` unless the service is gone with its last task.
    """
    removed = [n for n, each in enumerate(recording.changes) if isinstance(each, ServiceRemoved)]
    if recording.service or recording.listed or not removed:
        raise not_over(recording, "a service that is removed")
    there = _there(recording, removed[-1])
    told: dict[str, datetime] = {}
    gone: dict[str, datetime] = {}
    for change in recording.changes[removed[-1] :]:
        if isinstance(change, TaskForgotten) and change.id in there:
            told.setdefault(change.id, change.at)
            gone.setdefault(change.id, change.at)
        elif isinstance(change, TaskSeen) and change.task.id in there:
            if _told_to_go(change.task):
                told.setdefault(change.task.id, change.at)
            if change.task.ended:
                gone.setdefault(change.task.id, change.at)
    return list(told.values()), list(gone.values())


def _there(recording: Recording, removed: int) -> set[str]:
    """Return the tasks that had neither ended nor been told to before a change."""
    there: set[str] = set()
    for change in recording.changes[:removed]:
        if isinstance(change, TaskSeen) and not _told_to_go(change.task):
            there.add(change.task.id)
        elif isinstance(change, TaskSeen | TaskForgotten):
            there.discard(change.task.id if isinstance(change, TaskSeen) else change.id)
    return there


def _told_to_go(task: Task) -> bool:
    return task.ended or task.desired_state in ("shutdown", "remove")


def _at_first(told: list[datetime]) -> int:
    """Return how many were told to stop together with the first one."""
    return sum(at - min(told) <= _TOGETHER for at in told)


_WHY = (
    "Removing is no update: there is no parallelism, no delay and no order. "
    "Swarm tells every task of the service to go, and forgets it when it is gone."
)

STACK_RM = question("stack-rm", _stack_rm)
