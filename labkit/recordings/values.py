"""The values of a Swarm: tasks, services, snapshots and update configs. Pure.

Words, as Swarm uses them:

* A *slot* is a place that a replicated service keeps filled; a *task* is one attempt
  to fill it. A task is never restarted: what looks like a restart is a new task in the
  same slot.
* A task's `state` is what was observed, its `desired_state` what the manager intends.
* A *version* is the index of an object in the manager's store. What a replica runs is
  its image *tag*.

Only `from_api` and `to_api` spell names as the Engine API does (`MaxFailureRatio`).
"""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self, get_args

from labkit.base.errors import BadValue
from swarmsim.go import defaults, durations
from swarmsim.go.states import SETTLED_UPDATE_STATES, TERMINAL_STATES, UpdateState

FailureAction = Literal["pause", "continue", "rollback"]
Order = Literal["stop-first", "start-first"]
#: Whether a node is to take tasks.
Availability = Literal["active", "pause", "drain"]
#: Where what is shown of a service comes from: a Docker engine, labkit's simulated one (where
#: tasks only act, too: then no code of images ran), or labkit's model alone, with nothing run.
Provenance = Literal["engine", "simulated", "acted", "predicted"]

#: The durations of an update config.
_LENGTHS = ("delay", "monitor")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfig:
    """How Swarm replaces the tasks of a service during an update.

    The defaults are Swarm's (swarmkit's api/defaults/service.go), not docker-py's.
    Durations may be given as text such as `"5s"`; they are kept as `timedelta`.
    Raises `BadValue` for a value that Swarm would refuse.
    """

    ACTIONS: ClassVar[tuple[str, ...]] = get_args(FailureAction)

    #: How many workers replace slots at the same time; 0 means one for every slot.
    parallelism: int = 1
    #: How long a worker pauses after each slot, the last one included.
    delay: timedelta = timedelta(0)
    #: What to do when too many new tasks fail.
    failure_action: FailureAction = "pause"
    #: How long after reaching running a new task's death still counts as a failure.
    monitor: timedelta = timedelta(seconds=5)
    #: The share of the slots being updated that may fail; one more triggers the action.
    max_failure_ratio: float = 0.0
    #: Whether the old task stops before the new one starts.
    order: Order = "stop-first"

    def __post_init__(self) -> None:
        """Take durations as text, and refuse what Swarm would refuse."""
        for name in _LENGTHS:
            try:
                length = durations.to_timedelta(getattr(self, name))
            except ValueError as problem:
                raise BadValue(str(problem)) from None
            if length < timedelta(0):
                raise BadValue(
                    f"{name} must be a duration of zero or more, not {getattr(self, name)!r}"
                )
            object.__setattr__(self, name, length)
        require_count("parallelism", self.parallelism)
        if self.failure_action not in self.ACTIONS:
            choices = ", ".join(self.ACTIONS)
            raise BadValue(f"failure_action must be one of {choices}, not {self.failure_action!r}")
        ratio = self.max_failure_ratio
        if not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
            raise BadValue(
                f"max_failure_ratio must be between 0 and 1, not {self.max_failure_ratio!r}"
            )
        if self.order not in ("stop-first", "start-first"):
            raise BadValue(f"order must be stop-first or start-first, not {self.order!r}")

    def at_once(self, slots: int) -> int:
        """Return how many of a service's slots are replaced at the same time."""
        return min(self.parallelism, slots) or slots

    @classmethod
    def from_api(cls, config: Mapping[str, Any] | None) -> Self:
        """Read what the Engine API holds; an absent object or field means Swarm's default.

        With the object present, a missing `Parallelism` reads 0 (all slots at once) and
        a missing or zero `Monitor` reads 5 s, as in the engine.
        """
        full = defaults.update_config(config)
        given = {field: full[name] for field, name in cls.api_names().items()}
        lengths = {name: durations.from_nanoseconds(given[name]) for name in _LENGTHS}
        return cls(**given | lengths)

    def to_api(self) -> dict[str, Any]:
        """Return the object that the Engine API takes, every field in it."""
        lengths = {name: durations.to_nanoseconds(getattr(self, name)) for name in _LENGTHS}
        given = asdict(self) | lengths
        return {name: given[field] for field, name in self.api_names().items()}

    @classmethod
    def api_names(cls) -> dict[str, str]:
        """Return the name that the Engine API has for each field."""
        return {each.name: each.name.title().replace("_", "") for each in fields(cls)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackConfig(UpdateConfig):
    """How Swarm replaces tasks while a service is rolled back.

    The same fields as `UpdateConfig`, read *while the rollback runs*: none of them
    starts a rollback. A rollback that fails does not roll back again, so the only
    actions are `pause` and `continue`.
    """

    ACTIONS: ClassVar[tuple[str, ...]] = ("pause", "continue")

    @classmethod
    def from_api(cls, config: Mapping[str, Any] | None) -> Self:
        """Read what the Engine API holds.

        The engine accepts `rollback` as an action here, unchecked, and then pauses.
        """
        if config and config.get("FailureAction") == "rollback":
            config = {**config, "FailureAction": "pause"}
        return super(RollbackConfig, cls).from_api(config)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStatus:
    """What the manager says about the last update of a service."""

    state: UpdateState
    message: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @classmethod
    def from_api(cls, status: Mapping[str, Any] | None) -> Self | None:
        """Read `UpdateStatus`; a service that was never updated has none."""
        if not status or not status.get("State"):
            return None
        return cls(
            state=status["State"],
            message=status.get("Message", ""),
            started_at=instant(status.get("StartedAt")),
            completed_at=instant(status.get("CompletedAt")),
        )

    @property
    def key(self) -> tuple[UpdateState, datetime | None]:
        """What tells it from the status before: one update may follow another in one state."""
        return self.state, self.started_at

    @property
    def settled(self) -> bool:
        """Whether the update goes no further by itself."""
        return self.state in SETTLED_UPDATE_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt to fill a slot. It is never restarted; a new task takes its place."""

    id: str
    #: The slot of a replicated service; `None` in a global one, which has a task a node.
    slot: int | None
    #: The image as the task's spec names it, digest included.
    image: str
    #: The name of the node, or `""` while the task is not assigned.
    node: str
    state: str
    desired_state: str
    #: The engine's own time of the present state.
    status_at: datetime
    created_at: datetime
    #: The engine's word for how it came to the present state, such as `started`.
    message: str = ""
    #: The engine's error text, whole.
    error: str = ""
    exit_code: int | None = None
    #: Ports published on the node itself, as `docker service ps` prints them.
    ports: str = ""
    service_id: str = ""
    node_id: str = ""
    #: Its node is down and it has not ended: `state` is the last that the manager heard of it.
    lost: bool = False

    @property
    def tag(self) -> str:
        """The image's tag: what a learner would call the version of the replica."""
        return tag_of(self.image)

    @property
    def running(self) -> bool:
        """Whether it was observed running, whatever is desired, and its node is not down."""
        return self.state == "running" and not self.lost

    @property
    def ended(self) -> bool:
        """Whether it has come to an end, good or bad."""
        return self.state in TERMINAL_STATES

    @classmethod
    def from_api(
        cls, task: Mapping[str, Any], nodes: Mapping[str, str], down: Container[str] = ()
    ) -> Self:
        """Read a task of the Engine API.

        `nodes` gives the name of each node's id, `down` has the ids of those that are down.
        """
        status = task.get("Status", {})
        container = status.get("ContainerStatus") or {}
        created = instant(task["CreatedAt"])
        assert created is not None, "the engine dates every task"
        ended = status.get("State") in TERMINAL_STATES
        return cls(
            id=task["ID"],
            slot=task.get("Slot") or None,
            image=task.get("Spec", {}).get("ContainerSpec", {}).get("Image", ""),
            node=nodes.get(task.get("NodeID", ""), ""),
            state=status.get("State", "new"),
            desired_state=task.get("DesiredState", ""),
            status_at=instant(status.get("Timestamp")) or created,
            created_at=created,
            message=status.get("Message", ""),
            error=status.get("Err", ""),
            exit_code=container.get("ExitCode", 0) if ended and container else None,
            ports=_host_ports(status.get("PortStatus", {}).get("Ports") or ()),
            service_id=task.get("ServiceID", ""),
            node_id=task.get("NodeID", ""),
            lost=not ended and task.get("NodeID", "") in down,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as the manager holds it, as far as an update is concerned."""

    id: str
    name: str
    #: The index of the object in the manager's store; every write raises it.
    version: int
    image: str
    #: The replica count; `None` for a global service.
    replicas: int | None
    update_config: UpdateConfig
    rollback_config: RollbackConfig
    update_status: UpdateStatus | None
    #: The image of the spec that a rollback would bring back; `None` without one.
    previous_image: str | None = None

    @property
    def tag(self) -> str:
        """The tag that the service's spec asks for."""
        return tag_of(self.image)

    @classmethod
    def from_api(cls, service: Mapping[str, Any]) -> Self:
        """Read a service of the Engine API."""
        spec = service["Spec"]
        mode = spec.get("Mode", {})
        previous = service.get("PreviousSpec")
        return cls(
            id=service["ID"],
            name=spec["Name"],
            version=service["Version"]["Index"],
            image=image_of(spec),
            replicas=mode["Replicated"].get("Replicas", 1) if "Replicated" in mode else None,
            update_config=UpdateConfig.from_api(spec.get("UpdateConfig")),
            rollback_config=RollbackConfig.from_api(spec.get("RollbackConfig")),
            update_status=UpdateStatus.from_api(service.get("UpdateStatus")),
            previous_image=image_of(previous) if previous else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of the swarm, as far as placing tasks on it is concerned."""

    id: str
    name: str
    #: What the manager has heard of it: `ready`, `down`, `unknown` or `disconnected`.
    state: str = "ready"
    availability: Availability = "active"

    @property
    def takes_tasks(self) -> bool:
        """Whether the scheduler gives it new tasks."""
        return self.state == "ready" and self.availability == "active"

    @classmethod
    def from_api(cls, node: Mapping[str, Any]) -> Self:
        """Read a node of the Engine API; its name is the one that `docker node ls` shows."""
        description, spec = node.get("Description", {}), node.get("Spec", {})
        return cls(
            id=node["ID"],
            name=str(spec.get("Name") or description.get("Hostname", "")),
            state=node.get("Status", {}).get("State", "unknown"),
            availability=spec.get("Availability", "active"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A service and all its tasks that the manager still knows, at one moment."""

    #: When labkit looked.
    at: datetime
    #: `None` once the service has been removed; its last tasks may still be stopping.
    service: Service | None
    tasks: tuple[Task, ...]
    #: The nodes of the swarm; none if they were not asked for.
    nodes: tuple[Node, ...] = ()

    def running_by_tag(self) -> Counter[str]:
        """Count the tasks that run, by tag, whatever is desired of them."""
        return Counter(task.tag for task in self.tasks if task.running)


def require_count(name: str, value: object) -> None:
    """Raise `BadValue` unless a value, such as the replicas of a service, counts something."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadValue(f"{name} must be a whole number of zero or more, not {value!r}")


@lru_cache(maxsize=256)  # asked for every task at every poll
def tag_of(image: str) -> str:
    """Return the tag in an image reference: `lab/worker:1.1@sha256:…` gives `1.1`.

    An untagged name gives `latest`, as the docker command line reads it; a reference
    by digest alone gives the first twelve characters of the digest.
    """
    name, _, digest = image.partition("@")
    last = name.rsplit("/", 1)[-1]
    if ":" in last:
        return last.split(":", 1)[1]
    return digest.removeprefix("sha256:")[:12] if digest else "latest"


def image_of(spec: Mapping[str, Any]) -> str:
    """Return the image that a spec names; `""` for a service without containers."""
    image = spec.get("TaskTemplate", {}).get("ContainerSpec", {}).get("Image", "")
    return str(image)


def instant(text: str | None) -> datetime | None:
    """Read a timestamp of the Engine API (RFC 3339, up to nanoseconds), or `None`.

    Go writes the year 1 for "never". `datetime` keeps microseconds; the rest is cut.
    """
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def _host_ports(ports: Any) -> str:
    shown = (
        f"*:{port['PublishedPort']}->{port['TargetPort']}/{port.get('Protocol', 'tcp')}"
        for port in ports
        if port.get("PublishMode") == "host"
    )
    return ",".join(shown)
