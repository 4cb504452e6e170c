"""Questions that a recording answers: what an update did, in numbers. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from labkit.errors import NotSettled
from labkit.model import UpdateState
from labkit.phases import describe
from labkit.recording import Recording, ServiceSeen, TaskSeen


def phases(recording: Recording) -> list[str]:
    """Return the states that the update went through while it was recorded, in order.

    The state that the recording began with is the last update's, so it is left out,
    unless that update was still under way.
    """
    states = [status for _, status in recording.update_states()]
    first = states[0] if states else None
    if first is None or first.settled:
        states = states[1:]
    return [status.state for status in states if status]


def running_now(recording: Recording) -> dict[str, int]:
    """Return how many replicas run each tag at the end, tags with none left out."""
    steps = recording.running_by_tag()
    return {tag: count for tag, count in sorted(steps[-1][1].items()) if count} if steps else {}


def fewest_running(recording: Recording) -> int:
    """Return the smallest number of replicas that ran at any moment, of all tags together."""
    return min((counts.total() for _, counts in recording.running_by_tag()), default=0)


def slots_that_ran(recording: Recording, tag: str) -> set[int | None]:
    """Return the slots that had a task with this tag, whether or not it ever got to run.

    Tasks that had ended before the recording began are history, and do not count.
    """
    history = _history(recording)
    tasks = recording.tasks.values()
    return {task.slot for task in tasks if task.tag == tag and task.id not in history}


def slots_in_order(recording: Recording, tag: str) -> list[int | None]:
    """Return the slots in the order in which a task with this tag first ran in them."""
    return list(dict.fromkeys(first.task.slot for first in _starts(recording, tag)))


def starts(recording: Recording, tag: str) -> list[datetime]:
    """Return when each task with this tag was first seen running, in order."""
    return [first.at for first in _starts(recording, tag)]


def most_at_once(recording: Recording, tag: str) -> int:
    """Return how many slots were on their way to this tag at the same moment, at most.

    A slot is on its way from when its new task is first seen to when that task runs or ends.
    """
    on_the_way: set[int | None] = set()
    most = 0
    moment: datetime | None = None
    for change in recording.changes:
        if not isinstance(change, TaskSeen):
            continue
        if change.at != moment:  # everything one look saw counts as one moment
            most, moment = max(most, len(on_the_way)), change.at
        task = change.task
        if task.tag == tag:
            if task.running or task.ended:
                on_the_way.discard(task.slot)
            elif task.desired_state in ("ready", "running"):
                on_the_way.add(task.slot)
    return max(most, len(on_the_way))


def from_last_start_to_end(recording: Recording, tag: str) -> timedelta:
    """Return how long after its last replica had started the update was called done.

    Measured between the engine's own times. Raises `NotSettled` if it is not done.
    """
    status = recording.service.update_status if recording.service else None
    began = [first.task.status_at for first in _starts(recording, tag)]
    if not status or not status.completed_at or not began:
        raise _not_done(recording)
    return status.completed_at - max(began)


def took(recording: Recording) -> timedelta:
    """Return how long the update took by the engine's own clock.

    Raises `NotSettled` if it is not done.
    """
    status = recording.service.update_status if recording.service else None
    if not status or not status.completed_at or not status.started_at:
        raise _not_done(recording)
    return status.completed_at - status.started_at


def time_in(recording: Recording, state: UpdateState) -> timedelta:
    """Return how long the update was in a state.

    Raises `NotSettled` if it never was, or still is.
    """
    states = recording.update_states()
    for (began, status), (ended, _) in pairwise(states):
        if status and status.state == state:
            return ended - began
    raise _not_done(recording)


def errors(recording: Recording) -> list[str]:
    """Return the different errors of tasks, in Docker's words, in the order first seen.

    Those of tasks that had ended before the recording began do not count.
    """
    history = _history(recording)
    seen = (c.task for c in recording.changes if isinstance(c, TaskSeen))
    said = (task.error for task in seen if task.error and task.id not in history)
    return list(dict.fromkeys(said))


def _history(recording: Recording) -> set[str]:
    """Return the ids of the tasks that had ended when the recorder first looked."""
    seen = [change for change in recording.changes if isinstance(change, ServiceSeen | TaskSeen)]
    looked = (change for change in seen if change.at == seen[0].at)
    return {each.task.id for each in looked if isinstance(each, TaskSeen) and each.task.ended}


def _starts(recording: Recording, tag: str) -> list[TaskSeen]:
    """Return the moment at which each task with this tag was first seen running."""
    first: dict[str, TaskSeen] = {}
    for change in recording.changes:
        if isinstance(change, TaskSeen) and change.task.running and change.task.tag == tag:
            first.setdefault(change.task.id, change)
    return list(first.values())


def _not_done(recording: Recording) -> NotSettled:
    return NotSettled(
        "a recording of an update from its start to its end.",
        describe(recording.service, recording.current),
        "run the notebook again from the top, or watch the service anew and update it.",
    )
