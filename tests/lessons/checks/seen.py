"""Evidence of a played service, as `labkit.check` would gather it."""

from collections.abc import Iterable

from labkit.lessons.checks.exercise import Evidence
from labkit.lessons.checks.exercises import EXERCISES, TYPED
from labkit.lessons.checks.finding import Finding
from tests.played import Played

#: Whatever can be checked, by its name.
ALL = EXERCISES | TYPED


def evidence(made: Played, *, answer: object = None, tags: Iterable[str] = ()) -> Evidence:
    """What is known of a played service now."""
    return Evidence(
        recording=made.recording,
        service=made.recording.service,
        tags=frozenset(tags),
        answer=answer,
        now=made.now,
    )


def check(name: str, made: Played, *, answer: object = None) -> Finding:
    """The finding of an exercise's judge."""
    return ALL[name].judge(evidence(made, answer=answer))


def notice(name: str, made: Played, *, tags: Iterable[str] = ()) -> str:
    """What an exercise says about the state that things are in."""
    return ALL[name].notice(evidence(made, tags=tags))
