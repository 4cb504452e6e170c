"""An exercise backwards: from the chart of an update to the config that drew it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from labkit.base.errors import BadValue
from labkit.base.fields import build
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.changeovers import Changeover
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.lessons.checks.exercises.common import middle
from labkit.lessons.checks.finding import Finding, not_attempted, not_yet, passed
from labkit.lessons.checks.wording import counted, listed, seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.values import Order, UpdateConfig
from swarmsim.go import durations

#: How far from what the chart shows an answer may be: nobody reads it to a tenth.
_ROUGHLY = timedelta(seconds=1)
_TAIL = timedelta(seconds=1.5)
#: Which task of a slot goes first: the new one starts, or the old one stops.
_FIRST: dict[Order, str] = {"start-first": "new", "stop-first": "old"}


@dataclass(frozen=True, slots=True)
class _Chart:
    """What the chart of an update shows."""

    began: datetime
    completed: datetime
    slots: tuple[Changeover, ...]

    @property
    def busiest(self) -> tuple[datetime, set[int]]:
        """The first moment at which most slots were changing over, and which."""
        best = (self.began, set[int]())
        for moment in sorted(each.made for each in self.slots):
            now = {each.slot for each in self.slots if each.made <= moment < each.ran}
            best = (moment, now) if len(now) > len(best[1]) else best
        return best

    @property
    def at_once(self) -> int:
        return len(self.busiest[1])

    @property
    def order(self) -> Order:
        """What went first in most of the slots."""
        new_first = sum(each.left is None or each.ran < each.left for each in self.slots)
        return "start-first" if 2 * new_first > len(self.slots) else "stop-first"

    @property
    def pauses(self) -> list[timedelta]:
        """How long each updater paused, from when a slot of its ran until it took the next.

        As many as there are updaters begin together; whichever is done first goes on first.
        """
        ran = sorted(each.ran for each in self.slots)
        created = sorted(each.made for each in self.slots)
        return [later - done for done, later in zip(ran, created[self.at_once :], strict=False)]

    @property
    def changeover(self) -> timedelta:
        return middle(each.ran - each.made for each in self.slots)

    @property
    def tail(self) -> timedelta:
        """From the last start to `completed`."""
        return self.completed - max(each.ran for each in self.slots)

    def second(self, moment: datetime) -> str:
        return seconds(moment - self.began)


def _chart(attempt: Attempt) -> _Chart | None:
    """Return what there is to read; `None` of an update that is not completed."""
    status = attempt.status
    began = status.started_at
    if attempt.state != "completed" or began is None or status.completed_at is None:
        return None
    slots = tuple(attempt.changeovers)
    return _Chart(began, status.completed_at, slots) if slots else None


# ---- the answer ------------------------------------------------------------------------


def _judge(evidence: Evidence) -> Finding:
    chart = _chart(evidence.last) if evidence.last else None
    if chart is None:
        return not_attempted(
            "the recording holds no update that was completed.",
            "There is nothing in it to read a config off.",
            "run the exercise's first cell again.",
        )
    answer = evidence.answer
    if answer is None:
        return _nothing("no answer was handed in.")
    blanks = _blanks(answer)
    if blanks:
        return _nothing(f"a blank is left in the answer: {', '.join(blanks)}.")
    try:
        config = build(UpdateConfig, answer, "an answer")
    except BadValue as problem:
        return not_yet(
            f"{problem}.",
            "Swarm would not take that as an update config, so it drew no chart.",
            "give the three as `labkit.update` takes them: a number, a duration, an order.",
        )
    return _compared(chart, config)


def _nothing(saw: str) -> Finding:
    return not_attempted(
        saw,
        "The chart holds what is asked for: how many slots, how long a pause, which task first.",
        "begin with the parallelism: count the slots that change over at the same moment.",
    )


def _blanks(answer: object) -> list[str]:
    if answer is Ellipsis:
        return ["all of it"]
    if not isinstance(answer, Mapping):
        return []
    return [str(name) for name, value in answer.items() if value is Ellipsis]


def _compared(chart: _Chart, config: UpdateConfig) -> Finding:
    """Hold an answer to the chart, in the order in which one would look."""
    return (
        _parallelism(chart, config)
        or _order(chart, config)
        or _delay(chart, config)
        or _end(chart, config)
        or _read(chart, config)
    )


def _read(chart: _Chart, config: UpdateConfig) -> Finding:
    slots = counted(chart.at_once, "slot") + " at a time"
    if chart.pauses:
        slots += f", {seconds(middle(chart.pauses))} from a start to the next slot"
    return passed(
        f"{slots}; the {_FIRST[chart.order]} task first; `completed` {seconds(chart.tail)} after "
        "the last start.",
        f"That is parallelism {config.parallelism}, order {config.order} and a delay of "
        f"{durations.to_text(config.delay)}: an updater sleeps it after each of its slots, the "
        "last one included. What would happen to failures is not in this chart: there were none.",
    )


def _parallelism(chart: _Chart, config: UpdateConfig) -> Finding | None:
    moment, slots = chart.busiest
    answered = min(config.parallelism or len(chart.slots), len(chart.slots))
    if answered == len(slots):
        return None
    updaters = f"With parallelism {config.parallelism} there are {counted(answered, 'updater')}"
    because = (
        f"{updaters}, so no more than {counted(answered, 'slot')} would change over at a time."
        if answered < len(slots)
        else f"{updaters}, and each takes a slot at the very beginning: {answered} slots would "
        "have changed over at once."
    )
    return not_yet(
        f"{chart.second(moment)} after the update began, {counted(len(slots), 'slot')} changed "
        f"over at the same time ({listed(sorted(slots))}), and never more.",
        because,
        "draw a line down through the slots of the chart, and count those that are neither "
        "quite old nor quite new; where does it cross most?",
    )


def _order(chart: _Chart, config: UpdateConfig) -> Finding | None:
    if config.order == chart.order:
        return None
    slot = min(chart.slots, key=lambda each: (each.made, each.slot))
    ended = f"had ended {chart.second(slot.left)} after it" if slot.left else "ended later"
    return not_yet(
        f"in slot {slot.slot} the new task ran {chart.second(slot.ran)} after the update began, "
        f"and the old one {ended}.",
        "With order stop-first the new task starts when the old one has ended; with "
        "start-first the old one is told to stop when the new one runs.",
        "follow one row of the chart: is there a moment with no task, or one with two?",
    )


def _delay(chart: _Chart, config: UpdateConfig) -> Finding | None:
    if not chart.pauses:  # all at once: only the end tells
        return None
    pause = middle(chart.pauses)
    if abs(pause - config.delay) <= _ROUGHLY:
        return None
    return not_yet(
        f"from the moment at which a slot's new task ran until its updater took the next slot "
        f"it was {seconds(pause)}.",
        f"With a delay of {durations.to_text(config.delay)} an updater would have paused that "
        "long after each of its slots. The delay begins when the new task runs, so the "
        f"{seconds(chart.changeover)} of a changeover are no part of it.",
        "measure from the start of a running bar to the next new task that appears after a pause.",
    )


def _end(chart: _Chart, config: UpdateConfig) -> Finding | None:
    expected = completes_after(config)
    if abs(chart.tail - expected) <= _TAIL:
        return None
    return not_yet(
        f"`completed` came {seconds(chart.tail)} after the last start.",
        f"With a delay of {durations.to_text(config.delay)} and a monitor window of "
        f"{durations.to_text(config.monitor)} it would have come {seconds(expected)} after it: "
        "the delay, and then the monitor window, or once more the delay and a second where the "
        "delay is at least as long.",
        "take what follows the last start, and subtract five seconds, Swarm's default for the "
        "monitor window. From one start to the next it is a delay *and* a changeover.",
    )


READ_BACKWARDS = exercise(
    "read-backwards",
    _judge,
    asks=True,
    shipped="recordings/riddle.jsonl",
    parts=("phases", "replicas", "slots"),
)
