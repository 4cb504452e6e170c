"""The update status over time, as a ribbon. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes, spoken
from labkit.views.static.drawing.axis import Axis, percent
from labkit.views.static.drawing.elements import STROKES, Chart, box, pattern, rect, text, title

_HEIGHT = 24
_INK = "#1a1a1a"
_GREY = "#808080"
#: The share of the width, in %, that a letter takes in a narrow window, and the chart's name.
_LETTER, _NAME = 1.15, 15.0
#: Of each state: its colour and pattern, as the page has them, and a sign that says the same.
LOOKS = {
    "updating": ("#a9d0f5", "", "▸"),
    "completed": ("#a8dcb0", "", "✓"),
    "paused": ("#ffcf66", "|", "‖"),
    "rollback_started": ("#f7b09c", "/", "↶"),
    "rollback_completed": ("#dcc3ee", "\\", "✓ ↶"),
    "rollback_paused": ("#f7b09c", "x", "‖ ↶"),
}
#: What a recording begins with if no update is under way: what became of an earlier one.
_OVER = ("", "completed", "rollback_completed")


def chart(picture: Json, axis: Axis, prefix: str) -> Chart:
    """Return the ribbon. `prefix` begins the ids of its patterns, which are in `patterns`."""
    return Chart("Update status", _HEIGHT, "".join(_bands(picture, axis, prefix)))


def patterns(prefix: str) -> str:
    """Return the fills of the states, for the drawing's `defs`."""
    return "".join(
        pattern(f"{prefix}-{state}", STROKES.get(shape, ""), back=colour)
        for state, (colour, shape, _) in LOOKS.items()
    )


def named(state: str, number: int) -> str:
    """Return what a band is called; the first may tell what was before the recording."""
    if not state:
        return "no update" if number else "not updated yet"
    return f"before: {spoken(state)}" if _muted(state, number) else spoken(state)


def _muted(state: str, number: int) -> bool:
    return number == 0 and state in _OVER


def held(picture: Json, end: float) -> Iterator[tuple[float, float, str, str, str]]:
    """Return from when until when which state held, Docker's message, and what it means."""
    found = picture["phases"]
    ends = [*(at for at, *_ in found[1:]), max(end, *(at for at, *_ in found))] if found else []
    for (at, state, message, meaning), until in zip(found, ends, strict=True):
        yield at, until, state, message, meaning


def _bands(picture: Json, axis: Axis, prefix: str) -> Iterator[str]:
    taken = axis.left + _NAME  # up to where the line over the ribbon is taken
    for number, (begin, end, state, message, meaning) in enumerate(held(picture, axis.end)):
        said = [f"{minutes(begin)} to {minutes(end)}: {named(state, number)}", message, meaning]
        plain = _muted(state, number) or state not in LOOKS
        inside = title(filter(None, said)) + _band("" if plain else f"url(#{prefix}-{state})")
        label = named(state, number)
        if not plain:
            label = f"{LOOKS[state][2]} {label}"
        needs = len(label) * _LETTER + 2
        if axis.share(end) - axis.share(begin) >= needs:
            ink = {} if plain else {"fill": _INK, "fill_opacity": 1, "font_weight": 600}
            inside += text("6", 16, label, **ink)
        else:
            # above the band: from where it begins on, or up to the right edge if that is near
            near = axis.share(begin) + needs > axis.right
            left = axis.right - needs if near else axis.share(begin)
            if left >= taken:
                taken = left + needs
                at, anchor = (axis.right, "end") if near else (left, "start")
                yield text(percent(at), -5, label, anchor, font_weight=600)
        # an <svg> of its own, so that a label ends where its band does
        place = {"x": axis.x(begin), "width": axis.width(begin, end)}
        yield box(inside, _HEIGHT, data_state=state, **place)


def _band(fill: str) -> str:
    """Return a band of the ribbon, with an edge where it begins."""
    grey = {"fill": _GREY, "fill_opacity": 0.16}
    look = {"fill": fill} if fill else grey
    edge = rect("0", 1, "2", _HEIGHT - 2, fill="currentColor", fill_opacity=0.6)
    return rect("0", 1, "100%", _HEIGHT - 2, **look) + edge
