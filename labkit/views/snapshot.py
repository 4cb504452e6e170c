"""A view that needs no kernel: HTML and SVG, for saved notebooks and for files. Pure.

The picture is drawn here once, in plain HTML and SVG. Inside JupyterLab it then brings
itself to life: a script hands the same picture to the module that draws the live view
(`labkit.server` has it), so that hover, zoom and export work without a kernel. Where
that is not to be had (a notebook on a code host, an HTML export), the plain one stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from labkit import ps
from labkit.recording import Recording
from labkit.views import drawing
from labkit.views.picture import Json, Picture
from labkit.views.words import for_html

#: Rows that a snapshot draws; a larger table would weigh on every save of the notebook.
MOST_ROWS = 500
#: Where `labkit.server` has plotly.js, under the Jupyter server's own address.
PLOTLY = f"labkit/plotly-{version('plotly')}.min.js"

_ASSETS = files("labkit.views") / "assets"
_MOODS = {
    **dict.fromkeys(("Failed", "Rejected", "Orphaned"), "bad"),
    **dict.fromkeys(("Complete", "Shutdown", "Remove"), "off"),
}


class Snapshot:
    """A picture that has come to its end, drawn. Jupyter displays it as HTML."""

    def __init__(self, whole: Json) -> None:
        rows = sorted(whole["rows"], key=lambda row: -row[2])
        rows.sort(key=lambda row: ps.natural_key(str(row[1])))
        self._left_out = max(0, len(rows) - MOST_ROWS)
        self.picture = {**whole, "rows": rows[:MOST_ROWS]}
        if whole["end"] is None:
            at = max(0, whole["now"] - whole["origin"])
            why = "A snapshot; the recording went on."
            self.picture["end"] = {"at": at, "why": why, "died": False}

    @classmethod
    def of(cls, recording: Recording) -> Snapshot:
        """Return the snapshot of a recording, as far as it goes."""
        picture = Picture(recording.header)
        picture.take(recording.changes)
        if recording.ended is None:
            why = "The recording ends here and does not say why."
            picture.end(recording.last_at, why, died=True)
        picture.news()
        last = round(recording.last_at.timestamp() * 1000)
        return cls({"seq": 0, "now": last, "seen": last, **picture.whole()})

    @cached_property
    def html(self) -> str:
        """The snapshot as HTML that can stand in any page."""
        return (
            f"<style>{_asset('watch.css')}</style><div>{self._section()}</div>"
            "<script>(() => { const el = document.currentScript.previousElementSibling;"
            ' const page = document.getElementById("jupyter-config-data");'
            " if (el && page)"
            ' import(JSON.parse(page.textContent).baseUrl + "labkit/watch.js")'
            f'.then(({{show}}) => show(el, {self._json()}, "{PLOTLY}"))'
            # without the server extension the drawing that is there already stays
            ".catch(console.warn); })()</script>"
        )

    @cached_property
    def page(self) -> str:
        """The snapshot as a page of its own, plotly.js included; it asks for nothing more."""
        plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{for_html(self.picture['service'])}</title><style>"
            "body { margin: 24px auto; max-width: 1180px; padding: 0 16px }"
            f"{_asset('watch.css')}</style></head><body><main>{self._section()}</main>"
            f"<script>{plotly}</script>"
            f'<script type="module">{_asset("watch.js")}\n'
            f'show(document.querySelector("main"), {self._json()}, "");</script></body></html>\n'
        )

    def bundle(self, text: str) -> Json:
        """Return the representations that a notebook keeps; `text` is the plain one."""
        return {"text/plain": text, "text/html": self.html}

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<labkit snapshot of {self.picture['service']}>"

    # ---- the parts -----------------------------------------------------------------

    def _section(self) -> str:
        # JupyterLab sets mathematics in HTML; what an engine says in dollars is none
        classes = "labkit-watch mathjax_ignore tex2jax_ignore"
        return f'<section class="{classes}">{"".join(self._parts())}</section>'

    def _parts(self) -> Iterator[str]:
        picture, status, end = self.picture, self.picture["status"], self.picture["end"]
        state = for_html(status["state"])
        yield (
            f'<div class="labkit-head"><span class="labkit-name">{for_html(picture["service"])}'
            f'</span><span class="labkit-badge" data-state="{state}">'
            f"{state.replace('_', ' ')}</span></div>"
            f'<div class="labkit-sentence">{for_html(status["sentence"])}</div>'
        )
        if status["message"]:
            says = for_html(status["message"])
            yield f'<div class="labkit-message">Docker says: <q>{says}</q></div>'
        yield (
            f'<div class="labkit-end" data-died="{"yes" if end["died"] else "no"}">'
            f"{for_html(end['why'])}{self._last_good()}</div>"
            f'<div class="labkit-tags" role="list">{"".join(self._tags())}</div>'
            f'<div class="labkit-chart">{drawing.svg(picture)}</div>'
            f'<div class="labkit-scroll">{self._table()}</div>'
        )
        if self._left_out:
            yield f'<div class="labkit-note">{self._left_out} further rows are left out.</div>'

    def _last_good(self) -> str:
        if not self.picture["end"]["died"]:
            return ""
        seen = datetime.fromtimestamp(self.picture["seen"] / 1000, UTC)
        return f"\nThe last good snapshot is of {seen:%Y-%m-%d %H:%M:%S} UTC."

    def _tags(self) -> Iterator[str]:
        counts = self.picture["steps"][-1][1] if self.picture["steps"] else []
        for number, tag in enumerate(self.picture["tags"]):
            count = counts[number] if number < len(counts) else 0
            yield (
                f'<span role="listitem" data-count="{count}">{_swatch(tag)}'
                f"<b>{for_html(tag[0])}</b><span> × {count} running</span></span>"
            )

    def _table(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in ps.TASK_HEADER)
        return (
            f'<table class="labkit-ps"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(map(self._row, self.picture['rows']))}</tbody></table>"
        )

    def _row(self, row: list[Any]) -> str:
        task, _, _, name, image, node, desired, state, since, error, ports, tag, whole = row
        now = self.picture["origin"] + self.picture["end"]["at"]
        age = ps.age(timedelta(milliseconds=now - since))
        cells = [
            f"<td>{for_html(task[:12])}</td>",
            f"<td>{for_html(name)}</td>",
            f"<td>{_swatch(self.picture['tags'][tag])}{for_html(image)}</td>",
            f"<td>{for_html(node)}</td>",
            f"<td>{for_html(desired)}</td>",
            f'<td class="labkit-state">{for_html(state)} {age} ago</td>',
            f'<td class="labkit-error" title="{for_html(whole)}">{for_html(error)}</td>',
            f"<td>{for_html(ports)}</td>",
        ]
        return f'<tr data-mood="{_MOODS.get(state, "on")}">{"".join(cells)}</tr>'

    def _json(self) -> str:
        """Return the picture as JSON that may stand in a script element."""
        return json.dumps(self.picture, separators=(",", ":")).replace("<", "\\u003c")


def _swatch(tag: list[str]) -> str:
    _, colour, pattern = tag
    shape = for_html(pattern)
    return f'<span class="labkit-swatch" data-pattern="{shape}" style="--colour:{colour}"></span>'


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
