"""What judges of updates have in common: the first things to notice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from labkit.base.quoted import verbatim
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence
from labkit.lessons.checks.finding import Finding, Findings
from labkit.recordings.phases import completes_after
from labkit.recordings.recording import ServiceSeen
from labkit.recordings.values import Service

_SAY = Findings("common")

#: The replicas that every exercise begins with.
TEN = 10


def middle(lengths: Iterable[timedelta]) -> timedelta:
    """Return the median of some times: one that was measured. Raises `IndexError` for none."""
    in_order = sorted(lengths)
    return in_order[len(in_order) // 2]


def judged(evidence: Evidence, one: Callable[[Attempt], Finding], try_next: str) -> Finding:
    """Return what a judge says of the update that passes, else of the newest one.

    Without any, what has been done instead, and to try `try_next`.
    """
    if not evidence.attempts:
        return untried(evidence, try_next)
    found = [one(attempt) for attempt in evidence.attempts]
    return next((each for each in found if each.passed), found[0])


def untried(evidence: Evidence, try_next: str) -> Finding:
    """Return that nothing was updated, and what was changed instead, if anything."""
    seen = [c.service for c in evidence.recording.changes if isinstance(c, ServiceSeen)]
    now = evidence.service
    if now is None or not seen:
        return _SAY.not_attempted("service-gone")
    return (
        _scaled(seen[0], now, try_next)
        or _configured(seen[0], now, try_next)
        or _SAY.not_attempted("nothing-updated", now=now, try_next=try_next)
    )


def _scaled(before: Service, now: Service, try_next: str) -> Finding | None:
    if before.replicas == now.replicas:
        return None
    return _SAY.not_yet("scaled", before=before, now=now, try_next=try_next)


def _configured(before: Service, now: Service, try_next: str) -> Finding | None:
    asked = (now.update_config, now.rollback_config)
    if asked == (before.update_config, before.rollback_config):
        return None
    return _SAY.not_yet("configured", now=now, try_next=try_next)


def unfinished(attempt: Attempt) -> Finding | None:
    """Return what to say of an update that is not completed, and of a rollback by hand."""
    if attempt.by_hand:
        return _SAY.not_yet("rollback-by-hand", attempt=attempt)
    if attempt.state == "completed":
        return None
    if attempt.state == "updating":
        return _SAY.not_yet("not-completed", attempt=attempt, tail=completes_after(attempt.config))
    if attempt.state == "paused":
        return _SAY.not_yet("paused", attempt=attempt, said=said(attempt))
    return _SAY.not_yet("taken-back", attempt=attempt, said=said(attempt))


def said(attempt: Attempt) -> str:
    """Return the first error of an update's tasks, to go after a clause; `""` if there is none."""
    errors = attempt.errors
    return f" ({verbatim(errors[0])})" if errors else ""


def broken(attempt: Attempt) -> Finding | None:
    """Return what to say of an update that is completed although its tasks fail."""
    if not attempt.errors:
        return None
    return _SAY.not_yet("tasks-failed", attempt=attempt, error=verbatim(attempt.errors[0]))


def partial(attempt: Attempt, try_next: str) -> Finding | None:
    """Return what to say of an update that replaced tasks of one tag, or not in every slot."""
    total = attempt.before.replicas or 0
    if attempt.before.image == attempt.requested.image:
        return _SAY.not_yet("same-image", attempt=attempt, try_next=try_next)
    if attempt.touched < max(total, TEN):
        return _SAY.not_yet("too-few-slots", attempt=attempt, total=total)
    return None
