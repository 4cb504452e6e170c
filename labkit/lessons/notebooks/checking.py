"""What is wrong in a source, each as a sentence that says what to do."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from labkit.base.rules import filled, words
from labkit.lessons.notebooks import cleaning, minutes, versions
from labkit.lessons.notebooks.cells import (
    CHECKED,
    EXERCISE_TAGS,
    INSTRUCTOR,
    NAMED_TAGS,
    QUESTION_TAGS,
    SOLUTION,
    Book,
    Cell,
    has,
    identity,
    is_code,
    is_note,
    is_solution,
    labelled,
    tags,
    text,
)

#: The tags that mean something to labkit, to nbval and to Jupyter.
KNOWN_TAGS = {
    *(INSTRUCTOR, CHECKED, *NAMED_TAGS),
    *("nbval-ignore-output", "nbval-raises-exception", "nbval-skip"),
    *("raises-exception", "skip-execution"),
}
#: Of these an exercise, or a question, has one cell each; of the others, any number.
_SINGLE = {"exercise", "check", *QUESTION_TAGS}
#: What an instructor's plan takes from the notes, and how often it is there.
GOAL, KEY_QUESTION = "What it is for", "Key question"
_PLANNED = {GOAL: 1, KEY_QUESTION: 3}
#: How many unknown tags of a cell are named.
_SAID = 10
_SENTENCES = Path(__file__).with_name("problems.yaml")
_CALL = re.compile(r"\blabkit\.(exercise|check|question|compare)\(\s*[\"']([^\"']*)[\"']")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that keeps a version from being what it should be."""

    notebook: str
    #: The id of the cell, or `""` for the notebook as a whole.
    cell: str
    #: What is wrong, and what to do, in sentences.
    what: str

    def __str__(self) -> str:
        where = f"{self.notebook}, cell {self.cell}" if self.cell else self.notebook
        return f"{where}: {self.what}"


def problems(
    notebook: str,
    book: Book,
    *,
    exercises: Collection[str] | None = None,
    questions: Collection[str] | None = None,
) -> list[Problem]:
    """Return what is wrong in a source, from what concerns all of it to its single cells.

    `exercises` and `questions` are the names that there are; `None` takes any.
    """
    found = list(_format(book))
    if not found:  # what follows names cells by their ids
        found = [*_metadata(book), *_tags(book), *_outputs(book), *_sections(book), *_leaks(book)]
        found += _groups(book, EXERCISE_TAGS, "exercise", exercises)
        found += _groups(book, QUESTION_TAGS, "question", questions)
        found += [*_untagged(book), *_plan(book)]
    return [Problem(notebook, cell, what) for cell, what in found]


_Found = Iterator[tuple[str, str]]


def _format(book: Book) -> _Found:
    """Yield what keeps it from being a notebook of format 4.5 with an id for each cell."""
    seen: set[str] = set()
    for number, cell in enumerate(book["cells"], 1):
        if not (key := identity(cell)):
            yield "", _say("no id", number=number)
        elif key in seen:
            yield key, _say("same id")
        seen.add(key)
    if seen and "" not in seen and len(seen) == len(book["cells"]):
        from nbformat import validator  # takes as long to import as most checks take

        # by the schema of 4.5, whichever version it claims to be
        errors = validator.iter_validate(book, version=4, version_minor=5)  # type: ignore[no-untyped-call]
        try:
            wrong = next(iter(errors), None)
        except TypeError:  # nbformat takes it for text
            wrong = "the type of a cell, or of an output, is not text"
        if wrong is not None:
            yield "", _say("not valid", words=str(wrong).splitlines()[0])


def _metadata(book: Book) -> _Found:
    for key in sorted(cleaning.strange(book, cleaning.BOOK_METADATA)):
        yield "", _say("metadata of a reader", key=key)
    for cell in book["cells"]:
        for key in sorted(cleaning.strange(cell, cleaning.CELL_METADATA)):
            yield identity(cell), _say("metadata of a cell", key=key)


def _tags(book: Book) -> _Found:
    for cell in book["cells"]:
        named = [tag for tag in tags(cell) if tag in NAMED_TAGS]
        others = [tag for tag in tags(cell) if tag not in KNOWN_TAGS]
        if named and len(others) == 1:
            continue
        if named and not others:
            yield identity(cell), _say("no name", tag=named[0])
        for tag in others[:_SAID]:
            yield identity(cell), _say("unknown tag", tag=tag, known=KNOWN_TAGS)


