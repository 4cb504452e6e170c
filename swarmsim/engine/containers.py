"""The containers of this engine's tasks, and the events about them.

The cluster drives the runtime through `Containers`, which keeps what `docker ps` and
`docker inspect` show, and publishes events: create, start, kill, die, stop, destroy, and
those of the networks and volumes that it uses. A
container exists from when its task is prepared until its task is removed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from swarmsim.engine.networks import Network
from swarmsim.engine.volumes import Volumes
from swarmsim.go.errors import ApiError
from swarmsim.model import Spec, StoreEvent, Task
from swarmsim.runtime import plan
from swarmsim.runtime.logs import Log
from swarmsim.runtime.port import Host, Runtime
from swarmsim.runtime.templates import BadTemplate

_SIGKILL = 9
_NOT_STARTED = 127


@dataclass(slots=True, kw_only=True)
class Container:
    """A container. Times are the engine's, in ns; 0 is never."""

    id: str
    task: Task
    name: str
    labels: dict[str, str]
    #: Its part of the task's spec, with its templates filled in.
    spec: Spec
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
    stop_requested: bool = False

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return bool(self.started_at) and not self.finished_at

    @property
    def state(self) -> str:
        """Its state in Docker's words."""
        if self.running:
            return "running"
        return "exited" if self.finished_at else "created"


