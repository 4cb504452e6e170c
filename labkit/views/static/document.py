"""A page of its own: the HTML around it, and the file that it is written to."""

from __future__ import annotations

from pathlib import Path

from labkit.base.errors import LabError
from labkit.views.live import page
from labkit.views.pages import render


def document(title: str, style: str, body: str) -> str:
    """Return a page of its own; the title is text, the body HTML."""
    return render("document.html", title=title, style=style + page.style(("page",)), body=body)


def write(path: Path, html: str) -> None:
    """Write a page to a file. Raises `LabError` where it cannot be written."""
    try:
        path.write_text(html, encoding="utf-8")
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        raise LabError(
            f"to write {path}.", f"{problem}.", "name a file in a folder that is there."
        ) from None
