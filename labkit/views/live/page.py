"""What a page needs to draw a view: one module of JavaScript, one style sheet.

The module is written as several, each with one idea, in `assets/js`; a widget can carry
only one, so they are joined here: their `import` lines go, and all but the last, which is
the way in, lose the word `export`. No build step and no node are needed for that. Two
modules must not use one name for two things; a test sees to it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files

#: Where `labkit.views.live.server` has plotly.js, under the Jupyter server's own address.
PLOTLY = f"labkit/plotly-{version('plotly')}.min.js"

#: In the order in which they may use one another.
MODULES = (
    "dom",
    "words",
    "plotly",
    "picture",
    "head",
    "axis",
    "bars",
    "card",
    "chart",
    "phases",
    "replicas",
    "spans",
    "slots",
    "speed",
    "marks",
    "budget",
    "explain",
    "table",
    "view",
    "replay",
    "compare",
    "main",
)
STYLES = ("view", "head", "charts", "marks", "table", "replay", "compare")
#: Style sheets of what is no view of a recording, each asked for by name.
SHEETS = ("cards", "progress", "report", "room")

_ASSETS = files("labkit.views") / "assets"
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def module() -> str:
    """Return the module: `show` draws a picture, the default export is the live widget."""
    *inner, way_in = (_IMPORT.sub("", _read(f"js/{name}.js")) for name in MODULES)
    return "\n".join([*(_EXPORT.sub("", text) for text in inner), way_in])


@cache
def style(names: tuple[str, ...] = STYLES) -> str:
    """Return the style sheet, joined of those that are named."""
    return "\n".join(_read(f"css/{name}.css") for name in names)


@cache
def plotly_script() -> str:
    """Return plotly.js (4.8 MB) out of the installed plotly package."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
