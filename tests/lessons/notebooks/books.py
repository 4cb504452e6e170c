"""Small notebooks, made of a line a cell."""

import re
from typing import Any

from labkit.lessons.notebooks.cells import Book, Cell, is_note, text
from labkit.lessons.notebooks.versions import NOTE_SIGN

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def md(key: str, words: str, *tags: str, **metadata: Any) -> Cell:
    """A Markdown cell, as it is in a file."""
    return {
        "cell_type": "markdown",
        "id": key,
        "metadata": ({"tags": list(tags)} if tags else {}) | metadata,
        "source": words.splitlines(keepends=True),
    }


def note(key: str, words: str, **metadata: Any) -> Cell:
    return md(key, words, "instructor", **metadata)


def code(key: str, words: str, *tags: str, printed: str = "", **metadata: Any) -> Cell:
    """A code cell; with `printed`, it has stored that as nbval wants it."""
    stream = {"name": "stdout", "output_type": "stream", "text": printed.splitlines(keepends=True)}
    return md(key, words, *tags, **metadata) | {
        "cell_type": "code",
        "outputs": [stream] if printed else [],
        "execution_count": 1 if printed else None,
    }


def book(*cells: Cell, **metadata: Any) -> Book:
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": KERNEL} | metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def lesson() -> Book:
    """A whole source: two sections, a question, an exercise, notes and a checked output."""
    return book(
        md("title", "# 1 · Updates\n\nHow?"),
        note(
            "n-open",
            "**What it is for:** *slot* by slot\n\n"
            "- **Key question:** who has updated a service?\n- **Minutes:** 2",
        ),
        md("first", "## Watch\n\nLook."),
        code("ask", 'labkit.question("how-long")', "question", "how-long"),
        code("run", "view = labkit.watch('dc_worker')", printed=""),
        code("seen", "print(10)", "nbval-check-output", printed="10\n"),
        code("compare", 'labkit.compare("how-long", view)', "compare", "how-long"),
        note(
            "n-watch",
            "**Key question:** who is next?\n\n"
            "**Common wrong answer:** in batches\n\n**Minutes:** 5",
        ),
        md("second", "## Do it\n\n```python\n## no heading\n```"),
        code("begin", 'labkit.exercise("half-the-time")', "exercise", "half-the-time"),
        code("stub", "# your update config\n...", "stub", "half-the-time"),
        code(
            "solved",
            "labkit.update('dc_worker', update_config={'parallelism': 4})",
            *("solution", "half-the-time"),
            jupyter={"source_hidden": True},
        ),
        md(
            "why", "Four tasks at once need half as many turns as two.", "solution", "half-the-time"
        ),
        code("judge", 'labkit.check("half-the-time")', "check", "half-the-time"),
        note("n-do", "**Key question:** why?\n\n**Minutes:** 8\n\n**Cut:** the whole exercise"),
        md("end", "### What comes next\n\nRolling back."),
    )


def without(made: Book, *keys: str) -> Book:
    """A notebook from which some cells are taken out."""
    return made | {"cells": [cell for cell in made["cells"] if cell["id"] not in keys]}


def by_id(made: Book) -> dict[str, Cell]:
    return {cell["id"]: cell for cell in made["cells"]}


def texts(made: Book) -> list[str]:
    return [noted(cell) for cell in made["cells"]]


def noted(cell: Cell) -> str:
    """The text of a cell; of a note without what marks it as one."""
    if not is_note(cell):
        return text(cell)
    return re.sub(r"^> ?", "", text(cell).removeprefix(f"{NOTE_SIGN}\n>\n"), flags=re.MULTILINE)
