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
from labkit.lessons.checks.finding import Finding, Findings
from labkit.lessons.checks.wording import listed, seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.values import Order, UpdateConfig

_SAY = Findings("reading")

#: Tolerance of an answer read off the chart.
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
        return _SAY.not_attempted("no-update")
    answer = evidence.answer
    if answer is None:
        return _SAY.not_attempted("no-answer", saw=_SAY.text("none"))
    blanks = _blanks(answer)
    if blanks:
        saw = _SAY.text("blank", blanks=", ".join(blanks))
        return _SAY.not_attempted("no-answer", saw=saw)
    try:
        config = build(UpdateConfig, answer, "an answer")
    except BadValue as problem:
        return _SAY.not_yet("invalid-config", problem=problem)
    return _compared(chart, config)


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
    pause = _SAY.text("paused", pause=middle(chart.pauses)) if chart.pauses else ""
    first = _FIRST[chart.order]
    return _SAY.passed("passed", chart=chart, pause=pause, first=first, config=config)


def _parallelism(chart: _Chart, config: UpdateConfig) -> Finding | None:
    moment, slots = chart.busiest
    answered = min(config.parallelism or len(chart.slots), len(chart.slots))
    if answered == len(slots):
        return None
    so_many = "too-few" if answered < len(slots) else "too-many"
    return _SAY.not_yet(
        "parallelism",
        second=chart.second(moment),
        count=len(slots),
        slots=listed(sorted(slots)),
        because=_SAY.text(so_many, config=config, answered=answered),
    )


def _order(chart: _Chart, config: UpdateConfig) -> Finding | None:
    if config.order == chart.order:
        return None
    slot = min(chart.slots, key=lambda each: (each.made, each.slot))
    left = chart.second(slot.left) if slot.left else ""
    ended = _SAY.text("had-ended" if left else "ended-later", left=left)
    return _SAY.not_yet("order", slot=slot, second=chart.second(slot.ran), ended=ended)


def _delay(chart: _Chart, config: UpdateConfig) -> Finding | None:
    if not chart.pauses:  # all at once: only the end tells
        return None
    pause = middle(chart.pauses)
    if abs(pause - config.delay) <= _ROUGHLY:
        return None
    return _SAY.not_yet("delay", pause=pause, config=config, chart=chart)


def _end(chart: _Chart, config: UpdateConfig) -> Finding | None:
    expected = completes_after(config)
    if abs(chart.tail - expected) <= _TAIL:
        return None
    return _SAY.not_yet("end", chart=chart, config=config, expected=expected)


READ_BACKWARDS = exercise(
    "read-backwards",
    _judge,
    asks=True,
    shipped="recordings/riddle.jsonl",
    parts=("phases", "replicas", "slots"),
)
