"""What judges of updates have in common: the first things to notice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from labkit.base.quoted import verbatim
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence
from labkit.lessons.checks.finding import Finding, not_attempted, not_yet
from labkit.lessons.checks.wording import counted
from labkit.recordings.phases import completes_after
from labkit.recordings.recording import ServiceSeen
from labkit.recordings.values import Service
from swarmsim.go import durations

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
        return not_attempted(
            "the service is not there.",
            "There is nothing that could be updated.",
            "begin the exercise once more: run its first cell again.",
        )
    return (
        _scaled(seen[0], now, try_next)
        or _configured(seen[0], now, try_next)
        or not_attempted(
            f"the service runs {now.tag}, and nothing was updated since the exercise began.",
            "There is no update to judge yet; where a blank is left, nothing is changed.",
            try_next,
        )
    )


def _scaled(before: Service, now: Service, try_next: str) -> Finding | None:
    if before.replicas == now.replicas:
        return None
    return not_yet(
        f"the service was scaled from {before.replicas} to {now.replicas} replicas, "
        f"and still runs {now.tag}.",
        "A scale fills or empties slots; no task is replaced by it, so it is no update.",
        try_next,
    )


def _configured(before: Service, now: Service, try_next: str) -> Finding | None:
    asked = (now.update_config, now.rollback_config)
    if asked == (before.update_config, before.rollback_config):
        return None
    return not_yet(
        f"the service has another update config than before, and still runs {now.tag}.",
        "An update config says how tasks are replaced when something about them changes. "
        "Nothing about them did, so no task was replaced.",
        try_next,
    )


def unfinished(attempt: Attempt) -> Finding | None:
    """Return what to say of an update that is not completed, and of a rollback by hand."""
    if attempt.by_hand:
        return not_yet(
            f"the newest change is a rollback by hand, to {attempt.tag}.",
            "A rollback is governed by the rollback config, and not by the update config.",
            "update the service instead, to another tag.",
        )
    to = f"the update from {attempt.before.tag} to {attempt.tag}"
    if attempt.state == "completed":
        return None
    if attempt.state == "updating":
        return not_yet(
            f"{to} is not completed.",
            f"Swarm says so {durations.to_text(completes_after(attempt.config))} after the last "
            "replica has started: a last delay, if there is one, and the monitor window.",
            "wait until the view says `completed`, and check again.",
        )
    if attempt.state == "paused":
        return not_yet(
            f"{to} was paused: {attempt.message}.",
            f"Too many of the new tasks failed{_said(attempt)}, and the failure action is pause.",
            f"see why with `labkit.logs`, mend {attempt.tag}, and update again.",
        )
    return not_yet(
        f"{to} was taken back by Swarm.",
        f"Too many of the new tasks failed{_said(attempt)}, and the failure action is rollback.",
        f"see why with `labkit.logs`, mend {attempt.tag}, and update again.",
    )


def _said(attempt: Attempt) -> str:
    errors = attempt.errors
    return f" ({verbatim(errors[0])})" if errors else ""


def broken(attempt: Attempt) -> Finding | None:
    """Return what to say of an update that is completed although its tasks fail."""
    if not attempt.errors:
        return None
    return not_yet(
        f"the update to {attempt.tag} is completed, and tasks of it failed: "
        f"{verbatim(attempt.errors[0])}.",
        "Failures that are tolerated, that nobody watches (`continue`) or that come late do not "
        "stop an update; but what is asked for here is an image that runs.",
        f"see why with `labkit.logs`, mend {attempt.tag}, and update again.",
    )


def partial(attempt: Attempt, try_next: str) -> Finding | None:
    """Return what to say of an update that replaced tasks of one tag, or not in every slot."""
    total = attempt.before.replicas or 0
    if attempt.before.image == attempt.requested.image:
        return not_yet(
            f"the newest update replaced {attempt.tag} by {attempt.tag} "
            f"in {counted(attempt.touched, 'slot')}.",
            "With `force` every task is replaced although nothing differs; "
            "what is asked for here is an update from one tag to another.",
            try_next,
        )
    if attempt.touched < max(total, TEN):
        return not_yet(
            f"the update to {attempt.tag} touched {counted(attempt.touched, 'slot')}; "
            f"there were {counted(total, 'replica')}.",
            "Only slots whose task differs from the new spec are updated, and fewer slots take "
            f"less time. What is asked for here is an update of all {TEN}.",
            f"bring {TEN} replicas back to one tag, and then update them all to another.",
        )
    return None
