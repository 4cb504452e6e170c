"""How a tag looks: a colour and a pattern, the same in every view of every recording. Pure.

The colours are those of Okabe and Ito, which colour-blind people can tell apart; each
also has a pattern of its own, for paper and for those who see no colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """A colour, and a pattern as Plotly's `fillpattern.shape` names it."""

    colour: str
    pattern: str


LOOKS = (
    Look("#e69f00", "/"),
    Look("#009e73", "."),
    Look("#cc79a7", "\\"),
    Look("#56b4e9", "-"),
    Look("#f0e442", "|"),
    Look("#999999", "+"),
    Look("#d55e00", "x"),
    Look("#0072b2", ""),
)


def looks_of(tags: Iterable[str]) -> dict[str, int]:
    """Return the index of each tag's look; two tags share one only when all are taken.

    A tag's bytes, added up, choose its look, so that a tag looks the same in every
    recording, and tags that count upwards (`1.0`, `1.1`) never meet. One whose place is
    taken by an earlier tag gets the next free place.
    """
    chosen: dict[str, int] = {}
    for tag in tags:
        wish = sum(tag.encode("utf-8", "replace")) % len(LOOKS)
        places = [(wish + step) % len(LOOKS) for step in range(len(LOOKS))]
        taken = set(chosen.values())
        chosen[tag] = next((place for place in places if place not in taken), wish)
    return chosen
