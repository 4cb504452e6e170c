"""A view that needs no kernel: HTML and SVG, for saved notebooks and for files. Pure.

The picture is drawn here once, in plain HTML and SVG. Inside JupyterLab it then brings
itself to life: a script hands the same picture to the module that draws the live view
(`labkit.server` has it), so that hover, zoom and export work without a kernel. Where
that is not to be had (a notebook on a code host, an HTML export), the plain one stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from labkit import ps
from labkit.model import Task
from labkit.recording import Recording
from labkit.stages import stage
from labkit.views import drawing, page
from labkit.views.picture import Json, Picture
from labkit.views.words import for_html

#: Rows that a snapshot draws; a larger table would weigh on every save of the notebook.
MOST_ROWS = 500


class Snapshot:
    """A picture that has come to its end, drawn. Jupyter displays it as HTML."""

    def __init__(self, heading: Json, picture: Picture) -> None:
        self.picture = {**heading, **picture.whole()}
        if self.picture["end"] is None:
            at = max(0, heading["now"] - self.picture["origin"])
            why = "A snapshot; the recording went on."
            self.picture["end"] = {"at": at, "why": why, "died": False}
        now = self.picture["origin"] + self.picture["end"]["at"]
        rows = picture.table(datetime.fromtimestamp(now / 1000, UTC))
        rows = [(task, row) for task, row in rows if ps.without_clean_history([row])]
        self._left_out = max(0, len(rows) - MOST_ROWS)
        self._rows = rows[:MOST_ROWS]
        self._tag_of = {entry[1]: self.picture["tags"][entry[7]] for entry in self.picture["tasks"]}

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
        return cls({"seq": 0, "now": last, "seen": last, "trouble": ""}, picture)

    @cached_property
    def html(self) -> str:
        """The snapshot as HTML that can stand in any page."""
        return (
            f"<style>{page.style()}</style><div>{self._section()}</div>"
            "<script>(() => { const el = document.currentScript.previousElementSibling;"
            ' const page = document.getElementById("jupyter-config-data");'
            " if (el && page)"
            ' import(JSON.parse(page.textContent).baseUrl + "labkit/watch.js")'
            f'.then(({{show}}) => show(el, {self._json()}, "{page.PLOTLY}"))'
            # without the server extension the drawing that is there already stays
            ".catch(console.warn); })()</script>"
        )

    @cached_property
    def page(self) -> str:
        """The snapshot as a page of its own, plotly.js included; it asks for nothing more."""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{for_html(self.picture['service'])}</title><style>"
            "body { margin: 24px auto; max-width: 1180px; padding: 0 16px }"
            f"{page.style()}</style></head><body><main>{self._section()}</main>"
            f"<script>{page.plotly_script()}</script>"
            f'<script type="module">{page.module()}\n'
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
            f"<tbody>{''.join(self._row(*each) for each in self._rows)}</tbody></table>"
        )

    def _row(self, task: Task, row: ps.Row) -> str:
        cells = [
            f"<td>{for_html(row.id)}</td>",
            f"<td>{for_html(row.name)}</td>",
            f"<td>{_swatch(self._tag_of[task.id])}{for_html(row.image)}</td>",
            f"<td>{for_html(row.node)}</td>",
            f"<td>{for_html(row.desired_state)}</td>",
            f'<td class="labkit-state">{for_html(row.current_state)}</td>',
            f'<td class="labkit-error" title="{for_html(task.error)}">{for_html(row.error)}</td>',
            f"<td>{for_html(row.ports)}</td>",
        ]
        return f'<tr data-mood="{_mood(task)}">{"".join(cells)}</tr>'

    def _json(self) -> str:
        """Return the picture as JSON that may stand in a script element."""
        return json.dumps(self.picture, separators=(",", ":")).replace("<", "\\u003c")


def _swatch(tag: list[str]) -> str:
    _, colour, pattern = tag
    shape = for_html(pattern)
    return f'<span class="labkit-swatch" data-pattern="{shape}" style="--colour:{colour}"></span>'


def _mood(task: Task) -> str:
    """Return how loudly a row speaks."""
    return {"failed": "bad", "ended": "off", "running": "on"}.get(stage(task), "way")
