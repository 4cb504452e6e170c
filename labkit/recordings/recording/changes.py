"""What a recording consists of: its header, and the kinds of change that were seen. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, get_args

from labkit.base.errors import BadValue
from labkit.recordings.values import Node, Provenance, Service, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a recording is of, and when it began."""

    service: str
    service_id: str
    #: The engine in words, such as `Docker Engine 20.10.24 (API 1.41)`.
    engine: str
    started: datetime
    #: Whether it was seen on a Docker engine, on a simulated one, or is a prediction.
    provenance: Provenance = "engine"


@dataclass(frozen=True, slots=True)
class _Seen:
    """Something that was seen of the service."""

    #: When; that of a mark is when it was made, which may be after the recording's end.
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskSeen(_Seen):
    """A task that is new, or differs from what was last seen of it."""

    kind: ClassVar[str] = "task"
    task: Task


@dataclass(frozen=True, slots=True)
class TaskForgotten(_Seen):
    """A task that the manager no longer lists."""

    kind: ClassVar[str] = "forgotten"
    id: str


@dataclass(frozen=True, slots=True)
class ServiceSeen(_Seen):
    """The service, when anything about it changed."""

    kind: ClassVar[str] = "service"
    service: Service


@dataclass(frozen=True, slots=True)
class ServiceRemoved(_Seen):
    """The service is gone."""

    kind: ClassVar[str] = "removed"


@dataclass(frozen=True, slots=True)
class NodesSeen(_Seen):
    """The nodes of the swarm, when anything about one of them changed."""

    kind: ClassVar[str] = "nodes"
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Gap(_Seen):
    """From here on the engine did not answer, so nothing is known."""

    kind: ClassVar[str] = "gap"
    reason: str


@dataclass(frozen=True, slots=True)
class Back(_Seen):
    """The engine answers again; what changed meanwhile follows."""

    kind: ClassVar[str] = "back"


@dataclass(frozen=True, slots=True)
class HashesSeen(_Seen):
    """How many hashes dockercoins had made, as its web page says."""

    kind: ClassVar[str] = "hashes"
    hashes: int
    #: The web page's own clock when it read the counter, in seconds since 1970.
    now: float

    def __post_init__(self) -> None:
        """Refuse an invalid count or time."""
        if type(self.hashes) is not int or abs(self.hashes) >= 2**63:  # of redis
            raise BadValue(f"hashes is a whole number, not {self.hashes!r}")
        if not isinstance(self.now, int | float) or not math.isfinite(self.now):
            raise BadValue(f"now is a number of seconds, not {self.now!r}")


@dataclass(frozen=True, slots=True)
class Marked(_Seen):
    """A label that somebody put on the time axis."""

    kind: ClassVar[str] = "mark"
    #: The moment that it is about.
    of: datetime
    label: str

    def __post_init__(self) -> None:
        """Refuse a label with nothing in it, and a moment that may be anywhere on earth."""
        if not isinstance(self.label, str) or not self.label.strip():
            raise BadValue(f"the label of a mark is some words of text, not {self.label!r}")
        if not isinstance(self.of, datetime) or self.of.tzinfo is None:
            raise BadValue(f"a mark is of a time with a time zone, not of {self.of!r}")


@dataclass(frozen=True, slots=True)
class Ended(_Seen):
    """The recorder stopped, and why."""

    kind: ClassVar[str] = "ended"
    why: str


Change = (
    TaskSeen
    | TaskForgotten
    | ServiceSeen
    | ServiceRemoved
    | NodesSeen
    | Gap
    | Back
    | HashesSeen
    | Marked
    | Ended
)
#: Each by its kind.
KINDS: dict[str, type[Change]] = {each.kind: each for each in get_args(Change)}
