"""How long the tasks that are told to stop take to end. Pure.

A recorder sees that a task was told to stop at its next poll, which may be seconds later by a
clock that hurries. So both ends are taken from the engine where it dates them: with
stop-first a task is told in the same write that makes its successor, with start-first when
its successor runs; and it has ended at the time of its last state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from labkit.recordings.recording import Recording, ServiceSeen, TaskForgotten, TaskSeen
from labkit.recordings.values import Order, Service, Task


@dataclass(frozen=True, slots=True)
class Stops:
    """The tasks that were told to stop, by their ids."""

    #: How long those took to end that have ended.
    took: dict[str, timedelta]
    #: When the others were told.
    waiting: dict[str, datetime]


@dataclass(frozen=True, slots=True)
class _StopRequest:
    """A task that was told to stop: when that was seen, and which task went first then."""

    seen_at: datetime
    order: Order


def stops(recording: Recording) -> Stops:
    """Return what became of the tasks that were told to stop under a recording.

    Tasks that had been told before do not count, nor do tasks that ended by themselves.
    """
    told: dict[str, _StopRequest] = {}
    ended: dict[str, datetime] = {}
    ours: set[str] = set()  # those that had not been told before
    order: Order = "stop-first"
    for change in recording.changes:
        if isinstance(change, ServiceSeen):
            order = _order(change.service)
        elif isinstance(change, TaskForgotten) and change.id not in ended:
            told.pop(change.id, None)
        if not isinstance(change, TaskSeen):
            continue
        task = change.task
        if not task.ended and task.desired_state in ("ready", "running"):
            ours.add(task.id)
        elif task.id in ours and _is_told(task):
            told.setdefault(task.id, _StopRequest(change.at, order))
        if task.ended and task.id in told:
            ended.setdefault(task.id, task.status_at)
            ours.discard(task.id)
    began = {each: _began(recording, each, how) for each, how in told.items()}
    return Stops(
        {each: max(ended[each] - began[each], timedelta(0)) for each in told if each in ended},
        {each: began[each] for each in told if each not in ended},
    )


def _is_told(task: Task) -> bool:
    """Whether a task is to stop, or has stopped as it was told."""
    return task.state == "shutdown" if task.ended else task.desired_state in ("shutdown", "remove")


def _order(service: Service) -> Order:
    status = service.update_status
    back = status is not None and status.state.startswith("rollback")
    return (service.rollback_config if back else service.update_config).order


def _began(recording: Recording, told: str, how: _StopRequest) -> datetime:
    """Return when a task was told to stop: by the engine's time if known, else when seen."""
    after = list(_successor(recording, recording.tasks[told], how.seen_at))
    if how.order == "stop-first":
        return after[0].created_at if after else how.seen_at
    return next((task.status_at for task in after if task.running), how.seen_at)


def _successor(recording: Recording, old: Task, seen_at: datetime) -> Iterator[Task]:
    """Return the task that took the place of another, each time it was seen until a poll."""
    if old.slot is None:
        return
    successor = ""
    seen = [each for each in recording.changes if isinstance(each, TaskSeen) and each.at <= seen_at]
    later = [each.task for each in seen if each.task.slot == old.slot]
    for task in sorted(later, key=lambda each: each.created_at):
        if task.created_at > old.created_at and successor in ("", task.id):
            successor = task.id
            yield task
