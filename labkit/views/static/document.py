"""A page of its own: the HTML around it, and the file that it is written to."""

from __future__ import annotations

from pathlib import Path

from labkit.base.errors import LabError
from labkit.views.state.words import for_html

#: A page of its own has no theme of JupyterLab's, so it brings what a dark one needs.
_STYLE = """
body { margin: 24px auto; max-width: 1180px; padding: 0 16px }
@media (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --jp-ui-font-color1: #e6e6e6; --jp-ui-font-color2: #b0b0b0; --jp-border-color2: #4a4a4a;
    --jp-layout-color0: #121212; --jp-layout-color2: #2a2a2a; --jp-error-color1: #ff7b72;
    --jp-brand-color1: #64b5f6; --jp-warn-color0: #ffb74d; --jp-success-color0: #81c784;
  }
  body { background: #121212 }
}
"""


def document(title: str, style: str, body: str) -> str:
    """Return a page of its own; the title is text, the style sheet CSS, the body HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{for_html(title)}</title><style>{style}{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def write(path: Path, page: str) -> None:
    """Write a page to a file. Raises `LabError` where it cannot be written."""
    try:
        path.write_text(page, encoding="utf-8")
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        raise LabError(
            f"to write {path}.", f"{problem}.", "name a file in a folder that is there."
        ) from None
