"""What is wrong in a source, each as a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

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
        found += _untagged(book)
    return [Problem(notebook, cell, what) for cell, what in found]


_Found = Iterator[tuple[str, str]]


def _format(book: Book) -> _Found:
    """Yield what keeps it from being a notebook of format 4.5 with an id for each cell."""
    seen: set[str] = set()
    for number, cell in enumerate(book["cells"], 1):
        if not (key := identity(cell)):
            yield "", f"its cell {number} has no id. `labkit notebooks check --fix` gives it one."
        elif key in seen:
            yield key, "another cell has this id, too. `labkit notebooks check --fix` gives it one."
        seen.add(key)
    if seen and "" not in seen and len(seen) == len(book["cells"]):
        from nbformat import validator  # takes as long to import as most checks take

        wrong = next(iter(validator.iter_validate(book)), None)  # type: ignore[no-untyped-call]
        if wrong is not None:
            words = str(wrong).splitlines()[0]
            yield "", f"it is not a valid notebook: {words!r}. Open it in JupyterLab and save it."


def _metadata(book: Book) -> _Found:
    mend = "`labkit notebooks check --fix` takes it out."
    for key in sorted(cleaning.strange(book, cleaning.BOOK_METADATA)):
        yield "", f"its metadata {key!r} change with each reader. {mend}"
    for cell in book["cells"]:
        for key in sorted(cleaning.strange(cell, cleaning.CELL_METADATA)):
            yield identity(cell), f"its metadata {key!r} do not belong in a source. {mend}"


def _tags(book: Book) -> _Found:
    for cell in book["cells"]:
        named = [tag for tag in tags(cell) if tag in NAMED_TAGS]
        others = [tag for tag in tags(cell) if tag not in KNOWN_TAGS]
        if named and len(others) == 1:
            continue
        if named and not others:
            yield identity(cell), f"it is tagged {named[0]!r} and not with a name. Add it as a tag."
        for tag in others:
            yield identity(cell), f"the tag {tag!r} is unknown. {_did_you_mean(tag, KNOWN_TAGS)}"


def _outputs(book: Book) -> _Found:
    for cell in filter(is_code, book["cells"]):
        if not has(cell, CHECKED):
            if cleaning.unclean_output(cell):
                yield (
                    identity(cell),
                    "it stores an output, or a count, that nothing is compared with. "
                    "`labkit notebooks check --fix` takes it out.",
                )
        elif cleaning.printed(cell) is None:
            yield (
                identity(cell),
                f"it is tagged {CHECKED!r} and stores no printed output to compare with. "
                "Let it only print, and run tools/store_outputs.py.",
            )
        elif cleaning.unclean_output(cell):
            yield (
                identity(cell),
                "its output is to be in one piece, with the count 1. "
                "`labkit notebooks check --fix` puts it so.",
            )


def _sections(book: Book) -> _Found:
    for heading, inside in minutes.sections(book["cells"]):
        if any(map(is_code, inside)) and not minutes.total(inside):
            yield (
                identity(book["cells"][heading.cell]),
                f"the section {heading.text.lstrip('# ')!r} does not say how long it takes. "
                f"Add a note to it: a cell tagged {INSTRUCTOR!r} with a line `**Minutes:** 5`.",
            )


def _leaks(book: Book) -> _Found:
    for secret, cell in versions.leaks(book):
        kind = "note" if is_note(secret) else "solution"
        yield (
            identity(secret),
            f"cell {identity(cell)} has all that this {kind} says, and learners read that. "
            "Reword one of them.",
        )


def _groups(book: Book, order: tuple[str, ...], kind: str, known: Collection[str] | None) -> _Found:
    """Yield what is wrong with the cells of each exercise, or of each question."""
    places: dict[str, list[tuple[str, Cell]]] = {}
    for cell in book["cells"]:
        for role in (tag for tag in order if has(cell, tag)):
            places.setdefault(_name(cell), []).append((role, cell))
    places.pop("", None)  # a cell without a name has its sentence from `_tags`
    for name, members in places.items():
        if known is not None and name not in known:
            yield (
                identity(members[0][1]),
                f"there is no {kind} {name!r} in labkit. {_did_you_mean(name, known)}",
            )
        yield from _order(name, kind, order, members)
        for role, cell in members:
            if role in _SINGLE and (role, name) not in _CALL.findall(text(cell)):
                yield identity(cell), f'it is to call `labkit.{role}("{name}")`, as its tags say.'


def _order(name: str, kind: str, order: tuple[str, ...], members: list[tuple[str, Cell]]) -> _Found:
    roles = [role for role, _ in members]
    for role in order:
        if role not in roles:
            yield (
                identity(members[0][1]),
                f"the {kind} {name!r} has no cell tagged {role!r}. Add one with that name, too.",
            )
        elif role in _SINGLE and roles.count(role) > 1:
            yield (
                identity([cell for each, cell in members if each == role][1]),
                f"the {kind} {name!r} has two cells tagged {role!r}. Take one out.",
            )
    if roles != sorted(roles, key=order.index):
        yield (
            identity(members[0][1]),
            f"the cells of the {kind} {name!r} stand as {', '.join(roles)}. "
            f"Move them into this order: {', '.join(order)}.",
        )


def _untagged(book: Book) -> _Found:
    """Yield the cells that ask or check something and have no tags that say so."""
    for cell in filter(is_code, book["cells"]):
        for call, name in _CALL.findall(text(cell)):
            if not is_solution(cell) and not is_note(cell) and not has(cell, call):
                yield (
                    identity(cell),
                    f"it calls `labkit.{call}` and is not tagged so. Tag it {call!r} and {name!r}.",
                )


def _name(cell: Cell) -> str:
    """Return the name of the exercise or question that a cell belongs to, or `""`."""
    names = [tag for tag in tags(cell) if tag not in KNOWN_TAGS]
    return names[0] if len(names) == 1 else ""


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
        for tag in tags(cell)
        if tag.strip().lower() not in KNOWN_TAGS
        and not any(has(cell, known) for known in (INSTRUCTOR, *NAMED_TAGS))
        and get_close_matches(tag.strip().lower(), (INSTRUCTOR, SOLUTION), 1, cutoff=0.75)
    ]
