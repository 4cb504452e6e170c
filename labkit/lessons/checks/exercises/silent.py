"""An exercise about a bug that ends no task, and so goes unnoticed without a health check. Pure."""

from __future__ import annotations

from datetime import timedelta
from statistics import mean

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import untried
from labkit.lessons.checks.exercises.lives import (
    Life,
    after_failures,
    errors,
    lives,
    unchecked,
    where,
)
from labkit.lessons.checks.finding import Finding, not_yet, passed
from labkit.lessons.checks.wording import seconds
from labkit.recordings import speed
from labkit.recordings.recording import Recording
from swarmsim.go import durations

_STUCK = "stuck"
#: The tags that the engine may have from the lesson; none of them has a health check.
_OF_THE_LESSON = {"1.0", "1.1", "bugged", "deaf", "faster", "one-bad", "three-bad", _STUCK}
#: At fewer hashes a second nobody works.
_STILL = 0.5
#: Hashes a second are read off so many points, at either end of an update.
_POINTS = 3
#: A point is of this much time before it and after it.
_HALF = timedelta(seconds=speed.WINDOW / 2)


def _judge(evidence: Evidence) -> Finding:
    tried = [each for each in evidence.attempts if not each.by_hand]
    if not tried:
        return _by_hand(evidence) if evidence.attempts else untried(evidence, _FIRST)
    caught = [each for each in tried if each.rolled_back and _unhealthy(each)]
    if not caught:
        return _not_caught(tried[0], evidence)
    since = [each for each in tried if each.update.began > caught[-1].update.began]
    let_through = [each for each in since if _is_let_through(each)]
    if let_through:
        return _both(caught[-1], let_through[0])
    return _not_let_through(caught[-1], since)


def _unhealthy(attempt: Attempt) -> list[Life]:
    return [life for life in lives(attempt) if life.unhealthy]


def _is_let_through(attempt: Attempt) -> bool:
    failed_unprompted = any(life.failed_unprompted for life in lives(attempt))
    return attempt.state == "completed" and not failed_unprompted and not _is_blind(attempt)


def _is_blind(attempt: Attempt) -> bool:
    """Whether the image that an update went to has no health check."""
    return attempt.tag in _OF_THE_LESSON or unchecked(attempt)


def _by_hand(evidence: Evidence) -> Finding:
    now = evidence.service.tag if evidence.service else "nothing"
    return not_yet(
        f"the only change since the exercise began is a rollback by hand, to {now}.",
        "Whoever asks for a rollback has noticed the bug himself; here the swarm is to notice.",
        _FIRST,
    )


# ---- the bug is not caught yet -------------------------------------------------------------


def _not_caught(attempt: Attempt, evidence: Evidence) -> Finding:
    unhealthy = _unhealthy(attempt)
    if not attempt.status.settled:
        return _not_over(attempt, evidence)
    if attempt.state == "completed":
        return _watched_nothing(attempt, unhealthy) if unhealthy else _unnoticed(attempt, evidence)
    if unhealthy:  # and not rolled back
        return not_yet(
            f"the update to {attempt.tag} was paused, after {where(unhealthy)} had been found "
            f"unhealthy and stopped{errors(unhealthy)}.",
            "A task that is stopped because it is unhealthy is a failure like any other, and the "
            f"failure action is {attempt.config.failure_action}.",
            "set the failure action that brings the old tag back, and update once more.",
        )
    return _crashed(attempt)


def _not_over(attempt: Attempt, evidence: Evidence) -> Finding:
    waiting = [
        life for life in lives(attempt) if life.last.state == "starting" and not life.last.ended
    ]
    if not waiting:
        return not_yet(
            f"the update to {attempt.tag} is not over: {attempt.message}.",
            "Whether it stays is known when its last monitor window is over.",
            "wait until the view says `completed` or `rollback_completed`, and check again.",
        )
    longest = max(evidence.now - life.last.status_at for life in waiting)
    return not_yet(
        f"the update to {attempt.tag} is not over: {where(waiting)}, still `starting` after "
        f"{seconds(longest)}.",
        "With a health check a task runs only after its first healthy probe, and has failed "
        "after so many unhealthy ones in a row as the retries say, an interval apart. Docker's "
        "defaults are 30 s and 3: a minute and a half a slot.",
        "wait; or build the image with a shorter --interval, such as 4s, and fewer --retries, and "
        "update to that.",
    )


def _unnoticed(attempt: Attempt, evidence: Evidence) -> Finding:
    running = sum(t.running and t.tag == attempt.tag for t in attempt.recording.current)
    if attempt.tag == "1.0":
        return not_yet(
            "the newest update went back to 1.0, and is completed.",
            f"That the update to {_STUCK} was no good, you have noticed yourself.",
            _CHECK,
        )
    blind = (
        "Without a health check nothing looks whether it works."
        if attempt.tag in _OF_THE_LESSON
        else f"If {attempt.tag} has the bug, either it has no health check, or one that says yes "
        "to a worker that does nothing."
    )
    return not_yet(
        f"the update to {attempt.tag} is completed: {running} replicas run it, none of its tasks "
        f"failed{_speeds(attempt, evidence.recording)}.",
        f"Swarm counts tasks that end. A worker that waits for ever does not end, so for Swarm it "
        f"runs. {blind}",
        _CHECK,
    )


