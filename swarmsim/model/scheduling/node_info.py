"""What runs on each node, and which nodes can take one task more. Pure.

After swarmkit's manager/scheduler (nodeinfo.go, filter.go, pipeline.go).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from swarmsim.model import states
from swarmsim.model.nodes.timing import SECOND
from swarmsim.model.objects import Node, Task
from swarmsim.model.plan import constraints, reservations
from swarmsim.model.scheduling.constraints import satisfied

#: A node on which a service failed so often in so long a time is taken last (scheduler.go).
MOST_FAILURES = 5
_LOOK_BACK = 300 * SECOND
#: Those that are built into Docker Engine; `none` needs no plugin.
_LOGS = "none awslogs fluentd gcplogs gelf journald json-file local logentries splunk syslog"
_LOG_DRIVERS = frozenset(_LOGS.split())


@dataclass(slots=True, eq=False)
class NodeInfo:
    """What runs, or is about to run, on a node."""

    node: Node
    #: Whether each task still counts where tasks are spread: those told to stop do not,
    #: though they keep what they have reserved.
    tasks: dict[str, bool] = field(default_factory=dict)
    active: int = 0
    of_service: Counter[str] = field(default_factory=Counter)
    nano_cpus: int = 0
    memory: int = 0
    ports: set[tuple[str, int]] = field(default_factory=set)
    #: When tasks of a spec failed here, the oldest first.
    _failures: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def add(self, task: Task) -> None:
        """Take a task on."""
        cpus, memory = reservations(task.spec)
        self.nano_cpus += cpus
        self.memory += memory
        self.ports |= host_ports(task)
        self.tasks[task.id] = False
        if task.desired <= states.COMPLETE:
            self._count(task, is_active=True)

    def told_to_stop(self, task: Task) -> None:
        """Count a task no longer that is to end."""
        if self.tasks.get(task.id):
            self._count(task, is_active=False)

    def remove(self, task: Task) -> None:
        """Give back what a task has reserved."""
        if task.id not in self.tasks:
            return
        self.told_to_stop(task)
        del self.tasks[task.id]
        cpus, memory = reservations(task.spec)
        self.nano_cpus -= cpus
        self.memory -= memory
        self.ports -= host_ports(task)

    def _count(self, task: Task, *, is_active: bool) -> None:
        self.tasks[task.id] = is_active
        one = 1 if is_active else -1
        self.active += one
        self.of_service[task.service_id] += one

    def failed(self, task: Task, now: int) -> None:
        """Remember that a task failed here."""
        key = task.service_id, task.spec_version
        recent = [at for at in self._failures.get(key, ()) if now - at < _LOOK_BACK]
        self._failures[key] = [*recent, now]

    def failures(self, task: Task, now: int) -> int:
        """Return how often tasks of this task's spec have failed here of late."""
        times = self._failures.get((task.service_id, task.spec_version), ())
        return sum(now - at <= _LOOK_BACK for at in times)


def host_ports(task: Task) -> set[tuple[str, int]]:
    """Return the ports of its node that a task takes for itself."""
    return {
        (port.get("Protocol") or "tcp", port["PublishedPort"])
        for port in task.ports("host")
        if port.get("PublishedPort")
    }


class Filters:
    """Says whether a node can take a task, and why not.

    What is turned down is counted; a node that will do clears the counts (`Pipeline`).
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._turned_down: Counter[str] = Counter()

    def pass_(self, info: NodeInfo) -> bool:
        """Whether a node can take the task."""
        for can_take, why in _FILTERS:
            if not can_take(info, self._task):
                self._turned_down[why] += 1
                return False
        self._turned_down.clear()
        return True

    def passing(self, infos: Iterable[NodeInfo]) -> list[NodeInfo]:
        """Return the nodes that can take the task."""
        return [info for info in infos if self.pass_(info)]

    def explain(self) -> str:
        """Return why no node would do, the most frequent reason first."""
        in_order = sorted(_FILTERS, key=lambda each: -self._turned_down[each[1]])
        counts = [(why, self._turned_down[why]) for _, why in in_order]
        return "; ".join(
            why.format(f"{count} node" if count == 1 else f"{count} nodes")
            for why, count in counts
            if count
        )


def _has_resources(info: NodeInfo, task: Task) -> bool:
    cpus, memory = reservations(task.spec)
    if not (cpus or memory):
        return True
    node = info.node
    return info.nano_cpus + cpus <= node.nano_cpus and info.memory + memory <= node.memory


def _has_plugins(_: NodeInfo, task: Task) -> bool:
    """Whether the drivers of a task's volumes and of its log are Docker's own."""
    options = [mount.get("VolumeOptions") or {} for mount in task.container.get("Mounts") or ()]
    volumes = {(each.get("DriverConfig") or {}).get("Name") or "local" for each in options}
    log = (task.spec.get("LogDriver") or {}).get("Name") or "none"
    return volumes <= {"local"} and log in _LOG_DRIVERS


def _suits_platform(info: NodeInfo, task: Task) -> bool:
    platforms = task.placement.get("Platforms")
    return not platforms or any(_is_platform(info.node, platform) for platform in platforms)


def _is_platform(node: Node, platform: dict[str, str]) -> bool:
    def common(architecture: str) -> str:
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(architecture, architecture)

    wanted = common(platform.get("Architecture") or "")
    right_os = platform.get("OS") in (None, "", node.os)
    return right_os and wanted in ("", common(node.architecture))


def _is_below_limit(info: NodeInfo, task: Task) -> bool:
    most = task.placement.get("MaxReplicas")
    return not most or info.of_service[task.service_id] < most


#: In swarmkit's order; with each, what a node that does not pass is counted under.
_FILTERS: tuple[tuple[Callable[[NodeInfo, Task], bool], str], ...] = (
    (lambda info, _: info.node.available, "{} not available for new tasks"),
    (_has_resources, "insufficient resources on {}"),
    (_has_plugins, "missing plugin on {}"),
    (
        lambda info, task: satisfied(constraints(task.spec), info.node),
        "scheduling constraints not satisfied on {}",
    ),
    (_suits_platform, "unsupported platform on {}"),
    (
        lambda info, task: not info.ports or not info.ports & host_ports(task),
        "host-mode port already in use on {}",
    ),
    (_is_below_limit, "max replicas per node limit exceed"),
)
