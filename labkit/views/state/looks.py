"""How tags and update states look: the same in every view of every recording. Pure."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from labkit.base.rules import words
from labkit.views.state.sentences import spoken


class Look(NamedTuple):
    """A colour, and a pattern as Plotly's `fillpattern.shape` names it."""

    colour: str
    pattern: str


_FILE = words(Path(__file__).with_suffix(".yaml"))
LOOKS = tuple(Look(*each) for each in _FILE["tags"])
STATES = {state: Look(*each) for state, each in _FILE["states"].items()}
#: What a recording begins with if no update is under way: what became of an earlier one.
_OVER = ("", "completed", "rollback_completed")
_PLAIN = Look("", "")


def looks_of(tags: Iterable[str]) -> dict[str, Look]:
    """Return each tag's look; two tags share one only when all are taken.

    A tag's bytes, added up, choose its look, so that a tag looks the same in every
    recording, and tags that count upwards (`1.0`, `1.1`) never meet. One whose place is
    taken by an earlier tag gets the next free place.
    """
    chosen: dict[str, Look] = {}
    for tag in tags:
        first = sum(tag.encode("utf-8", "replace")) % len(LOOKS)
        wanted = LOOKS[first:] + LOOKS[:first]
        taken = set(chosen.values())
        chosen[tag] = next((look for look in wanted if look not in taken), wanted[0])
    return chosen


def band_of(state: str, *, first: bool) -> tuple[str, str, str]:
    """Return what the band of an update state is called, its colour and its pattern.

    The first may be about a time before the recording. Where it is, and where no update
    is under way, there is no colour.
    """
    before = first and state in _OVER
    if not state:
        return "not updated yet" if first else "no update", *_PLAIN
    name = f"before: {spoken(state)}" if before else spoken(state)
    return name, *(_PLAIN if before else STATES.get(state, _PLAIN))


def filled(colour: str, pattern: str) -> dict[str, object]:
    """Return the fill of a tag's areas and bars as Plotly takes it."""
    ink = "rgba(0,0,0,0.35)"
    return {"shape": pattern, "bgcolor": colour, "fgcolor": ink, "size": 7, "solidity": 0.16}