def _watched_nothing(attempt: Attempt, unhealthy: list[Life]) -> Finding:
    saw = (
        f"the update to {attempt.tag} is completed, although {where(unhealthy)} had been found "
        f"unhealthy and stopped{errors(unhealthy)}."
    )
    if attempt.config.failure_action == "continue":
        return not_yet(
            saw,
            "The failure action is continue, so Swarm does not look at failures.",
            "set failure_action to rollback.",
        )
    config = attempt.config
    return not_yet(
        saw,
        f"They were {attempt.failures} failures that counted, with a ratio of "
        f"{config.max_failure_ratio:g} and a monitor window of "
        f"{durations.to_text(config.monitor)}: too few, or too late.",
        "leave ratio and monitor at their defaults (0 and 5s), and update once more.",
    )


def _crashed(attempt: Attempt) -> Finding:
    became = "rolled back" if "rollback_started" in attempt.states else attempt.state
    return not_yet(
        f"{attempt.tag} was {became}{after_failures(attempt)}.",
        f"A task that ends is noticed anyway. The bug of {_STUCK} is one that never ends a task; "
        "no health check has found anything here.",
        "see with `labkit.logs` why they end, mend that, and keep the bug: it is to be caught by "
        "a health check.",
    )


# ---- it is caught; whoever works must be let through --------------------------------------


def _not_let_through(caught: Attempt, since: list[Attempt]) -> Finding:
    newest = since[0] if since else caught
    if not newest.status.settled:
        return not_yet(
            f"{_caught(caught)} The update to {newest.tag} is not over.",
            "With a health check a task runs only after its first healthy probe.",
            "wait until the view says `completed`, and check again.",
        )
    if newest is not caught and newest.state == "completed":
        return not_yet(
            f"{_caught(caught)} The newest update, to {newest.tag}, is completed.",
            f"{newest.tag} has no health check, so it says nothing about one."
            if _is_blind(newest)
            else "But some of its tasks failed.",
            _MEND,
        )
    if newest is not caught:
        return not_yet(
            f"{_caught(caught)} The update to {newest.tag} after that was not completed "
            f"either{after_failures(newest)}.",
            f"Either {newest.tag} has the bug still, or the check says no to whoever works as "
            "well. Only an image that gets through tells which.",
            "run the check's command by hand in a container that works: "
            "`docker exec CONTAINER COMMAND; echo $?` is 0 if it says yes.",
        )
    return not_yet(
        f"{_caught(caught)} No other image with that check was tried after that.",
        "A check that says no to whoever works would have done the same. So long as no image "
        "gets through, it is not known which of the two it is.",
        _MEND,
    )


def _both(caught: Attempt, let_through: Attempt) -> Finding:
    took = f" in {seconds(let_through.total)}" if let_through.total else ""
    return passed(
        f"{_caught(caught)} {let_through.tag} was completed{took}, and none of its tasks failed.",
        "A health check turns a bug that ends nothing into a task that ends: Docker stops who is "
        "unhealthy, and Swarm counts that as a failure. What is done about it is the failure "
        "action's business, as with any other. While a task is `starting` no other slot "
        "is taken in its stead, so few are at risk.",
    )


def _caught(attempt: Attempt) -> str:
    unhealthy = _unhealthy(attempt)
    first = min(life.lasted for life in unhealthy)
    how = errors(unhealthy) or (
        " (the worker obeys SIGTERM and ends with exit code 0, so `docker service ps` says "
        "Complete, and no error)"
    )
    return (
        f"{attempt.tag} was rolled back by itself, after {where(unhealthy)} had been found "
        f"unhealthy and stopped, {seconds(first)} after its start{how}."
    )


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
        return f"{_STUCK} is built; the service still runs {service.tag}."
    untried_tags = sorted(evidence.tags - _OF_THE_LESSON - tried)
    if untried_tags:
        return f"You have built {', '.join(untried_tags)}; the service asks for {service.tag}."
    action = service.update_config.failure_action
    return f"The service asks for {service.tag}, and its failure action is {action}."


_FIRST = f"update to {_STUCK} with failure action rollback, and see what becomes of it."
_CHECK = (
    "add a HEALTHCHECK to worker/Dockerfile that looks at the age of the file `worked`, build a "
    "tag of your own with the bug still in it, and update to that."
)
_MEND = (
    "take the bug out of worker.py (the two lines at the top of `work_once`), build a tag with "
    "the same health check, and update to it."
)

SILENT_BUG = exercise(
    "silent-bug",
    _judge,
    begins=Begins(tag="1.0", edits=("faster", _STUCK), images=(Image(("faster", _STUCK)),)),
    notice=_notice,
)
