"""What a learner has done and what is next, as Jupyter shows it. Pure."""

from __future__ import annotations

from labkit.lessons.journal import Progress
from labkit.views.live import page
from labkit.views.pages import render
from labkit.views.state.words import plain


class ProgressTable:
    """Progress, drawn: a row a notebook, and each of its items folded away."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    @property
    def html(self) -> str:
        """It as HTML that can stand in any page."""
        style = page.style(("view", "progress"))
        return render("progress_table.html", progress=self.progress, style=style)

    def text(self) -> str:
        """Return it as lines for a terminal."""
        return "\n".join(map(plain, str(self.progress).split("\n")))

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text()
