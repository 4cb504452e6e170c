"""What a service's spec asks for, read as Swarm reads it. Pure.

Reading is lenient where Swarm is: it validates an update config when it is given, and a
rollback config never (swarmkit's controlapi/service.go).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarmsim.go import defaults
from swarmsim.model.nodes.timing import SECOND
from swarmsim.model.objects import Service, Spec, Task


@dataclass(frozen=True, slots=True)
class Strategy:
    """An update config or a rollback config, defaults filled in."""

    #: 0 means as many workers as there are slots to update.
    parallelism: int
    delay: int
    failure_action: str
    monitor: int
    max_failure_ratio: float
    start_first: bool

    @classmethod
    def read(cls, config: Mapping[str, Any] | None) -> "Strategy":
        """Read a config of the Engine API; an absent one means Swarm's defaults."""
        full = defaults.update_config(config)
        return cls(
            parallelism=full["Parallelism"],
            delay=full["Delay"],
            failure_action=full["FailureAction"],
            monitor=full["Monitor"],
            max_failure_ratio=full["MaxFailureRatio"],
            start_first=full["Order"] == "start-first",
        )


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a task that has ended is replaced."""

    condition: str = "any"
    #: `None` where the spec says nothing: the default applies.
    delay: int | None = None
    #: 0 means without end.
    max_attempts: int = 0
    #: 0 means that all restarts count.
    window: int = 0

    @classmethod
    def read(cls, template: Spec) -> "RestartPolicy":
        """Read the policy of a `TaskTemplate`."""
        policy = template.get("RestartPolicy") or {}
        return cls(
            condition=policy.get("Condition") or defaults.RESTART_CONDITION,
            delay=policy.get("Delay"),
            max_attempts=policy.get("MaxAttempts") or 0,
            window=policy.get("Window") or 0,
        )


def replicas(service: Service) -> int | None:
    """Return how many slots a service has; `None` for a global one."""
    mode = service.spec.get("Mode") or {}
    if "Global" in mode:
        return None
    wanted = (mode.get("Replicated") or {}).get("Replicas")
    return 1 if wanted is None else int(wanted)


def strategy(service: Service, *, rollback: bool) -> Strategy:
    """Return how a service is updated, or rolled back, by its present spec."""
    return Strategy.read(service.spec.get("RollbackConfig" if rollback else "UpdateConfig"))


def constraints(template: Spec) -> Sequence[str]:
    """Return what a task asks of its node."""
    return (template.get("Placement") or {}).get("Constraints") or ()


def attachments(spec: Spec) -> list[Spec]:
    """Return the networks that a service asks for: of its tasks, or, as once, of itself."""
    return (spec.get("TaskTemplate") or {}).get("Networks") or spec.get("Networks") or []


def reservations(template: Spec) -> tuple[int, int]:
    """Return what a task reserves on its node: processor time in ns a second, and bytes."""
    reserved = (template.get("Resources") or {}).get("Reservations") or {}
    return reserved.get("NanoCPUs") or 0, reserved.get("MemoryBytes") or 0


def grace(template: Spec, default: int) -> int:
    """Return how long a container is given to stop, in whole seconds as the engine counts."""
    given = (template.get("ContainerSpec") or {}).get("StopGracePeriod")
    return default if given is None else int(given) // SECOND * SECOND


def is_networked(task: Task) -> bool:
    """Whether a task is on an overlay network, its own or the ingress."""
    return bool(task.ports("ingress") or task.spec.get("Networks"))
