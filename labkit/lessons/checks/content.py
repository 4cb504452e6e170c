"""Where the words and rules of questions and exercises are, and what only their texts say."""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeVar

from labkit.base import rules
from labkit.lessons.checks.lives import errors, where

_HERE = Path(__file__).parent
QUESTIONS, READINGS = _HERE / "questions/questions.yaml", _HERE / "questions/readings.yaml"
EXERCISES, FINDINGS = _HERE / "exercises/exercises.yaml", _HERE / "exercises/findings.yaml"

rules.FILTERS |= {"errors": errors, "where": where}


class HasName(Protocol):
    """A question or an exercise."""

    @property
    def name(self) -> str:
        """What it is called in its file of words."""


Named = TypeVar("Named", bound=HasName)


def in_order(kind: type[Named], modules: Iterable[ModuleType], file: Path) -> dict[str, Named]:
    """Return what of a kind is written in modules, by name, in the order of its words."""
    written = [each for module in modules for each in vars(module).values()]
    found = {each.name: each for each in written if isinstance(each, kind)}
    return {name: found[name] for name in rules.words(file)}
