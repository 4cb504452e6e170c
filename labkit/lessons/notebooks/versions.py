"""From a source to the notebook that a learner, an instructor or an audience gets."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, get_args

from labkit.lessons.notebooks import minutes, notes
from labkit.lessons.notebooks.cells import (
    CHECKED,
    Book,
    Cell,
    has,
    identity,
    is_code,
    is_note,
    is_prose,
    is_solution,
    metadata,
    text,
    with_metadata,
    with_text,
    without_output,
)

VersionName = Literal["learner", "instructor", "slides"]
VERSIONS: tuple[VersionName, ...] = get_args(VersionName)

#: What an instructor sees above a note.
NOTE_SIGN = "> **Instructor**"

#: For jupyterlab-rise: tall slides begin at the top and scroll; its own theme loads web fonts.
_RISE = {"center": False, "scroll": True, "theme": "serif"}
_SLIDES = {"# ": "slide", "## ": "slide", "### ": "subslide"}


@dataclass(frozen=True, slots=True)
class Built:
    """A version of a notebook, and what was kept of an older one."""

    book: Book
    kept: tuple[notes.Kept, ...] = ()
    #: How many cells of the older one are lost: no notes, and added or changed there by hand.
    lost: int = 0


def learner(book: Book, *, keep_outputs: bool = False) -> Book:
    """Return a notebook without notes, solutions and outputs: outputs are answers.

    With `keep_outputs`, for a test run, the cells that nbval checks keep theirs.
    """
    kept = [cell for cell in book["cells"] if not (is_note(cell) or is_solution(cell))]
    return _version("learner", book, _outputs(kept, keep_checked=keep_outputs))


def build(
    version: VersionName, book: Book, older: Book | None = None, *, keep_outputs: bool = False
) -> Built:
    """Return a version by its name.

    In an instructor's, notes and solutions are open, and headings have minutes. Of slides, each
    cell says which it is on, unless its own metadata do; notes are speaker's notes, and there are
    no solutions. Both keep the notes that an instructor wrote into the `older` version; a
    learner's is built with no regard to one. The source may be an instructor's version.
    """
    if version_of(book) == "instructor":
        plain = [with_text(cell, minutes.without(text(cell))) for cell in book["cells"]]
        book = book | {"cells": plain}
    if version == "learner":
        return Built(learner(book, keep_outputs=keep_outputs))
    if version == "instructor":
        chosen, finish = [_signed(_open(cell)) for cell in book["cells"]], _for_instructor
    else:
        chosen, finish = [cell for cell in book["cells"] if not is_solution(cell)], _on_slides
        book = with_metadata(book, rise=_RISE)
    fresh = [notes.stamped(cell) if is_note(cell) else cell for cell in chosen]
    found = older["cells"] if older else []
    merged, kept = notes.merged(_outputs(fresh, keep_checked=keep_outputs), found)
    cells = finish(merged)
    prints = notes.prints(cells)
    known = _own(older).get("built") if older else None
    lost = notes.strangers(found, known if isinstance(known, list) else prints)
    return Built(_version(version, book, cells, built=prints), tuple(kept), len(lost))


def _version(version: VersionName, book: Book, cells: list[Cell], **own: Any) -> Book:
    return deepcopy(with_metadata(book, labkit={"version": version, **own}) | {"cells": cells})


def _outputs(cells: Sequence[Cell], *, keep_checked: bool) -> list[Cell]:
    return [cell if keep_checked and has(cell, CHECKED) else without_output(cell) for cell in cells]


def _open(cell: Cell) -> Cell:
    if not is_solution(cell):
        return cell
    folds = metadata(cell).get("jupyter") or {}
    shown = {key: value for key, value in folds.items() if key != "source_hidden"}
    return with_metadata(cell, jupyter=shown or None)


def _signed(cell: Cell) -> Cell:
    """Return a note as a quotation, so that every line of it shows that it is one."""
    if not is_note(cell) or is_code(cell):
        return cell
    found = text(cell)
    words = found if found.startswith(NOTE_SIGN) else f"{NOTE_SIGN}\n\n{found}"
    lines = (each if each.startswith(">") else f"> {each}" for each in words.split("\n"))
    return with_text(cell, "\n".join(">" if each == "> " else each for each in lines))


def _for_instructor(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells with minutes in the headings, and an instructor's own notes signed, too."""
    return minutes.in_headings([_signed(cell) for cell in cells])


def _on_slides(cells: Sequence[Cell]) -> list[Cell]:
    return [
        with_metadata(cell, slideshow={"slide_type": kind}) if (kind := _slide_type(cell)) else cell
        for cell in cells
    ]


def _slide_type(cell: Cell) -> str:
    """Return where a cell goes, or `""` for: on the slide of the cell before, or as it says."""
    own = metadata(cell).get("slideshow")
    if isinstance(own, dict) and own.get("slide_type"):
        return ""
    if is_note(cell):
        return "notes"
    marks = [mark for mark in _SLIDES if is_prose(cell) and text(cell).startswith(mark)]
    return _SLIDES[marks[0]] if marks else ""


def version_of(book: Book) -> str:
    """Return which version a notebook says it is, or `""`."""
    return str(_own(book).get("version", ""))


def _own(book: Book) -> dict[str, Any]:
    """Return what a version says of itself."""
    own = metadata(book).get("labkit")
    return own if isinstance(own, dict) else {}


def leaks(book: Book) -> list[tuple[Cell, Cell]]:
    """Return each note and solution that a learner would read all the same, and in which cell.

    A short line such as `view.wait()` gives nothing away, so only longer texts count.
    """
    secrets = [cell for cell in book["cells"] if is_note(cell) or is_solution(cell)]
    shown = [(text(cell), cell) for cell in learner(book)["cells"]]
    return [
        (secret, cell)
        for secret in filter(identity, secrets)
        if len(hidden := text(secret).strip()) >= _TELLING
        for words, cell in shown
        if hidden in words
    ]


#: Characters from which on a text gives something away.
_TELLING = 40
