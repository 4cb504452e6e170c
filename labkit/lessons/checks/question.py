"""A question that is asked before an update, and what a recording answers. Pure.

Each choice comes from a belief that people do hold, so the choice says which; nothing is
marked wrong. The learner's own recording answers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from labkit.base import rules
from labkit.base.errors import BadValue
from labkit.base.rules import Facts, unmarked, words
from labkit.lessons.checks import content
from labkit.recordings.recording import Recording


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be chosen."""

    #: What names it in code and in files, such as `two`.
    key: str
    #: What the learner reads.
    label: str
    #: What somebody who chooses it takes to be so, as a whole sentence.
    belief: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a recording says to a question."""

    #: The key of the choice that it shows, or `""` if it shows none of them.
    choice: str
    #: What was seen, in slots and seconds.
    saw: str
    because: str
    #: One thing to try, or a question to go on with.
    try_next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with a few choices, asked in one notebook."""

    #: What `labkit.question` and `labkit.compare` call it.
    name: str
    #: What it is about, in a few words.
    title: str
    #: The number of the notebook that asks it.
    step: int
    text: str
    choices: tuple[Choice, ...]
    #: Reads the answer off a recording of the update. Raises `labkit.base.errors.NotSettled` for
    #: one in which it has not happened, or is not over.
    read: Callable[[Recording], Reading]
    #: Whether it is asked after its update, about what that has not shown yet.
    afterwards: bool = False

    def choice(self, key: str) -> Choice:
        """Return a choice by its key. Raises `BadValue`, naming those there are."""
        for each in self.choices:
            if each.key == key:
                return each
        known = ", ".join(repr(each.key) for each in self.choices)
        raise BadValue(f"the choices of {self.name} are {known}, not {key!r}")


def question(name: str, facts: Callable[[Recording], Facts]) -> Question:
    """Return the question whose words stand under a name in the YAML files in `questions`.

    What a recording answers is what the rules in `readings.yaml` come to for its facts; a
    reading that names nothing to try gets what the question has to try.
    """
    said = words(content.QUESTIONS)[name]

    def read(recording: Recording) -> Reading:
        found = {"choice": "", "try": said["try"]} | rules.first(
            content.READINGS, name, facts(recording)
        )
        return Reading(found["choice"], found["saw"], found["because"], found["try"])

    return Question(
        name=name,
        title=said["title"],
        step=said["step"],
        text=said["text"],
        choices=tuple(Choice(key, **choice) for key, choice in said["choices"].items()),
        read=read,
        afterwards=said.get("afterwards", False),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What was predicted beside what happened."""

    question: Question
    #: What the learner had chosen; `None` if nothing.
    chosen: Choice | None
    reading: Reading
    #: What they chose after the recording had answered, if nothing before.
    late: Choice | None = None

    @property
    def as_predicted(self) -> bool:
        """Whether what was chosen is what was seen."""
        return self.chosen is not None and self.chosen.key == self.reading.choice

    @property
    def said(self) -> str:
        """What the learner had said, in a sentence."""
        if self.late and self.chosen is None:
            return f"You chose “{self.late.label}” after the recording had answered: too late."
        if self.chosen is None:
            return "You made no prediction; next time, make one before you run it."
        if self.as_predicted:
            return f"You said “{self.chosen.label}”. The recording agrees."
        return f"You said “{self.chosen.label}”. {self.chosen.belief}"

    def __str__(self) -> str:
        reading = self.reading
        lines = [self.said, f"The recording shows: {reading.saw}", reading.because]
        if reading.try_next:
            lines.append(f"Try: {reading.try_next}")
        return unmarked("\n".join(lines))
