"""The containers of this engine's tasks, and what is told of them.

The cluster drives the processes through `Containers`, which keeps what `docker ps` and
`docker inspect` show, and says in events what the engine does: create, start, kill, die,
stop, destroy. A container is there from when its task is prepared until its task is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from swarmsim.engine.events import Events, message
from swarmsim.engine.networks import Network
from swarmsim.go import signals
from swarmsim.model import StoreEvent, Task
from swarmsim.runtime.logs import Log
from swarmsim.runtime.port import Runtime

_SIGTERM = 15
_SIGKILL = 9
_NOT_STARTED = 127


@dataclass(slots=True, kw_only=True)
class Container:
    """A container. Times are the engine's, in ns; 0 is never."""

    id: str
    task: Task
    name: str
    labels: dict[str, str]
    created_at: int
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    error: str = ""
    #: What its health probes say: starting, healthy, unhealthy, or nothing without probes.
    health: str = ""
    #: Its address on the bridge of its machine, with prefix, while it runs in no other network.
    address: str = ""
    #: It has been asked to stop.
    asked: bool = False

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return bool(self.started_at) and not self.finished_at

    @property
    def state(self) -> str:
        """Docker's word for what it does."""
        if self.running:
            return "running"
        return "exited" if self.finished_at else "created"


def name_of(task: Task) -> str:
    """The name of a task, which is also its container's."""
    return f"{task.service_name}.{task.slot or task.node_id}.{task.id}"


