"""An exercise about a bug that ends no task, and so goes unnoticed without a health check. Pure."""

from __future__ import annotations

from datetime import timedelta
from statistics import mean

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import untried
from labkit.lessons.checks.finding import Finding, Findings
from labkit.lessons.checks.lives import (
    Life,
    errors,
    unchecked,
    where,
)
from labkit.recordings import speed
from labkit.recordings.recording import Recording

_SAY = Findings("silent")

_STUCK = "stuck"
#: The tags that the engine may have from the lesson; none of them has a health check.
_OF_THE_LESSON = {"1.0", "1.1", "bugged", "deaf", "faster", "one-bad", "three-bad", _STUCK}
#: Below so many hashes a second no worker works.
_STILL = 0.5
#: Hashes a second are read off so many points, at either end of an update.
_POINTS = 3
#: A point is of this much time before it and after it.
_HALF = timedelta(seconds=speed.WINDOW / 2)


def _judge(evidence: Evidence) -> Finding:
    tried = [each for each in evidence.attempts if not each.by_hand]
    if not tried:
        return _by_hand(evidence) if evidence.attempts else untried(evidence, _SAY.text("first"))
    caught = [each for each in tried if each.rolled_back and _unhealthy(each)]
    if not caught:
        return _not_caught(tried[0], evidence)
    since = [each for each in tried if each.update.began > caught[-1].update.began]
    let_through = [each for each in since if _is_let_through(each)]
    if let_through:
        return _both(caught[-1], let_through[0])
    return _not_let_through(caught[-1], since)


def _unhealthy(attempt: Attempt) -> list[Life]:
    return [life for life in attempt.lives if life.unhealthy]


def _is_let_through(attempt: Attempt) -> bool:
    failed_unprompted = any(life.failed_unprompted for life in attempt.lives)
    return attempt.state == "completed" and not failed_unprompted and not _is_blind(attempt)


def _is_blind(attempt: Attempt) -> bool:
    """Whether the image that an update went to has no health check."""
    return attempt.tag in _OF_THE_LESSON or unchecked(attempt.lives)


def _by_hand(evidence: Evidence) -> Finding:
    now = evidence.service.tag if evidence.service else "nothing"
    return _SAY.not_yet("only-by-hand", now=now)


# ---- the bug is not caught yet -------------------------------------------------------------


def _not_caught(attempt: Attempt, evidence: Evidence) -> Finding:
    unhealthy = _unhealthy(attempt)
    if not attempt.status.settled:
        return _not_over(attempt, evidence)
    if attempt.state == "completed":
        return _watched_nothing(attempt, unhealthy) if unhealthy else _unnoticed(attempt, evidence)
    if unhealthy:  # and not rolled back
        return _SAY.not_yet(
            "paused", attempt=attempt, where=where(unhealthy), errors=errors(unhealthy)
        )
    return _crashed(attempt)


def _not_over(attempt: Attempt, evidence: Evidence) -> Finding:
    waiting = [
        life for life in attempt.lives if life.last.state == "starting" and not life.last.ended
    ]
    if not waiting:
        return _SAY.not_yet("not-over", attempt=attempt)
    longest = max(evidence.now - life.last.status_at for life in waiting)
    return _SAY.not_yet(
        "waiting-for-health", attempt=attempt, where=where(waiting), longest=longest
    )


def _unnoticed(attempt: Attempt, evidence: Evidence) -> Finding:
    running = sum(t.running and t.tag == attempt.tag for t in attempt.recording.current)
    if attempt.tag == "1.0":
        return _SAY.not_yet("went-back")
    blind = _SAY.text("no-check" if attempt.tag in _OF_THE_LESSON else "blind", attempt=attempt)
    return _SAY.not_yet(
        "unnoticed",
        attempt=attempt,
        running=running,
        speeds=_speeds(attempt, evidence.recording),
        blind=blind,
    )


def _watched_nothing(attempt: Attempt, unhealthy: list[Life]) -> Finding:
    if attempt.config.failure_action == "continue":
        return _SAY.not_yet(
            "continue", attempt=attempt, where=where(unhealthy), errors=errors(unhealthy)
        )
    config = attempt.config
    return _SAY.not_yet(
        "tolerated",
        attempt=attempt,
        where=where(unhealthy),
        errors=errors(unhealthy),
        config=config,
    )


def _crashed(attempt: Attempt) -> Finding:
    became = "rolled back" if "rollback_started" in attempt.states else attempt.state
    return _SAY.not_yet("crashed", attempt=attempt, became=became)


# ---- the bug is caught, and a working image passes -----------------------------------------


def _not_let_through(caught: Attempt, since: list[Attempt]) -> Finding:
    newest = since[0] if since else caught
    if not newest.status.settled:
        return _SAY.not_yet("other-not-over", caught=_caught(caught), newest=newest)
    if newest is not caught and newest.state == "completed":
        return _SAY.not_yet(
            "other-completed",
            caught=_caught(caught),
            newest=newest,
            why=_SAY.text("says-nothing" if _is_blind(newest) else "some-failed", newest=newest),
        )
    if newest is not caught:
        return _SAY.not_yet("other-failed", caught=_caught(caught), newest=newest)
    return _SAY.not_yet("no-other-image", caught=_caught(caught))


def _both(caught: Attempt, let_through: Attempt) -> Finding:
    took = _SAY.text("took", attempt=let_through) if let_through.total else ""
    return _SAY.passed("passed", caught=_caught(caught), let_through=let_through, took=took)


def _caught(attempt: Attempt) -> str:
    unhealthy = _unhealthy(attempt)
    first = min(life.lasted for life in unhealthy)
    how = errors(unhealthy) or _SAY.text("obeys")
    return _SAY.text("caught", attempt=attempt, where=where(unhealthy), first=first, how=how)


def _speeds(attempt: Attempt, whole: Recording) -> str:
    """Return what became of the hashes a second, to go after a sentence; `""` if not seen."""
    began, ended = attempt.update.began, attempt.recording.last_at
    points = [(at, value) for at, value in speed.points(whole) if value is not None]
    before = [value for at, value in points if at <= began - _HALF][-_POINTS:]
    after = [value for at, value in points if began < at <= ended][-_POINTS:]
    if not after or mean(after) > _STILL:
        return ""
    was = f" from {mean(before):.1f}" if before else ""
    return f", and hashes a second fell{was} to {mean(after):.1f}"


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    tried = {each.tag for each in evidence.attempts}
    if not tried:
        return _SAY.text("notice-built", service=service)
    if own := sorted(evidence.tags - _OF_THE_LESSON - tried):
        return _SAY.text("notice-own", own=", ".join(own), service=service)
    return _SAY.text("notice-tried", service=service)


SILENT_BUG = exercise(
    "silent-bug",
    _judge,
    begins=Begins(tag="1.0", edits=("faster", _STUCK), images=(Image(("faster", _STUCK)),)),
    notice=_notice,
)
