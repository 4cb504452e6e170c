"""Charts one under the other over one time axis, and the SVG around them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.views.state.sentences import minutes
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import Chart, box, element, line, text

#: How much room the axis needs under the charts, in pixels.
AXIS = 20
#: Without a style sheet a drawing is as wide as this, in pixels; with one, as its place.
_WIDTH = 800
_NAME, _BETWEEN, _LEGEND = 17, 12, 22


def stacked(charts: Iterable[Chart], axis: Axis, top: float) -> tuple[str, float]:
    """Return the charts one under the other, and where the last one ends."""
    inside, y = "", top
    begin, _ = axis.ends
    for chart in charts:
        name = text(begin, _NAME - 5, chart.name, font_weight=600)
        moved = element("g", chart.inside, transform=f"translate(0 {_NAME})")
        inside += element("g", name + moved, transform=f"translate(0 {y:.1f})")
        y += _NAME + chart.height + _BETWEEN
    return inside, y - _BETWEEN


def times(axis: Axis, bottom: float) -> str:
    """Return the axis with its labels, under charts that end at `bottom`."""
    begin, end = axis.ends
    inside = line(begin, bottom + 3, end, bottom + 3, stroke_opacity=0.5)
    for at in axis.ticks():
        x = axis.x(at)
        inside += line(x, bottom + 3, x, bottom + 6, stroke_opacity=0.5)
        inside += text(x, bottom + 16, minutes(at), "middle")
    return inside


def below(charts: Iterable[Chart], axis: Axis, y: float) -> tuple[str, float]:
    """Return legends and notes, from `y` on, and where the drawing ends."""
    inside = ""
    begin, _ = axis.ends
    for chart in charts:
        if chart.legend:
            inside += box(chart.legend, _LEGEND, x=begin, y=y + 2)
            y += _LEGEND
        if chart.note:
            inside += text(begin, y + 14, chart.note, font_style="italic")
            y += _LEGEND
    return inside, y


def whole(inside: str, height: float, label: str) -> str:
    """Return a drawing; `label` is what it shows, in words."""
    return box(
        inside,
        height,
        xmlns="http://www.w3.org/2000/svg",
        class_="labkit-drawing",
        role="img",
        aria_label=label,
        width=_WIDTH,
        font_family="system-ui, sans-serif",
        font_size=11,
        style="width:100%;display:block",
    )
