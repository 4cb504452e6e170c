"""The room, drawn: the spread of predictions of each question, and who is where. Pure.

Once for a terminal, once as a page that can be read from the back row. Aliases, names and
answers come from other people's files, so they are text and nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from statistics import median
from typing import Any, NamedTuple

from markupsafe import Markup

from labkit.lessons.journal import Item
from labkit.lessons.room import Place, Room, advise
from labkit.views.live import page as assets
from labkit.views.pages import render
from labkit.views.state.sentences import counted
from labkit.views.state.words import plain

#: Characters of the longest bar, of an answer, a title and a question in a terminal.
_BAR, _ANSWER, _TITLE, _TEXT = 30, 40, 70, 240


def text(room: Room, plan: Iterable[Item]) -> str:
    """Return the room for a terminal."""
    drawn = _Drawn(room, plan)
    lines = [drawn.summary]
    for question in drawn.questions:
        lines += ["", *question.in_text()]
    if drawn.exercises:
        lines += ["", "Exercises"]
    for exercise in drawn.exercises:
        lines.append(f"  {exercise.step} · {plain(exercise.item.title, _TITLE)}: {exercise.result}")
    lines += ["", "Who is where"] if drawn.places else []
    for where in drawn.places:
        lines.append(f"  {plain(where.alias)}: {plain(where.at, _TITLE)}, {plain(where.how)}")
    return "\n".join(lines)


def page(room: Room, plan: Iterable[Item], *, live: bool = False) -> str:
    """Return the room as a page of its own, which asks for nothing outside of itself.

    A `live` one asks again and again for what has come of it at its own address.
    """
    body = render("cards/room.html", drawn=_Drawn(room, plan), live=live)
    if live:
        body += Markup("<script>{}</script>").format(Markup(assets.asset("room.js")))  # noqa: S704 - our own
    return assets.document("The room", ("view", "room"), body)


def facts(room: Room, plan: Iterable[Item]) -> dict[str, Any]:
    """Return the room for a machine: texts as they are, times in RFC 3339."""
    drawn = _Drawn(room, plan)
    return {
        "learners": room.aliases,
        "files_skipped": room.skipped,
        "torn_lines": room.torn,
        "questions": [each.facts() for each in drawn.questions],
        "exercises": [each.facts() for each in drawn.exercises],
        "places": [each.facts() for each in drawn.places],
    }


class Answer(NamedTuple):
    """An answer to a question, how many chose it, and how many recordings showed it."""

    key: str
    label: str
    at_first: int
    chosen: int
    shown: int


@dataclass(frozen=True)
class _Item:
    """A question or an exercise; one that is not known here goes by its name."""

    room: Room
    name: str
    plan: Mapping[str, Item]

    @property
    def item(self) -> Item:
        return self.plan.get(self.name) or Item(self.step, "question", self.name, self.name)

    @property
    def step(self) -> int:
        return self.room.step_of(self.name)

    @property
    def took(self) -> str:
        """How long half of the updates took at most, in words; `""` if none is known."""
        took = self.room.took(self.name)
        return f"the median update took {median(took):.0f} s" if took else ""


class _Question(_Item):
    @property
    def text(self) -> str:
        """What it says beyond its title."""
        return self.item.text if self.item.text != self.item.title else ""

    @cached_property
    def answers(self) -> list[Answer]:
        """The answers that are offered, in their order, then others.

        Choices without votes are included: that too says something.
        """
        room, name, label = self.room, self.name, self.item.choice
        counts = room.at_first(name), room.spread(name), room.shown(name)
        keys = dict.fromkeys(chain(self.item.choices, *counts))
        return [Answer(key, label(key), *(each.get(key, 0) for each in counts)) for key in keys]

    @property
    def changed(self) -> bool:
        """Whether somebody chose another answer before the recording answered."""
        return any(each.at_first != each.chosen for each in self.answers)

    @property
    def showed(self) -> str:
        """What is said of an answer that recordings showed."""
        one = len(self.room.shown(self.name)) == 1
        return f"{'the' if one else 'some'} recordings showed this"

    @property
    def advice(self) -> str:
        """What to do next, in a sentence."""
        what, key = advise(self.room.guesses(self.name))
        if what == "wait":
            return "No recording has answered yet: let them run it and compare."
        if what == "move on":
            return "Nearly all said what the recordings showed: move on."
        if what == "explain":
            return "The answers are spread out: explain it again in other words, and ask again."
        belief = self.item.beliefs.get(key, "")
        return f"Most said “{self.item.choice(key)}”: address that. {belief}".rstrip()

    def in_text(self) -> Iterator[str]:
        yield f"{self.step} · {plain(self.item.title, _TITLE)}"
        if self.text:
            yield f"  {plain(self.text, _TEXT)}"
        labels = [plain(each.label, _ANSWER) for each in self.answers]
        wide, most = max(map(len, labels)), max(each.chosen for each in self.answers) or 1
        for each, label in zip(self.answers, labels, strict=True):
            bar = "█" * max(round(each.chosen / most * _BAR), 1 if each.chosen else 0)
            note = f" ({each.at_first} at first)" if self.changed else ""
            note += f"  ← {self.showed}" if each.shown else ""
            yield f"  {label:{wide}}  {bar:{_BAR}} {each.chosen:>3}{note}"
        yield f"  {plain(self.advice)}"
        if self.took:
            yield f"  {self.took.capitalize()}."

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "step": self.step,
            "text": self.item.text,
            "answers": [each._asdict() for each in self.answers],
            "seconds": self.room.took(self.name),
            "advice": advise(self.room.guesses(self.name))._asdict(),
        }


class _Exercise(_Item):
    @property
    def result(self) -> str:
        tried = self.room.tried(self.name)
        took = f"; {self.took}" if self.took else ""
        return f"{len(self.room.done[self.name])} of {len(tried)} passed{took}"

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "step": self.step,
            "title": self.item.title,
            "passed": self.room.done[self.name],
            "tried": sorted(self.room.tried(self.name)),
            "seconds": self.room.took(self.name),
        }


@dataclass(frozen=True)
class _Where:
    place: Place
    plan: Mapping[str, Item]

    @property
    def alias(self) -> str:
        return self.place.last.alias

    @property
    def at(self) -> str:
        """The notebook, and the question or exercise in it."""
        last = self.place.last
        title = self.plan[last.name].title if last.name in self.plan else last.name
        return f"{last.step} · {title}" if title else f"notebook {last.step}"

    @property
    def how(self) -> str:
        """What they last did, and since when they are there, by the clock on the wall."""
        place, last = self.place, self.place.last
        words = [f"asks for help since {_clock(place.stuck)}"] if place.stuck else []
        words += [last.outcome if last.kind == "checked" else _DID.get(last.kind, last.kind)]
        words += [counted(place.checks, "check")] if place.checks else []
        words += [counted(place.hints, "hint")] if place.hints else []
        return ", ".join([*filter(None, words), f"there since {_clock(place.since)}"])

    def facts(self) -> dict[str, Any]:
        place, last = self.place, self.place.last
        return {
            **{name: getattr(last, name) for name in ("alias", "step", "name", "kind", "outcome")},
            "checks": place.checks,
            "hints": place.hints,
            "since": place.since.isoformat(),
            "last": last.at.isoformat(),
            "asks_since": place.stuck.isoformat() if place.stuck else None,
        }


_DID = {"reset": "began", "forgot": "began", "hinted": "", "stuck": "", "unstuck": "goes on"}


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M}"


class _Drawn:
    def __init__(self, room: Room, plan: Iterable[Item]) -> None:
        known = {item.name: item for item in plan}
        self._room = room
        self.questions = [_Question(room, name, known) for name in room.questions]
        self.exercises = [_Exercise(room, name, known) for name in room.exercises]
        self.places = [_Where(place, known) for place in room.places()]
        self.asking = [each for each in self.places if each.place.stuck]

    @property
    def summary(self) -> str:
        words = [counted(len(self._room.aliases), "learner")]
        if self.asking:
            words.append(f"{len(self.asking)} of them asking for help")
        if self._room.skipped:
            words.append(f"{counted(self._room.skipped, 'other file')} left out")
        if self._room.torn:
            words.append(f"{counted(self._room.torn, 'torn line')} left out")
        return ", ".join(words) + "."
