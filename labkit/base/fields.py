"""Values that a learner gives whole, or as a mapping of some of their fields."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from labkit.base.errors import BadValue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def build(kind: type[T], given: object, what: str) -> T:
    """Return `given` as a value of a dataclass; fields that a mapping lacks keep their defaults.

    Raises `BadValue`, which names `what` was given, for anything else.
    """
    if isinstance(given, kind):
        return given
    name = kind.__name__
    if not isinstance(given, Mapping):
        raise BadValue(f"{what} is of type {name} or a mapping of its fields, not {given!r}")
    known = [each.name for each in fields(kind)]
    for key in given:
        if key not in known:
            raise BadValue(f"{name} has no {key!r}; it has {', '.join(known)}")
    try:
        return kind(**given)
    except ValueError as problem:
        raise BadValue(str(problem)) from None


def blanks(given: Mapping[str, object]) -> list[str]:
    """Return what is left as `...`, within a mapping, too, as a cell of an exercise has it."""
    named = [(name, value) for name, value in given.items() if not isinstance(value, Mapping)]
    for name, value in given.items():
        if isinstance(value, Mapping):
            named += [(f"{name}[{key!r}]", inner) for key, inner in value.items()]
    return [name for name, value in named if value is ...]
