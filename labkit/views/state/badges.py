"""What a view says of itself if no Docker engine is behind it. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from labkit.base.rules import words
from labkit.recordings.values import Provenance


class Badge(NamedTuple):
    """A word that stands beside the service's name, and the sentences behind it."""

    word: str
    meaning: str


def badge_of(provenance: Provenance) -> Badge | None:
    """Return the badge of what comes from there; `None` for a Docker engine."""
    meanings = words(Path(__file__).with_suffix(".yaml"))
    return Badge(provenance, meanings[provenance]) if provenance in meanings else None
