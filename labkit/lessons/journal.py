"""What a learner has done, and what is next. Values, and the one file that keeps them.

The file, the journal, has a line for each event: a prediction, a comparison, a check. What
is done follows from its events alone, so a reset deletes nothing: it is an event, too.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args

from labkit.base.errors import expecting
from labkit.base.files import lines

# fmt: off
Kind = Literal[
    "predicted", "compared", "began", "checked", "hinted", "solved", "stuck", "unstuck",
    "reset", "forgot",
]
# fmt: on
#: The kinds of events with which a step begins.
BEGINS = ("reset", "forgot")
#: Of a question: from open to compared. Of an exercise: open, begun, not yet, passed.
State = Literal[
    "open", "predicted", "not predicted", "predicted late", "compared", "begun", "not yet", "passed"
]

#: In the order in which they are reached; rerunning a cell takes nothing back.
_ORDER = get_args(State)
_DONE = ("compared", "passed")
#: The recording has answered, and there was no prediction before it did.
_MISSED = ("not predicted", "predicted late")
#: What each kind of item is counted as.
_COUNTED = {"question": "prediction", "exercise": "exercise", "typed": "typed step"}
#: The outcome of a prediction that was made after the recording had answered.
LATE = "late"
#: Characters of a text that are kept: enough for a long explanation.
_LONGEST = 5000
_MAKE_USABLE = "make it a file that you can read and write, or set LABKIT_HOME to another folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a learner did. Every text but `kind` may be empty."""

    #: When, with its time zone.
    at: datetime
    kind: Kind
    #: The number of the notebook, 0 to 5.
    step: int
    #: The question or the exercise; `""` of a step that begins anew (`reset`, `forgot`).
    name: str = ""
    #: Of a check: "passed", "not yet" or "not attempted". Of a prediction: `LATE` if it was.
    outcome: str = ""
    #: The key of the answer that was chosen; of a comparison, in time.
    choice: str = ""
    #: Of a comparison: the key of the answer that the recording showed.
    answer: str = ""
    #: Why the learner chose it, in their own words. It stays on this machine.
    why: str = ""
    #: Of a hint: which one, from 1 on.
    rung: int = 0
    #: Of a check or a comparison: how long the newest update took that is over; 0 without one.
    seconds: int = 0
    #: What it said, in three sentences.
    saw: str = ""
    because: str = ""
    try_next: str = ""
    #: The file of the recording that was looked at, beside the journal where possible.
    recording: str = ""

    def opens(self, step: int) -> bool:
        """Whether a step begins anew with it: alone, or forgotten with all later ones."""
        return (self.kind == "reset" and step == self.step) or (
            self.kind == "forgot" and step >= self.step
        )


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Item:
    """A question, an exercise or a typed step of the lesson, and what it says to a person."""

    #: The number of its notebook.
    step: int
    kind: Literal["question", "exercise", "typed"]
    #: What it goes by; no two items share one.
    name: str
    #: What it is about.
    title: str
    #: The question itself, or the task.
    text: str = ""
    #: What each answer says, by its key, in the order in which they are offered.
    choices: Mapping[str, str] = field(default_factory=dict)
    #: What somebody who chooses an answer takes to be so, by its key.
    beliefs: Mapping[str, str] = field(default_factory=dict)

    def choice(self, key: str) -> str:
        """Return what an answer says; the key of one that is not known."""
        return self.choices.get(key, key)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands."""

    item: Item
    state: State = "open"
    #: The different hints that were taken.
    rungs: frozenset[int] = frozenset()
    #: Whether the solution was seen.
    solved: bool = False
    #: Whether it was done before its notebook was run again, which opens its questions.
    before: bool = False
    #: Whether the last comparison showed what was predicted.
    right: bool = False

    def after(self, event: Event) -> Self:
        """Return how it stands after an event, which may be of another item."""
        if event.opens(self.item.step):
            if event.kind == "forgot":
                return type(self)(self.item)
            asked = self.item.kind == "question"
            return replace(self, state="open", before=self.done) if asked else self
        if event.name != self.item.name:
            return self
        if event.kind == "hinted":
            return replace(self, rungs=self.rungs | {event.rung})
        if event.kind == "solved":
            return replace(self, solved=True)
        reached = _reached(event, self.item.kind)
        right = event.choice == event.answer if reached == "compared" else self.right
        return replace(self, state=max(self.state, reached, key=_ORDER.index), right=right)

    @property
    def hints(self) -> int:
        """How many different hints were taken."""
        return len(self.rungs)

    @property
    def done(self) -> bool:
        """Whether the exercise was passed, or the question predicted in time and compared."""
        return self.state in _DONE or self.before

    @property
    def over(self) -> bool:
        """Whether nothing is left to do until its notebook is run again."""
        return self.done or self.state in _MISSED

    @property
    def mark(self) -> str:
        """How it stands, as one character.

        ✓ passed or as predicted, ● compared, – not predicted in time, … begun, ○ open.
        """
        if self.done:
            return "✓" if self.right or self.item.kind != "question" else "●"
        return "–" if self.over else "○" if self.state == "open" else "…"

    @property
    def words(self) -> str:
        """How it stands, for a person."""
        compared = "as predicted" if self.right else "not as predicted"
        said = {"predicted": "to be compared", "compared": compared}.get(self.state, self.state)
        return f"{said} (done before)" if self.before and self.state not in _DONE else said


# ---- the journal -------------------------------------------------------------------


class Journal:
    """The file that keeps the events. Only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, event: Event) -> None:
        """Append an event. Raises `LabError` where the file cannot be written."""
        # what is empty is left out, what is endless cut
        row = {name: value for name, value in asdict(event).items() if value or name == "step"}
        cut = {name: it[:_LONGEST] for name, it in row.items() if isinstance(it, str)}
        with expecting(f"to keep your progress in {self.path}.", _MAKE_USABLE):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines.append(self.path, row | cut | {"at": event.at.isoformat()}, mode=0o600)

    def events(self) -> list[Event]:
        """Return the events, in the order in which they were added.

        A torn line, and a kind that this reader does not know, are left out. Raises
        `LabError` for a file that is there and cannot be read.
        """
        with expecting(f"to read your progress in {self.path}.", _MAKE_USABLE):
            try:
                rows = lines.read(self.path).rows
            except FileNotFoundError:
                return []
        return [event for row in rows if (event := read_event(Event, row))]


