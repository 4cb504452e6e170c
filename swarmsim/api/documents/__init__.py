"""Objects of the engine as the API shows them; `constants.json` has their constant parts."""

import json
from pathlib import Path
from typing import Any, Protocol

from swarmsim.go.times import stamp

Json = dict[str, Any]

CONSTANTS: Json = json.loads(Path(__file__).with_name("constants.json").read_text(encoding="utf-8"))


class Kept(Protocol):
    """An object of the swarm: a service, a task, a node, a network, a config, a secret."""

    id: str
    version: int
    created_at: int
    updated_at: int


def meta(about: Kept) -> Json:
    """The fields that every object of the swarm begins with."""
    return {
        "ID": about.id,
        "Version": {"Index": about.version},
        "CreatedAt": stamp(about.created_at),
        "UpdatedAt": stamp(about.updated_at),
    }
