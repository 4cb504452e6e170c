"""Cards: what a check, a comparison, a hint or an exercise says, as HTML.

All of it is text, and shown as text; `code` between backquotes and paragraphs are set as
such. Nothing is a script, so a saved notebook keeps the cards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from IPython.core.getipython import get_ipython

from labkit.checks import Compared, Exercise, Finding, Question
from labkit.views.words import for_html

_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
#: Longer than anything that is written here; what an engine says may be longer.
_LONGEST = 4000


class Card:
    """Something to read in a frame: a heading, paragraphs, and a mood that colours its edge."""

    def __init__(self, mood: str, heading: str, body: Iterable[str], text: str) -> None:
        self._mood = mood
        self._heading = heading
        self._body = list(body)
        self._text = text

    def _repr_html_(self) -> str:
        return (
            f"<style>{style()}</style>"
            f'<section class="labkit-note-card mathjax_ignore tex2jax_ignore" '
            f'data-mood="{self._mood}"><div class="labkit-card-head">{prose(self._heading)}</div>'
            f"{''.join(self._body)}</section>"
        )

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text


def finding(said: Finding) -> Card:
    """Return what a check says."""
    body = [_paragraph(said.saw), _paragraph(said.because)]
    if said.try_next:
        body.append(_labelled("Try", said.try_next))
    return Card(_MOODS[said.outcome], f"{said.mark} **{said.outcome}**", body, str(said))


_MOODS = {"passed": "good", "not yet": "way", "not attempted": "rest"}


def compared(said: Compared) -> Card:
    """Return a prediction beside what happened."""
    reading = said.reading
    body = [
        _paragraph(said.said),
        _labelled("The recording shows", reading.saw),
        _paragraph(reading.because),
    ]
    if reading.try_next:
        body.append(_labelled("Next", reading.try_next))
    mood = "good" if said.as_predicted else "rest"
    return Card(mood, f"**{said.question.text}**", body, str(said))


def question(asked: Question) -> Card:
    """Return a question with its choices, to be read where nothing can be chosen."""
    items = "".join(f"<li>{prose(choice.label)}</li>" for choice in asked.choices)
    keys = "\n".join(f"  {choice.key}: {choice.label}" for choice in asked.choices)
    how = f'labkit.question("{asked.name}", choose="{asked.choices[0].key}")'
    text = f"{asked.text}\n{keys}\nChoose with {how}"
    return Card("ask", f"Before you run it: **{asked.text}**", [f"<ul>{items}</ul>"], text)


def exercise(begun: Exercise, done: Iterable[str]) -> Card:
    """Return what is asked for, and what was done so that it can begin."""
    paragraphs = [_paragraph(text) for text in begun.task.split("\n\n")]
    lines = [f"{sentence}." for sentence in done]
    if lines:
        items = "".join(f"<li>{prose(line)}</li>" for line in lines)
        paragraphs.append(
            f"<details><summary>What was prepared</summary><ul>{items}</ul></details>"
        )
    ways = " · ".join(f'`labkit.{name}("{begun.name}")`' for name in ("check", "hint", "solution"))
    paragraphs.append(f'<p class="labkit-card-quiet">{prose(ways)}</p>')
    text = "\n".join([f"Exercise: {begun.title}", begun.task, *lines])
    return Card("ask", f"Exercise · **{begun.title}**", paragraphs, text)


class HintSaid(Protocol):
    """What a card needs of a hint."""

    notice: str
    text: str
    rung: int
    of: int


def hint(said: HintSaid) -> Card:
    """Return a hint, after what can be said about how things stand."""
    body = [_paragraph(text) for text in (said.notice, said.text) if text]
    return Card("ask", f"**Hint {said.rung} of {said.of}**", body, str(said))


class SolutionTold(Protocol):
    """What a card needs of a solution: its cells are Markdown, or code."""

    title: str
    cells: tuple[tuple[str, str], ...]


def solution(told: SolutionTold) -> Card:
    """Return a solution: its words and its code, in their order."""
    body = [_code(said) if kind == "code" else _paragraphs(said) for kind, said in told.cells]
    return Card("ask", f"A solution · **{told.title}**", body, str(told))


def prose(text: str) -> str:
    """Return a text as HTML: `code` and **words** set as such, everything else as it is."""
    shown = "<br>".join(for_html(line, _LONGEST) for line in text.split("\n"))
    return _BOLD.sub(r"<b>\1</b>", _CODE.sub(r"<code>\1</code>", shown))


def enable() -> None:
    """Have Jupyter show findings, comparisons, hints and solutions as cards."""
    shell = get_ipython()
    if shell is None or shell.display_formatter is None:
        return
    html = shell.display_formatter.formatters["text/html"]
    plain = shell.display_formatter.formatters["text/plain"]
    for module, name, card in _CARDS:
        html.for_type_by_name(module, name, lambda said, card=card: card(said)._repr_html_())
        plain.for_type_by_name(module, name, lambda said, printer, _: printer.text(str(said)))


#: The types that cards are made of, by name: some are above this package.
_CARDS: tuple[tuple[str, str, Callable[[Any], Card]], ...] = (
    ("labkit.checks.finding", "Finding", finding),
    ("labkit.checks.question", "Compared", compared),
    ("labkit.lessons.helping", "Hint", hint),
    ("labkit.lessons.helping", "Solution", solution),
)


@cache
def style() -> str:
    """Return the style sheet of cards, which is small: each card brings it."""
    return (files("labkit.views") / "assets" / "css" / "cards.css").read_text(encoding="utf-8")


def _paragraph(text: str) -> str:
    return f"<p>{prose(text)}</p>"


def _paragraphs(text: str) -> str:
    return "".join(map(_paragraph, text.split("\n\n")))


def _code(text: str) -> str:
    lines = "\n".join(for_html(line, _LONGEST) for line in text.split("\n"))
    return f"<pre><code>{lines}</code></pre>"


def _labelled(label: str, text: str) -> str:
    return f"<p><b>{label}:</b> {prose(text)}</p>"
