"""What an update did to each slot: its new task is made, and runs; its old one ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from labkit.recordings.recording import Recording, TaskSeen


@dataclass(frozen=True, slots=True)
class Changeover:
    """A slot that an update gave a new task which got to run; by the engine's own clock."""

    slot: int
    #: When its new task was made, and when that ran.
    made: datetime
    ran: datetime
    #: When its old task had ended; `None` if that was not seen.
    left: datetime | None = None

    @property
    def took(self) -> timedelta:
        """From the new task's creation until it ran."""
        return self.ran - self.made


def changeovers(
    recording: Recording, tag: str, began: datetime, ended: datetime | None
) -> list[Changeover]:
    """Return the slots that an update to a tag changed over, as their new tasks were made.

    `began` and `ended` are the times of its update status. A task that the restart
    supervisor makes in the same slot later does not count.
    """
    found: dict[int, Changeover] = {}
    left: dict[int, datetime] = {}
    for change in recording.changes:
        if not isinstance(change, TaskSeen) or change.task.slot is None:
            continue
        task, slot = change.task, change.task.slot
        if task.created_at < began:
            if task.ended:
                left.setdefault(slot, task.status_at)
        elif task.running and task.tag == tag and (ended is None or task.created_at <= ended):
            found.setdefault(slot, Changeover(slot, task.created_at, task.status_at))
    in_order = sorted(found.values(), key=lambda each: each.made)
    return [replace(each, left=left.get(each.slot)) for each in in_order]
