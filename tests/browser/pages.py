"""Pages of their own, without JupyterLab, and what is seen in a page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page

from labkit.recordings.recording import Recording
from labkit.views.live import page as assets
from labkit.views.state.view_state import Json, ViewState

#: A chart's figure, without the copy of it that is seen while it is drawn anew.
PLOT = ".js-plotly-plot:not(.labkit-copy)"


@dataclass
class Open:
    """A page that shows what it is given, from a file."""

    page: Page
    folder: Path

    def html(self, html: str) -> None:
        """Show a whole page."""
        (self.folder / "view.html").write_text(html, encoding="utf-8")
        self.page.goto((self.folder / "view.html").as_uri())

    def module(self, script: str, before: str = "") -> None:
        """Run a script that has what the modules of the views declare, beside an empty `main`."""
        self.html(
            f"<!doctype html><meta charset=utf-8><style>{assets.style()}</style><main></main>"
            f'<script>{before}</script><script type="module">{assets.module()}\n{script}</script>'
        )

    def view(self, state: Json, *parts: str, kernel: bool = False, before: str = "") -> None:
        """Show a view of some parts of a state, or of all, as `view`, after a script.

        What it sends to its kernel, if it has one, is in `sent`.
        """
        script = assets.plotly_script() if not parts else ""
        given = {"plotlyPath": ""} | ({"parts": parts} if parts else {})
        send = ", send: (message) => sent.push(message)" if kernel else ""
        self.module(
            f"{before}\nglobalThis.sent = [];"
            "globalThis.view = new View(document.querySelector('main'),"
            f" new ViewState({as_script(state)}), {{ ...{json.dumps(given)}{send} }});",
            script,
        )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on a web server of files; it is not the root of its server."""
    handler = partial(_Quiet, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}"
        server.shutdown()


def as_script(value: Any) -> str:
    """A value as it may stand in a script of a page."""
    return json.dumps(value).replace("<", "\\u003c")


def stated(recording: Recording) -> Json:
    """The state of a view of a recording, as of its last moment."""
    state = ViewState(recording.header)
    state.apply(recording.changes)
    state.delta()
    return at_moment(state, round(recording.last_at.timestamp() * 1000))


def at_moment(state: ViewState, now: int) -> Json:
    """The whole of a state as a page is given it at a moment, in ms."""
    return {"seq": 0, "now": now, "seen": now, "trouble": "", **state.full()}


def running(page: Page, tag: str) -> int:
    """How many replicas of a tag the view says are running."""
    shown = page.locator(".labkit-tags [role=listitem]", has_text=tag).first
    return int(shown.get_attribute("data-count") or 0) if shown.count() else 0


def area(chart: Locator) -> FloatRect:
    """Where a chart draws."""
    box = chart.locator(".nsewdrag").bounding_box()
    assert box
    return box


def drag(page: Page, chart: Locator, start: int, end: int) -> None:
    """Draw the mouse over a chart, from and to so many pixels from its left."""
    box = area(chart)
    page.mouse.move(box["x"] + start, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + end, box["y"] + 14, steps=4)
    page.mouse.up()


def put_on(page: Page, theme: str) -> None:
    """Change JupyterLab's theme: `Light` or `Dark`."""
    page.evaluate(
        """(theme) => window.jupyterapp.commands.execute(
            "apputils:change-theme", {theme: `JupyterLab ${theme}`})""",
        theme,
    )
