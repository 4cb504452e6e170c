"""Several recordings of one service, one after the other, as one. Pure.

A kernel that is restarted ends the recording of an exercise; the next one goes on in
another. What happened between the two was not seen, and the whole says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.recordings.recording import (
    Back,
    Ended,
    Gap,
    Recording,
    ServiceRemoved,
    TaskForgotten,
    TaskSeen,
)

_BETWEEN = "Nothing was recorded here."


def joined(parts: Sequence[Recording]) -> Recording:
    """Return recordings of one service as one, with a gap wherever one ends and the next begins.

    There is one part at least. They stay as they are: a copy may be read while a recorder
    goes on.
    """
    first, *others = parts
    last = parts[-1]
    whole = Recording(first.header)
    _add(whole, first)
    for part in others:
        if not part.changes:
            continue
        whole.add(Gap(whole.last_at, _BETWEEN))
        whole.add(Back(part.changes[0].at))
        _forget(whole, part)
        _add(whole, part)
    for change in tuple(last.changes)[-1:]:
        if isinstance(change, Ended):  # an end only if no part follows
            whole.add(change)
    return whole


def _add(whole: Recording, part: Recording) -> None:
    for change in tuple(part.changes):
        if not isinstance(change, Ended):
            whole.add(change)


def _forget(whole: Recording, part: Recording) -> None:
    """Add that the tasks, and the service, which the next part did not find are gone."""
    at = part.changes[0].at
    seen = (change for change in tuple(part.changes) if change.at == at)
    there = {change.task.id for change in seen if isinstance(change, TaskSeen)}
    if whole.service and whole.service.id != part.header.service_id:
        whole.add(ServiceRemoved(at))
    for task_id in sorted(whole.listed - there):
        whole.add(TaskForgotten(at, task_id))
