"""What the manager keeps: services, their tasks, and nodes. Pure.

Times are nanoseconds since 1970. Specs are dictionaries as the Engine API has them, in
the form in which the engine stores them; they are shared and never changed in place, so
two objects with one spec hold the same dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from swarmsim.go.states import UpdateState
from swarmsim.model import states

Spec = dict[str, Any]
#: What tells the places of a service apart: a slot's number, or the node of a global task.
Place = int | str


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """What the manager says about the last update of a service."""

    state: UpdateState
    message: str
    started_at: int
    completed_at: int | None = None


@dataclass(slots=True, eq=False)
class Service:
    """A service as the manager holds it."""

    id: str
    version: int
    created_at: int
    updated_at: int
    spec: Spec
    #: What the version was when the spec came by an update through the API, 0 before the
    #: first; tasks made from the spec carry it.
    spec_version: int = 0
    previous_spec: Spec | None = None
    previous_spec_version: int = 0
    update_status: UpdateStatus | None = None
    #: Ports and addresses as the Engine API shows them; filled in by the allocator.
    endpoint: Spec = field(default_factory=dict)

    def snapshot(self) -> "Service":
        """Return the service as it is now; what is written to it later does not change that."""
        return replace(self)

    @property
    def rolls_back(self) -> bool:
        """Whether a rollback of it runs."""
        return self.update_status is not None and self.update_status.state == "rollback_started"

    @property
    def name(self) -> str:
        """The name, which no update can change."""
        return str(self.spec["Name"])

    @property
    def template(self) -> Spec:
        """What its tasks are made from."""
        return self.spec.get("TaskTemplate") or {}


@dataclass(slots=True, eq=False)
class Task:
    """One attempt to fill a place. It is never restarted."""

    id: str
    service_id: str
    service_name: str
    service_labels: Mapping[str, str]
    slot: int | None
    #: Empty until a node is found.
    node_id: str
    #: The service's `TaskTemplate` when the task was made.
    spec: Spec
    #: The service's `EndpointSpec` when the task was made.
    endpoint_spec: Spec | None
    spec_version: int
    version: int
    created_at: int
    updated_at: int
    #: As numbers: see `states`. The names are `desired_state` and `state`.
    desired: int = states.RUNNING
    observed: int = states.NEW
    message: str = "created"
    error: str = ""
    status_at: int = 0
    container_id: str = ""
    pid: int = 0
    #: -1 while its container is being stopped, as the engine has it.
    exit_code: int | None = None

    @property
    def desired_state(self) -> str:
        """What the manager intends, in Swarm's word."""
        return states.NAMES[self.desired]

    @property
    def state(self) -> str:
        """What was observed, in Swarm's word."""
        return states.NAMES[self.observed]

    @property
    def ended(self) -> bool:
        """Whether it has come to an end, good or bad."""
        return self.observed > states.RUNNING

    @property
    def place(self) -> Place:
        """The place that it fills in its service."""
        return self.node_id if self.slot is None else self.slot

    @property
    def name(self) -> str:
        """Its name, which is its container's, too: `web.1.ID`."""
        return f"{self.service_name}.{self.slot or self.node_id}.{self.id}"

    @property
    def container(self) -> Spec:
        """The container's part of the spec."""
        return self.spec.get("ContainerSpec") or {}

    @property
    def placement(self) -> Spec:
        """What it asks of its node."""
        return self.spec.get("Placement") or {}

    def ports(self, mode: str) -> list[Spec]:
        """The ports that it publishes on its node (`host`), or through the `ingress` network."""
        given = (self.endpoint_spec or {}).get("Ports") or ()
        return [port for port in given if port.get("PublishMode", "ingress") == mode]

    @property
    def image(self) -> str:
        """The image that it runs."""
        return str(self.container.get("Image", ""))


@dataclass(slots=True, eq=False)
class Node:
    """A machine of the swarm."""

    id: str
    version: int
    created_at: int
    updated_at: int
    hostname: str
    #: As the Engine API has it: Name, Labels, Role, Availability.
    spec: Spec
    state: Literal["ready", "down"] = "ready"
    #: When it went down the last time.
    down_since: int = 0
    #: It is dead, or cut off: the manager hears nothing of it, and may not know yet.
    dead: bool = False
    silent: bool = False
    silent_since: int = 0
    address: str = "127.0.0.1"
    nano_cpus: int = 0
    memory: int = 0
    engine_labels: Mapping[str, str] = field(default_factory=dict)
    os: str = "linux"
    architecture: str = "x86_64"

    @property
    def availability(self) -> str:
        """Whether it takes tasks: active, pause or drain."""
        return str(self.spec.get("Availability") or "active")

    @property
    def role(self) -> str:
        """Manager or worker."""
        return str(self.spec.get("Role") or "worker")

    @property
    def reached(self) -> bool:
        """Whether what the manager sends arrives, and what it reports is heard."""
        return self.state == "ready" and not self.silent

    @property
    def available(self) -> bool:
        """Whether new tasks may be put on it."""
        return self.state == "ready" and self.availability == "active"


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """Something that was written to the manager's store."""

    action: Literal["create", "update", "remove"]
    object: Service | Task | Node
    #: Of a service that was changed: what it was.
    before: Service | None = None


class Refused(Exception):
    """A request that swarmkit refuses; `code` is the name of the gRPC status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
