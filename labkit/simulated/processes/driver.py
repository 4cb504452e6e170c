"""What the cluster drives: it starts, stops and probes the tasks' processes, and reports."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from labkit.rollout import Task
from labkit.rollout.plan import Strategy
from labkit.simulated.images import Image, ImageProblem
from labkit.simulated.images import names as image_names
from labkit.simulated.images.removing import User
from labkit.simulated.images.steps import signal_number
from labkit.simulated.logs import Log
from labkit.simulated.processes import names, plan, preparing, programs
from labkit.simulated.processes.acting import Acting
from labkit.simulated.processes.folders import Folder
from labkit.simulated.processes.kinds import HORIZON, Kind, Life
from labkit.simulated.processes.names import Names
from labkit.simulated.processes.output import Output
from labkit.simulated.processes.preparing import CannotPrepare
from labkit.simulated.processes.probing import NO_CODE, Health
from labkit.simulated.processes.programs import CannotStart
from labkit.simulated.processes.publishing import CannotPublish, Publisher
from labkit.simulated.processes.running import Running
from labkit.simulated.processes.spawning import Keeper, Spawned

if TYPE_CHECKING:
    from labkit.simulated.engine import Engine

_log = logging.getLogger(__name__)

#: So many processes at once; tasks beyond it act (see `acting`).
MOST_PROCESSES = 60
#: Of each kind so many pieces of what one wrote are kept, for those that act.
_WRITTEN_KEPT = 200
_SECOND = 10**9
_SIGTERM = 15
_MOST_OUTPUT = 4096
#: `localhost:80` in the command of a probe, which is no Python that `shim` could reach.
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1)(?::(\d+)|(?=[/\s\"']|$))")


class Processes:
    """The driver of an engine's cluster: each task is a process, up to so many of them."""

    def __init__(
        self,
        engine: Engine,
        *,
        most: int = MOST_PROCESSES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._most = most
        self._monotonic = monotonic
        self._folder = engine.data / "tasks"
        shutil.rmtree(self._folder, ignore_errors=True)  # of an engine that was killed
        self._names = Names(self._folder / "names")
        self._publisher = Publisher()
        self._keeper = Keeper()
        self._known: dict[str, Running] = {}
        #: Those with a process, forgotten or not.
        self._alive: set[Running] = set()
        self._probes: set[Spawned] = set()
        self._kinds: dict[str, Kind] = {}

    # ---- what the cluster calls ------------------------------------------------------

    def pull(self, task: Task) -> str:
        """Get the image, and prepare all that the task needs; return the error, or `""`.

        An image that is here is taken as it is, and no registry is asked: as an engine
        does that prefers its own (`DOCKER_SERVICE_PREFER_OFFLINE_IMAGE`).
        """
        try:
            image = self._image(task.image)
            node = self._engine.cluster.nodes.get(task.node_id)
            what = plan.make(task, image.id, image.config, node.hostname if node else "")
            if not what.command:
                return "No command specified"
            self._known[task.id] = self._prepared(task, what, image)
        except ImageProblem:
            return f"No such image: {image_names.tagged(image_names.parse(task.image))}"
        except CannotPrepare as problem:
            return str(problem)
        return ""

    def has_healthcheck(self, task: Task) -> bool:
        """Whether a task counts as running only after its first healthy probe."""
        known = self._known.get(task.id)
        return known is not None and known.plan.healthcheck is not None

    def start(self, task: Task) -> str:
        """Start the process; return the error in Docker's words, or `""`."""
        it = self._known[task.id]
        try:
            self._publish(it)
            self._settle(it)
            it.process = self._act(it) if it.folder is None else self._spawn(it, it.folder)
        except (CannotStart, CannotPublish) as problem:
            self._tidy(it)
            message = problem.message if isinstance(problem, CannotStart) else str(problem)
            return f"starting container failed: {message}"
        task.pid = it.process.pid
        it.started_at = self._engine.now
        self._alive.add(it)
        self._begin_health(it)
        return ""

    def stop(self, task: Task) -> None:
        """Send the stop signal."""
        it = self._known.get(task.id)
        if it is None or not it.running or it.process is None:
            return
        self._hide(it)
        if it.health:
            it.health.stop()
        it.life.stop_asked(self._monotonic())
        it.process.send(signal_number(it.plan.stop_signal) or _SIGTERM)

    def kill(self, task: Task) -> None:
        """End the process at once."""
        it = self._known.get(task.id)
        if it is not None:
            self._kill(it)

    def remove(self, task: Task) -> None:
        """Forget a task, and what it has written; a process that is left is ended."""
        it = self._known.pop(task.id, None)
        if it is not None:
            it.forgotten = True
            self._kill(it)
            if not it.running:
                self._tidy(it)

    # ---- what the engine asks --------------------------------------------------------

    def awaiting(self) -> bool:
        """Whether it is open what some process will do: then the engine's time is real."""
        now = self._monotonic()
        return any(it.life.undecided(now) for it in self._alive)

    def signal(self, task_id: str, number: int) -> None:
        """Send a signal to a task's process, as `docker kill` does."""
        it = self._known.get(task_id)
        if it is not None and it.running and it.process is not None:
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
        for it in self._alive:
            it.forgotten = True
            self._kill(it)
        for it in list(self._alive):
            if it.process is not None:
                it.process.wait()
            self._tidy(it)
        for probe in self._probes:
            probe.kill()
            probe.wait()
        self._alive.clear()
        self._probes.clear()
        self._publisher.close()
        self._keeper.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- preparing -------------------------------------------------------------------

    def _image(self, text: str) -> Image:
        images = self._engine.images
        try:
            return images.find(text)
        except ImageProblem:
            name = image_names.tagged(image_names.parse(text))
            return images.pull(name, self._engine.now)[0]

    def _prepared(self, task: Task, what: plan.Plan, image: Image) -> Running:
        kind = self._kinds.setdefault(what.kind, Kind())
        folder = None
        if sum(it.folder is not None for it in self._known.values()) < self._most:
            folder = Folder(self._folder / task.id)
            try:
                preparing.fill(folder, task, what, image, self._engine)
            except BaseException:
                folder.remove()
                raise
        else:
            _log.warning("%s is not run: there are %d processes", task.id, self._most)
        life = Life(kind, self._monotonic(), self._horizon(task))
        return Running(task=task, plan=what, log=Log(), life=life, folder=folder)

    def _horizon(self, task: Task) -> float:
        """How long it has to be seen what a task's process does: as long as an update looks."""
        service = self._engine.cluster.services.get(task.service_id)
        if service is None or service.update_status is None:
            return HORIZON
        key = "RollbackConfig" if service.update_status.state.startswith("roll") else "UpdateConfig"
        return max(HORIZON, Strategy.read(service.spec.get(key)).monitor / _SECOND + 1)

    def _settle(self, it: Running) -> None:
        """Give a task its place in the networks."""
        hostname = it.plan.hostname or it.task.container_id[:12]
        it.place = preparing.place(it.task, hostname, self._engine)
        if it.folder is not None:
            self._names.settle(it.folder, it.place)
            it.cwd = it.folder.inside(it.plan.working_dir)
            it.env = preparing.variables(it.folder, it.plan, hostname)

    # ---- starting --------------------------------------------------------------------

    def _spawn(self, it: Running, folder: Folder) -> Spawned | Acting:
        program = programs.find(it.plan.command, folder, it.plan.env, it.cwd)
        kind = it.life.kind
        if not kind.written_by:
            kind.written_by = it.task.id
        it.life.started_at = self._monotonic()
        outputs = {
            is_error: Output(folder.root, partial(self._wrote, it, is_error))
            for is_error in (False, True)
        }

        def write(is_error: bool, data: bytes) -> None:
            outputs[is_error].feed(data)

        def ended(code: int) -> None:
            for output in outputs.values():
                output.close()
            self._ended(it, code)

        try:
            return Spawned(program.words, it.cwd, it.env, self._keeper, write, ended)
        except OSError as problem:
            if problem.errno == errno.ENOEXEC:  # it counts as started, and ends at once
                broken = f"exec {it.plan.command[0]}: exec format error\n".encode()
                as_said = Kind(exits_after=0, exit_code=1, written=[(0, True, broken)])
                return Acting(as_said, self._call_after, write, partial(self._soon, ended))
            reason = (problem.strerror or str(problem)).lower()
            raise CannotStart(f'"{it.plan.command[0]}": {reason}', programs.NOT_FOUND) from None

    def _act(self, it: Running) -> Acting:
        def write(is_error: bool, data: bytes) -> None:
            it.log.write(self._engine.now, "stderr" if is_error else "stdout", data)

        it.life.decided = True
        write(
            True,
            f"labkit: there are {self._most} processes; this task only acts, as others of its "
            "kind did\n".encode(),
        )
        ended = partial(self._soon, partial(self._ended, it))
        return Acting(it.life.kind, self._call_after, write, ended)

    def _publish(self, it: Running) -> None:
        """Have ports of this machine lead to a task."""
        if it.folder is None:
            return
        target_of = partial(_target, it)
        published: list[tuple[int, Callable[[], tuple[str, int] | None]]] = []

        def take_back() -> None:
            for port, target in published:
                self._publisher.discard(port, target)

        it.unpublish = take_back
        for port, inside, alone in self._ports(it.task):
            target = partial(target_of, inside)
            try:
                self._publisher.add(port, target, alone=alone)
            except CannotPublish as problem:
                if alone:
                    name = f"{it.task.service_name}.{it.task.slot or it.task.node_id}.{it.task.id}"
                    raise CannotPublish(
                        f"driver failed programming external connectivity on endpoint {name}: "
                        f"Error starting userland proxy: {problem}"
                    ) from None
                _log.warning("port %d of %s: %s", port, it.task.service_name, problem)
            else:
                published.append((port, target))

    def _ports(self, task: Task) -> Iterator[tuple[int, int, bool]]:
        """Yield published port, port inside, and whether it is the task's alone."""
        service = self._engine.cluster.services.get(task.service_id)
        given = (service.endpoint.get("Ports") if service else None) or ()
        for port in (task.endpoint_spec or {}).get("Ports") or ():
            if port.get("Protocol", "tcp") != "tcp":
                continue
            inside, alone = int(port["TargetPort"]), port.get("PublishMode") == "host"
            number = int(port.get("PublishedPort") or 0) or next(
                (int(each.get("PublishedPort") or 0) for each in given
                 if each.get("TargetPort") == inside),
                0,
            )  # fmt: skip
            if number:
                yield number, inside, alone

    # ---- health ----------------------------------------------------------------------

    def _begin_health(self, it: Running) -> None:
        if it.plan.healthcheck is None:
            self._show(it)
            return
        it.health = Health(
            it.plan.healthcheck,
            start=partial(self._probe, it),
            say=lambda status: self._soon(partial(self._has_health, it), status),
            call_at=lambda at, act: self._engine.cluster.call_at(at, act),
            clock=lambda: self._engine.now,
        )
        if it.folder is None:
            self._act_healthy(it)
        else:
            it.health.begin()

    def _act_healthy(self, it: Running) -> None:
        """One that acts is found healthy, or unhealthy, when others of its kind were."""
        kind = it.life.kind
        if kind.unhealthy_after is not None:
            status, age = "unhealthy", kind.unhealthy_after
        else:
            status, age = "healthy", kind.healthy_after or 0
        self._call_after(
            int(age * _SECOND), lambda: self._soon(partial(self._has_health, it), status)
        )

    def _has_health(self, it: Running, status: str) -> None:
        if it.forgotten or not it.running:
            return
        age = (self._engine.now - it.started_at) / _SECOND
        if status == "healthy":
            it.life.kind.healthy_after = age
            self._show(it)
            self._engine.healthy(it.task.id)
        else:
            it.life.kind.unhealthy_after = age
            self._engine.unhealthy(it.task.id)

    def _probe(
        self, it: Running, command: tuple[str, ...], ended: Callable[[int, bytes], None]
    ) -> Spawned | None:
        """Start a probe in a task's folder."""
        assert it.folder is not None
        output = bytearray()

        def write(_is_error: bool, data: bytes) -> None:
            output.extend(data[: _MOST_OUTPUT - len(output)])

        def over(code: int) -> None:
            self._probes.discard(probe)
            it.life.probing = False
            self._engine.catch_up()
            ended(code, bytes(output))
            self._engine.catch_up()

        try:
            program = programs.find(command, it.folder, it.plan.env, it.cwd)
            words = program.words if program.is_python else _local_ports(program.words, it.folder)
            probe = Spawned(words, it.cwd, it.env, self._keeper, write, over)
        except CannotStart as problem:
            ended(NO_CODE, problem.of_probe.encode())
            return None
        except OSError as problem:
            ended(NO_CODE, f"OCI runtime exec failed: {problem.strerror}".encode())
            return None
        self._probes.add(probe)
        it.life.probing = True
        return probe

    # ---- what becomes of it ----------------------------------------------------------

    def _wrote(self, it: Running, is_error: bool, data: bytes) -> None:
        self._engine.catch_up()
        it.log.write(self._engine.now, "stderr" if is_error else "stdout", data)
        kind = it.life.kind
        if kind.written_by == it.task.id and len(kind.written) < _WRITTEN_KEPT:
            kind.written.append((self._monotonic() - it.life.started_at, is_error, data))

    def _ended(self, it: Running, code: int) -> None:
        """A process has ended; this comes from the event loop."""
        it.life.exited(self._monotonic(), code)
        self._alive.discard(it)
        self._tidy(it)
        if not it.forgotten:
            self._engine.exited(it.task.id, code)

    def _kill(self, it: Running) -> None:
        if it.running and it.process is not None:
            self._hide(it)
            it.life.killed(self._monotonic())
            it.process.kill()

    def _tidy(self, it: Running) -> None:
        """Take away what only a running task needs."""
        self._hide(it)
        it.task.pid = 0
        it.unpublish()
        it.unpublish = lambda: None
        if it.health:
            it.health.stop()
        it.log.close(self._engine.now)
        if it.place and it.folder:
            self._names.leave(it.place)
        if it.folder:
            it.folder.remove()

    def _show(self, it: Running) -> None:
        """From now on others find a task by its names."""
        if it.place and it.folder and not it.found:
            it.found = True
            self._names.add(it.place)

    def _hide(self, it: Running) -> None:
        if it.place and it.found:
            it.found = False
            self._names.discard(it.place)

    def _call_after(self, length: int, act: Callable[[], None]) -> None:
        cluster = self._engine.cluster
        cluster.call_at(cluster.now + length, act)

    def _soon(self, function: Callable[..., None], *arguments: object) -> None:
        """Report from the event loop what is known while the cluster moves."""
        asyncio.get_running_loop().call_soon(function, *arguments)


def _target(it: Running, inside: int) -> tuple[str, int] | None:
    """Where a port of a task is on this machine."""
    return names.port_of(it.folder, inside) if it.folder else None


def _local_ports(words: list[str], folder: Folder) -> list[str]:
    """Return a probe's command with the task's own ports as they are on this machine."""

    def real(found: re.Match[str]) -> str:
        port = names.port_of(folder, int(found[1] or 80))
        return f"{port[0]}:{port[1]}" if port else found[0]

    return [_LOCAL.sub(real, word) for word in words]