def read_event(kind: type[E], row: Mapping[str, Any]) -> E | None:
    """Return the event that a line holds, of a kind of `Event`; `None` if it holds none."""
    given = {each.name: row[each.name] for each in fields(kind) if each.name in row}
    types = {"step": int, "rung": int, "seconds": int}
    if any(type(value) is not types.get(name, str) for name, value in given.items()):
        return None
    if given.get("kind") not in get_args(Kind):
        return None
    with contextlib.suppress(KeyError, TypeError, ValueError):
        event = kind(**given | {"at": datetime.fromisoformat(given["at"])})
        return event if event.at.tzinfo else None
    return None


# ---- what is done ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How every item stands, in the order of the lesson."""

    standings: tuple[Standing, ...]
    #: What each notebook is called, by its number, such as `rolling-updates`.
    notebooks: Mapping[int, str]

    @classmethod
    def of(
        cls,
        events: Iterable[Event],
        plan: Sequence[Item],
        notebooks: Mapping[int, str] | None = None,
    ) -> Self:
        """Return what the events come to.

        `plan` has the items in the order of the lesson. An event of an item that is not in
        it says nothing. What was done stays done, whatever is checked or run again later, until
        it is forgotten.
        """
        standings = [Standing(item) for item in plan]
        for event in events:
            standings = [each.after(event) for each in standings]
        return cls(tuple(standings), dict(notebooks or {}))

    @property
    def next(self) -> Item | None:
        """The first item with something left to do; `None` when there is none."""
        return next((each.item for each in self.standings if not each.over), None)

    @property
    def steps(self) -> list[int]:
        """The numbers of the notebooks that have items."""
        return list(dict.fromkeys(each.item.step for each in self.standings))

    def within(self, step: int) -> list[Standing]:
        """Return how the items of one notebook stand."""
        return [each for each in self.standings if each.item.step == step]

    def heading(self, step: int) -> str:
        """Return what a notebook is called, such as `1 · Rolling updates`."""
        name = self.notebooks.get(step, "")
        return f"{step} · {name}" if name else str(step)

    def counts(self, step: int) -> str:
        """Return what is done of a notebook, such as `2 of 3 predictions, 1 of 2 exercises`."""
        of_step = self.within(step)
        told = [
            _counted([each for each in of_step if each.item.kind == kind], word)
            for kind, word in _COUNTED.items()
        ]
        return ", ".join(filter(None, told))

    def mark(self, step: int) -> str:
        """Return a sign: `✓` for a notebook that is done, `→` where one goes on."""
        if all(each.done for each in self.within(step)):
            return "✓"
        return "→" if self.next and self.next.step == step else "·"

    def to_do(self, step: int) -> str:
        """Return what is next in a notebook, in words."""
        left = [each for each in self.within(step) if not each.over]
        if left:
            return f"next: {left[0].item.title}"
        missed = sum(not each.done for each in self.within(step))
        return f"{missed} not predicted in time" if missed else "all done"

    def facts(self) -> list[dict[str, Any]]:
        """Return how each item stands, for a machine."""
        return [
            {
                **{name: getattr(each.item, name) for name in ("step", "kind", "name", "title")},
                "state": each.state,
                "done": each.done,
                "done_before": each.before,
                "hints": each.hints,
                "solution_seen": each.solved,
            }
            for each in self.standings
        ]

    def __str__(self) -> str:
        headings = {step: self.heading(step) for step in self.steps}
        wide = max(map(len, headings.values()), default=0)
        counted = max((len(self.counts(step)) for step in headings), default=0)
        lines = [
            f"{self.mark(step)} {heading:{wide}}  {self.counts(step):{counted}}  {self.to_do(step)}"
            for step, heading in headings.items()
        ]
        return "\n".join(lines) or "There is nothing to do in this lesson."


def _counted(of_kind: list[Standing], word: str) -> str:
    if not of_kind:
        return ""
    done = sum(each.done for each in of_kind)
    return f"{done} of {len(of_kind)} {word}{'' if len(of_kind) == 1 else 's'}"


def _reached(event: Event, of: str) -> State:
    """Return how far an event brings an item of a kind; one of the other kind says nothing."""
    match of, event.kind, event.outcome:
        case "question", ("predicted" | "compared"), "late":
            return "predicted late"
        case "question", "predicted", _:
            return "predicted"
        case "question", "compared", _:
            return "compared" if event.choice else "not predicted"
        case "exercise" | "typed", "began", _:
            return "begun"
        case "exercise" | "typed", "checked", ("passed" | "not yet") as outcome:
            return outcome
    return "open"
