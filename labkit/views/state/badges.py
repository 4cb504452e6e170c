"""What a view says of itself if no Docker engine is behind it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from labkit.recordings.values import Provenance


class Badge(NamedTuple):
    """A word that stands beside the service's name, and the sentences behind it."""

    word: str
    meaning: str


_BADGES: dict[Provenance, Badge] = {
    "simulated": Badge(
        "simulated",
        "Seen on labkit's simulated engine, not on Docker. The swarm, its rules and its times "
        "are simulated; the code of the images was really run. Times are those of the engine's "
        "clock, which may be faster than real time; hashes are counted in real seconds.",
    ),
    "predicted": Badge(
        "predicted",
        "Worked out beforehand by labkit's model of Swarm. Nothing was run.",
    ),
}


def badge_of(provenance: Provenance) -> Badge | None:
    """Return the badge of what comes from there; `None` for a Docker engine."""
    return _BADGES.get(provenance)
