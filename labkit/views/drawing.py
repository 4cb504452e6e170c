"""The chart as SVG: running replicas by tag over time, in stacked steps. Pure.

It is what a saved notebook and an HTML export show, where there is no plotly.js.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from labkit.views.picture import Json
from labkit.views.words import for_html

_WIDTH, _HEIGHT = 1000, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, _WIDTH - 12, 34, _HEIGHT - 24
#: Strokes on a square of eight, for each of Plotly's pattern shapes.
_STROKES = {
    "/": "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    "\\": "M0 0L8 8M-2 6L2 10M6 -2L10 2",
    "x": "M0 0L8 8M0 8L8 0",
    "-": "M0 4H8",
    "|": "M4 0V8",
    "+": "M0 4H8M4 0V8",
    ".": "M3 4h2",
}
_GREY = "#888"


def svg(picture: Json) -> str:
    """Return the chart of a picture that has ended."""
    label = for_html(f"Running replicas by tag over time. {picture['status']['sentence']}")
    return (
        '<svg class="labkit-plain-chart" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{label}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="11">{"".join(_Drawing(picture).parts())}</svg>'
    )


def mark_labels(picture: Json) -> Iterator[tuple[int, str, int, str]]:
    """Return each mark's time, its label, and where that goes: level 0 or 1, side of the mark.

    Two marks that are close to one another have their labels on two levels, and one near
    the right end has it on its other side.
    """
    end = picture["end"]["at"]
    level, before = 0, float("-inf")
    for at, state, *_ in picture["phases"][1:]:
        level = (level + 1) % 2 if at - before < end * 0.16 else 0
        before = at
        yield at, state.replace("_", " "), level, "right" if at > end * 0.85 else "left"


class _Drawing:
    def __init__(self, picture: Json) -> None:
        self._picture = picture
        self._end = int(picture["end"]["at"]) or 1
        tags = len(picture["tags"])
        self._steps = [(at, counts + [0] * (tags - len(counts))) for at, counts in picture["steps"]]
        if self._steps:
            self._steps.append((max(self._end, self._steps[-1][0]), self._steps[-1][1]))
        totals = [sum(counts) for _, counts in self._steps]
        self._most: int = max([picture["status"]["wanted"] or 1, 1, *totals])
        # two drawings on one page must not take each other's patterns
        self._id = f"labkit-{crc32(repr((picture['origin'], self._steps)).encode()):x}"

    def parts(self) -> Iterator[str]:
        yield from self._bands()
        for start, stop, _ in self._picture["gaps"]:
            left, right = self._x(start), self._x(self._end if stop is None else stop)
            yield (
                f'<rect x="{left}" y="{_TOP}" width="{right - left:.1f}" '
                f'height="{_BOTTOM - _TOP}" fill="{_GREY}" opacity="0.4"/>'
            )
        yield from self._marks()
        yield f'<path d="M{_LEFT} {_BOTTOM}H{_RIGHT}" stroke="{_GREY}"/>'
        for count in (0, self._most):
            yield _text(_LEFT - 8, self._y(count) + 4, str(count), "end")
        yield _text(_LEFT, _HEIGHT - 6, "0:00")
        seconds = self._end // 1000
        yield _text(_RIGHT, _HEIGHT - 6, f"{seconds // 60}:{seconds % 60:02}", "end")

    def _bands(self) -> Iterator[str]:
        under = [0] * len(self._steps)
        for number, (tag, colour, pattern) in enumerate(self._picture["tags"]):
            over = [
                low + counts[number] for low, (_, counts) in zip(under, self._steps, strict=True)
            ]
            edge = [*self._edge(over), *reversed(list(self._edge(under)))]
            points = " ".join(f"{self._x(at)},{self._y(count)}" for at, count in edge)
            yield (
                f'<pattern id="{self._id}-{number}" width="8" height="8" '
                f'patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{colour}"/>'
                f'<path d="{_STROKES.get(pattern, "")}" stroke="#000" stroke-opacity="0.4" '
                f'fill="none"/></pattern><polygon fill="url(#{self._id}-{number})" '
                f'points="{points}"><title>{for_html(tag)}</title></polygon>'
            )
            under = over

    def _marks(self) -> Iterator[str]:
        for at, state, level, anchor in mark_labels(self._picture):
            x = self._x(at)
            yield f'<path d="M{x} {_TOP - 4}V{_BOTTOM}" stroke="{_GREY}"/>'
            yield _text(x, _TOP - 8 - 13 * level, state, "end" if anchor == "right" else "start")

    def _edge(self, counts: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Return the corners of a line in steps: each count holds until the next one."""
        before = None
        for (at, _), count in zip(self._steps, counts, strict=True):
            if before is not None:
                yield at, before
            yield at, count
            before = count

    def _x(self, at: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * min(at, self._end) / self._end, 1)

    def _y(self, count: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * count / (self._most * 1.06), 1)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{_GREY}">{for_html(text)}</text>'
