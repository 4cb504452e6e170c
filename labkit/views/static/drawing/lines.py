"""Several updates as lines over one another, on an axis that begins when each began. Pure."""

from __future__ import annotations

from itertools import pairwise

from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes
from labkit.views.static.drawing import layout, speed
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import Chart, box, element, line, text, title

#: Strokes as Plotly names them, with what SVG calls them: lines are told apart without colour.
DASHES = {
    "solid": "none",
    "dash": "8 4",
    "dot": "2 3",
    "dashdot": "8 3 2 3",
    "longdash": "14 4",
    "longdashdot": "14 3 2 3",
}
_REPLICAS, _SPEED = 140, 90


def lines(runs: list[Json], label: str) -> str:
    """Return running replicas and hashes a second of each run; `label` says it in words."""
    axis = Axis(0, max(map(_end, runs), default=1) or 1)
    charts = [_replicas(runs, axis)]
    if any(run["speed"] for run in runs):
        charts.append(_speed(runs, axis))
    inside, bottom = layout.stacked(charts, axis, 2)
    inside += layout.times(axis, bottom)
    told, height = _legend(runs, axis, bottom + layout.AXIS + 6)
    return layout.whole(inside + told, height, label)


def _end(run: Json) -> float:
    """Return when a run's update ended, or the last that was seen of one that did not."""
    moments = [at for at, _ in [*run["steps"], *run["speed"]]]
    return float(max(moments, default=0) if run["total"] is None else run["total"])


def _replicas(runs: list[Json], axis: Axis) -> Chart:
    most = max([1, *(count for run in runs for _, count in run["steps"])])
    inside = _scale(axis, _REPLICAS, f"{most}")
    for run in runs:
        corners = _corners(run)
        path = speed.curve([corners] if corners else [], axis, most, _REPLICAS - 8)
        inside += _line(run, path, axis, _REPLICAS)
        inside += _ended(run, axis)
    return Chart(
        "Running replicas; a run's upright line is where its update ended", _REPLICAS, inside
    )


def _speed(runs: list[Json], axis: Axis) -> Chart:
    most = max([rate for run in runs for _, rate in run["speed"] if rate is not None], default=1)
    inside = _scale(axis, _SPEED, f"{most:.0f}")
    for run in runs:
        path = speed.curve(speed.unbroken(_answers(run)), axis, most or 1, _SPEED - 8)
        inside += _line(run, path, axis, _SPEED)
    return Chart("Hashes a second", _SPEED, inside)


def _answers(run: Json) -> list[tuple[float, float | None]]:
    return [(at, rate) for at, rate in run["speed"] if at <= _end(run)]


def _scale(axis: Axis, height: float, most: str) -> str:
    begin, end = axis.ends
    ends = text(begin, height + 3.5, "0", "end", dx=-6) + text(begin, 12, most, "end", dx=-6)
    return line(begin, height, end, height) + line(begin, 8, end, 8, stroke_opacity=0.12) + ends


def _corners(run: Json) -> list[tuple[float, float]]:
    """Return the corners of a line in steps: each count holds until the next one."""
    end = _end(run)
    steps = [(at, count) for at, count in run["steps"] if at <= end]
    steps += [(end, count) for _, count in steps[-1:]]
    turns = [
        at_count for (_, held), (at, now) in pairwise(steps) for at_count in ((at, held), (at, now))
    ]
    return steps[:1] + turns


def _line(run: Json, path: str, axis: Axis, height: float) -> str:
    drawn = speed.framed(path, axis, height, dash=DASHES[run["dash"]], colour=run["colour"])
    return element("g", title([run["name"]]) + drawn)


def _ended(run: Json, axis: Axis) -> str:
    if run["total"] is None:
        return ""
    x, look = axis.x(run["total"]), {"stroke": run["colour"], "stroke_opacity": 0.9}
    said = title([f"{run['name']} ended after {minutes(run['total'])}"])
    dashed = DASHES[run["dash"]]
    return element("g", said + line(x, 8, x, _REPLICAS, stroke_dasharray=dashed, **look))


def _legend(runs: list[Json], axis: Axis, y: float) -> tuple[str, float]:
    """Return what each line is of, a line each, and where that ends."""
    inside = ""
    begin, _ = axis.ends
    for run in runs:
        look = {"stroke": run["colour"], "stroke_opacity": 1, "stroke_width": 2.5}
        sample = line("0", 8, "36", 8, stroke_dasharray=DASHES[run["dash"]], **look)
        words = text("44", 12, run["name"], fill_opacity=1)
        inside += box(sample + words, 18, x=begin, y=y)
        y += 18
    return inside, y + 2
