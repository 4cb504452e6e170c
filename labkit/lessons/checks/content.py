"""Where the words and rules of questions and exercises are, and what only their texts say."""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from labkit.base import rules
from labkit.lessons.checks.lives import errors, where

T = TypeVar("T")

_HERE = Path(__file__).parent
QUESTIONS, READINGS = _HERE / "questions/questions.yaml", _HERE / "questions/readings.yaml"
EXERCISES, FINDINGS = _HERE / "exercises/exercises.yaml", _HERE / "exercises/findings.yaml"

rules.FILTERS |= {"errors": errors, "where": where}


def in_order(kind: type[T], modules: Iterable[ModuleType], file: Path) -> dict[str, T]:
    """Return what of a kind is written in modules, by name, in the order of its words."""
    of_modules = (each for module in modules for each in vars(module).values())
    written: list[Any] = [each for each in of_modules if isinstance(each, kind)]
    found = {each.name: each for each in written}
    return {name: found[name] for name in rules.words(file)}
