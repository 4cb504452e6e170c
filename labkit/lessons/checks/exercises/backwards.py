"""The facts of the exercise that goes from a chart to the config that drew it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median_high

from labkit.base.errors import BadValue
from labkit.base.fields import blanks, build
from labkit.base.rules import Facts, seconds
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.lessons.checks.lives import Changeover
from labkit.recordings.update.phases import completes_after
from labkit.recordings.values import Order, UpdateConfig

#: Tolerance of an answer read off the chart.
_ROUGHLY = timedelta(seconds=1)
_TAIL = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class _Chart:
    began: datetime
    slots: list[Changeover]
    #: From the last start to `completed`.
    tail: timedelta

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
    def pause(self) -> timedelta:
        """The pause that is neither short nor long."""
        return median_high(self.pauses)

    @property
    def changeover(self) -> timedelta:
        return median_high(each.ran - each.made for each in self.slots)

    @property
    def first(self) -> Changeover:
        """The slot that changed over first."""
        return min(self.slots, key=lambda each: (each.made, each.slot))

    def second(self, moment: datetime) -> str:
        return seconds(moment - self.began)


def _chart(attempt: Attempt) -> _Chart | None:
    began, end = attempt.update.started_at, attempt.end
    return _Chart(began, attempt.changeovers, end.watched) if began and end else None


@partial(
    exercise,
    "read-backwards",
    asks=True,
    shipped="recordings/riddle.jsonl",
    parts=("phases", "replicas", "slots"),
)
def _facts(evidence: Evidence, attempt: Attempt | None) -> Facts:
    chart, answer = _chart(attempt) if attempt else None, evidence.answer
    left = blanks(answer) if isinstance(answer, Mapping) else []
    left = ["all of it"] if answer is Ellipsis else left
    facts = {"chart": chart, "blanks": left, "problem": ""}
    if chart is None or answer is None or left:
        return facts
    try:
        config = build(UpdateConfig, answer, "an answer")
    except BadValue as problem:
        return facts | {"problem": problem}
    return facts | {
        "config": config,
        "answered": config.at_once(len(chart.slots)),
        "expected": completes_after(config),
        "roughly": _ROUGHLY,
        "of_the_end": _TAIL,
    }
