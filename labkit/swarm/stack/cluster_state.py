"""The services, secrets, configs and networks of a swarm, by stack."""

from dataclasses import dataclass
from typing import Any

from labkit.swarm import ownership
from labkit.swarm.client import Swarm
from labkit.swarm.ownership import NAMESPACE

#: Something on the engine, or a spec of it, as the Engine API has it.
Thing = dict[str, Any]

#: In the order in which docker removes them.
_KINDS = ("service", "secret", "config", "network")


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What the swarm has, of each kind, before anything is done."""

    _things: dict[str, list[Thing]]

    @classmethod
    def fetch(cls, swarm: Swarm) -> "ClusterState":
        """Ask the engine for everything. Raises `NotAManager`."""
        return cls({kind: sorted(swarm.get(f"/{kind}s"), key=name_of) for kind in _KINDS})

    def of(self, kind: str, stack: str | None = None) -> list[Thing]:
        """Return what there is of a kind, in all or in one stack, by name."""
        return [each for each in self._things[kind] if stack in (None, stack_of(each))]

    def in_stack(self, stack: str) -> list[tuple[str, Thing]]:
        """Return everything that belongs to a stack, with its kind."""
        return [(kind, each) for kind in _KINDS for each in self.of(kind, stack)]


def name_of(thing: Thing) -> str:
    """Return the name of something; a network has it outside of its spec."""
    return str(thing.get("Spec", thing)["Name"])


def stack_of(thing: Thing) -> str | None:
    """Return the stack that something belongs to, or `None`."""
    return ownership.labels(thing).get(NAMESPACE)


def is_swarm_wide(thing: Thing) -> bool:
    """Whether something is known to the whole swarm; a network may be this node's alone."""
    return bool(thing.get("Scope", "swarm") == "swarm")
