"""The engine's events: messages that can be followed, and the latest of them replayed.

From moby's `daemon/events`: 256 messages are kept, swarm's objects have the scope `swarm`,
and a filter such as `service=web` matches the beginning of the id or of the name of what a
message is about.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmsim.go.filters import Filters
from swarmsim.go.times import SECOND
from swarmsim.model import Node, Service, Spec, StoreEvent

Message = dict[str, Any]
Texts = dict[str, str]

_KEPT = 256
#: A follower that is this far behind loses messages, as with Docker.
_LONGEST_QUEUE = 1024
_KINDS = ("config", "container", "network", "node", "secret", "service", "volume")
#: What messages can be chosen by.
FILTERS = ("event", "label", "scope", "type", *_KINDS)
_OPEN_ENDED = {"health_status", "exec_create", "exec_start"}


def message(
    kind: str, action: str, about: str, attributes: Mapping[str, str], at: int, scope: str = "local"
) -> Message:
    """Return a message as the API has it; of containers and images in the old form, too."""
    old: Message = {}
    if kind in {"container", "image"}:
        old = {"status": action, "id": about}
    if kind == "container" and attributes.get("image"):
        old["from"] = attributes["image"]
    actor = {"ID": about, "Attributes": dict(sorted(attributes.items()))}
    new = {"Type": kind, "Action": action, "Actor": actor, "scope": scope}
    return {**old, **new, "time": at // SECOND, "timeNano": at}


class Events:
    """The engine's messages. `notify` is called after each of them."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._kept: deque[Message] = deque(maxlen=_KEPT)
        self._followers: list[deque[Message]] = []

    @property
    def followers(self) -> int:
        """How many followers there are."""
        return len(self._followers)

    def publish(self, news: Message) -> None:
        """Keep a message, and pass it to all followers."""
        self._kept.append(news)
        for queue in self._followers:
            if len(queue) < _LONGEST_QUEUE:
                queue.append(news)
        self._notify()

    def kept(self, since: int, until: int | None) -> list[Message]:
        """The kept messages of a period, both ends included."""
        return [
            it
            for it in self._kept
            if it["timeNano"] >= since and (until is None or it["timeNano"] <= until)
        ]

    @contextmanager
    def follow(self) -> Iterator[deque[Message]]:
        """Yield a queue of the messages from now on."""
        queue: deque[Message] = deque()
        self._followers.append(queue)
        try:
            yield queue
        finally:
            self._followers[:] = [each for each in self._followers if each is not queue]


def included(news: Message, filters: Filters) -> bool:
    """Whether a filter lets a message through."""
    attributes = news["Actor"]["Attributes"]
    return (
        _has_action(news["Action"], filters)
        and filters.exact("type", news["Type"])
        and filters.exact("scope", news["scope"])
        and all(_is_about(kind, news["Actor"], filters) for kind in _KINDS)
        and filters.has_labels("label", attributes)
    )


def _has_action(action: str, filters: Filters) -> bool:
    if _OPEN_ENDED.intersection(filters.get("event")):
        return filters.prefix("event", action)
    return filters.exact("event", action)


def _is_about(kind: str, actor: Mapping[str, Any], filters: Filters) -> bool:
    name = actor["Attributes"].get("name", "")
    return filters.prefix(kind, actor["ID"]) or filters.prefix(kind, name)


# ---- of the cluster ------------------------------------------------------------------


class ClusterEvents:
    """Publishes what happens to services and nodes.

    As moby's `daemon/events.go`: an update of a service says which image, how many replicas
    and which update state there were before, and only if they changed; tasks say nothing.
    """

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
        self, service: Service, action: str, now: int, before: Service | None = None
    ) -> None:
        """Publish that a service was created, updated or removed."""
        attributes = {"name": service.name, **(_differences(service, before) if before else {})}
        self._events.publish(message("service", action, service.id, attributes, now, "swarm"))

    def _node(self, node: Node, action: str, now: int) -> None:
        is_now = {"availability": node.availability, "role": node.role, "state": node.state}
        was = self._nodes.get(node.id, is_now)
        self._nodes[node.id] = is_now
        attributes = {"name": node.spec.get("Name") or node.hostname}
        for key, value in is_now.items():
            if was[key] != value:
                attributes |= {f"{key}.old": was[key], f"{key}.new": value}
        self._events.publish(message("node", action, node.id, attributes, now, "swarm"))


def _differences(service: Service, before: Service) -> Texts:
    found: Texts = {}
    was, now = _shown(before.spec), _shown(service.spec)
    for what, old in was.items():
        if old != now[what]:
            found |= {f"{what}.old": old, f"{what}.new": now[what]}
    status, old_status = service.update_status, before.update_status
    if status is not None and old_status is None:
        found["updatestate.new"] = status.state
    elif status is not None and old_status is not None and status.state != old_status.state:
        found |= {"updatestate.old": old_status.state, "updatestate.new": status.state}
    return found


def _shown(spec: Spec) -> Texts:
    replicas = (spec["Mode"].get("Replicated") or {}).get("Replicas", "")
    image = spec["TaskTemplate"]["ContainerSpec"].get("Image", "")
    return {"image": image, "replicas": str(replicas)}
