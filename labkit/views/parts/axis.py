"""The time axis that all charts of a drawing share. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from labkit.base.rules import words
from labkit.views.state.focus import LEAD
from labkit.views.state.view_state import Json

#: Seconds between two labels of the axis, that people find easy to count in.
_EASY = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 86_400)
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """Times in ms, and where they stand: in % of the drawing's width.

    In % and not in pixels, so that a narrow window squeezes the time and not the letters.
    """

    begin: float
    end: float
    left: float = 6.0
    right: float = 98.5

    @classmethod
    def of(cls, view_state: Json, left: float = 6.0) -> "Axis":
        """Return the axis of a view state that has ended: where its latest events are."""
        end = view_state["end"]["at"] or 1
        begin, until = view_state["focus"] or (0, None)
        return cls(max(0, min(begin, end - LEAD)), min(until or end, end), left)

    def shows(self, at: float) -> bool:
        """Whether a time is on the axis."""
        return self.begin <= at <= self.end

    def share(self, at: float) -> float:
        """Return where a time stands; one outside the axis stands at its end."""
        inside = min(max(at, self.begin), self.end) - self.begin
        return self.left + (self.right - self.left) * inside / ((self.end - self.begin) or 1)

    def x(self, at: float) -> str:
        """Return where a time stands, as SVG takes it."""
        return percent(self.share(at))

    def width(self, begin: float, end: float) -> str:
        """Return how wide the time between two moments is."""
        return percent(max(0.0, self.share(end) - self.share(begin)))

    @property
    def ends(self) -> tuple[str, str]:
        """Where the axis begins and ends."""
        return percent(self.left), percent(self.right)

    def ticks(self) -> list[int]:
        """Return the times, in ms, at which the axis has a label."""
        length = (self.end - self.begin) / 1000
        step = 1000 * next((s for s in _EASY if length / s <= _MOST_LABELS), round(length) or 1)
        first = -(-int(self.begin) // step) * step
        return list(range(first, int(self.end) + 1, step))


class Chart(NamedTuple):
    """A chart as a drawing has it: how high it is in pixels, and its elements."""

    title: str
    height: float
    inside: Markup
    #: What its signs mean, in lines.
    legend: tuple[Markup, ...] = ()
    #: What it leaves out, as a sentence.
    note: str = ""


def percent(share: float) -> str:
    """Return a share of the width as SVG takes it."""
    return f"{share:.2f}".rstrip("0").rstrip(".") + "%"


def plotly(what: str, /, **values: object) -> dict[str, Any]:
    """Return a trace or a layout of `figures.yaml`, with what was recorded."""
    known: dict[str, Any] = words(Path(__file__).with_name("figures.yaml"))[what]
    return known | values


def moment(ms: float) -> str:
    """Return a time since the start as Plotly takes it; of a small number it makes a year."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds")[:-6]
