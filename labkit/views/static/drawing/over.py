"""What is drawn across all charts: marks, changes of the update status, and gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes, spoken
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import BACK, box, element, line, rect, text, title

#: Letters of a mark's label that are drawn; the whole of it is in the mark's title.
_MOST_LETTERS = 32
_LEVELS = 3
_LEVEL = 14
#: A letter's share of the width in a narrow window, in %.
_LETTER = 1.15

#: A moment, its label, its level above the charts, and the end of the label that is there.
Label = tuple[float, str, int, str]


def labels(picture: Json, axis: Axis, *, states: bool) -> list[Label]:
    """Return the marks, and with `states` the changes of the update status, with labels.

    A label that would meet an earlier one goes a level higher, and one near the right end
    to the left of its mark.
    """
    moments = [(at, label) for at, label in picture["marks"]]
    if states:
        moments += [(at, spoken(state)) for at, state, *_ in picture["phases"][1:]]
    found: list[Label] = []
    free = [0.0] * _LEVELS
    for at, words in sorted(moments):
        shown = words if len(words) <= _MOST_LETTERS else words[: _MOST_LETTERS - 1] + "…"
        share, width = axis.share(at), len(shown) * _LETTER + 1
        side = "end" if share + width > 100 else "start"
        begin = share - width if side == "end" else share
        level = next((n for n, until in enumerate(free) if begin >= until), _LEVELS - 1)
        free[level] = begin + width
        found.append((at, shown, level, side))
    return found


def head_room(of: Iterable[Label]) -> float:
    """Return how much room the labels need above the charts."""
    return max((level + 1 for _, _, level, _ in of), default=0) * _LEVEL


def marked(of: Iterable[Label], axis: Axis, top: float, bottom: float) -> Iterator[str]:
    """Return each mark: a line across all charts, with its label over it."""
    for at, words, level, side in of:
        x, y = axis.x(at), top - level * _LEVEL
        stroke = line(x, y - 10, x, bottom, stroke_opacity=0.9, stroke_width=1.5)
        shift = -4 if side == "end" else 4
        label = text(x, y - 2, words, side, dx=shift, font_weight=600, fill_opacity=1)
        yield element("g", title([f"{minutes(at)} {words}"]) + stroke + label, class_="mark")


def changes(picture: Json, axis: Axis, top: float, bottom: float) -> Iterator[str]:
    """Return a thin line across the charts for each change of the update status."""
    for at, *_ in picture["phases"][1:]:
        yield line(axis.x(at), top, axis.x(at), bottom, stroke_dasharray="2 3", stroke_opacity=0.6)


def gaps(picture: Json, axis: Axis, hatch: str, top: float, bottom: float) -> Iterator[str]:
    """Return a veil over the times at which the engine did not answer."""
    for begin, end, reason in picture["gaps"]:
        until = axis.end if end is None else end
        where = axis.x(begin), top, axis.width(begin, until), bottom - top
        said = [f"{minutes(begin)} to {minutes(until)}: the engine did not answer", reason]
        inside = title(said) + rect(*where, fill_opacity=0.7, style=f"fill:{BACK}")
        inside += rect(*where, fill=hatch)
        words = text("4", 12, "no answer", fill_opacity=1)
        inside += box(words, 16, x=where[0], y=top, width=where[2])
        yield element("g", inside, class_="gap")
