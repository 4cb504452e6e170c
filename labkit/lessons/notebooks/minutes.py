"""The sections of a notebook, and how long each takes by the notes in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labkit.lessons.notebooks.cells import Cell, is_note, is_prose, text, with_text

_HEADING = re.compile(r"(#{1,6}) +\S")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_MINUTES = re.compile(r"\*\*Minutes:?\*\*:? *(\d+)", re.IGNORECASE)
_SUFFIX = re.compile(r" · \d+ min$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in the Markdown of a notebook; those in notes and in code blocks do not count."""

    #: Which cell, and which line of it, both from 0.
    cell: int
    line: int
    #: 1 for `#`, 2 for `##`.
    level: int
    #: The line as it stands.
    text: str


def headings(cells: Sequence[Cell]) -> list[Heading]:
    """Return the headings of a notebook, from top to bottom."""
    return [
        Heading(place, number, len(found[1]), line)
        for place, cell in enumerate(cells)
        if is_prose(cell)
        for number, line in _outside_of_code(text(cell))
        if (found := _HEADING.match(line))
    ]


def _outside_of_code(words: str) -> Iterator[tuple[int, str]]:
    fence = ""
    for number, line in enumerate(words.splitlines()):
        found = _FENCE.match(line)
        if found and fence in ("", found[1]):
            fence = "" if fence else found[1]
        elif not fence:
            yield number, line


def sections(cells: Sequence[Cell]) -> list[tuple[Heading, Sequence[Cell]]]:
    """Return each `##` heading with the cells up to the next one of its level, or a higher."""
    found = [heading for heading in headings(cells) if heading.level <= 2]
    ends = [*(heading.cell for heading in found), len(cells)][1:]
    return [
        (heading, cells[heading.cell : end])
        for heading, end in zip(found, ends, strict=True)
        if heading.level == 2
    ]


def total(cells: Sequence[Cell]) -> int:
    """Return the minutes that the notes among some cells state, added up."""
    notes = [text(cell) for cell in cells if is_note(cell)]
    return sum(int(number) for note in notes for number in _MINUTES.findall(note))


def in_headings(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells with the minutes of each section behind its heading.

    The first `#` heading, the title, has the sum. A heading without minutes stays as it is.
    """
    timed = [(heading, total(inside)) for heading, inside in sections(cells)]
    titles = [heading for heading in headings(cells) if heading.level == 1]
    changed = list(cells)
    for heading, minutes in [*((title, total(cells)) for title in titles[:1]), *timed]:
        if minutes:
            cell = changed[heading.cell]
            lines = text(cell).splitlines(keepends=True)
            line = lines[heading.line]
            lines[heading.line] = line.replace(
                heading.text, f"{heading.text.rstrip()} · {minutes} min"
            )
            changed[heading.cell] = with_text(cell, "".join(lines))
    return changed


def without(words: str) -> str:
    """Return a text as it was before minutes were put behind its headings."""
    return _SUFFIX.sub("", words)
