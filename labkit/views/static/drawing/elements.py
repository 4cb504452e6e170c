"""Elements of SVG, with everything in them escaped, and the looks that they share. Pure.

Lines and letters are `currentColor`, so that they suit light and dark pages alike; what
has a colour of its own takes it from JupyterLab's theme, or a fallback where there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from labkit.views.state.words import for_html

BAD = "var(--jp-error-color1, #d32f2f)"
ACCENT = "var(--jp-brand-color1, #1976d2)"
BACK = "var(--jp-layout-color0, #fff)"

#: Strokes on a square of eight, for each of Plotly's pattern shapes.
STROKES = {
    "/": "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    "\\": "M0 0L8 8M-2 6L2 10M6 -2L10 2",
    "x": "M0 0L8 8M0 8L8 0",
    "-": "M0 4H8",
    "|": "M4 0V8",
    "+": "M0 4H8M4 0V8",
    ".": "M3 4h2",
}


def element(name: str, inside: str = "", **attributes: Any) -> str:
    """Return an element. `inside` is markup; attributes are text, `_` stands for `-`.

    Attributes are as long as they are: a line that is cut is no line.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{for_html(str(value), sys.maxsize)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def text(x: str, y: float, words: str, anchor: str = "start", /, **more: Any) -> str:
    """Return words at a place; `anchor` is which end of them stands there."""
    place = {"x": x, "y": _short(y), "text_anchor": anchor}
    look = {"fill": "currentColor", "fill_opacity": 0.75, **more}
    return element("text", for_html(words), **place, **look)


def title(words: Iterable[str]) -> str:
    """Return what a pointer that rests on the element is told, a line each."""
    return f"<title>{'&#10;'.join(map(for_html, words))}</title>"


def rect(x: str, y: float, width: str, height: float, /, **more: Any) -> str:
    """Return a rectangle."""
    return element("rect", x=x, y=_short(y), width=width, height=_short(height), **more)


def line(x1: str, y1: float, x2: str, y2: float, /, **more: Any) -> str:
    """Return a line."""
    look = {"stroke": "currentColor", "stroke_opacity": 0.3, **more}
    return element("line", x1=x1, y1=_short(y1), x2=x2, y2=_short(y2), **look)


def box(inside: str, height: float, **more: Any) -> str:
    """Return an `<svg>`, at whose edges ends what is inside.

    Its height is also a style: JupyterLab's own makes that of every `<svg>` in HTML `auto`.
    """
    high = f"{height:.0f}"
    look = f"height:{high}px;{more.pop('style', '')}"
    return element("svg", inside, height=high, style=look.rstrip(";"), **more)


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of a drawing: what it is called, how high it is, and its elements."""

    name: str
    height: float
    inside: str
    #: Elements that tell what its signs mean, on a line of their own.
    legend: str = ""
    #: What it leaves out, as a sentence.
    note: str = ""


class Fills:
    """The fill of each tag: its colour under its pattern.

    Two drawings on one page must not take each other's patterns, so their ids begin with
    a number worked out from what is drawn.
    """

    def __init__(self, tags: Iterable[tuple[str, str]], of: object) -> None:
        self._looks = list(tags)
        self.id = f"labkit-{crc32(repr((self._looks, of)).encode('utf-8', 'replace')):x}"

    def of(self, number: int) -> str:
        """Return the fill of a tag."""
        return f"url(#{self.id}-{number})"

    def colour(self, number: int) -> str:
        """Return the colour of a tag without its pattern."""
        return self._looks[number][0]

    def definitions(self) -> str:
        """Return the patterns, for the drawing's `defs`."""
        return "".join(
            pattern(f"{self.id}-{number}", STROKES.get(shape, ""), back=colour)
            for number, (colour, shape) in enumerate(self._looks)
        )


def pattern(name: str, strokes: str, *, back: str = "none", ink: str = "#000") -> str:
    """Return a pattern of strokes on a square of eight, for `defs`."""
    inside = element("rect", width=8, height=8, style=f"fill:{back}") + element(
        "path", d=strokes, style=f"stroke:{ink}", stroke_opacity=0.4, fill="none"
    )
    return element("pattern", inside, id=name, width=8, height=8, patternUnits="userSpaceOnUse")


def _short(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
