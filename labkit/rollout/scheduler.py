"""The scheduler: which node a task goes to, and why none will do. Pure.

After swarmkit's manager/scheduler (filter.go, scheduler.go): tasks are collected for a
moment, nodes that cannot take one are filtered out, and of the others the one with the
fewest tasks of the service is taken, then the one with the fewest tasks at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from labkit.rollout import states
from labkit.rollout.constraints import satisfied
from labkit.rollout.objects import Node, Task
from labkit.rollout.store import Store

Filter = Callable[["_Load", Task], bool]


@dataclass(slots=True)
class _Load:
    """What runs, or is about to run, on a node."""

    node: Node
    tasks: set[str] = field(default_factory=set)
    of_service: Counter[str] = field(default_factory=Counter)
    nano_cpus: int = 0
    memory: int = 0
    ports: set[tuple[str, int]] = field(default_factory=set)


class Scheduler:
    """Gives pending tasks their nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[str, Task] = {}
        self._loads: dict[str, _Load] = {}
        self._is_planned = False
        store.on_created.append(self._created)
        store.on_observed.append(self._observed)
        store.on_deleted.append(self._deleted)

    def look_again(self) -> None:
        """Have the pending tasks looked at: something changed that may let them go."""
        if self._pending and not self._is_planned:
            self._is_planned = True
            self._store.after(self._store.timing.schedule, self._tick)

    def _created(self, task: Task) -> None:
        self._store.observe(task, states.PENDING, "pending task scheduling")
        self._pending[task.id] = task
        self.look_again()

    def _observed(self, task: Task) -> None:
        if task.ended:
            self._give_back(task)
            self.look_again()

    def _deleted(self, task: Task) -> None:
        self._pending.pop(task.id, None)
        self._give_back(task)

    def _tick(self) -> None:
        self._is_planned = False
        for task in list(self._pending.values()):
            if task.desired > states.RUNNING or task.observed != states.PENDING:
                del self._pending[task.id]
            elif task.node_id:
                self._confirm(task)
            else:
                self._place(task)

    # ---- finding a node ------------------------------------------------------------

    def _place(self, task: Task) -> None:
        fitting = self._fitting(task, list(self._store.nodes.values()))
        if fitting:
            best = min(
                fitting, key=lambda each: (each.of_service[task.service_id], len(each.tasks))
            )
            self._take(task, best, "scheduler assigned task to node")

    def _confirm(self, task: Task) -> None:
        """Let a global task go to its node, if that can take it."""
        node = self._store.nodes.get(task.node_id)
        fitting = self._fitting(task, [node] if node else [])
        if fitting:
            self._take(task, fitting[0], "scheduler confirmed task can run on preassigned node")

    def _take(self, task: Task, load: _Load, message: str) -> None:
        del self._pending[task.id]
        cpus, memory = _reserved(task)
        load.tasks.add(task.id)
        load.of_service[task.service_id] += 1
        load.nano_cpus += cpus
        load.memory += memory
        load.ports |= _host_ports(task)
        self._store.assign(task, load.node, message)

    def _give_back(self, task: Task) -> None:
        load = self._loads.get(task.node_id)
        if load is None or task.id not in load.tasks:
            return
        cpus, memory = _reserved(task)
        load.tasks.discard(task.id)
        load.of_service[task.service_id] -= 1
        load.nano_cpus -= cpus
        load.memory -= memory
        load.ports -= _host_ports(task)

    def _fitting(self, task: Task, nodes: list[Node]) -> list[_Load]:
        """Return the nodes that can take a task; if there is none, note why on the task."""
        loads = [self._load(node) for node in nodes]
        turned_down: Counter[str] = Counter()
        for passes, why in _FILTERS:
            kept = [load for load in loads if passes(load, task)]
            turned_down[why] += len(loads) - len(kept)
            loads = kept
        if not loads:
            self._store.note(task, task.message, _explanation(turned_down))
        return loads

    def _load(self, node: Node) -> _Load:
        return self._loads.setdefault(node.id, _Load(node))


def _reserved(task: Task) -> tuple[int, int]:
    reservations = (task.spec.get("Resources") or {}).get("Reservations") or {}
    return reservations.get("NanoCPUs") or 0, reservations.get("MemoryBytes") or 0


def _host_ports(task: Task) -> set[tuple[str, int]]:
    ports = (task.endpoint_spec or {}).get("Ports") or ()
    return {
        (port.get("Protocol", "tcp"), port["PublishedPort"])
        for port in ports
        if port.get("PublishMode") == "host" and port.get("PublishedPort")
    }


def _has_resources(load: _Load, task: Task) -> bool:
    cpus, memory = _reserved(task)
    if not (cpus or memory):
        return True
    node = load.node
    return load.nano_cpus + cpus <= node.nano_cpus and load.memory + memory <= node.memory


def _meets_constraints(load: _Load, task: Task) -> bool:
    constraints = (task.spec.get("Placement") or {}).get("Constraints")
    return not constraints or satisfied(constraints, load.node)


def _suits_platform(load: _Load, task: Task) -> bool:
    platforms = (task.spec.get("Placement") or {}).get("Platforms")
    if not platforms:
        return True
    return any(_is_platform(load.node, platform) for platform in platforms)


def _is_platform(node: Node, platform: dict[str, str]) -> bool:
    names = {"amd64": "x86_64", "arm64": "aarch64"}
    architecture = platform.get("Architecture") or ""
    right_os = platform.get("OS") in (None, "", node.os)
    return right_os and names.get(architecture, architecture) in ("", node.architecture)


def _below_limit(load: _Load, task: Task) -> bool:
    most = (task.spec.get("Placement") or {}).get("MaxReplicas")
    return not most or load.of_service[task.service_id] < most


#: In swarmkit's order; with each, what a node that does not pass is counted under.
_FILTERS: tuple[tuple[Filter, str], ...] = (
    (lambda load, _: load.node.available, "{} not available for new tasks"),
    (_has_resources, "insufficient resources on {}"),
    (_meets_constraints, "scheduling constraints not satisfied on {}"),
    (_suits_platform, "unsupported platform on {}"),
    (
        lambda load, task: not (load.ports & _host_ports(task)),
        "host-mode port already in use on {}",
    ),
    (_below_limit, "max replicas per node limit exceed"),
)


def _explanation(turned_down: Counter[str]) -> str:
    """Return why no node will do, the most frequent reason first."""
    reasons = [
        why.format(f"{count} node" if count == 1 else f"{count} nodes")
        for why, count in turned_down.most_common()
        if count
    ]
    return f"no suitable node ({'; '.join(reasons)})" if reasons else "no suitable node"
