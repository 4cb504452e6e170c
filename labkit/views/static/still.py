"""A view that needs no kernel: HTML for saved notebooks, and a page of its own. Pure.

What is drawn is drawn here once, in plain HTML and SVG. Inside JupyterLab it then brings
itself to life: a script hands the same data to the module that draws the live view
(`labkit.views.live.server` has it), so that hover, zoom and export work without a kernel.

Where that is not to be had, the plain one stays, in one of two forms. Hosts that show a
notebook without trusting it (JupyterLab until somebody trusts it, code hosts) strip
scripts and all of SVG but its words, so in a notebook a drawing is an image with its own
white ground. Where scripts run (an HTML export, nbviewer), one puts the drawing itself in
the image's place: in the page's own colours, and with the title that each bar has.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterable, Iterator

from labkit.views.live import page
from labkit.views.state.badges import Badge
from labkit.views.state.picture import Json
from labkit.views.state.words import for_html
from labkit.views.static.document import document

_IMAGE = "data:image/svg+xml;base64,"
_ON_WHITE = "background:#fff;color:#222"
_DRAWINGS_FOR_IMAGES = f"""
for (const image of el.querySelectorAll('img[src^="{_IMAGE}"]')) {{
  const bytes = Uint8Array.from(atob(image.src.slice({len(_IMAGE)})), (c) => c.charCodeAt(0));
  const parsed = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.style.background = svg.style.color = "";
  image.replaceWith(svg);
}}"""


class Still(ABC):
    """Something drawn that Jupyter displays as HTML."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is of."""

    @abstractmethod
    def data(self) -> Json:
        """Return what the module in the page draws it from."""

    @abstractmethod
    def content(self) -> Iterator[str]:
        """Return its pieces as HTML, for where no script runs."""

    @property
    def html(self) -> str:
        """It as HTML that can stand in any page."""
        pieces = (_as_image(each) if each.startswith("<svg") else each for each in self.content())
        return (
            f"<style>{page.style()}</style><div>{self._section(pieces)}</div>"
            "<script>(() => { const el = document.currentScript.previousElementSibling;"
            f" if (!el) return; {_DRAWINGS_FOR_IMAGES}"
            ' const page = document.getElementById("jupyter-config-data");'
            ' if (page) import(JSON.parse(page.textContent).baseUrl + "labkit/watch.js")'
            f'.then(({{show}}) => show(el, {self._json()}, "{page.PLOTLY}"))'
            # without the server extension the drawing that is there already stays
            ".catch(console.warn); })()</script>"
        )

    @property
    def page(self) -> str:
        """It as a page of its own, plotly.js included; it asks for nothing more."""
        body = (
            f"<main>{self._section(self.content())}</main>"
            f"<script>{page.plotly_script()}</script>"
            f'<script type="module">{page.module()}\n'
            f'show(document.querySelector("main"), {self._json()}, "");</script>'
        )
        return document(self.title, page.style(), body)

    def bundle(self, text: str) -> Json:
        """Return the representations that a notebook keeps; `text` is the plain one."""
        return {"text/plain": text, "text/html": self.html}

    def _repr_html_(self) -> str:
        return self.html

    def _section(self, pieces: Iterable[str]) -> str:
        # JupyterLab sets mathematics in HTML; what an engine says in dollars is none
        classes = "labkit-watch mathjax_ignore tex2jax_ignore"
        label = for_html(self.title)
        inside = "".join(pieces)
        return f'<section class="{classes}" aria-label="{label}">{inside}</section>'

    def _json(self) -> str:
        """Return the data as JSON that may stand in a script element."""
        return json.dumps(self.data(), separators=(",", ":")).replace("<", "\\u003c")


def _as_image(svg: str) -> str:
    """Return a drawing as an image that says the same in words."""
    begin, end = svg.split(">", 1)
    on_white = begin.replace('style="', f'style="{_ON_WHITE};', 1)
    label = re.search('aria-label="([^"]*)"', begin)
    source = _IMAGE + b64encode(f"{on_white}>{end}".encode()).decode()
    height = re.search(' height="([0-9]+)"', begin)
    words, high = label[1] if label else "", height[1] if height else ""
    return f'<img src="{source}" width="100%" height="{high}" alt="{words}">'


def table(header: Iterable[str], rows: Iterable[tuple[str, str]], caption: str) -> str:
    """Return a table. Each row has its mood, and its cells."""
    head = "".join(f'<th scope="col">{name}</th>' for name in header)
    body = "".join(f'<tr data-mood="{mood}">{cells}</tr>' for mood, cells in rows)
    said = for_html(caption)
    return (
        f'<div class="labkit-scroll" tabindex="0" role="region" aria-label="{said}">'
        f'<table class="labkit-ps"><caption>{said}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell(text: str, *, kind: str = "", title: str = "", before: str = "") -> str:
    """Return a cell of a table; `before` is HTML that stands before its text."""
    attributes = f' class="{kind}"' if kind else ""
    if title:
        attributes += f' title="{for_html(title)}"'
    return f"<td{attributes}>{before}{for_html(text)}</td>"


def badge(badge: Badge | None) -> str:
    """Return the badge of what no Docker engine is behind, or `""`; `dom.js` makes the same."""
    if badge is None:
        return ""
    return f' <span class="labkit-made" title="{for_html(badge.meaning)}">{badge.word}</span>'


def swatch(colour: str, pattern: str) -> str:
    """Return a small square that looks as a tag does."""
    shape = for_html(pattern)
    return f'<span class="labkit-swatch" data-pattern="{shape}" style="--colour:{colour}"></span>'
