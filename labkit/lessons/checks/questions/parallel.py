"""What notebook 2 asks: how long an update in pairs takes, and what a delay costs. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import ceil

from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.changeovers import Changeover
from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import (
    at_worst,
    how_it_ended,
    nearest,
    newest,
    settings,
    tail,
    why_then,
    workers,
)
from labkit.lessons.checks.wording import counted, seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.recording import Recording
from swarmsim.go import durations

_FIVE = timedelta(seconds=5)
#: Two times of the engine's that are closer than this say nothing about which came first.
_CLOSE = timedelta(seconds=0.1)
#: So far apart two slots of one pair are when the one is the slower.
_APART = timedelta(seconds=0.5)


def _rounds(attempt: Attempt) -> int:
    """Return how many slots the busiest of the updaters had, if all are equally fast."""
    slots = len(attempt.changeovers)
    return ceil(slots / workers(attempt.config, slots)) if slots else 0


def _changeover(attempt: Attempt) -> timedelta:
    """Return how long a slot took to change over, on average."""
    took = [slot.took for slot in attempt.changeovers]
    return sum(took, timedelta(0)) / len(took)


def _is_of_ten(attempt: Attempt) -> bool:
    """Whether an update was completed that had as many slots as the choices speak of."""
    return tail(attempt) is not None and _rounds(attempt) == 5


# ---- two at a time, with a delay ---------------------------------------------------


def _pairs_completed(recording: Recording) -> Reading:
    """Read after how long the update was completed, against what each belief would give."""
    attempt, fits = newest(recording, _is_pairs)
    end = tail(attempt)
    if end is None:
        because = "Swarm says completed only of an update that has replaced every slot."
        return Reading("", how_it_ended(attempt), because)
    config, slots = attempt.config, attempt.changeovers
    saw = (
        f"the last new task ran after {seconds(end.ran)}, and {seconds(end.watched)} later, "
        f"after {seconds(end.total)} in all, the update was completed."
    )
    mean = _changeover(attempt)
    choice = nearest(
        end.total,
        {
            "later": end.ran + completes_after(config),
            "window": end.ran + config.monitor,
            "last": end.ran,
            "delays": _rounds(attempt) * config.delay,
            "single": len(slots) * (mean + config.delay),
        },
    )
    because = (
        f"With {settings(config)}, {counted(workers(config, len(slots)), 'updater')} had "
        f"{counted(len(slots), 'slot')} to replace, and each took {seconds(mean)} on average to "
        f"change over. {why_then(config)}"
    )
    return Reading(choice if fits else "", saw, because)


def _is_pairs(attempt: Attempt) -> bool:
    """Whether an update is the one that the question is about, and was completed."""
    config = attempt.config
    return config.parallelism == 2 and config.delay == _FIVE and _is_of_ten(attempt)


PAIRS_COMPLETED = question("pairs-completed", _pairs_completed)

# ---- do they wait for one another? -------------------------------------------------


def _pairs_batches(recording: Recording) -> Reading:
    """Read whether an updater took its next slot before the other one was ready for it."""
    attempt, fits = newest(recording, _in_groups)
    slots, delay = attempt.changeovers, attempt.config.delay
    if not fits:
        saw = f"an update with {settings(attempt.config)}, which had one group of slots at most."
        if attempt.state != "completed":
            saw = how_it_ended(attempt)
        return Reading("", saw, _NEVER_WAIT)
    size = workers(attempt.config, len(slots))
    groups = [slots[first : first + size] for first in range(0, len(slots), size)]
    pairs = list(pairwise(groups))
    before = [_before(group, after, delay) for group, after in pairs]
    early, slow, next_one = max(before, key=lambda each: each[0])
    if early > _CLOSE:
        saw = (
            f"slot {next_one.slot} was begun {seconds(early)} before slot {slow.slot}'s updater "
            "was free: the other updater had not waited for it."
        )
        return Reading("goes-on", saw, _NEVER_WAIT)
    spread = max(_spread(group) for group, _ in pairs)
    if spread > _APART:
        saw = (
            f"no slot was taken before all before it ran, though they ran {seconds(spread)} apart."
        )
        because = "So it looks when the updaters wait for one another, which Swarm's do not."
        return Reading("waits", saw, because)
    saw = f"those that changed over together ran within {seconds(spread)} of one another."
    because = f"Equally fast updaters look as if they went in step. {_NEVER_WAIT}"
    return Reading("", saw, because)


def _in_groups(attempt: Attempt) -> bool:
    """Whether several updaters had several slots each, and every one of these got to run."""
    slots = len(attempt.changeovers)
    complete = attempt.state == "completed" and slots == attempt.touched
    return complete and 1 < workers(attempt.config, slots) < slots


def _before(
    group: list[Changeover], after: list[Changeover], delay: timedelta
) -> tuple[timedelta, Changeover, Changeover]:
    """Return how long before a group was done the next was begun, its slowest, and the next."""
    slow, first = max(group, key=lambda each: each.ran), after[0]
    return slow.ran + delay - first.made, slow, first


def _spread(group: list[Changeover]) -> timedelta:
    ran = [each.ran for each in group]
    return max(ran) - min(ran)


_NEVER_WAIT = (
    "Each updater takes a slot, waits until its new task runs, sleeps the delay, and takes the "
    "next slot; it waits for no other updater, and without a limit for its own task."
)

PAIRS_BATCHES = question("pairs-batches", _pairs_batches)

# ---- all at once -------------------------------------------------------------------


def _parallelism_zero(recording: Recording) -> Reading:
    """Read how many replicas ran at the worst moment of an update with parallelism 0."""
    attempt, fits = newest(recording, lambda each: each.config.parallelism == 0)
    fewest, wanted = at_worst(attempt)
    saw = f"at the worst moment {fewest} of {wanted} replicas ran."
    if not fits:
        because = f"That update had parallelism {attempt.config.parallelism}, so it does not tell."
        return Reading("", saw, because, "update with parallelism 0, and compare once more.")
    choice = ""
    if fewest == wanted:
        choice = "all"
    elif fewest <= wanted / 5:
        choice = "none"
    elif fewest == wanted - 1:
        choice = "one-less"
    because = "Parallelism 0 means an updater for each slot that differs, so all begin at once."
    if attempt.config.order == "start-first":
        because += " With order start-first every old task stays until its new one runs."
    return Reading(choice, saw, because)


PARALLELISM_ZERO = question("parallelism-zero", _parallelism_zero)

# ---- without the delay -------------------------------------------------------------


def _no_delay(recording: Recording) -> Reading:
    """Read how much sooner an update without a delay was completed than one with it."""
    attempt, fits = newest(recording, _is_prompt)
    end = tail(attempt)
    if not fits or end is None:
        saw = how_it_ended(attempt)
        if end:
            saw = f"the update with {settings(attempt.config)} took {seconds(end.total)}."
        because = "The question is about ten slots, two at a time, without a delay."
        return Reading("", saw, because, "update with parallelism 2 and a delay of 0s.")
    rounds, slow = _rounds(attempt), _delayed(recording, attempt)
    config = attempt.config
    watched = completes_after(replace(config, delay=_FIVE)) - _FIVE - config.monitor
    saved = rounds * _FIVE + watched
    saw = f"without a delay the update took {seconds(end.total)}"
    if slow and slow.total:
        saved = slow.total - end.total
        saw += f", which is {seconds(saved)} sooner than the {seconds(slow.total)} with one."
        # what a busy machine took longer to change over is no delay
        saved -= rounds * (_changeover(slow) - _changeover(attempt))
    else:
        saw += f"; delays of 5s would have added {seconds(saved)}."
    expected = {
        "every": rounds * _FIVE + watched,
        "between": (rounds - 1) * _FIVE,
        "once": _FIVE,
        "nothing": timedelta(0),
    }
    return Reading(nearest(saved, expected), saw, _why_sooner(rounds, watched))


def _is_prompt(attempt: Attempt) -> bool:
    """Whether an update is the one that the question is about, and was completed."""
    config = attempt.config
    return config.parallelism == 2 and not config.delay and _is_of_ten(attempt)


def _delayed(recording: Recording, attempt: Attempt) -> Attempt | None:
    """Return the newest update that differs from another by the delay, if there is one."""
    found = [
        each
        for each in attempts(recording)
        if tail(each)
        and each.config.delay == _FIVE
        and replace(each.config, delay=timedelta(0)) == attempt.config
        and len(each.changeovers) == len(attempt.changeovers)
    ]
    return found[-1] if found else None


def _why_sooner(rounds: int, watched: timedelta) -> str:
    longer = ""
    if watched > timedelta(0):
        longer = (
            " And as the delay is no shorter than the monitor window, Swarm watches longer at "
            f"the end, by {durations.to_text(watched)}."
        )
    return (
        f"The busiest updater had {rounds} slots and sleeps after each of them, the last one "
        f"included: {rounds} × 5s.{longer}"
    )


NO_DELAY = question("no-delay", _no_delay)
