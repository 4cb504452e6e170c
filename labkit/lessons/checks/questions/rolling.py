"""The questions of notebooks 1 and 2: Swarm's defaults, pairs, and no delay. Pure."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from math import ceil

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.lives import Changeover
from labkit.lessons.checks.question import question
from labkit.lessons.checks.questions.common import at_worst, nearest, newest
from labkit.recordings.recording import Recording
from labkit.recordings.update.phases import completes_after


@partial(question, "rolling-missing")
def _missing(recording: Recording) -> Facts:
    """Return how many replicas were missing at the worst moment."""
    facts, attempt = newest(recording)
    fewest, wanted = at_worst(attempt)
    at_once = attempt.config.at_once(attempt.budget.slots if attempt.budget else attempt.touched)
    return facts | {
        "fewest": fewest,
        "wanted": wanted,
        "missing": wanted - fewest,
        "at_once": at_once,
        "allowed": 0 if attempt.config.order == "start-first" else at_once,
    }


@partial(question, "rolling-order")
def _order(recording: Recording) -> Facts:
    """Return in which order the slots were taken."""
    facts, attempt = newest(recording)
    slots = [each.slot for each in attempt.changeovers]
    more = ", …" if len(slots) > 10 else ""
    return facts | {"slots": slots, "shown": ", ".join(map(str, slots[:10])) + more}


@partial(question, "rolling-completed")
def _completed(recording: Recording) -> Facts:
    """Return how long after its last new task ran the update was completed."""
    facts, attempt = newest(recording, lambda each: each.end is not None)
    end = facts["end"]
    if not end:
        return facts
    beliefs = {
        "window": attempt.tail,
        "at-once": timedelta(0),
        "each": len(attempt.changeovers) * attempt.config.monitor,
    }
    return facts | {"nearest": nearest(end.watched, beliefs)}


# ---- notebook 2: updates in parallel ---------------------------------------------

_FIVE, _NONE = timedelta(seconds=5), timedelta(0)
#: Two times of the engine's that are closer than this say nothing about which came first.
_CLOSE = timedelta(seconds=0.1)
#: So far apart two slots of one pair are when the one is the slower.
_APART = timedelta(seconds=0.5)


def _rounds(attempt: Attempt) -> int:
    slots = len(attempt.changeovers)
    return ceil(slots / attempt.config.at_once(slots)) if slots else 0


def _changeover(attempt: Attempt) -> timedelta:
    took = [slot.took for slot in attempt.changeovers]
    return sum(took, _NONE) / len(took)


def _is_in_pairs(attempt: Attempt, delay: timedelta) -> bool:
    """Whether an update with such a delay was completed that had the slots the choices speak of."""
    config = attempt.config
    asked = config.parallelism == 2 and config.delay == delay
    return asked and attempt.end is not None and _rounds(attempt) == 5


@partial(question, "pairs-completed")
def _pairs_completed(recording: Recording) -> Facts:
    """Return after how long the update was completed, and what each belief would give."""
    facts, attempt = newest(recording, lambda each: _is_in_pairs(each, _FIVE))
    end, config, slots = facts["end"], attempt.config, attempt.changeovers
    if end is None:
        return facts
    mean = _changeover(attempt)
    beliefs = {
        "later": end.ran + attempt.tail,
        "window": end.ran + config.monitor,
        "last": end.ran,
        "delays": _rounds(attempt) * config.delay,
        "single": len(slots) * (mean + config.delay),
    }
    at_once = config.at_once(len(slots))
    choice = nearest(end.total, beliefs)
    return facts | {"nearest": choice, "mean": mean, "slots": slots, "at_once": at_once}


@partial(question, "pairs-batches")
def _pairs_batches(recording: Recording) -> Facts:
    """Return whether an updater took its next slot before the other one was ready for it."""
    facts, attempt = newest(recording, _in_groups)
    if not facts["fits"]:
        return facts
    slots, delay = attempt.changeovers, attempt.config.delay
    size = attempt.config.at_once(len(slots))
    groups = [slots[first : first + size] for first in range(0, len(slots), size)]
    pairs = list(pairwise(groups))
    before = [_before(group, after, delay) for group, after in pairs]
    early, slow, next_one = max(before, key=lambda each: each[0])
    spread = max(_spread(group) for group, _ in pairs)
    limits = {"close": _CLOSE, "apart": _APART}
    return facts | limits | {"early": early, "slow": slow, "next_one": next_one, "spread": spread}


def _in_groups(attempt: Attempt) -> bool:
    """Whether several updaters had several slots each, and every one of these got to run."""
    slots = len(attempt.changeovers)
    complete = attempt.state == "completed" and slots == attempt.touched
    return complete and 1 < attempt.config.at_once(slots) < slots


def _before(
    group: list[Changeover], after: list[Changeover], delay: timedelta
) -> tuple[timedelta, Changeover, Changeover]:
    """Return how long before a group was done the next was begun, its slowest, and the next."""
    slow, first = max(group, key=lambda each: each.ran), after[0]
    return slow.ran + delay - first.made, slow, first


def _spread(group: list[Changeover]) -> timedelta:
    ran = [each.ran for each in group]
    return max(ran) - min(ran)


@partial(question, "parallelism-zero")
def _parallelism_zero(recording: Recording) -> Facts:
    """Return how many replicas ran at the worst moment of an update with parallelism 0."""
    facts, attempt = newest(recording, lambda each: each.config.parallelism == 0)
    fewest, wanted = at_worst(attempt)
    return facts | {"fewest": fewest, "wanted": wanted}


@partial(question, "no-delay")
def _no_delay(recording: Recording) -> Facts:
    """Return how much sooner an update without a delay was completed than one with it."""
    facts, attempt = newest(recording, lambda each: _is_in_pairs(each, _NONE))
    if not facts["fits"]:
        return facts
    rounds, slow, config = _rounds(attempt), _delayed(recording, attempt), attempt.config
    watched = completes_after(replace(config, delay=_FIVE)) - _FIVE - config.monitor
    saved = by_delays = rounds * _FIVE + watched
    if slow and slow.total:
        saved = slow.total - facts["end"].total
        # the extra time that a busy machine took to change over is not delay
        by_delays = saved - rounds * (_changeover(slow) - _changeover(attempt))
    beliefs = {
        "every": rounds * _FIVE + watched,
        "between": (rounds - 1) * _FIVE,
        "once": _FIVE,
        "nothing": _NONE,
    }
    seen = {"rounds": rounds, "slow": slow, "saved": saved, "watched": watched}
    return facts | seen | {"nearest": nearest(by_delays, beliefs), "none_at_all": _NONE}


def _delayed(recording: Recording, attempt: Attempt) -> Attempt | None:
    """Return the newest update that differs from another by the delay, if there is one."""
    found = [
        each
        for each in attempts(recording)
        if each.end
        and each.config.delay == _FIVE
        and replace(each.config, delay=_NONE) == attempt.config
        and len(each.changeovers) == len(attempt.changeovers)
    ]
    return found[-1] if found else None
