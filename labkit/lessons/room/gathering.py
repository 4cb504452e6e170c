"""The instructor's side of the room: the files of a class, read, and what to do next.

The files come from other people's machines, so nothing in them is taken on trust: a link is
not followed, long texts are cut, and lines of other kinds are left out and counted.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from labkit.base.errors import LabError, expecting
from labkit.base.files import lines
from labkit.lessons.journal import BEGINS, LATE, Event, read_event
from labkit.lessons.room.noting import NOTED, SCHEMA, TOLD

#: A class of a day makes some kilobytes a learner.
_MOST_BYTES = 1_000_000
#: Characters of an alias, of a name and of a choice that are kept.
_LONGEST = 60
_LAST_STEP = 99
_LONGEST_UPDATE = 86_400
#: What a line has, the last of it since labkit notes it, and which of that may be long.
_FIELDS = ("at", "alias", *TOLD)
_NEWER = {"seconds": 0}
_CUT = ("alias", "name", "outcome", "choice", "answer")
#: Names that a room knows: a lesson has some twenty, a hostile file as many as it likes.
_MOST_NAMES = 100
#: Learners that are listed one by one.
_MOST_LEARNERS = 200
#: Where a report that is handed in has its notes (`templates/cards/report.html`).
_HANDED_IN = re.compile(rb' data-room="([^"]*)"')
#: What part of a class is nearly all of it, and what part is most of it.
_NEARLY_ALL = 0.8
_MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """One line of a learner's file."""

    alias: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What one learner said to a question."""

    alias: str
    #: The key of the choice.
    choice: str
    #: The key of what their recording showed; `""` while they have not compared.
    answer: str


class Advice(NamedTuple):
    """What to do next, and the answer that it is about."""

    what: Literal["wait", "move on", "address", "explain"]
    #: The key of the answer that the recordings showed, or of the one to address; else `""`.
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a learner is, and what they last did there."""

    #: Since when they ask for help; `None` if they do not.
    stuck: datetime | None
    #: When they came to this exercise, question or notebook.
    since: datetime
    last: Note
    checks: int
    #: How many different hints were taken.
    hints: int


@dataclass(frozen=True, slots=True)
class Room:
    """What a class did, gathered."""

    #: In the order of time.
    notes: tuple[Note, ...]
    #: Files that are not a room's, or could not be read.
    skipped: int = 0
    #: Lines, in the files of the room, that could not be read.
    torn: int = 0

    @property
    def aliases(self) -> list[str]:
        """Everybody in the room, sorted."""
        return sorted({note.alias for note in self.notes})

    @property
    def questions(self) -> list[str]:
        """The names of the questions that somebody answered, in the order of the lesson."""
        return [name for name in self._named("predicted", "compared") if self.guesses(name)]

    @property
    def exercises(self) -> list[str]:
        """The names of the exercises that somebody began or checked, in that order."""
        return self._named("began", "checked", "hinted")

    def guesses(self, question: str) -> list[Guess]:
        """Return what each learner said to a question, by alias.

        Of a repeated prediction the last before the first comparison counts: after that one
        knows.
        """
        found = _guesses(note for note in self.notes if note.name == question)
        return sorted(found, key=lambda each: each.alias)

    def spread(self, question: str) -> dict[str, int]:
        """Return how many chose each answer, the most frequent first."""
        return dict(Counter(each.choice for each in self.guesses(question)).most_common())

    def at_first(self, question: str) -> dict[str, int]:
        """Return how many chose each answer at first, before they changed their mind."""
        first: dict[str, str] = {}
        for note in self.notes:
            if note.name == question and note.choice and note.outcome != LATE:
                first.setdefault(note.alias, note.choice)
        return dict(Counter(first.values()))

    def took(self, name: str) -> list[int]:
        """Return how long each learner's update took, in seconds, of a question or exercise."""
        timed = (note for note in self.notes if note.name == name and note.seconds)
        return sorted({note.alias: note.seconds for note in timed}.values())

    def shown(self, question: str) -> dict[str, int]:
        """Return how many recordings showed each answer, the most frequent first."""
        answers = (each.answer for each in self.guesses(question) if each.answer)
        return dict(Counter(answers).most_common())

    def tried(self, exercise: str) -> set[str]:
        """Return who has begun an exercise, or checked it."""
        return {note.alias for note in self.notes if note.name == exercise}

    @property
    def done(self) -> dict[str, list[str]]:
        """For each exercise, who has passed it."""
        passed: dict[str, set[str]] = {name: set() for name in self.exercises}
        for note in self.notes:
            if note.kind == "checked" and note.outcome == "passed" and note.name in passed:
                passed[note.name].add(note.alias)
        return {name: sorted(aliases) for name, aliases in passed.items()}

    def places(self) -> list[Place]:
        """Return where everybody is: who asks for help, then who is furthest behind, comes first.

        Of a class that is larger than any, those that come first.
        """
        notes: dict[str, list[Note]] = {}
        for note in self.notes:
            notes.setdefault(note.alias, []).append(note)
        return sorted(map(_place, notes.values()), key=_urgency)[:_MOST_LEARNERS]

    def step_of(self, name: str) -> int:
        """Return the number of the notebook of a question or an exercise, as most notes say it."""
        steps = Counter(note.step for note in self.notes if note.name == name)
        return min(steps, key=lambda step: (-steps[step], step), default=0)

    def _named(self, *kinds: str) -> list[str]:
        """Return what most learners named in notes of these kinds, in the order of the lesson."""
        named = {(note.name, note.alias): None for note in self.notes if note.kind in kinds}
        names = [name for name, _ in Counter(name for name, _ in named).most_common(_MOST_NAMES)]
        return sorted(names, key=self.step_of)


