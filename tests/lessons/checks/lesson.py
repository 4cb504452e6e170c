"""The recordings that the questions of the lesson are asked of, on labkit's model of Swarm."""

from dataclasses import replace
from datetime import timedelta

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceSeen
from labkit.recordings.values import Service
from tests.claims import claims
from tests.lessons.checks.cases import Case, play

_CASES: list[Case] = claims(__file__)
#: The choice that the lesson's own recording shows, of each question.
LESSON: dict[str, str] = {name: key for case in _CASES for name, key in case["shows"].items()}


def recorded(name: str) -> Recording:
    """What the lesson does before a question is answered, as a recording; it is not changed."""
    return next(play(case).recording for case in _CASES if name in case["shows"])


def cut(recording: Recording, changes: int) -> Recording:
    """The first so many changes of a recording."""
    part = Recording(recording.header)
    for change in recording.changes[:changes]:
        part.add(change)
    return part


def completed(recording: Recording, later: float) -> Recording:
    """A recording whose last update was completed so many seconds later than it was."""
    last = recording.service.update_status.started_at
    moved = Recording(recording.header)
    for change in recording.changes:
        if isinstance(change, ServiceSeen) and _ended(change.service) == last:
            change = replace(change, service=_completed(change.service, later))
        moved.add(change)
    return moved


def _ended(service: Service) -> object:
    """When the update began that has ended, if one has."""
    status = service.update_status
    return status.started_at if status and status.completed_at else None


def _completed(service: Service, later: float) -> Service:
    status = service.update_status
    done = status.completed_at + timedelta(seconds=later)
    return replace(service, update_status=replace(status, completed_at=done))
