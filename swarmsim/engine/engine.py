"""The engine: cluster, images, processes, networks, configs, secrets, events, and its clock.

Routes find everything here. The cluster moves only when it catches up with the clock
(`Engine.catch_up`): before each request, before each report of the runtime (`exited`,
`has_health`), and by a timer, or a caller that waits, when something is due. A
runtime may also report while the cluster catches up, from what it scheduled there
(`cluster.call_at`); that counts at the cluster's moment.

    engine.cluster      swarmsim.model.Cluster: services, tasks, nodes
    engine.swarm        the swarm that it manages, or None
    engine.images       swarmsim.images.Images(data): what was built, tagged, pushed
    engine.runtime      what runs tasks, such as swarmsim.runtime.processes.Processes(engine)
                        (`swarmsim.runtime.port` says what is expected of it)
    engine.containers   what `docker ps` shows; the cluster's driver, which drives the runtime
    engine.containers.volumes   those of this machine, by name
    engine.networks, engine.configs, engine.secrets    by id
    engine.allocator    ports, virtual IPs and the addresses of tasks
    engine.events       what happened, for those who follow and those who ask later
"""

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from swarmsim.engine import swarm
from swarmsim.engine.allocation import Allocator
from swarmsim.engine.clock import Clock
from swarmsim.engine.containers import Containers
from swarmsim.engine.events import ClusterEvents, Events, message
from swarmsim.engine.networks import Network, Networks
from swarmsim.engine.swarm import Blob, Swarm
from swarmsim.go.errors import ApiError
from swarmsim.images import Images
from swarmsim.model import Cluster, Node, Spec, StoreEvent, Task
from swarmsim.runtime.port import Runtime

#: Seconds between two polls of the runtime while it is open what a process will do.
_POLL = 0.02
#: Seconds after which the engine catches up even if nothing is due: the wall's clock may be set.
_LONGEST_PAUSE = 1.0

_NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
    "connect this node to swarm and try again."
)