class Containers:
    """All containers by id, and the driver that the cluster sees."""

    def __init__(self, engine: Host, runtime: Runtime) -> None:
        self._engine = engine
        self._runtime = runtime
        self._of_task: dict[str, Container] = {}
        #: This machine's, and those of other simulated nodes.
        self.volumes = Volumes(engine.data / "volumes")
        self._volumes_elsewhere = defaultdict[str, Volumes](
            lambda: Volumes(Path(mkdtemp(prefix="volumes-", dir=engine.data)))
        )
        #: By task: what its container has mounted, as the API has it.
        self._mounts: dict[str, list[Spec]] = {}
        #: The networks that this node has because of a container.
        self._networks_here: set[str] = set()

    def __iter__(self) -> Iterator[Container]:
        """Those on this node, the newest first, as `docker ps` has them."""
        here = [it for it in self._of_task.values() if self._engine.is_here(it.task)]
        return iter(sorted(here, key=lambda it: it.created_at, reverse=True))

    def of_task(self, task_id: str) -> Container | None:
        """The container of a task, if it has one."""
        return self._of_task.get(task_id)

    def by_id(self) -> dict[str, Container]:
        """Those on this node, by id."""
        return {container.id: container for container in self}

    # ---- what the cluster calls ------------------------------------------------------

    def watch(self, change: StoreEvent) -> None:
        """Create the container of a task that has been prepared."""
        task = change.object
        if isinstance(task, Task) and task.container_id and task.id not in self._of_task:
            if change.action != "update" or task.ended:
                return
            container = Container(
                id=task.container_id,
                task=task,
                name=task.name,
                labels=self._labels(task),
                spec=self._spec(task),
                created_at=self._engine.now,
            )
            self._of_task[task.id] = container
            self._publish_volumes(container, "create")
            self._add_networks(container)
            self._publish(container, "create")

    def pull(self, task: Task) -> str:
        """Pull the image of a task, and mount what it asks for."""
        node = self._engine.cluster.nodes.get(task.node_id)
        try:
            error = self._runtime.pull(task) or plan.refusal(task, node)
            if not error:
                self.mounts_of(task)
        except BadTemplate as problem:
            return str(problem)
        except ApiError as problem:
            error = problem.message
        if error:
            self._unmount(task, and_remove=True)
        return error

    def mounts_of(self, task: Task) -> list[Spec]:
        """What a task's container has mounted; a volume that is missing is made now.

        Raises `ApiError` for what Docker does not mount.
        """
        if task.id not in self._mounts:
            engine = self._engine
            spec, image = self._spec(task), engine.image_config(task.image)
            found = self._mounts[task.id] = []
            # what comes before a refusal stays there, to be removed
            found.extend(self._volumes(task).mount(spec, image, engine.now, engine.new_hex_id))
            found.sort(key=lambda point: str(point["Destination"]))
        return self._mounts[task.id]

    def _spec(self, task: Task) -> Spec:
        return plan.container_of(task, self._engine.cluster.nodes.get(task.node_id))

    def _volumes(self, task: Task) -> Volumes:
        here = self._engine.is_here(task)
        return self.volumes if here else self._volumes_elsewhere[task.node_id]

    def has_healthcheck(self, task: Task) -> bool:
        """Whether a task counts as running only once it is healthy."""
        return self._runtime.has_healthcheck(task)

    def start(self, task: Task) -> str:
        """Start the process of a task."""
        error = self._missing(task) or self._runtime.start(task)
        if container := self._of_task.get(task.id):
            self._started(container, error)
        return error

    def _missing(self, task: Task) -> str:
        """Name a secret or config of the task that was removed since, in Docker's words.

        Its service's previous spec may have it, which nothing keeps from being removed.
        """
        engine = self._engine
        for kind, kept in (("secret", engine.secrets), ("config", engine.configs)):
            for each in task.container.get(f"{kind.capitalize()}s") or ():
                wanted = each.get(f"{kind.capitalize()}ID")
                if wanted not in kept:
                    return (
                        f"starting container failed: unable to get {kind} from {kind} store: "
                        f"{kind} {wanted} not found"
                    )
        return ""

    def _started(self, container: Container, error: str) -> None:
        if error:
            container.error, container.exit_code = error, _NOT_STARTED
            container.task.exit_code = _NOT_STARTED
            return
        self._connect(container)
        self._publish_volumes(container, "mount")
        container.started_at = self._engine.now
        container.health = "starting" if self._runtime.has_healthcheck(container.task) else ""
        self._publish(container, "start")

    def stop(self, task: Task) -> None:
        """Send the stop signal to the process of a task."""
        if container := self._of_task.get(task.id):
            container.stop_requested = True
            self._publish(container, "kill", signal=str(self.stop_signal(task)))
        self._runtime.stop(task)

    def kill(self, task: Task) -> None:
        """Kill the process of a task."""
        if container := self._of_task.get(task.id):
            self._publish(container, "kill", signal=str(_SIGKILL))
        self._runtime.kill(task)

    def remove(self, task: Task) -> None:
        """Remove the container of a task."""
        if container := self._of_task.pop(task.id, None):
            self._publish(container, "destroy")
        self._runtime.remove(task)
        self._unmount(task, and_remove=True)

    # ---- what the runtime reports -----------------------------------------------------

    def exited(self, task_id: str, code: int) -> None:
        """Record that a process has ended. In the order of engines since 23.0."""
        container = self._of_task.get(task_id)
        if container is None or not container.running:
            return
        container.finished_at, container.exit_code = self._engine.now, code
        left = self._disconnect(container)
        self._publish_volumes(container, "unmount")
        if container.stop_requested:
            self._publish(container, "stop")
        self._publish(container, "die", exitCode=str(code))
        self._remove_networks(left, container)

    def probed(self, task_id: str, command: tuple[str, ...]) -> Callable[[int], None]:
        """Publish the events of a health probe, as of any `exec`.

        Returns a function to call with its exit code when it has ended.
        """
        container, probe = self._of_task.get(task_id), self._engine.new_hex_id()
        if container is None or not container.running:
            return lambda _code: None
        for action in ("exec_create", "exec_start"):
            self._publish(container, f"{action}: {' '.join(command)}", execID=probe)

        def ended(code: int) -> None:
            self._publish(container, "exec_die", execID=probe, exitCode=str(code))

        return ended

    def has_health(self, task_id: str, health: str) -> None:
        """Record that a container has become healthy, or unhealthy."""
        container = self._of_task.get(task_id)
        if container is not None and container.running and container.health != health:
            container.health = health
            self._publish(container, f"health_status: {health}")

    # ---- what a client asks for ------------------------------------------------------

    def signal(self, container: Container, number: int) -> None:
        """Send a signal to a container's process."""
        self._publish(container, "kill", signal=str(number))
        if number == _SIGKILL:
            self._runtime.kill(container.task)
        else:
            self._runtime.signal(container.task.id, number)

    def stop_signal(self, task: Task) -> int:
        """The number of the signal that asks a task's process to end."""
        return plan.stop_signal(task.container, self._engine.image_config(task.image))

    def stop_by_hand(self, container: Container) -> None:
        """Send the stop signal for somebody who says `docker stop`."""
        container.stop_requested = True
        self.signal(container, self.stop_signal(container.task))

    def drop(self, container: Container, *, and_volumes: bool = False) -> None:
        """Remove a container that has ended, and its output, as `docker rm` does.

        `docker rm -v` removes its volumes that have no name, too.
        """
        self._of_task.pop(container.task.id, None)
        self._publish(container, "destroy")
        self._unmount(container.task, and_remove=and_volumes)

    def logs(self, task_id: str) -> Log | None:
        """What a task's process has written, if its container still exists."""
        return self._runtime.logs(task_id) if task_id in self._of_task else None

    def _labels(self, task: Task) -> dict[str, str]:
        given: dict[str, str] = task.container.get("Labels") or {}
        system = {
            "com.docker.swarm.node.id": task.node_id,
            "com.docker.swarm.service.id": task.service_id,
            "com.docker.swarm.service.name": task.service_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": task.id,
            "com.docker.swarm.task.name": task.name,
        }
        return {**(self._engine.image_config(task.image).get("Labels") or {}), **given, **system}

    def mounting(self, volume: str) -> list[Container]:
        """The containers on this node that have a volume mounted, running or not."""
        return [it for it in self if volume in map(_volume, self.mounts_of(it.task))]

    def remove_volume(self, name: str) -> None:
        """Remove a volume of this machine, with its files."""
        self.volumes.remove(self.volumes[name])
        self._engine.publish("volume", "destroy", name, {"driver": "local"}, "local")

    def _unmount(self, task: Task, *, and_remove: bool) -> None:
        volumes = self._volumes(task)
        for name in map(_volume, self._mounts.pop(task.id, [])):
            if not and_remove or name not in volumes or not volumes[name].anonymous:
                continue
            if volumes is self.volumes:
                self.remove_volume(name)
            else:
                volumes.remove(volumes[name])

    def _publish_volumes(self, container: Container, action: str) -> None:
        if not self._engine.is_here(container.task):
            return
        for point in self.mounts_of(container.task):
            about = {"driver": "local"} | (
                {} if action == "create" else {"container": container.id}
            )
            if action == "mount":
                about |= {"destination": point["Destination"], "propagation": point["Propagation"]}
                about |= {"read/write": str(point["RW"]).lower()}
            if name := _volume(point):
                self._engine.publish("volume", action, name, about, "local")

    def attached(self, network: Network) -> Iterator[Container]:
        """The running containers on this node that are attached to a network."""
        for container in self._of_task.values():
            here = container.running and self._engine.is_here(container.task)
            if here and network in self._engine.networks_of(container.task):
                yield container

    def is_used(self, network: Network) -> bool:
        """Whether a running container on this node is attached to a network."""
        return any(True for _ in self.attached(network))

    def _add_networks(self, container: Container) -> None:
        """Publish the networks that this node gets: one with its first container."""
        for network in self._engine.networks_of(container.task):
            if network.scope == "swarm":
                network.balance(container.task.node_id)
            if not network.is_everywhere and network.id not in self._networks_here:
                self._networks_here.add(network.id)
                self._publish_network(network, "create", container)

    def _connect(self, container: Container) -> None:
        """Attach a container to its networks, or to its machine's bridge."""
        self._add_networks(container)
        for network in self._engine.networks_of(container.task):
            if network.scope == "local":
                container.address = network.take_address()
            self._publish_network(network, "connect", container)

    def _disconnect(self, container: Container) -> list[Network]:
        """Detach a container from its networks; return them."""
        left = self._engine.networks_of(container.task)
        for network in left:
            self._publish_network(network, "disconnect", container)
            if container.address:
                network.free_address(container.address)
        container.address = ""
        return left

    def _remove_networks(self, left: list[Network], container: Container) -> None:
        """Publish the networks that this node loses: one with its last container."""
        for network in left:
            if network.id in self._networks_here and not self.is_used(network):
                self._networks_here.discard(network.id)
                self._publish_network(network, "destroy", container)

    def _publish_network(self, network: Network, action: str, container: Container) -> None:
        if self._engine.is_here(container.task):
            who = {"container": container.id} if action in {"connect", "disconnect"} else {}
            attributes = {"name": network.name, "type": network.driver, **who}
            self._engine.publish("network", action, network.id, attributes, "local")

    def _publish(self, container: Container, action: str, **more: str) -> None:
        if not self._engine.is_here(container.task):
            return  # an engine has events of its own containers only
        about = {"image": container.task.image, "name": container.name}
        attributes = {**container.labels, **about, **more}
        self._engine.publish("container", action, container.id, attributes, "local")


def _volume(point: Spec) -> str:
    """The name of the volume that is mounted, if it is one."""
    return str(point.get("Name", ""))
