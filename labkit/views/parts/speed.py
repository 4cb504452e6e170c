"""What the application gets done: hashes a second, over time. Pure."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from labkit.views.pages import render
from labkit.views.parts.axis import Axis, Chart, moment, plotly
from labkit.views.state.view_state import Json

TITLE = "The application’s speed, in hashes a second"
_HEIGHT = 50
#: Points of a line that are drawn, about.
_MOST_POINTS = 500

Line = list[tuple[float, float]]


def svg(view_state: Json, axis: Axis, _: str) -> Chart:
    """Return the chart. Where there is no answer the line is broken."""
    points = [point for point in view_state["speed"] if axis.shows(point[0])]
    most = max((rate for _, rate in points if rate is not None), default=0) or 1
    path = curve(unbroken(points), axis, most, _HEIGHT - 8)
    inside = render("charts/speed.svg", axis=axis, path=path, high=_HEIGHT, most=f"{most:.0f}")
    return Chart(TITLE, _HEIGHT, inside)


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


def curve(lines: Iterable[Line], axis: Axis, most: float, height: float) -> Markup:
    """Return lines as a path, in the units that the template's `curve` stretches."""
    length = (axis.end - axis.begin) or 1
    paths = (
        "L".join(
            f"{1000 * (at - axis.begin) / length:.1f} {height * (1 - y / most):.1f}"
            for at, y in each
        )
        for each in lines
    )
    return Markup("".join(f"M{path}" for path in paths))  # noqa: S704 - numbers


def figure(view_state: Json) -> Json:
    """Return the chart as a line of Plotly's."""
    points = view_state["speed"]
    line = plotly("rate", x=[moment(at) for at, _ in points], y=[rate for _, rate in points])
    return {"data": [line], "layout": plotly("speed")}
