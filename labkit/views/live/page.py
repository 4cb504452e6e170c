"""What a page needs to draw a view: one module of JavaScript, one style sheet.

The module is written as several, each with one idea, in `assets/js`; a widget can carry
only one, so they are joined here, each after those that it imports: their `import` lines go,
and all but the last, which is the way in, lose the word `export`. No build step and no node
are needed for that. Two modules must not use one name for two things; a test sees to it.

Two of them are written here: `shared`, what Python and the page both have to know, and
`parts`, the class of each part.
"""

import json
import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from labkit.base.errors import LabError, refused
from labkit.base.files import replace
from labkit.recordings.recording.files import is_at
from labkit.views import live, parts
from labkit.views.pages import render

#: Where `labkit.views.live.server` has plotly.js, under the Jupyter server's own address.
PLOTLY = f"labkit/{live.PLOTLY}"
#: Of a view, and of what is made of views; others are asked for by name.
STYLES = ("view", "place", "head", "charts", "marks", "table", "replay", "compare")

_ASSETS = files("labkit.views") / "assets"
_IMPORT = re.compile(r'^import [^;]*"[./\w]*/(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def module() -> Markup:
    """Return the module: `show` draws a view state, the default export is the live widget."""
    written = sources()
    uses = {name: _IMPORT.findall(text) for name, text in written.items()}
    *inner, way_in = (
        _IMPORT.sub("", written[name]) for name in TopologicalSorter(uses).static_order()
    )
    joined = "\n".join([*(_EXPORT.sub("", text) for text in inner), way_in])
    return Markup(joined)  # noqa: S704 - our own


def sources() -> dict[str, str]:
    """Return each module as it is written, by its name."""
    folders = ("js", "js/charts", "js/parts")
    written = [
        each for folder in folders for each in (_ASSETS / folder).iterdir() if each.is_file()
    ]
    found = {
        each.name.removesuffix(".js"): each.read_text(encoding="utf-8")
        for each in sorted(written, key=lambda each: each.name)
    }
    modules = {part: parts.module(part) for part in parts.PARTS}
    shared = {
        part: {"title": module.TITLE, **getattr(module, "SHARED", {})}
        for part, module in modules.items()
    }
    imports = [f'import {{ {part.title()} }} from "./parts/{part}.js";\n' for part in modules]
    classes = ", ".join(f"{part}: {part.title()}" for part in modules)
    return found | {
        "shared": f"export const SHARED = {json.dumps(shared, ensure_ascii=False)};\n",
        "parts": f"{''.join(imports)}export const PARTS = {{ {classes} }};\n",
    }


@cache
def style(names: tuple[str, ...] = STYLES) -> Markup:
    """Return the style sheet, joined of those that are named."""
    return Markup("\n".join(asset(f"css/{name}.css") for name in names))  # noqa: S704 - our own


@cache
def plotly_script() -> Markup:
    """Return plotly.js (1.2 MB)."""
    return Markup(asset(live.PLOTLY))  # noqa: S704 - a library's own


def document(title: str, styles: tuple[str, ...], body: str) -> str:
    """Return a page of its own with these style sheets; the title is text, the body HTML."""
    return render("static/document.html", title=title, style=style((*styles, "page")), body=body)


def lasting(display_id: str) -> dict[str, Any]:
    """Return the metadata by which a reloaded page finds an output that is to be replaced.

    JupyterLab itself knows the displays of those outputs only that it has received (`lab.js`).
    """
    return {"labkit": {"display": display_id}}


def answer_at_once(widget: Any) -> None:
    """Have clicks on a widget, and on those in it, answered while a cell runs.

    JupyterLab sends them to a subshell for that. Since 7.4, ipykernel passes them on to the shell
    that sent the widget's last message: the main one, where the cells run.
    """
    if widget.comm:
        widget.comm._reply_subshell_for = None  # noqa: SLF001 - ipykernel offers nothing public
    for each in getattr(widget, "children", ()):
        answer_at_once(each)


def write(path: Path, html: str) -> None:
    """Write a page to a file, whole or not at all; a page that was there is replaced.

    Raises `LabError` where it cannot be written, or a recording would be replaced.
    """
    if is_at(path):
        raise LabError(f"to write {path}.", "it is a recording.", "name another file with -o.")
    try:
        if path.is_char_device() or path.is_fifo():  # which a file would take the place of
            path.write_text(html, encoding="utf-8")
        else:
            replace(path, html.encode())
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        raise LabError(
            f"to write {path}.",
            f"{refused(problem)}.",
            "name a file in an existing folder, on a disk that has room.",
        ) from None


def asset(name: str) -> str:
    """Return the text of a file in `assets`."""
    return (_ASSETS / name).read_text(encoding="utf-8")
