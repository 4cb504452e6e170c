"""Finding an object by what a client calls it: its id, its name, or how its id begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from swarmsim.go.errors import ApiError

T = TypeVar("T")

#: What is said where nothing is found, and where too much is.
_WORDS = ("{1} {0} not found", "{1} {0} is ambiguous ({2} matches found)")


def find(
    objects: Mapping[str, T],
    term: str,
    kind: str,
    name_of: Callable[[T], str],
    words: tuple[str, str] = _WORDS,
    missing: int = 404,
) -> T:
    """The object that is meant; `ApiError` if there is none, or more than one.

    As moby's `daemon/cluster/helpers.go`: the whole id, else the whole name, else the
    beginning of an id.
    """
    if term in objects:
        return objects[term]
    named = [it for it in objects.values() if name_of(it) == term]
    matching = named or [it for id_, it in objects.items() if id_.startswith(term)]
    if len(matching) == 1:
        return matching[0]
    status, sentence = (400, words[1]) if matching else (missing, words[0])
    raise ApiError(status, sentence.format(term, kind, len(matching)))