class Engine:
    """A simulated engine."""

    #: The engine whose behaviour it shows.
    version = "29.0.0"
    operating_system = "swarmsim simulated engine"

    def __init__(
        self,
        data: Path,
        runtime: "Callable[[Engine], Runtime]",
        *,
        speed: float = 1,
        seed: int = 0,
        nodes: int = 1,
        start: int | None = None,
    ) -> None:
        self.data = data
        self._next_seed = seed
        self.random = Random(f"engine {seed}")  # noqa: S311  a run can be repeated
        self.id = self.random.randbytes(16).hex()
        self.hostname = platform.node() or "lab"
        self.cpus = os.cpu_count() or 1
        self.memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.node_count = nodes
        self.clock = Clock(speed, start=start)
        #: Called whenever something has happened; `Call.wait` is what uses it.
        self.listeners: set[Callable[[], None]] = set()
        #: Called after each time that the engine has caught up with its clock.
        self.when_caught_up: Callable[[], None] | None = None
        self._catching_up = False
        self.events = Events(self.notify)
        self.cluster_events = ClusterEvents(self.events)
        self.images = Images(data)
        self.networks = Networks()
        self.configs: dict[str, Blob] = {}
        self.secrets: dict[str, Blob] = {}
        self.swarm: Swarm | None = None
        self.runtime = runtime(self)
        self.containers = Containers(self, self.runtime)
        self.cluster = self._empty_cluster()
        self._local_networks()

    # ---- the clock -------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The engine's time, in ns since 1970: where the cluster is."""
        return self.cluster.now

    def catch_up(self) -> None:
        """Move the cluster to the present.

        On a clock that is faster than the wall's, stop where a process starts of which it is
        open what it will do: from there on the time is real.
        """
        if self._catching_up:  # a report of the runtime from within
            return
        self._catching_up = True
        pause = self.runtime.awaiting if self.clock.speed > 1 else None
        try:
            self.cluster.run_until(self.clock.read(), pause)
        finally:
            self._catching_up = False
            self.clock.set(self.cluster.now, real_time=self.runtime.awaiting())
        if self.when_caught_up is not None:
            self.when_caught_up()

    def seconds_until_due(self) -> float:
        """Seconds of the wall's clock until the engine should catch up again."""
        due = self.cluster.next_due()
        seconds = (
            _LONGEST_PAUSE if due is None else min(_LONGEST_PAUSE, self.clock.seconds_until(due))
        )
        return min(seconds, _POLL) if self.runtime.awaiting() else seconds

    def publish(
        self, kind: str, action: str, about: str, attributes: Mapping[str, str], scope: str
    ) -> None:
        """Publish an event about an object: of the `swarm`, or `local`."""
        self.events.publish(message(kind, action, about, attributes, self.now, scope))

    def notify(self) -> None:
        """Call the listeners."""
        for listener in tuple(self.listeners):
            listener()

    def close(self) -> None:
        """End all tasks."""
        self.runtime.close()

    # ---- what the runtime reports ---------------------------------------------------

    def exited(self, task_id: str, code: int) -> None:
        """A task's process has ended, by itself or after a signal; 137 is what SIGKILL gives."""
        self.catch_up()
        self.containers.exited(task_id, code)
        self.cluster.container_exited(task_id, code)
        self.catch_up()

    def probed(self, task_id: str, command: tuple[str, ...]) -> Callable[[int], None]:
        """A health probe has begun; returns what to call with its exit code."""
        return self.containers.probed(task_id, command)

    def has_health(self, task_id: str, health: str) -> None:
        """A task is `healthy`, or `unhealthy`: so many probes in a row have failed."""
        self.catch_up()
        self.containers.has_health(task_id, health)
        self.cluster.container_health(task_id, health)
        self.catch_up()

    # ---- the swarm -------------------------------------------------------------------

    def manager(self) -> Swarm:
        """The swarm that this engine manages; `ApiError` 503 if it is in none."""
        if self.swarm is None:
            raise ApiError(503, _NO_MANAGER)
        return self.swarm

    def new_hex_id(self) -> str:
        """Return a new id of the kind that this machine's own objects have."""
        return self.random.randbytes(32).hex()

    def init_swarm(self, availability: str = "active", **settings: Any) -> Swarm:
        """Make this engine the manager of a swarm, with as many nodes as it was started with."""
        manager = self._add_node(self.hostname, is_manager=True)
        if availability != "active":
            spec = {**manager.spec, "Availability": availability}
            self.cluster.update_node(manager.id, manager.version, spec)
        for number in range(2, self.node_count + 1):
            self._add_node(f"node-{number}")
        now = self.cluster.now
        spec = settings.pop("spec", {})
        self.swarm = Swarm(
            id=self.cluster.new_id(),
            node_id=manager.id,
            version=self.cluster.bump(),
            created_at=now,
            updated_at=now,
            spec=swarm.complete(spec),
            tokens=swarm.new_tokens(self.random),
            **settings,
        )
        self.cluster.history_limit = self.swarm.history_limit
        self._swarm_networks()
        return self.swarm

    def leave_swarm(self) -> None:
        """Forget the swarm and all that it runs."""
        for task in list(self.cluster.tasks.values()):
            if self.containers.of_task(task.id):
                self.containers.kill(task)
                self.containers.remove(task)
        self.swarm = None
        self.configs.clear()
        self.secrets.clear()
        for network in list(self.networks.values()):
            if network.scope == "swarm":
                del self.networks[network.id]
        self.cluster = self._empty_cluster()

    def _empty_cluster(self) -> Cluster:
        cluster = Cluster(self.clock.now, seed=self._next_seed, driver=self.containers)
        self._next_seed += 1  # the next swarm of this engine has other ids
        self.allocator = Allocator(
            cluster,
            self.networks,
            lambda it: self.cluster_events.service(it, "update", cluster.now),
        )
        cluster.watch(self._changed)
        cluster.can_allocate = self.allocator.has_all_networks
        return cluster

    def _changed(self, change: StoreEvent) -> None:
        self.allocator.watch(change)
        if isinstance(change.object, Task):
            self.containers.watch(change)
            if change.action == "remove" or change.object.ended:
                self._forget_removed_networks()
        else:
            self.cluster_events.watch(change, self.cluster.now)

    def _add_node(self, hostname: str, *, is_manager: bool = False) -> Node:
        node = self.cluster.add_node(
            hostname, manager=is_manager, nano_cpus=self.cpus * 10**9, memory=self.memory
        )
        node.architecture = platform.machine()
        node.engine_labels = dict(label.split("=", 1) for label in self.labels)
        return node

    # ---- networks --------------------------------------------------------------------

    def _local_networks(self) -> None:
        for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
            network = self.networks.make(driver, self.new_hex_id(), name, self.now)
            network.predefined = True
            if name == "bridge":
                self._bridge = network
            else:
                network.subnet = None

    def _swarm_networks(self) -> None:
        make, cluster = self.networks.make, self.cluster
        asked = {"Ingress": True}
        mesh = make("overlay", cluster.new_id(), "ingress", self.now, asked, version=cluster.bump())
        for node_id in cluster.nodes:
            mesh.balance(node_id)
        if not self.networks.named("docker_gwbridge"):  # it stays when a swarm is left
            make("bridge", self.new_hex_id(), "docker_gwbridge", self.now)
        for name in ("host", "bridge"):
            double = make("overlay", cluster.new_id(), name, self.now, version=cluster.bump())
            double.driver, double.predefined, double.subnet = name, True, None
            double.options, double.labels = {}, {"com.docker.swarm.predefined": "true"}

    def remove_network(self, network: Network) -> None:
        """Have the swarm forget a network; this machine does when its last task has ended."""
        network.removed = True
        self._forget_removed_networks()

    def networks_of(self, task: Task) -> list[Network]:
        """The networks that a task is attached to."""
        found = self.addresses_of(task)
        return [self.networks[key] for key in found if key in self.networks]

    def addresses_of(self, task: Task) -> Mapping[str, str]:
        """A task's address by network; one that is in no network is on its machine's bridge."""
        in_swarm = self.allocator.addresses_of(task.id)
        container = self.containers.of_task(task.id)
        if in_swarm or container is None:
            return in_swarm
        return {self._bridge.id: container.address}

    def mounts_of(self, task: Task) -> list[Spec]:
        """What a task's container has mounted, as the API has it."""
        return self.containers.mounts_of(task)

    def _forget_removed_networks(self) -> None:
        """Drop networks that the swarm has removed, once no task here is attached any more."""
        gone = [network for network in self.networks.values() if network.removed]
        for network in gone:
            if not any(network.id in self.allocator.addresses_of(task.id) for task in self.live()):
                del self.networks[network.id]

    def live(self) -> list[Task]:
        """The tasks on this node that have a container and have not ended."""
        tasks = self.cluster.tasks.values()
        return [task for task in tasks if task.container_id and not task.ended]

    # ---- this machine ----------------------------------------------------------------

    @property
    def labels(self) -> list[str]:
        """What the engine says of itself in `docker info`."""
        acts = ["swarmsim.acted=true"] if self.runtime.acts else []
        sleeps = [f"swarmsim.sleep-after={after:g}"] if (after := self.runtime.sleep_after) else []
        return ["swarmsim=true", f"swarmsim.speed={self.clock.speed:g}", *acts, *sleeps]

    def is_here(self, task: Task) -> bool:
        """Whether a task is on the node that answers, and not on another simulated one."""
        return self.swarm is None or task.node_id == self.swarm.node_id

    def image_config(self, name: str) -> Mapping[str, Any]:
        """An image's `Config`; nothing if the image is missing."""
        image = self.images.get(name)
        return image.config if image else {}

    def image_id(self, name: str) -> str:
        """An image's id; nothing if the image is missing."""
        image = self.images.get(name)
        return image.id if image else ""
