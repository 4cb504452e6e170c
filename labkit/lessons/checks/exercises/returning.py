"""The facts of exercises about rollbacks: what starts one, how much may fail, what is left. Pure.

The last is about a bug that ends no task, so that something else has to find it.
"""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from statistics import mean

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.lessons.checks.lives import unchecked
from labkit.recordings import speed
from labkit.recordings.recording import Recording
from labkit.recordings.values import RollbackConfig, UpdateConfig
from labkit.swarm.spec_change import flags

_NEEDED = "--update-failure-action=rollback"


@partial(exercise, "which-flag")
def _flags(evidence: Evidence, attempt: Attempt | None) -> Facts:
    back = [each for each in evidence.attempts if each.rolled_back]
    alone = next((each for each in back if not _extra(each)), None)
    return {"alone": alone, "extra": _extra(attempt) if attempt else []}


def _extra(attempt: Attempt) -> list[str]:
    """Return the flags that were set and need not have been, as docker spells them.

    The rollback config that governs is that of the spec that comes back; what the failing
    update itself asked for counts as tried, too.
    """
    update = _set(attempt.config, UpdateConfig(), "update")
    asked = _set(attempt.requested.rollback_config, RollbackConfig(), "rollback")
    governing = _set(attempt.before.rollback_config, RollbackConfig(), "rollback")
    extra = list(dict.fromkeys([*update, *governing, *asked]))
    return [flag for flag in extra if flag != _NEEDED]


def _set(config: UpdateConfig, default: UpdateConfig, kind: str) -> list[str]:
    """Return what differs from Swarm's defaults, as flags of `docker service update`."""
    usual = asdict(default)
    return flags(kind, {name: it for name, it in asdict(config).items() if it != usual[name]})


_ONE, _THREE = "one-bad", "three-bad"


@partial(exercise, "one-bad-in-ten")
def _half_broken(evidence: Evidence, _: Attempt | None) -> Facts:
    tried = [each for each in evidence.attempts if each.tag in (_ONE, _THREE) and not each.by_hand]
    return {
        "attempt": tried[0] if tried else None,
        "kept": next(filter(_kept, tried), None),
        "back": next(filter(_went_back, tried), None),
    }


def _kept(attempt: Attempt) -> bool:
    """Whether one bad task in ten was survived, by a config that would roll back three."""
    done = attempt.tag == _ONE and attempt.state == "completed" and attempt.failures > 0
    return done and attempt.config.failure_action == "rollback" and attempt.tolerated() < 3


def _went_back(attempt: Attempt) -> bool:
    """Whether three bad tasks were rolled back, by a config that tolerates one."""
    return attempt.tag == _THREE and attempt.rolled_back and attempt.tolerated() >= 1


@partial(exercise, "way-back")
def _after_it(evidence: Evidence, _: Attempt | None) -> Facts:
    newest_first = evidence.attempts
    automatic = [n for n, each in enumerate(newest_first) if each.rolled_back]
    later = newest_first[: automatic[-1]] if automatic else []
    by_hand = [each for each in later if each.by_hand and each.state == "rollback_completed"]
    # of several the oldest, if a rollback by hand came after it; else the newest is gone on from
    which = automatic[-1 if by_hand else 0] if automatic else 0
    return {
        "automatic": newest_first[which] if automatic else None,
        "by_hand": by_hand[0] if by_hand else None,
        "since": newest_first[0] if which else None,
    }


# ---- a bug that ends nothing -----------------------------------------------------

#: The tags that the engine may have from the lesson; none of them has a health check.
_OF_THE_LESSON = {"1.0", "1.1", "bugged", "deaf", "faster", "one-bad", "three-bad", "stuck"}
#: Fewer hashes a second than this mean that no worker works.
_STILL = 0.5
#: How many points the hashes a second are averaged over, before and after an update.
_POINTS = 3
#: A point averages this much time before it and as much after it.
_HALF = timedelta(seconds=speed.WINDOW / 2)


@partial(exercise, "silent-bug")
def _silent_facts(evidence: Evidence, _: Attempt | None) -> Facts:
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
