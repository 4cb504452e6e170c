"""The engine's events: messages that can be followed, and the latest of them replayed.

From moby's `daemon/events`: 256 messages are kept, swarm's objects have the scope `swarm`,
and a filter such as `service=web` matches the beginning of the id or of the name of what a
message is about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmsim.go.filters import Filters
from swarmsim.go.references import Reference
from swarmsim.go.times import SECOND

Message = dict[str, Any]

_KEPT = 256
#: A follower that is this far behind loses messages, as with Docker.
_LONGEST_QUEUE = 1024
_KINDS = ("daemon", "container", "plugin", "volume", "network", "node", "service", "secret")
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
        and all(_is_about(kind, news["Actor"], filters) for kind in (*_KINDS, "config"))
        and _has_image(news, filters)
        and filters.has_labels("label", attributes)
    )


def _has_action(action: str, filters: Filters) -> bool:
    if _OPEN_ENDED.intersection(filters.get("event")):
        return filters.prefix("event", action)
    return filters.exact("event", action)


def _is_about(kind: str, actor: Mapping[str, Any], filters: Filters) -> bool:
    name = actor["Attributes"].get("name", "")
    return filters.prefix(kind, actor["ID"]) or filters.prefix(kind, name)


def _has_image(news: Message, filters: Filters) -> bool:
    about = news["Actor"]["ID"]
    name = news["Actor"]["Attributes"].get("name" if news["Type"] == "image" else "image", "")
    known = [about, name, _repository(about), _repository(name)]
    return any(filters.exact("image", it) for it in known)


def _repository(image: str) -> str:
    found = Reference.parse(image)
    return found.name if found else image