class Containers:
    """All containers by id, and the driver that the cluster sees."""

    def __init__(
        self,
        runtime: Runtime,
        events: Events,
        image_labels: Callable[[str], Mapping[str, str]],
        is_here: Callable[[Task], bool],
        networks_of: Callable[[Task], list[Network]],
        new_id: Callable[[], str],
    ) -> None:
        self._runtime = runtime
        self._events = events
        self._image_labels = image_labels
        self._is_here = is_here
        self._networks_of = networks_of
        self._new_id = new_id
        self._of_task: dict[str, Container] = {}
        self.now: Callable[[], int] = lambda: 0
        #: The networks that have come to this node with a container.
        self._brought: set[str] = set()

    def __iter__(self) -> Iterator[Container]:
        """Those on this node, the newest first, as `docker ps` has them."""
        here = [it for it in self._of_task.values() if self._is_here(it.task)]
        return iter(sorted(here, key=lambda it: it.created_at, reverse=True))

    def of_task(self, task_id: str) -> Container | None:
        """The container of a task, if it has one."""
        return self._of_task.get(task_id)

    def by_id(self) -> dict[str, Container]:
        """Those on this node, by id."""
        return {container.id: container for container in self}

    # ---- what the cluster tells ------------------------------------------------------

    def watch(self, change: StoreEvent) -> None:
        """A task that has been prepared has a container from now on."""
        task = change.object
        if isinstance(task, Task) and task.container_id and task.id not in self._of_task:
            if change.action != "update" or task.ended:
                return
            container = Container(
                id=task.container_id,
                task=task,
                name=name_of(task),
                labels=self._labels(task),
                created_at=self.now(),
            )
            self._of_task[task.id] = container
            self._bring_networks(container)
            self._tell(container, "create")

    def pull(self, task: Task) -> str:
        """Get the image of a task."""
        return self._runtime.pull(task)

    def has_healthcheck(self, task: Task) -> bool:
        """Whether a task counts as running only once it is healthy."""
        return self._runtime.has_healthcheck(task)

    def start(self, task: Task) -> str:
        """Start the process of a task."""
        error = self._runtime.start(task)
        if container := self._of_task.get(task.id):
            self._started(container, error)
        return error

    def _started(self, container: Container, error: str) -> None:
        if error:
            container.error, container.exit_code = error, _NOT_STARTED
            container.task.exit_code = _NOT_STARTED
            return
        self._connect(container)
        container.started_at = self.now()
        container.health = "starting" if self._runtime.has_healthcheck(container.task) else ""
        self._tell(container, "start")

    def stop(self, task: Task) -> None:
        """Ask the process of a task to end."""
        if container := self._of_task.get(task.id):
            container.asked = True
            self._tell(container, "kill", signal=str(stop_signal(task)))
        self._runtime.stop(task)

    def kill(self, task: Task) -> None:
        """End the process of a task."""
        if container := self._of_task.get(task.id):
            self._tell(container, "kill", signal=str(_SIGKILL))
        self._runtime.kill(task)

    def remove(self, task: Task) -> None:
        """Forget the container of a task."""
        if container := self._of_task.pop(task.id, None):
            self._tell(container, "destroy")
        self._runtime.remove(task)

    # ---- what the processes tell -----------------------------------------------------

    def exited(self, task_id: str, code: int) -> None:
        """A process has ended."""
        container = self._of_task.get(task_id)
        if container is None or not container.running:
            return
        container.finished_at, container.exit_code = self.now(), code
        self._tell(container, "die", exitCode=str(code))
        left = self._disconnect(container)
        if container.asked:
            self._tell(container, "stop")
        self._take_away(left, container)

    def probed(self, task_id: str, command: tuple[str, ...]) -> Callable[[int], None]:
        """A health probe has begun: what an engine says of a command in a container.

        Returns what to call with its exit code when it has ended.
        """
        container, probe = self._of_task.get(task_id), self._new_id()
        if container is None or not container.running:
            return lambda _code: None
        for action in ("exec_create", "exec_start"):
            self._tell(container, f"{action}: {' '.join(command)}", execID=probe)

        def ended(code: int) -> None:
            self._tell(container, "exec_die", execID=probe, exitCode=str(code))

        return ended

    def has_health(self, task_id: str, health: str) -> None:
        """A container has become healthy, or unhealthy."""
        container = self._of_task.get(task_id)
        if container is not None and container.running and container.health != health:
            container.health = health
            self._tell(container, f"health_status: {health}")

    # ---- what a client asks for ------------------------------------------------------

    def signal(self, container: Container, number: int) -> None:
        """Send a signal to a container's process."""
        self._tell(container, "kill", signal=str(number))
        if number == _SIGKILL:
            self._runtime.kill(container.task)
        else:
            self._runtime.signal(container.task.id, number)

    def stop_by_hand(self, container: Container, number: int) -> None:
        """Send the stop signal for somebody who says `docker stop`."""
        container.asked = True
        self.signal(container, number)

    def drop(self, container: Container) -> None:
        """Remove a container that has ended, and its output, as `docker rm` does."""
        self._of_task.pop(container.task.id, None)
        self._tell(container, "destroy")

    def logs(self, task_id: str) -> Log | None:
        """What a task's process has written, if its container is still there."""
        return self._runtime.logs(task_id) if task_id in self._of_task else None

    def _labels(self, task: Task) -> dict[str, str]:
        given: dict[str, str] = task.container.get("Labels") or {}
        system = {
            "com.docker.swarm.node.id": task.node_id,
            "com.docker.swarm.service.id": task.service_id,
            "com.docker.swarm.service.name": task.service_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": task.id,
            "com.docker.swarm.task.name": name_of(task),
        }
        return {**self._image_labels(task.image), **given, **system}

    def attached(self, network: Network) -> Iterator[Container]:
        """The running containers on this node that are attached to a network."""
        for container in self._of_task.values():
            here = container.running and self._is_here(container.task)
            if here and network in self._networks_of(container.task):
                yield container

    def is_used(self, network: Network) -> bool:
        """Whether a running container on this node is attached to a network."""
        return any(True for _ in self.attached(network))

    def _bring_networks(self, container: Container) -> None:
        """Say which networks come to this node: one does with its first container."""
        for network in self._networks_of(container.task):
            if not network.is_everywhere and network.id not in self._brought:
                self._brought.add(network.id)
                self._tell_of(network, "create", container)

    def _connect(self, container: Container) -> None:
        """Say what a container is attached to: its networks, or its machine's bridge."""
        self._bring_networks(container)
        for network in self._networks_of(container.task):
            if network.scope == "local":
                container.address = network.take_address()
            self._tell_of(network, "connect", container)

    def _disconnect(self, container: Container) -> list[Network]:
        """Say what a container is no longer attached to; return that."""
        left = self._networks_of(container.task)
        for network in left:
            self._tell_of(network, "disconnect", container)
            if container.address:
                network.give_back(container.address)
        container.address = ""
        return left

    def _take_away(self, left: list[Network], container: Container) -> None:
        """Say which networks this node has no longer: one goes with its last container."""
        for network in left:
            if network.id in self._brought and not self.is_used(network):
                self._brought.discard(network.id)
                self._tell_of(network, "destroy", container)

    def _tell_of(self, network: Network, action: str, container: Container) -> None:
        if self._is_here(container.task):
            who = {"container": container.id} if action in {"connect", "disconnect"} else {}
            attributes = {"name": network.name, "type": network.driver, **who}
            self._events.publish(message("network", action, network.id, attributes, self.now()))

    def _tell(self, container: Container, action: str, **more: str) -> None:
        if not self._is_here(container.task):
            return  # an engine speaks of its own containers only
        about = {"image": container.task.image, "name": container.name}
        attributes = {**container.labels, **about, **more}
        self._events.publish(message("container", action, container.id, attributes, self.now()))


def stop_signal(task: Task) -> int:
    """The number of the signal that asks a task's process to end."""
    return signals.number(task.container.get("StopSignal") or "SIGTERM") or _SIGTERM
