"""The running replicas by tag over time, stacked, in steps. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import Chart, Fills, element, line, rect, text, title

_HEIGHT = 130
#: Steps that are drawn: as many as a screen has columns.
MOST_STEPS = 1000

Step = tuple[float, float, list[int]]


def chart(picture: Json, axis: Axis, fills: Fills) -> Chart:
    """Return the chart."""
    steps = list(held(picture, axis))
    most = max([1, picture["status"]["wanted"] or 0, *(sum(counts) for *_, counts in steps)])
    scale = (_HEIGHT - 6) / most
    inside = element(
        "g", "".join(_bands(picture, steps, axis, fills, scale)), shape_rendering="crispEdges"
    )
    begin, end = axis.ends
    for count in (0, most):
        y = _HEIGHT - count * scale
        inside += line(begin, y, end, y) + text(begin, y + 3.5, str(count), "end", dx=-6)
    return Chart("Running replicas", _HEIGHT, inside)


def held(picture: Json, axis: Axis) -> Iterator[Step]:
    """Return from when until when how many replicas of each tag ran.

    Of several steps within a screen's column the last one counts.
    """
    tags = len(picture["tags"])
    column = (axis.end - axis.begin) / MOST_STEPS
    thin: list[tuple[float, list[int]]] = []
    for at, counts in picture["steps"]:
        all_counts = [*counts, *[0] * (tags - len(counts))]
        if thin and at - thin[-1][0] < column:
            thin[-1] = (thin[-1][0], all_counts)
        else:
            thin.append((at, all_counts))
    ends = [*(at for at, _ in thin[1:]), axis.end]
    for (at, counts), end in zip(thin, ends, strict=False):  # without steps there is one end
        yield at, end, counts


def _bands(
    picture: Json, steps: list[Step], axis: Axis, fills: Fills, scale: float
) -> Iterator[str]:
    for number, (tag, *_) in enumerate(picture["tags"]):
        blocks = "".join(_blocks(steps, number, axis, scale))
        if blocks:
            yield element("g", title([tag]) + blocks, fill=fills.of(number))


def _blocks(steps: list[Step], number: int, axis: Axis, scale: float) -> Iterator[str]:
    for begin, end, counts in steps:
        if counts[number]:
            high, under = counts[number] * scale, sum(counts[:number]) * scale
            # a trifle wider, or rounding to whole pixels leaves a seam here and there
            width = axis.width(begin, end + (axis.end - axis.begin) / MOST_STEPS)
            yield rect(axis.x(begin), _HEIGHT - under - high, width, high)


def in_words(picture: Json) -> str:
    """Return how many replicas ran, at least and in the end."""
    totals = [(sum(counts), at) for at, counts in picture["steps"]]
    if not totals:
        return "No replica was seen."
    fewest, at = min(totals)
    return f"At least {fewest} replicas ran, the fewest at {minutes(at)}."
