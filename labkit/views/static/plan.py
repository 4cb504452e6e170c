"""An instructor's plan of a lesson, from the notes in its notebook: a page of paper each. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from labkit.lessons.notebooks import minutes
from labkit.lessons.notebooks.cells import Book, Cell, has, is_note, labelled, tags
from labkit.lessons.notebooks.checking import GOAL, KEY_QUESTION
from labkit.views.live import page as assets
from labkit.views.pages import render

#: What has a place of its own in the plan; any other label stands before its text.
_PLACED = {GOAL, KEY_QUESTION, "Ask", "Common wrong answer", "Cut", "Minutes"}
#: The size of the letters in points, and how many of them fill the page at 10 points.
_SMALLEST, _LARGEST, _FULL = 6.5, 10.5, 2100


def page(books: Iterable[Book], questions: Mapping[str, str]) -> str:
    """Return the plans of some notebooks as one page; `questions` are their titles by name."""
    plans = [Plan(book["cells"], questions) for book in books]
    return assets.document(
        "Plan of the lesson", ("plan",), render("static/teaching/plan.html", plans=plans)
    )


@dataclass(frozen=True)
class Section:
    """A section of a notebook, and what its notes say."""

    title: str
    cells: Sequence[Cell]
    #: The minute in which it begins.
    begins: int
    #: What the learners predict in it.
    predictions: Sequence[str]

    @cached_property
    def notes(self) -> list[tuple[str, str]]:
        """The labels and texts of its notes."""
        return [said for note in filter(is_note, self.cells) for said in labelled(note)]

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return minutes.total(self.cells)

    @property
    def others(self) -> list[tuple[str, str]]:
        """The notes that have no place of their own."""
        return [said for said in self.notes if said[0] not in _PLACED]

    def say(self, label: str) -> list[str]:
        """Return what it says under a label."""
        return [text for each, text in self.notes if each == label]


class Plan:
    """What an instructor needs for one notebook."""

    def __init__(self, cells: Sequence[Cell], questions: Mapping[str, str]) -> None:
        self._cells, self._questions = cells, questions
        self.sections = list(self._sections())

    def _sections(self) -> Iterator[Section]:
        found = [heading for heading in minutes.headings(self._cells) if heading.level <= 3]
        ends = [*(heading.cell for heading in found), len(self._cells)][1:]
        begins = 0
        for heading, end in zip(found, ends, strict=True):
            inside = self._cells[heading.cell : end]
            if any(map(is_note, inside)):
                title = minutes.without(heading.text).lstrip("# ")
                asked = (tag for cell in inside if has(cell, "question") for tag in tags(cell))
                known = [self._questions[name] for name in asked if name in self._questions]
                yield Section(title, inside, begins, known)
                begins += minutes.total(inside)

    @property
    def title(self) -> str:
        """The first heading of the notebook."""
        titles = (each for each in minutes.headings(self._cells) if each.level == 1)
        return next((minutes.without(each.text).lstrip("# ") for each in titles), "")

    @property
    def minutes(self) -> int:
        """How long all of it takes."""
        return minutes.total(self._cells)

    @property
    def goals(self) -> list[str]:
        """What the notebook is for."""
        return [text for section in self.sections for text in section.say(GOAL)]

    @property
    def size(self) -> float:
        """The size of its letters in points: as large as one page allows."""
        letters = sum(len(text) for section in self.sections for _, text in section.notes)
        rows = 60 * len(self.sections)
        points = 10 * math.sqrt(_FULL / (letters + rows or 1))
        return min(_LARGEST, max(_SMALLEST, points))
