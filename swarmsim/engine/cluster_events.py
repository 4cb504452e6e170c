"""The events that clients see of changes to the cluster.

As moby's `daemon/events.go`: an update of a service says which image, how many replicas and
which update state there were before, and only if they changed; tasks say nothing.
"""

from __future__ import annotations

from typing import Any

from swarmsim.engine.events import Events, message
from swarmsim.model import Before, Node, Service, StoreEvent

Spec = dict[str, Any]
Texts = dict[str, str]


class ClusterEvents:
    """Publishes what happens to services and nodes."""

    def __init__(self, events: Events) -> None:
        self._events = events
        #: What nodes were: availability, role, state.
        self._nodes: dict[str, Texts] = {}

    def watch(self, change: StoreEvent, now: int) -> None:
        """Publish a write to the cluster's store."""
        about = change.object
        if isinstance(about, Service):
            self.service(about, change.action, now, change.before)
        elif isinstance(about, Node):
            self._node(about, change.action, now)

    def service(
        self, service: Service, action: str, now: int, before: Before | None = None
    ) -> None:
        """Publish that a service was created, updated or removed."""
        attributes = {"name": service.name, **(_differences(service, before) if before else {})}
        self.publish("service", action, service.id, attributes, now)

    def publish(self, kind: str, action: str, about: str, attributes: Texts, at: int) -> None:
        """Publish an event about an object of the swarm."""
        self._events.publish(message(kind, action, about, attributes, at, "swarm"))

    def _node(self, node: Node, action: str, now: int) -> None:
        is_now = {"availability": node.availability, "role": node.role, "state": node.state}
        was = self._nodes.get(node.id, is_now)
        self._nodes[node.id] = is_now
        attributes = {"name": node.spec.get("Name") or node.hostname}
        for key, value in is_now.items():
            if was[key] != value:
                attributes |= {f"{key}.old": was[key], f"{key}.new": value}
        self.publish("node", action, node.id, attributes, now)


def _differences(service: Service, before: Before) -> Texts:
    found: Texts = {}
    for what, value in (("image", _image), ("replicas", _replicas)):
        old, new = value(before.spec), value(service.spec)
        if old != new:
            found |= {f"{what}.old": old, f"{what}.new": new}
    status, old_status = service.update_status, before.update_status
    if status is not None and old_status is None:
        found["updatestate.new"] = status.state
    elif status is not None and old_status is not None and status.state != old_status.state:
        found |= {"updatestate.old": old_status.state, "updatestate.new": status.state}
    return found


def _image(spec: Spec) -> str:
    return str(spec["TaskTemplate"]["ContainerSpec"].get("Image", ""))


def _replicas(spec: Spec) -> str:
    return str((spec["Mode"].get("Replicated") or {}).get("Replicas", ""))
