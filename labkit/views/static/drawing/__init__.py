"""A picture that has come to its end, as SVG: all charts on one time axis. Pure.

It is what a saved notebook, a code host and an HTML export show, where there is neither a
kernel nor plotly.js. Each chart can be drawn alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from labkit.views.state.badges import Badge
from labkit.views.state.parts import CHARTS, known_parts
from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes
from labkit.views.static.drawing import layout, over, phases, replicas, slots, speed
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import (
    BACK,
    BAD,
    STROKES,
    Chart,
    Fills,
    box,
    element,
    pattern,
    rect,
    text,
    title,
)

#: How high the line is that tells the tags' looks, in pixels.
_TAGS = 20
#: A letter's width in pixels, about.
_LETTER = 6.6
#: How the word looks that says that no Docker engine is behind the drawing.
_MADE = {"text_anchor": "end", "fill": "currentColor", "font_style": "italic"}
_CROSS = "M-5 -5L5 5M-5 5L5 -5"


def svg(picture: Json, parts: Iterable[str] | None = None) -> str:
    """Return the charts among the parts; `""` if there is none among them."""
    asked = [part for part in known_parts(parts) if part in CHARTS]
    if not picture["speed"] and len(asked) > 1:
        asked = [part for part in asked if part != "speed"]
    return _Drawing(picture, asked).svg() if asked else ""


class _Drawing:
    def __init__(self, picture: Json, parts: list[str]) -> None:
        self._picture, self._parts = picture, parts
        names = any(isinstance(entry[2], str) for entry in picture["tasks"]) and "slots" in parts
        self._axis = Axis(0, picture["end"]["at"] or 1, left=16 if names else 6)
        looks = [(colour, shape) for _, colour, shape in picture["tags"]]
        self._fills = Fills(looks, (picture["origin"], picture["end"], picture["steps"], parts))
        self._legend = "replicas" in parts or "slots" in parts
        self._badge: Badge | None = picture["badge"]

    def svg(self) -> str:
        picture, axis = self._picture, self._axis
        labels = over.labels(picture, axis, states="phases" not in self._parts)
        first_line = _TAGS if self._legend or self._badge else 0
        top = over.head_room(labels) + first_line + 2
        charts = [self._chart(part) for part in self._parts]
        placed, bottom = layout.stacked(charts, axis, top)
        inside = element("defs", self._definitions())
        if self._legend:
            inside += self._told()
        if self._badge:
            words = title([self._badge.meaning]) + self._badge.word
            inside += element("text", words, x="100%", y=13, **_MADE)
        inside += placed + layout.times(axis, bottom)
        inside += "".join(over.changes(picture, axis, top, bottom))
        inside += "".join(over.gaps(picture, axis, f"url(#{self._fills.id}-hatch)", top, bottom))
        inside += "".join(over.marked(labels, axis, top, bottom))
        below, height = layout.below(charts, axis, bottom + layout.AXIS)
        return layout.whole(inside + below, height, self._in_words())

    def _chart(self, part: str) -> Chart:
        if part == "phases":
            return phases.chart(self._picture, self._axis, self._fills.id)
        if part == "speed":
            return speed.chart([(at, rate) for at, rate in self._picture["speed"]], self._axis)
        draw = replicas.chart if part == "replicas" else slots.chart
        return draw(self._picture, self._axis, self._fills)

    def _definitions(self) -> str:
        hatch = pattern(f"{self._fills.id}-hatch", STROKES["/"], ink="currentColor")
        wide = element("path", d=_CROSS, style=f"stroke:{BACK}", stroke_width=7)
        red = element("path", d=_CROSS, style=f"stroke:{BAD}", stroke_width=3.5)
        cross = element("g", wide + red, id=f"{self._fills.id}-cross", stroke_linecap="round")
        states = phases.patterns(self._fills.id) if "phases" in self._parts else ""
        return self._fills.definitions() + states + hatch + cross

    def _told(self) -> str:
        """Return which look is which tag."""
        inside, x = "", 0.0
        for number, (tag, *_) in enumerate(self._picture["tags"]):
            shown = tag if len(tag) <= 24 else tag[:23] + "…"
            inside += rect(f"{x:.0f}", 3, "12", 12, fill=self._fills.of(number))
            inside += text(f"{x + 18:.0f}", 13, shown, fill_opacity=1)
            x += 18 + len(shown) * _LETTER + 18
        begin, _ = self._axis.ends
        return box(inside, _TAGS, x=begin)

    def _in_words(self) -> str:
        """Return what the drawing shows, for those who do not see it."""
        words = [f"{self._picture['service']}, from 0:00 to {minutes(self._axis.end)}."]
        if self._badge:
            words.append(f"{self._badge.word.capitalize()}. {self._badge.meaning}")
        if "phases" in self._parts:
            bands = enumerate(self._picture["phases"])
            states = (
                phases.named(state, n) + f" since {minutes(at)}" for n, (at, state, *_) in bands
            )
            words.append(f"Update status: {', '.join(states)}.")
        if "replicas" in self._parts:
            words.append(replicas.in_words(self._picture))
        words.append(self._picture["status"]["sentence"])
        return " ".join(words)
