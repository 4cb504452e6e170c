"""The hashes a second of dockercoins over time, as a line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import ACCENT, Chart, box, element, line, text

_HEIGHT = 70
#: Points of a line that are drawn, about.
_MOST_POINTS = 500
_UNITS = 1000

Line = list[tuple[float, float]]


def chart(points: list[tuple[float, float | None]], axis: Axis) -> Chart:
    """Return the chart. Where there is no answer the line is broken."""
    most = max((rate for _, rate in points if rate is not None), default=0) or 1
    begin, end = axis.ends
    inside = line(begin, _HEIGHT, end, _HEIGHT) + text(begin, _HEIGHT + 3.5, "0", "end", dx=-6)
    inside += text(begin, 12, f"{most:.0f}", "end", dx=-6)
    path = curve(unbroken(points), axis, most, _HEIGHT - 8)
    return Chart("Hashes a second", _HEIGHT, element("g", inside) + framed(path, axis, _HEIGHT))


def unbroken(points: Iterable[tuple[float, float | None]]) -> Iterator[Line]:
    """Return the points in lines without a break, not more of them than can be told apart."""
    points = list(points)
    every = max(1, len(points) // _MOST_POINTS)
    found: Line = []
    for at, rate in [*points, (0, None)]:
        if rate is not None:
            found.append((at, rate))
        elif found:
            yield [*found[:-1:every], found[-1]]
            found = []


def curve(lines: Iterable[Line], axis: Axis, most: float, height: float) -> str:
    """Return lines as a path, in the units that `framed` gives it."""
    length = (axis.end - axis.begin) or 1
    return "".join(
        "M"
        + "L".join(
            f"{_UNITS * (at - axis.begin) / length:.1f} {height * (1 - y / most):.1f}"
            for at, y in each
        )
        for each in lines
    )


def framed(path: str, axis: Axis, height: float, *, dash: str = "", colour: str = ACCENT) -> str:
    """Return a path stretched over the axis; the stroke is not stretched with it."""
    drawn = element(
        "path",
        d=path or "M0 0",
        fill="none",
        style=f"stroke:{colour}",
        stroke_width=1.75,
        stroke_linejoin="round",
        stroke_dasharray=dash or "none",
        vector_effect="non-scaling-stroke",
    )
    begin, _ = axis.ends
    return box(
        drawn,
        height - 8,
        x=begin,
        y=8,
        width=axis.width(axis.begin, axis.end),
        viewBox=f"0 0 {_UNITS} {height - 8:g}",
        preserveAspectRatio="none",
        overflow="visible",
    )