def _outputs(book: Book) -> _Found:
    for cell in filter(is_code, book["cells"]):
        if not has(cell, CHECKED):
            if cleaning.unclean_output(cell):
                yield identity(cell), _say("output not compared")
        elif cleaning.printed(cell) is None:
            yield identity(cell), _say("no output", tag=CHECKED)
        elif cleaning.unclean_output(cell):
            yield identity(cell), _say("output in pieces")


def _sections(book: Book) -> _Found:
    for heading, inside in minutes.sections(book["cells"]):
        if any(map(is_code, inside)) and not minutes.total(inside):
            what = _say("no minutes", heading=heading.text.lstrip("# "), tag=INSTRUCTOR)
            yield identity(book["cells"][heading.cell]), what


def _plan(book: Book) -> _Found:
    notes = filter(is_note, book["cells"])
    counted = Counter(label for note in notes for label, _ in labelled(note))
    for label, wanted in _PLANNED.items():
        if counted[label] != wanted:
            yield "", _say("not planned", label=label, wanted=wanted, found=counted[label])


def _leaks(book: Book) -> _Found:
    for secret, cell in versions.leaks(book):
        kind = "note" if is_note(secret) else "solution"
        yield identity(secret), _say("leak", cell=identity(cell), kind=kind)


def _groups(book: Book, order: tuple[str, ...], kind: str, known: Collection[str] | None) -> _Found:
    places: dict[str, list[tuple[str, Cell]]] = {}
    for cell in book["cells"]:
        for role in (tag for tag in order if has(cell, tag)):
            places.setdefault(_name(cell), []).append((role, cell))
    places.pop("", None)  # a cell without a name has its sentence from `_tags`
    for name, members in places.items():
        if known is not None and name not in known:
            yield identity(members[0][1]), _say("unknown", kind=kind, tag=name, known=known)
        yield from _order(name, kind, order, members)
        for role, cell in members:
            if role in _SINGLE and (role, name) not in _CALL.findall(text(cell)):
                yield identity(cell), _say("no call", role=role, name=name)


def _order(name: str, kind: str, order: tuple[str, ...], members: list[tuple[str, Cell]]) -> _Found:
    roles = [role for role, _ in members]
    if roles == ["check"]:  # a step that is typed in a terminal has nothing else
        return
    for role in order:
        if role not in roles:
            yield identity(members[0][1]), _say("no cell", kind=kind, name=name, role=role)
        elif role in _SINGLE and roles.count(role) > 1:
            second = [cell for each, cell in members if each == role][1]
            yield identity(second), _say("two cells", kind=kind, name=name, role=role)
    if roles != sorted(roles, key=order.index):
        what = _say("wrong order", kind=kind, name=name, roles=roles, order=order)
        yield identity(members[0][1]), what


def _untagged(book: Book) -> _Found:
    """Yield the cells that ask or check something and have no tags that say so."""
    for cell in filter(is_code, book["cells"]):
        for call, name in _CALL.findall(text(cell)):
            if not is_solution(cell) and not is_note(cell) and not has(cell, call):
                yield identity(cell), _say("no tag", call=call, name=name)


def _name(cell: Cell) -> str:
    names = [tag for tag in tags(cell) if tag not in KNOWN_TAGS]
    return names[0] if len(names) == 1 else ""


def _say(key: str, /, **facts: Any) -> str:
    """Return a sentence of `problems.yaml`; where names are `known`, with the nearest to a tag."""
    if "known" in facts:
        facts["did_you_mean"] = _did_you_mean(facts["tag"], facts["known"])
    return filled({key: words(_SENTENCES)[key]}, facts)[key]


def _did_you_mean(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word.strip().lower(), sorted(known), 1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}."


def unfit(book: Book) -> list[str]:
    """Return what no version is built with: it would lose a note, or show one to learners."""
    keys = [identity(cell) for cell in book["cells"]]
    said = [] if len({*keys, ""}) > len(keys) else ["not every cell has an id of its own."]
    return said + misspelt(book)


def misspelt(book: Book) -> list[str]:
    """Return the cells whose tag is nearly one that hides them, each as a sentence.

    Beside a tag that asks for a name any other tag is that name.
    """
    return [
        f"cell {identity(cell) or number} is tagged {tag!r}. "
        f"{_did_you_mean(tag, (INSTRUCTOR, SOLUTION))}"
        for number, cell in enumerate(book["cells"], 1)
        if not any(has(cell, known) for known in (INSTRUCTOR, *NAMED_TAGS))
        for tag in tags(cell)
        if tag.strip().lower() not in KNOWN_TAGS
        and len(tag) < 2 * len(INSTRUCTOR)
        and get_close_matches(tag.strip().lower(), (INSTRUCTOR, SOLUTION), 1, cutoff=0.75)
    ]
