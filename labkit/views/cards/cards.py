"""Cards: what a check, a comparison, a hint or an exercise says, as HTML.

All of it is text, and shown as text; the little Markdown that texts of the lesson use is set
as such (`code`, **bold**, *italics*, paragraphs, lists). Nothing is a script, so a saved
notebook keeps the cards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from labkit.base.quoted import unmarked
from labkit.lessons.checks import Compared, Exercise, Finding, Question
from labkit.views.state.words import for_html, prose

if TYPE_CHECKING:
    from labkit.lessons.practice.helping import Hint, Solution

#: Characters of a line of code.
_LONGEST = 4000


class Card:
    """Something to read in a frame: a heading, paragraphs, and a mood that colours its edge."""

    def __init__(self, mood: str, heading: str, body: Iterable[str], text: str) -> None:
        self._mood = mood
        self._heading = heading
        self._body = list(body)
        self._text = unmarked(text)

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
    body = [_labelled("Seen", said.saw), _labelled("Why", said.because)]
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
        _labelled("Why", reading.because),
    ]
    if reading.try_next:
        body.append(_labelled("Try", reading.try_next))
    mood = "good" if said.as_predicted else "rest"
    return Card(mood, f"**{said.question.text}**", body, str(said))


def question(asked: Question) -> Card:
    """Return a question; its choices are to be read where nothing can be chosen.

    The style sheet hides them in a cell that has the buttons, too.
    """
    items = "".join(f"<li>{prose(choice.label)}</li>" for choice in asked.choices)
    keys = "\n".join(f"  {choice.key}: {choice.label}" for choice in asked.choices)
    how = f'labkit.question("{asked.name}", choose="{asked.choices[0].key}")'
    text = f"{asked.text}\n{keys}\nChoose with {how}"
    choices = f'<ul class="labkit-choices">{items}</ul>'
    return Card("ask", f"Before you run it: **{asked.text}**", [choices], text)


def exercise(begun: Exercise, done: Iterable[str]) -> Card:
    """Return what is asked for, and what was done so that it can begin."""
    paragraphs = [_paragraphs(begun.task)]
    lines = [f"{sentence}." for sentence in done]
    if lines:
        items = "".join(f"<li>{prose(line)}</li>" for line in lines)
        paragraphs.append(
            f"<details><summary>What was prepared</summary><ul>{items}</ul></details>"
        )
    ways = [f'`labkit.{name}("{begun.name}")` {does}' for name, does in _WAYS]
    items = "".join(f"<li>{prose(way)}</li>" for way in ways)
    paragraphs.append(f'<ul class="labkit-card-ways">{items}</ul>')
    text = "\n".join([f"Exercise: {begun.title}", begun.task, *lines])
    return Card("ask", f"Exercise · **{begun.title}**", paragraphs, text)


_WAYS = (
    ("check", "says how it stands, as often as you like."),
    ("hint", "helps a little, and each time a little more."),
    ("solution", "shows one way to do it."),
)


def hint(said: Hint) -> Card:
    """Return a hint, after what can be said about how things stand."""
    body = [_paragraph(text) for text in (said.notice, said.text) if text]
    return Card("ask", f"**Hint {said.rung} of {said.of}**", body, str(said))


def solution(told: Solution) -> Card:
    """Return a solution: its words and its code, in their order."""
    body = [_code(said) if kind == "code" else _paragraphs(said) for kind, said in told.cells]
    return Card("ask", f"A solution · **{told.title}**", body, str(told))


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


@cache
def style() -> str:
    """Return the style sheet of cards, which is small: each card brings it."""
    return (files("labkit.views") / "assets" / "css" / "cards.css").read_text(encoding="utf-8")


def _paragraph(text: str) -> str:
    return f"<p>{prose(text)}</p>"


def _paragraphs(text: str) -> str:
    return "".join(map(_block, text.split("\n\n")))


def _block(text: str) -> str:
    """Return a paragraph, or a list if each of its lines begins as an item does."""
    lines = text.strip("\n").split("\n")
    if not all(line.startswith("- ") for line in lines):
        return _paragraph(text)
    return f"<ul>{''.join(f'<li>{prose(line[2:])}</li>' for line in lines)}</ul>"


def _code(text: str) -> str:
    lines = "\n".join(for_html(line, _LONGEST) for line in text.split("\n"))
    return f"<pre><code>{lines}</code></pre>"


def _labelled(label: str, text: str) -> str:
    return f"<p><b>{label}:</b> {prose(text)}</p>"
