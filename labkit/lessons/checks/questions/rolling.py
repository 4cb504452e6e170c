"""What notebook 1 asks of an update with Swarm's defaults. Pure."""

from __future__ import annotations

from datetime import timedelta

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.question import Choice, Question, Reading
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
    return Reading(choice, saw, _why_missing(attempt, missing), _TRY_MISSING)


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


_TRY_MISSING = (
    '`labkit.predict(step.worker, image=step.image("1.0"), update_config={"parallelism": 2})` '
    "works out the way back, two at a time: how many are missing then?"
)

MISSING = Question(
    name="rolling-missing",
    title="How many are missing",
    step=1,
    text="Ten replicas run, and nothing is said about how to update them. How many of the ten "
    "will be missing at the worst moment?",
    choices=(
        Choice(
            "none",
            "None",
            "That assumes the new task of a slot to start before the old one stops, which is "
            "order start-first; unless you ask for it, the order is stop-first.",
        ),
        Choice(
            "one",
            "One",
            "That follows from the defaults, parallelism 1 and order stop-first; this update "
            "had other settings, or tasks that failed.",
        ),
        Choice(
            "two",
            "Two",
            "That assumes the next slot to be begun while the one before still changes over; an "
            "updater takes its next slot only when the new task of its last one runs.",
        ),
        Choice(
            "all",
            "All ten",
            "That assumes the service to be stopped and started anew as a whole; an update goes "
            "slot by slot, as many at the same time as parallelism says.",
        ),
    ),
    read=_missing,
)

# ---- in which order ----------------------------------------------------------------


def _order(recording: Recording) -> Reading:
    """Read in which order the slots were taken."""
    attempt, _ = newest(recording)
    slots = [each.slot for each in attempt.changeovers]
    if len(slots) < 2:
        saw = f"{counted(len(slots), 'slot')} got a new task that ran, which is no order."
        return Reading("", saw, f"As seen: {how_it_ended(attempt)}", _TRY_ORDER)
    shown = ", ".join(str(slot) for slot in slots[:10]) + ("" if len(slots) <= 10 else ", …")
    saw = f"the slots were taken in the order {shown}."
    if slots == sorted(slots) or slots == sorted(slots, reverse=True):
        up = slots == sorted(slots)
        because = (
            "That is chance: Swarm takes the slots that differ from the spec as they come, and "
            "promises no order. Another time it is another one."
        )
        return Reading("ascending" if up else "descending", saw, because, _TRY_ORDER)
    because = "Swarm takes the slots that differ from the spec as they come, and promises no order."
    return Reading("any", saw, because, _TRY_ORDER)


_TRY_ORDER = "run the same update again: which slot comes first then?"

ORDER = Question(
    name="rolling-order",
    title="In which order",
    step=1,
    text="In which order will the slots be replaced?",
    choices=(
        Choice(
            "ascending",
            "1, 2, 3 and so on",
            "That assumes the number of a slot to be its place in a queue; it is a name, and "
            "Swarm takes slots in no order that it promises.",
        ),
        Choice(
            "descending",
            "The highest number first",
            "That assumes the newest slot to be the first to go, as it is in some other systems; "
            "Swarm takes slots in no order that it promises.",
        ),
        Choice(
            "any",
            "In no order that Swarm promises",
            "None is promised, indeed; this time the slots came in a row by chance.",
        ),
    ),
    read=_order,
)

# ---- when it is completed ----------------------------------------------------------


def _completed(recording: Recording) -> Reading:
    """Read how long after its last new task ran the update was completed."""
    attempt, fits = newest(recording, lambda each: tail(each) is not None)
    end = tail(attempt)
    if not fits or end is None:
        because = "Swarm says completed only of an update that has replaced every slot."
        return Reading("", how_it_ended(attempt), because, _TRY_COMPLETED)
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
    return Reading(choice, saw, why_then(config), _TRY_COMPLETED)


_TRY_COMPLETED = (
    '`labkit.predict(step.worker, image=step.image("1.0"), update_config={"monitor": "10s"})`: '
    "how much longer does that take?"
)

COMPLETED = Question(
    name="rolling-completed",
    title="When it is completed",
    step=1,
    text="All ten replicas run 1.1. When does Swarm say that the update is completed?",
    choices=(
        Choice(
            "at-once",
            "At once: all ten are new",
            "That assumes completed to mean that every new task runs; Swarm goes on watching the "
            "last ones for a while, as they may fail yet.",
        ),
        Choice(
            "window",
            "Some seconds later: the last ones are still watched",
            "That is so without a delay, which comes after the last slot as well as after "
            "every other one.",
        ),
        Choice(
            "each",
            "Much later: each slot is watched for some seconds, one slot after another",
            "That assumes the windows to come one after another; each begins when its own task "
            "runs, and only the last one is still open when all of them run.",
        ),
    ),
    read=_completed,
)
