"""The runtime of real processes: starts, stops and probes them, and reports."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from swarmsim.go import references
from swarmsim.go.errors import ApiError
from swarmsim.images import Image
from swarmsim.images.removing import User
from swarmsim.model import SECOND, Task
from swarmsim.model.plan import strategy
from swarmsim.runtime import plan
from swarmsim.runtime.kinds import HORIZON, Kind, Life
from swarmsim.runtime.logs import Log
from swarmsim.runtime.port import Host
from swarmsim.runtime.processes import starting
from swarmsim.runtime.processes.checking import Checks
from swarmsim.runtime.processes.place import folders
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.programs import CannotStart
from swarmsim.runtime.processes.running import Running, System, World
from swarmsim.runtime.processes.sleeping import Sleep

_log = logging.getLogger(__name__)

#: The most processes at once; tasks beyond it have none (see `acting`).
MOST_PROCESSES = 120
#: Bytes. The swarm takes a limit from 4 MB on, but Docker makes no container with less.
_LEAST_MEMORY = 6 << 20
#: What of a container's spec does nothing: it would take a container.
_UNKEPT = ("User", "Ulimits", "CapabilityAdd", "CapabilityDrop", "Sysctls", "ReadOnly")


class Processes:
    """A runtime in which each task is a process, up to a limit."""

    acts = False

    def __init__(
        self,
        engine: Host,
        *,
        system: System | None = None,
        most: int = MOST_PROCESSES,
        sleep_after: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._most = most
        self._world = World(engine, system or _machine(engine.data, self.used), monotonic)
        self._checks = Checks()
        self._known: dict[str, Running] = {}
        #: Those with a folder, which have or will have a process; removed or not.
        self._real: set[Running] = set()
        self._kinds: dict[str, Kind] = {}
        self.sleep_after = sleep_after
        self._sleep = Sleep(sleep_after, lambda: self._real, self._quiet) if sleep_after else None

    # ---- what the cluster calls ------------------------------------------------------

    def pull(self, task: Task) -> str:
        """Pull the image and prepare what the task needs; return the error, or `""`.

        An image that exists locally is used as it is, without asking a registry, as by an
        engine with `DOCKER_SERVICE_PREFER_OFFLINE_IMAGE`.
        """
        try:
            images = self._engine.images
            name = references.read(task.image)
            image = images.get(task.image) or images.pull(name)[0]
        except ApiError:
            return f"No such image: {references.read(task.image)}"
        limits = (task.spec.get("Resources") or {}).get("Limits") or {}
        if 0 < limits.get("MemoryBytes", 0) < _LEAST_MEMORY:
            return "Minimum memory limit allowed is 6MB"
        node = self._engine.cluster.nodes.get(task.node_id)
        what = plan.make(task, image.id, image.config, node)
        if not what.command:
            return "No command specified"
        return self._prepare(task, what, image)

    def unkept(self, spec: Mapping[str, Any]) -> str:
        """Name what limits a container, and not a process of this machine."""
        template = spec["TaskTemplate"]
        limits = (template.get("Resources") or {}).get("Limits") or {}
        container = template.get("ContainerSpec") or {}
        found = [f"Limits.{each}" for each in limits if limits[each]]
        found += [each for each in _UNKEPT if container.get(each)]
        volumes = [it.get("VolumeOptions") or {} for it in container.get("Mounts") or ()]
        if any((it.get("DriverConfig") or {}).get("Options") for it in volumes):
            found.append("VolumeOptions.DriverConfig.Options")
        said = f"tasks are processes of this machine, so {', '.join(found)} will not be kept"
        return f"simulated engine: {said}" if found else ""

    def has_healthcheck(self, task: Task) -> bool:
        """Whether a task counts as running only after its first healthy probe."""
        known = self._known.get(task.id)
        return known is not None and known.plan.healthcheck is not None

    def start(self, task: Task) -> str:
        """Start the process; return the error in Docker's words, or `""`."""
        it = self._known[task.id]
        try:
            it.process = starting.start(it, partial(self._ended, it))
        except (CannotStart, OSError) as problem:  # an OSError: no more processes, a full disk
            task.exit_code = problem.code if isinstance(problem, CannotStart) else 128
            self._tidy(it)
            said = problem.message if isinstance(problem, CannotStart) else problem
            return f"starting container failed: {said}"
        task.pid = it.process.pid
        it.started_at = self._engine.now
        if it.plan.healthcheck is None:
            it.show()
        else:
            self._checks.begin(it, it.plan.healthcheck)
        return ""

    def stop(self, task: Task) -> None:
        """Send the stop signal."""
        if it := self._known.get(task.id):
            it.stop(it.plan.stop_signal)

    def kill(self, task: Task) -> None:
        """Kill the process."""
        if it := self._known.get(task.id):
            it.kill()

    def remove(self, task: Task) -> None:
        """Remove a task and its output; a process that is left is killed."""
        if it := self._known.pop(task.id, None):
            it.forgotten = True
            it.kill()
            if not it.running:
                self._tidy(it)

    # ---- what the engine asks --------------------------------------------------------

    def awaiting(self) -> bool:
        """Whether it is open what some process will do: then the engine runs in real time."""
        now = self._world.monotonic()
        return any(it.running and it.life.undecided(now) for it in self._real)

    def used(self) -> AbstractContextManager[None]:
        """Keep tasks awake meanwhile: what they do is about to be seen, or changed."""
        return self._sleep.used() if self._sleep else nullcontext()

    def signal(self, task_id: str, number: int) -> None:
        """Send a signal to a task's process, as `docker kill` does."""
        it = self._known.get(task_id)
        if it is not None and it.process is not None and it.running:
            it.life.disturbed = True
            it.process.send(number)

    def logs(self, task_id: str) -> Log | None:
        """What a task's process has written; `None` if it never had one."""
        it = self._known.get(task_id)
        return it.log if it is not None and it.process is not None else None

    def health(self, task_id: str) -> dict[str, Any] | None:
        """What `docker inspect` shows as `State.Health`; `None` without a healthcheck."""
        it = self._known.get(task_id)
        return it.health.as_json() if it is not None and it.health is not None else None

    def users_of(self, image_id: str) -> Iterator[User]:
        """The containers that were made from an image."""
        for it in self._known.values():
            if it.plan.image_id == image_id and it.task.container_id:
                yield User(it.task.container_id, it.running)

    def close(self) -> None:
        """End all processes, and wait until they have ended."""
        for it in self._real:
            it.forgotten = True
            it.kill()
        for it in list(self._real):
            if it.process is not None:
                it.process.wait()
            self._tidy(it)
        self._checks.close()
        if self._sleep:
            self._sleep.close()
        self._world.system.close()

    # ---- what becomes of a task ------------------------------------------------------

    def _prepare(self, task: Task, what: plan.Plan, image: Image) -> str:
        kind = self._kinds.setdefault(what.kind, Kind())
        life = Life(kind, self._world.monotonic(), self._horizon(task))
        folder = None
        for other in [each for each in self._real if each.process is None and each.task.ended]:
            self._tidy(other)  # it came to an end before it was to start
        if len(self._real) < self._most:
            folder = Folder(self._world.system.folder / task.id)
            try:
                error = folders.fill(folder, task, what, image, self._engine)
            except OSError as problem:  # such as a full disk
                error = f"failed to create task: {(problem.strerror or str(problem)).lower()}"
            if error:
                folder.remove()
                return error
        it = Running(world=self._world, task=task, plan=what, life=life, folder=folder)
        self._known[task.id] = it
        if folder is not None:
            self._real.add(it)
        else:
            _log.info("%s only acts: there are %d processes", task.id, self._most)
        return ""

    def _quiet(self) -> bool:
        """Whether nothing is due, and all processes do what is known of them."""
        return self._engine.cluster.next_due() is None and not self.awaiting()

    def _horizon(self, task: Task) -> float:
        """Seconds to watch a process of an unknown kind: an update's monitor, if longer."""
        service = self._engine.cluster.services.get(task.service_id)
        if service is None or service.update_status is None:
            return HORIZON
        rolls_back = service.update_status.state.startswith("rollback")
        return max(HORIZON, strategy(service, rollback=rolls_back).monitor / SECOND + 1)

    def _ended(self, it: Running, code: int) -> None:
        """Report that a process has ended; called from the event loop."""
        it.life.exited(self._world.monotonic(), code)
        self._tidy(it)
        if self._sleep:  # others take its place, or go on without it
            self._sleep.wake()
        if not it.forgotten:
            self._engine.exited(it.task.id, code)

    def _tidy(self, it: Running) -> None:
        self._real.discard(it)
        it.tidy()


def _machine(data: Path, used: Callable[[], AbstractContextManager[None]]) -> System:
    from swarmsim.runtime.processes.machine import Machine  # which is nothing for a browser

    return Machine(data, used)