def advise(guesses: Sequence[Guess]) -> Advice:
    """Return what to do next after a question; until a comparison, wait.

    Nearly all as the recordings showed: go on. Most with one other answer: that belief is
    worth addressing. Evenly spread: explain it again in other words.
    """
    answers = Counter(each.answer for each in guesses if each.answer)
    if not answers:
        return Advice("wait")
    shown = answers.most_common(1)[0][0]
    # recordings differ: each learner's own one answers their prediction
    others = [each.choice for each in guesses if each.choice != (each.answer or shown)]
    if len(guesses) - len(others) >= len(guesses) * _NEARLY_ALL:
        return Advice("move on", shown)
    choice, count = Counter(others).most_common(1)[0]
    return Advice("address", choice) if count >= len(guesses) * _MOST else Advice("explain")


def gather(folder: Path, *, may_be_empty: bool = False) -> Room:
    """Read every `*.jsonl`, and every report, in a folder and in those within it.

    Lines of one alias belong together, in whichever file they are, and those that are in two
    files count once. Raises `LabError` for a folder that is not there, or in which no file is a
    room's, unless it `may_be_empty`.
    """
    read = [_notes_of(path) for path in _files(folder)]
    notes = dict.fromkeys(note for found in read if found for note in found.notes)
    if not notes and not may_be_empty:
        raise LabError(
            f"the files of a class, one .jsonl or report per learner, in {folder}.",
            f"{len(read)} such files, but no class log in them." if read else "none.",
            "let learners work with LABKIT_CLASS set to this folder, or copy their files into it.",
        )
    return Room(
        notes=tuple(sorted(notes, key=lambda note: note.at)),
        skipped=sum(found is None for found in read),
        torn=sum(found.torn for found in read if found),
    )


def _files(folder: Path) -> list[Path]:
    advice = "give the folder that LABKIT_CLASS names for learners, or the one with their files."
    with expecting(f"the folder of a class, {folder}.", advice):
        here = sorted(folder.iterdir())
    # no links; and Jupyter's own copies are in folders whose names begin with a dot
    names = (each for each in here if each.name[0] != ".")
    folders = (each for each in names if each.is_dir() and not each.is_symlink())
    below = chain.from_iterable(map(_within, folders))
    return [path for path in (*here, *below) if path.suffix in _READERS]


