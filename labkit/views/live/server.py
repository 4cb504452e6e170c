"""A Jupyter server extension that hands labkit's views and plotly.js to the page.

And to JupyterLab the extension that shows views beside the notebook. What is installed of that
(`labextension`) only asks for it here.

The chart of a live view needs plotly.js: 1.2 MB, too much for a widget's own module
(anywidget gives that two seconds) and for every notebook that is saved. So the server that
serves the page serves it too, once a browser, with no address outside the machine.

`jupyter_server_config.json` beside the views is installed as
`etc/jupyter/jupyter_server_config.d/labkit.json` and enables it.
"""

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from labkit.views import live

_ASSETS = files("labkit.views") / "assets"
PLOTLY, EXTENSION = _ASSETS / live.PLOTLY, _ASSETS / "lab.js"
_A_YEAR = 31_536_000


class Script(JupyterHandler):
    """A file of JavaScript or of styles, and how long a browser may keep it.

    What changes with labkit it asks for each time.
    """

    def initialize(
        self, script: Callable[[], str | bytes], keep: str = "no-cache", kind: str = "javascript"
    ) -> None:
        """Take the function that gives what is in the file, called whenever it is asked for."""
        self._script, self._keep, self._kind = script, keep, kind

    @web.authenticated
    def get(self) -> None:
        """Answer with the file."""
        self.set_header("Content-Type", f"text/{self._kind}; charset=utf-8")
        self.set_header("Cache-Control", self._keep)
        self.finish(self._script())


def _of_page(what: str) -> str:
    """Return the `module` that draws a view, for snapshots that come to life, or its `style`."""
    from labkit.views.live import page  # not at the server's start: it loads widgets

    return str(getattr(page, what)())


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "labkit.views.live.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    if terminals := app.web_app.settings.get("terminal_manager"):
        # where the notebooks are, not where the server was started
        terminals.term_settings.setdefault("cwd", app.root_dir)
    under = url_path_join(app.web_app.settings["base_url"], "labkit")
    styles = {"script": partial(_of_page, "style"), "kind": "css"}
    plotly = {"script": PLOTLY.read_bytes, "keep": f"private, max-age={_A_YEAR}, immutable"}
    app.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(under, "watch.js"), Script, {"script": partial(_of_page, "module")}),
            (url_path_join(under, "lab.js"), Script, {"script": EXTENSION.read_bytes}),
            (url_path_join(under, "views.css"), Script, styles),
            # the version in its name means that it never changes; a notebook that an earlier
            # labkit saved asks for another one, and gets this
            (url_path_join(under, r"plotly-[\w.-]+\.min\.js"), Script, plotly),
        ],
    )
