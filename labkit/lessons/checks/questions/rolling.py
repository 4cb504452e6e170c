"""What notebook 1 asks of an update with Swarm's defaults. Pure."""

from __future__ import annotations

from datetime import timedelta

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import (
    at_worst,
    how_it_ended,
    nearest,
    newest,
    tail,
    why_then,
    workers,
)
from labkit.lessons.checks.wording import counted, seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.recording import Recording

# ---- how many are missing ----------------------------------------------------------


def _missing(recording: Recording) -> Reading:
    """Read how many replicas were missing at the worst moment."""
    attempt, _ = newest(recording)
    fewest, wanted = at_worst(attempt)
    missing = wanted - fewest
    were = {0: "none was", 1: "one was"}.get(missing, f"{missing} were")
    saw = f"at the worst moment {fewest} of {wanted} replicas ran, so {were} missing."
    choice = {0: "none", 1: "one", wanted: "all", 2: "two"}.get(missing, "")
    return Reading(choice, saw, _why_missing(attempt, missing))


def _why_missing(attempt: Attempt, missing: int) -> str:
    config, slots = attempt.config, attempt.budget.slots if attempt.budget else attempt.touched
    at_once = workers(config, slots)
    if config.order == "start-first":
        because = "With order start-first a slot's old task is stopped only when its new one runs."
    else:
        many = "one slot is in hand" if at_once == 1 else f"up to {at_once} slots are in hand"
        because = (
            f"With parallelism {config.parallelism}, {many} at the same time, and with order "
            "stop-first the old task of a slot stops before its new one starts."
        )
    allowed = 0 if config.order == "start-first" else at_once
    more = " Those missing beyond that had failed." if missing > allowed else ""
    return because + more


MISSING = question("rolling-missing", _missing)

# ---- in which order ----------------------------------------------------------------


def _order(recording: Recording) -> Reading:
    """Read in which order the slots were taken."""
    attempt, _ = newest(recording)
    slots = [each.slot for each in attempt.changeovers]
    if len(slots) < 2:
        saw = f"{counted(len(slots), 'slot')} got a new task that ran, which is no order."
        return Reading("", saw, f"As seen: {how_it_ended(attempt)}")
    shown = ", ".join(str(slot) for slot in slots[:10]) + ("" if len(slots) <= 10 else ", …")
    saw = f"the slots were taken in the order {shown}."
    if slots == sorted(slots) or slots == sorted(slots, reverse=True):
        up = slots == sorted(slots)
        because = (
            "That is chance: Swarm takes the slots that differ from the spec as they come, and "
            "promises no order. Another time it is another one."
        )
        return Reading("ascending" if up else "descending", saw, because)
    because = "Swarm takes the slots that differ from the spec as they come, and promises no order."
    return Reading("any", saw, because)


ORDER = question("rolling-order", _order)

# ---- when it is completed ----------------------------------------------------------


def _completed(recording: Recording) -> Reading:
    """Read how long after its last new task ran the update was completed."""
    attempt, fits = newest(recording, lambda each: tail(each) is not None)
    end = tail(attempt)
    if not fits or end is None:
        because = "Swarm says completed only of an update that has replaced every slot."
        return Reading("", how_it_ended(attempt), because)
    config, slots = attempt.config, len(attempt.changeovers)
    choice = nearest(
        end.watched,
        {
            "window": completes_after(config),
            "at-once": timedelta(0),
            "each": slots * config.monitor,
        },
    )
    if config.delay and choice == "window":
        choice = ""
    saw = f"completed came {seconds(end.watched)} after the last of the new tasks had started."
    return Reading(choice, saw, why_then(config))


COMPLETED = question("rolling-completed", _completed)
