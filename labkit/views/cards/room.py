"""The room, drawn: the spread of predictions of each question, and who is stuck where. Pure.

Once for a terminal, once as a page that can be read from the back row. Aliases, names and
answers come from other people's files, so they are text and nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from labkit.lessons.journal import Item
from labkit.lessons.room import Room, Stuck, advise
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
        lines += exercise.in_text()
    return "\n".join(lines)


def page(room: Room, plan: Iterable[Item]) -> str:
    """Return the room as a page of its own, which asks for nothing outside of itself."""
    body = render("cards/room.html", drawn=_Drawn(room, plan))
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
    }


class Answer(NamedTuple):
    """An answer to a question, how many chose it, and how many recordings showed it."""

    key: str
    label: str
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
        spread, shown = self.room.spread(self.name), self.room.shown(self.name)
        keys = dict.fromkeys([*self.item.choices, *spread, *shown])
        label = self.item.choice
        return [Answer(key, label(key), spread.get(key, 0), shown.get(key, 0)) for key in keys]

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
            note = f"  ← {self.showed}" if each.shown else ""
            yield f"  {label:{wide}}  {bar:{_BAR}} {each.chosen:>3}{note}"
        yield f"  {plain(self.advice)}"

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "step": self.step,
            "text": self.item.text,
            "answers": [each._asdict() for each in self.answers],
            "advice": advise(self.room.guesses(self.name))._asdict(),
        }


class _Exercise(_Item):
    @cached_property
    def stuck(self) -> list[Stuck]:
        return [each for each in self.room.stuck() if each.exercise == self.name]

    @property
    def result(self) -> str:
        passed = len(self.room.done[self.name])
        return f"{passed} of {passed + len(self.stuck)} passed"

    def how(self, stuck: Stuck) -> str:
        """Return how somebody stands, since when by the clock on the wall."""
        effort = f"{counted(stuck.checks, 'check')}, {counted(stuck.hints, 'hint')}"
        return f"{stuck.outcome}, {effort}, since {stuck.since.astimezone():%H:%M}"

    def in_text(self) -> Iterator[str]:
        yield f"  {self.step} · {plain(self.item.title, _TITLE)}: {self.result}"
        for each in self.stuck:
            yield f"      {plain(each.alias)}: {self.how(each)}"

    def facts(self) -> dict[str, Any]:
        names = ("alias", "outcome", "checks", "hints")
        stuck = [
            {name: getattr(each, name) for name in names}
            | {"since": each.since.isoformat(), "last": each.last.isoformat()}
            for each in self.stuck
        ]
        return {
            "name": self.name,
            "step": self.step,
            "title": self.item.title,
            "passed": self.room.done[self.name],
            "stuck": stuck,
        }


class _Drawn:
    """What there is to say of a room."""

    def __init__(self, room: Room, plan: Iterable[Item]) -> None:
        known = {item.name: item for item in plan}
        self._room = room
        self.questions = [_Question(room, name, known) for name in room.questions]
        self.exercises = [_Exercise(room, name, known) for name in room.exercises]

    @property
    def summary(self) -> str:
        words = [counted(len(self._room.aliases), "learner")]
        if self._room.skipped:
            words.append(f"{counted(self._room.skipped, 'other file')} left out")
        if self._room.torn:
            words.append(f"{counted(self._room.torn, 'torn line')} left out")
        return ", ".join(words) + "."
