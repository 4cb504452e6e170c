"""What a learner has done and what is next, as Jupyter shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.lessons.journal import Progress, Standing
from labkit.views.live import page
from labkit.views.state.words import for_html, plain

_HEADER = ("Notebook", "Done", "Next")


class ProgressTable:
    """Progress, drawn: a row a notebook, and each of its items folded away."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    @property
    def html(self) -> str:
        """It as HTML that can stand in any page."""
        classes = "labkit-watch mathjax_ignore tex2jax_ignore"
        style = page.style(("view", "progress"))
        inside = "".join(content(self.progress))
        return (
            f'<style>{style}</style><section class="{classes}" aria-label="Your progress">'
            f"{inside}</section>"
        )

    def text(self) -> str:
        """Return it as lines for a terminal."""
        return "\n".join(map(plain, str(self.progress).split("\n")))

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text()


def content(progress: Progress) -> Iterator[str]:
    """Return the pieces as HTML: a table with a row a notebook, and all items, folded away."""
    if not progress.standings:
        yield f"<p>{for_html(str(progress))}</p>"
        return
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEADER)
    rows = "".join(_row(progress, step) for step in progress.steps)
    yield (
        '<table class="labkit-steps"><caption>Your progress</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
    items = "".join(_items(progress, step) for step in progress.steps)
    yield f"<details><summary>Each question and exercise</summary>{items}</details>"


def standing_in_words(standing: Standing) -> str:
    """Return how an item stands, with the help that was taken."""
    words = [standing.words]
    if standing.hints:
        words.append("1 hint" if standing.hints == 1 else f"{standing.hints} hints")
    if standing.solved:
        words.append("solution seen")
    return ", ".join(words)


def mark(sign: str) -> str:
    """Return a sign as HTML. The words beside it say the same, so it is not read aloud."""
    return f'<span class="labkit-sign" aria-hidden="true">{sign}</span>'


def _row(progress: Progress, step: int) -> str:
    goes_on = progress.next is not None and progress.next.step == step
    heading, counts, to_do = map(
        for_html, (progress.heading(step), progress.counts(step), progress.to_do(step))
    )
    return (
        f'<tr data-next="{"yes" if goes_on else "no"}">'
        f'<th scope="row">{mark(progress.mark(step))}{heading}</th>'
        f"<td>{counts}</td><td>{to_do}</td></tr>"
    )


def _items(progress: Progress, step: int) -> str:
    items = "".join(
        f"<li>{mark(each.mark)}{for_html(each.item.title)} "
        f'<span class="labkit-quiet">· {for_html(standing_in_words(each))}</span></li>'
        for each in progress.within(step)
    )
    heading = for_html(progress.heading(step))
    return f'<div class="labkit-items-of">{heading}</div><ul class="labkit-items">{items}</ul>'