def _within(folder: Path) -> list[Path]:
    """Return what is in a learner's folder; nothing where they let nobody in."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


class _File(NamedTuple):
    notes: list[Note]
    torn: int


def _notes_of(path: Path) -> _File | None:
    """Return the notes of a file; `None` if it is not a room's. A quiet learner's is empty."""
    try:
        rows, torn = _READERS[path.suffix](path)
    except OSError:
        return None
    read = [(row, _note(row)) for row in rows]
    notes = [note for _, note in read if note]
    torn += sum(note is None for row, note in read if not _of_a_newer_labkit(row))
    return None if torn and not notes else _File(notes, torn)


def _report(path: Path) -> lines.Read:
    """Return what a report has for the room; one line that cannot be read if it has nothing."""
    found = _HANDED_IN.search(lines.head(path, _MOST_BYTES)[0])
    try:
        rows = json.loads(unescape(found[1].decode())) if found else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        return lines.Read([], 1)
    known = [row for row in rows if isinstance(row, dict)]
    return lines.Read(known, len(rows) - len(known))


_READERS: dict[str, Callable[[Path], lines.Read]] = {
    ".jsonl": partial(lines.read, most_bytes=_MOST_BYTES),
    ".html": _report,
}


def _of_a_newer_labkit(row: dict[str, Any]) -> bool:
    """Whether a line is one of a room, but of a form or a kind that is not known here."""
    schema, kind = row.get("schema"), row.get("kind")
    if type(schema) is not int or not isinstance(kind, str) or "alias" not in row:
        return False
    return schema > SCHEMA or (schema == SCHEMA and kind not in NOTED)


def _note(row: dict[str, Any]) -> Note | None:
    """Return the note in a line, its texts cut; `None` if there is none."""
    row = _NEWER | row
    if row.get("schema") != SCHEMA or not row.keys() >= {*_FIELDS}:
        return None
    cut = {name: row[name] for name in _FIELDS}
    cut |= {name: cut[name][:_LONGEST] for name in _CUT if isinstance(cut[name], str)}
    note = read_event(Note, cut)
    if not (note and note.kind in NOTED and note.alias and (note.name or note.kind in BEGINS)):
        return None
    if not all(0 <= number <= _LAST_STEP for number in (note.step, note.rung)):
        return None
    if not 0 <= note.seconds <= _LONGEST_UPDATE:
        return None
    try:
        return replace(note, at=note.at.astimezone(UTC))
    except OverflowError:
        return None


def _guesses(notes: Iterable[Note]) -> Iterator[Guess]:
    """Return what counts of the notes of one question, for each alias."""
    chosen: dict[str, str] = {}
    answers: dict[str, str] = {}
    for note in notes:
        if note.kind == "predicted" and note.alias not in answers and note.outcome != LATE:
            chosen[note.alias] = note.choice
        elif note.kind == "compared":
            # the room may have been turned on after the prediction
            chosen.setdefault(note.alias, note.choice)
            answers.setdefault(note.alias, note.answer)
    return (Guess(who, choice, answers.get(who, "")) for who, choice in chosen.items() if choice)


def _place(notes: list[Note]) -> Place:
    """Return where somebody is, from all their notes."""
    stuck = None
    at: list[Note] = []
    for note in notes:
        begins = note.kind in (*BEGINS, "began")
        if begins or (at and note.name != at[0].name):
            at = []
        at.append(note)
        if note.kind == "stuck":
            stuck = stuck or note.at
        elif begins or note.kind == "unstuck" or note.outcome == "passed":
            stuck = None
    return Place(
        stuck=stuck,
        since=at[0].at,
        last=at[-1],
        checks=sum(note.kind == "checked" for note in at),
        hints=len({note.rung for note in at if note.kind == "hinted"}),
    )


def _urgency(place: Place) -> tuple[Any, ...]:
    """Return by what learners are sorted."""
    asks = place.stuck or datetime.max.replace(tzinfo=UTC)
    return asks, place.last.step, place.since, place.last.alias
