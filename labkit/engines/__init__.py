"""Finding an engine: the one you have, or a private one under `.labkit/`."""

from __future__ import annotations

from labkit import settings
from labkit.swarm import Swarm


def connect(choice: str | None = None) -> Swarm:
    """Return a manager of the swarm that `up` used, or that the environment names.

    Finds and never starts. Raises `NoEngine` or `NotAManager` with how to get one.
    """
    wanted = choice or settings.engine_choice()
    swarm = Swarm.at(None if wanted == "auto" else wanted)
    swarm.require_manager()
    return swarm
