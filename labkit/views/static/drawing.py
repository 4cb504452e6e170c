"""A view state that has come to its end, as SVG: all charts on one time axis. Pure.

It is what a saved notebook, a code host and an HTML export show, where there is neither a
kernel nor plotly.js. Each chart can be drawn alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from markupsafe import Markup

from labkit.views import parts as known
from labkit.views.pages import render
from labkit.views.parts import phases, replicas
from labkit.views.parts.axis import Axis, Chart
from labkit.views.state.sentences import minutes, shortened
from labkit.views.state.view_state import Json
from labkit.views.static import over
from labkit.views.static.still import Drawing

#: px: how high a chart's name is, the room between two charts, a line of a legend, the axis,
#: and the line that tells the tags' looks.
_NAME, _BETWEEN, _LEGEND, _AXIS, _TAGS = 17, 12, 22, 20, 20
#: A letter's width in pixels, about.
_LETTER = 6.6


def drawing(view_state: Json, parts: Iterable[str] | None = None) -> Drawing | None:
    """Return the charts among the parts; `None` if there is none among them."""
    asked = [part for part in known.known_parts(parts) if part in known.CHARTS]
    if not view_state["speed"] and len(asked) > 1:
        asked = [part for part in asked if part != "speed"]
    if not asked:
        return None
    names = any(isinstance(entry[2], str) for entry in view_state["tasks"]) and "slots" in asked
    axis = Axis(0, view_state["end"]["at"] or 1, left=16 if names else 6)
    # two drawings on one page must not take each other's patterns
    drawn = [view_state[key] for key in ("tags", "origin", "end", "steps")], asked
    prefix = f"labkit-{crc32(repr(drawn).encode('utf-8', 'replace')):x}"
    charts = [known.module(part).svg(view_state, axis, prefix) for part in asked]
    labels = over.labels(view_state, axis, states="phases" not in asked)
    tags = list(_tags(view_state)) if {"replicas", "slots"} & {*asked} else []
    first_line = _TAGS if tags or view_state["badge"] else 0
    return stacked(
        charts,
        axis,
        over.head_room(labels) + first_line + 2,
        _in_words(view_state, asked, axis),
        template="drawing.svg",
        over=over.over(view_state, axis, labels),
        looks=view_state["tags"],
        tags=tags,
        badge=view_state["badge"],
        prefix=prefix,
    )


def stacked(
    charts: Iterable[Chart],
    axis: Axis,
    top: float,
    label: str,
    *,
    template: str = "stack.svg",
    legends: Iterable[Markup] = (),
    **more: object,
) -> Drawing:
    """Return charts one under the other over one time axis; `label` says it in words."""
    placed, y = [], top
    for chart in charts:
        placed.append((y, y + _NAME, chart))
        y += _NAME + chart.height + _BETWEEN
    bottom = y - _BETWEEN
    told = [*legends, *(line for *_, chart in placed for line in (chart.legend, chart.note))]
    below = [(bottom + _AXIS + n * _LEGEND, line) for n, line in enumerate(filter(None, told))]
    height = round(bottom + _AXIS + len(below) * _LEGEND)
    what = {"axis": axis, "top": top, "bottom": bottom, "charts": placed, "below": below}
    return Drawing(render(template, height=height, label=label, **what, **more), height, label)


def _tags(view_state: Json) -> Iterator[tuple[float, str]]:
    """Return which look is which tag: where it stands, and its name."""
    x = 0.0
    for tag, *_ in view_state["tags"]:
        shown = shortened(tag, 24)
        yield x, shown
        x += 36 + len(shown) * _LETTER


def _in_words(view_state: Json, asked: list[str], axis: Axis) -> str:
    """Return what the drawing shows, for those who do not see it."""
    words = [f"{view_state['service']}, from 0:00 to {minutes(axis.end)}."]
    if badge := view_state["badge"]:
        words.append(f"{badge.word.capitalize()}. {badge.meaning}")
    if "phases" in asked:
        words.append(phases.in_words(view_state))
    if "replicas" in asked:
        words.append(replicas.in_words(view_state))
    return " ".join([*words, view_state["status"]["sentence"]])
