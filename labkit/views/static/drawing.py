"""A view state that has come to its end, as SVG: all charts on one time axis. Pure.

It is what a saved notebook, a code host and an HTML export show, where there is neither a
kernel nor plotly.js. Each chart can be drawn alone.
"""

from collections.abc import Iterable, Iterator
from zlib import crc32

from markupsafe import Markup

from labkit.views import parts as known
from labkit.views.pages import render
from labkit.views.parts import phases, replicas
from labkit.views.parts.axis import Axis, Chart
from labkit.views.state.sentences import minutes, shortened, spoken
from labkit.views.state.view_state import Json
from labkit.views.static.still import Drawing

#: px: how high a chart's name is, the room between two charts, a line of a legend, the axis,
#: and the line that tells the tags' looks.
_NAME, _BETWEEN, _LEGEND, _AXIS, _TAGS = 17, 12, 22, 20, 20
#: A letter's width in pixels, about.
_LETTER = 6.6
#: Letters of a mark's label that are drawn.
_MOST_LABEL_LETTERS = 32
#: Of labels above the charts, and px of each.
_LEVELS, _LEVEL = 3, 14
#: A letter's share of the width in a narrow window, in %.
_LABEL_LETTER = 1.15

#: A moment, its label, its level above the charts, and the end of the label that is there.
Label = tuple[float, str, int, str]


def drawing(view_state: Json, parts: Iterable[str] | None = None) -> Drawing | None:
    """Return the charts among the parts; `None` if there is none among them."""
    asked = [part for part in known.known_parts(parts) if part in known.CHARTS]
    if len(view_state["speed"]) < 2 and len(asked) > 1:  # a line needs two points
        asked = [part for part in asked if part != "speed"]
    if not asked:
        return None
    names = any(isinstance(entry[2], str) for entry in view_state["tasks"]) and "slots" in asked
    axis = Axis.of(view_state, left=16 if names else 6)
    # two drawings on one page must not take each other's patterns
    drawn = [view_state[key] for key in ("tags", "origin", "end", "steps")], asked
    prefix = f"labkit-{crc32(repr(drawn).encode('utf-8', 'replace')):x}"
    charts = [known.module(part).svg(view_state, axis, prefix) for part in asked]
    marked = labels(view_state, axis, states="phases" not in asked)
    tags = list(_tags(view_state)) if {"replicas", "slots"} & {*asked} else []
    first_line = _TAGS if tags or view_state["badge"] else 0
    return stacked(
        charts,
        axis,
        max((level + 1 for *_, level, _ in marked), default=0) * _LEVEL + first_line + 2,
        _in_words(view_state, asked, axis),
        template="charts/drawing.svg",
        over=across(view_state, axis, marked),
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
    template: str = "charts/stack.svg",
    legends: Iterable[Markup] = (),
    **more: object,
) -> Drawing:
    """Return charts one under the other over one time axis; `label` says it in words."""
    placed, y = [], top
    for chart in charts:
        placed.append((y, y + _NAME, chart))
        y += _NAME + chart.height + _BETWEEN
    bottom = y - _BETWEEN
    told = [*legends, *(line for *_, chart in placed for line in (*chart.legend, chart.note))]
    below = [(bottom + _AXIS + n * _LEGEND, line) for n, line in enumerate(filter(None, told))]
    height = round(bottom + _AXIS + len(below) * _LEGEND)
    what = {"axis": axis, "top": top, "bottom": bottom, "charts": placed, "below": below}
    return Drawing(render(template, height=height, label=label, **what, **more), height, label)


def _tags(view_state: Json) -> Iterator[tuple[int, float, str]]:
    """Return which look is which tag: its number, where it stands, and its name."""
    x = 0.0
    for number, (tag, *_) in enumerate(view_state["tags"]):
        if number in view_state["past"]:
            continue
        shown = shortened(tag, 24)
        yield number, x, shown
        x += 36 + len(shown) * _LETTER


def _in_words(view_state: Json, asked: list[str], axis: Axis) -> str:
    words = [f"{view_state['service']}, from {minutes(axis.begin)} to {minutes(axis.end)}."]
    if badge := view_state["badge"]:
        words.append(f"{badge.word.capitalize()}. {badge.meaning}")
    if "phases" in asked:
        words.append(phases.in_words(view_state))
    if "replicas" in asked:
        words.append(replicas.in_words(view_state))
    return " ".join([*words, view_state["status"]["sentence"]])


# ---- across all charts: marks, changes of the update status, and gaps ------------------


def labels(view_state: Json, axis: Axis, *, states: bool) -> list[Label]:
    """Return the marks, and with `states` the changes of the update status, with labels.

    A label that would meet an earlier one goes a level higher, and one near the right end
    to the left of its mark.
    """
    moments = [(at, label) for at, label in view_state["marks"]]
    if states:
        moments += [(at, spoken(state)) for at, state, *_ in view_state["phases"][1:]]
    found: list[Label] = []
    free = [0.0] * _LEVELS
    for at, words in sorted(moment for moment in moments if axis.shows(moment[0])):
        shown = shortened(words, _MOST_LABEL_LETTERS)
        share, width = axis.share(at), len(shown) * _LABEL_LETTER + 1
        side = "end" if share + width > 100 else "start"
        begin = share - width if side == "end" else share
        level = next((n for n, until in enumerate(free) if begin >= until), _LEVELS - 1)
        free[level] = begin + width
        found.append((at, shown, level, side))
    return found


def across(view_state: Json, axis: Axis, of: list[Label]) -> Json:
    """Return what a drawing has across its charts: marks with their heights, changes, gaps."""
    return {
        "marks": [(at, words, level * _LEVEL, side) for at, words, level, side in of],
        "changes": [at for at, *_ in view_state["phases"][1:] if axis.shows(at)],
        "gap": phases.GAP,
        "gaps": [
            (begin, axis.end if end is None else end, reason)
            for begin, end, reason in view_state["gaps"]
        ],
    }
