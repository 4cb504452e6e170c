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

    def _repr_html_(self) -> str:
        style = page.style(("view", "progress"))
        return render("progress_table.html", progress=self.progress, style=style)

    def __repr__(self) -> str:
        return "\n".join(map(plain, str(self.progress).split("\n")))
