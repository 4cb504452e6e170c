"""A Jupyter server extension that hands labkit's views and plotly.js to the page.

The chart of a live view needs plotly.js: 4.8 MB, too much for a widget's own module
(anywidget gives that two seconds) and for every notebook that is saved. The installed
`plotly` package has the file, so the server that serves the page serves it too, once a
browser, with no address outside the machine.

`jupyter_server_config.json` beside the views is installed as
`etc/jupyter/jupyter_server_config.d/labkit.json` and enables it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

_PLOTLY = files("plotly") / "package_data" / "plotly.min.js"
_A_YEAR = 31_536_000


class ViewsModule(JupyterHandler):
    """`labkit/watch.js`: the module that draws a view, for snapshots that come to life."""

    @web.authenticated
    def get(self) -> None:
        """Answer with the module; it changes with labkit, so the browser asks each time."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        from labkit.views.live import page  # not at the server's start: it loads widgets

        self.finish(page.module())


class PlotlyScript(JupyterHandler):
    """`labkit/plotly-<version>.min.js`: plotly.js out of the installed plotly package."""

    @web.authenticated
    def get(self) -> None:
        """Answer with the script; its name has the version in it, so it never changes."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"private, max-age={_A_YEAR}, immutable")
        self.finish(_PLOTLY.read_bytes())


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "labkit.views.live.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    under = url_path_join(app.web_app.settings["base_url"], "labkit")
    app.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(under, "watch.js"), ViewsModule),
            (url_path_join(under, r"plotly-[\w.]+\.min\.js"), PlotlyScript),
        ],
    )
