"""Cards: what a check, a comparison, a hint or an exercise says, as HTML.

All of it is text, and shown as text; the little Markdown that texts of the lesson use is set
as such (`code`, **bold**, *italics*, paragraphs, lists). Nothing is a script, so a saved
notebook keeps the cards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from labkit.base.rules import unmarked
from labkit.lessons import room
from labkit.lessons.checks import Compared, Exercise, Finding, Question
from labkit.views.live import page
from labkit.views.pages import render

if TYPE_CHECKING:
    from labkit.lessons.practice.helping import Hint, Solution

#: `("markdown" or "code", text)`, as the cells of a notebook.
Cell = tuple[str, str]


class Card:
    """Something to read in a frame: a heading and texts, and a mood that colours its edge.

    `cells` and what is `labelled` come first, then what else `templates/cards/card.html` has.
    """

    def __init__(
        self,
        mood: str,
        heading: str,
        text: str,
        *,
        cells: Iterable[Cell] = (),
        labelled: Iterable[tuple[str, str]] = (),
        **more: Iterable[str],
    ) -> None:
        lists = {"choices": (), "prepared": (), "ways": (), "noted": ()} | more
        self._said = {"mood": mood, "heading": heading, "cells": cells, "labelled": labelled}
        self._said |= {name: list(lines) for name, lines in lists.items()}
        self._text = unmarked(text)

    def _repr_html_(self) -> str:
        return render("cards/card.html", style=page.style(("cards",)), **self._said)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


_MOODS = {"passed": "good", "not yet": "way", "not attempted": "rest"}


def finding(said: Finding) -> Card:
    """Return what a check says."""
    heading = f"{said.mark} **{said.outcome}**"
    labelled = [("Seen", said.saw), ("Why", said.because), ("Try", said.try_next)]
    return Card(_MOODS[said.outcome], heading, str(said), labelled=labelled)


def compared(said: Compared) -> Card:
    """Return a prediction beside what happened."""
    reading = said.reading
    seen = ("The recording shows", reading.saw)
    return Card(
        "good" if said.as_predicted else "rest",
        f"**{said.question.text}**",
        str(said),
        cells=[("markdown", said.said)],
        labelled=[seen, ("Why", reading.because), ("Try", reading.try_next)],
    )


def question(asked: Question) -> Card:
    """Return a question; its choices are to be read where nothing can be chosen.

    The style sheet hides them in a cell that has the buttons, too.
    """
    keys = "\n".join(f"  {choice.key}: {choice.label}" for choice in asked.choices)
    how = f'labkit.question("{asked.name}", choose="{asked.choices[0].key}")'
    text = f"{asked.text}\n{keys}\nChoose with {how}"
    labels = [choice.label for choice in asked.choices]
    return Card("ask", f"Before you run it: **{asked.text}**", text, choices=labels)


def exercise(begun: Exercise, done: Iterable[str]) -> Card:
    """Return what is asked for, and what was done so that it can begin."""
    prepared = [f"{sentence}." for sentence in done]
    sign = room.sign()
    ways = (*_WAYS, _STUCK) if sign else _WAYS
    return Card(
        "ask",
        f"Exercise · **{begun.title}**",
        "\n".join(filter(None, [f"Exercise: {begun.title}", begun.task, *prepared, sign])),
        cells=[("markdown", begun.task)],
        prepared=prepared,
        ways=[f'`labkit.{name}("{begun.name}")` {does}' for name, does in ways],
        noted=[sign] if sign else [],
    )


_WAYS = (
    ("check", "says how you are doing, as often as you like."),
    ("hint", "helps a little, and a little more each time."),
    ("solution", "shows one way to do it."),
    ("exercise", "starts again."),
)
#: Where an instructor sees it.
_STUCK = ("stuck", "asks for help, and with `over=True` takes that back.")


def hint(said: Hint) -> Card:
    """Return a hint, after what can be said about how things stand."""
    cells = [("markdown", text) for text in (said.notice, said.text) if text]
    return Card("ask", f"**Hint {said.rung} of {said.of}**", str(said), cells=cells)


def solution(told: Solution) -> Card:
    """Return a solution: its words and its code, in their order."""
    return Card("ask", f"A solution · **{told.title}**", str(told), cells=told.cells)


def enable() -> None:
    """Have Jupyter show findings, comparisons, hints and solutions as cards."""
    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    html = shell.display_formatter.formatters["text/html"]
    plain = shell.display_formatter.formatters["text/plain"]
    for module, name, card in _CARDS:
        html.for_type_by_name(module, name, lambda said, card=card: card(said)._repr_html_())
        plain.for_type_by_name(
            module, name, lambda said, printer, _: printer.text(unmarked(str(said)))
        )


#: The types that cards are made of, by name: some are above this package.
_CARDS: tuple[tuple[str, str, Callable[[Any], Card]], ...] = (
    ("labkit.lessons.checks.finding", "Finding", finding),
    ("labkit.lessons.checks.question", "Compared", compared),
    ("labkit.lessons.practice.helping", "Hint", hint),
    ("labkit.lessons.practice.helping", "Solution", solution),
)
