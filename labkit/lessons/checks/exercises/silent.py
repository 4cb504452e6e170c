"""What an exercise about a bug that ends no task goes by. Pure."""

from datetime import timedelta
from functools import partial
from statistics import mean

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.lessons.checks.lives import unchecked
from labkit.recordings import speed
from labkit.recordings.recording import Recording

#: The tags that the engine may have from the lesson; none of them has a health check.
_OF_THE_LESSON = {"1.0", "1.1", "bugged", "deaf", "faster", "one-bad", "three-bad", "stuck"}
#: Below so many hashes a second no worker works.
_STILL = 0.5
#: Hashes a second are read off so many points, at either end of an update.
_POINTS = 3
#: A point is of this much time before it and after it.
_HALF = timedelta(seconds=speed.WINDOW / 2)


@partial(exercise, "silent-bug")
def _facts(evidence: Evidence, _: Attempt | None) -> Facts:
    tried = [each for each in evidence.attempts if not each.by_hand]
    newest = tried[0] if tried else None
    caught = [each for each in tried if each.rolled_back and each.unhealthy]
    since = [each for each in tried if caught and each.update.began > caught[-1].update.began]
    tags = {each.tag for each in evidence.attempts}
    waiting = [life for life in newest.lives if life.waits_for_health] if newest else []
    return {
        "attempt": newest,
        "caught": caught[-1] if caught else None,
        "let_through": next(filter(_is_let_through, since), None),
        "newest": since[0] if since else None,
        "waiting": waiting,
        "longest": max((evidence.now - life.last.status_at for life in waiting), default=None),
        "own": sorted(evidence.tags - _OF_THE_LESSON - tags),
        "of_the_lesson": _OF_THE_LESSON,
        "blind": _is_blind,
        "speeds": partial(_speeds, newest, evidence.recording) if newest else None,
    }


def _is_let_through(attempt: Attempt) -> bool:
    return attempt.state == "completed" and not attempt.failed and not _is_blind(attempt)


def _is_blind(attempt: Attempt) -> bool:
    """Whether the image that an update went to has no health check."""
    return attempt.tag in _OF_THE_LESSON or unchecked(attempt.lives)


def _speeds(attempt: Attempt, whole: Recording) -> str:
    """Return what became of the hashes a second, to go after a sentence; `""` if not seen."""
    began, ended = attempt.update.began, attempt.recording.last_at
    points = [(at, value) for at, value in speed.points(whole) if value is not None]
    before = [value for at, value in points if at <= began - _HALF][-_POINTS:]
    after = [value for at, value in points if began < at <= ended][-_POINTS:]
    if not after or mean(after) > _STILL:
        return ""
    if before and mean(before) <= _STILL:
        return f", and there are still {mean(after):.1f} hashes a second"
    was = f" from {mean(before):.1f}" if before else ""
    return f", and hashes a second fell{was} to {mean(after):.1f}"
