"""Starting a task: its addresses, its ports, and its process or what stands in for one."""

import errno
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial

from swarmsim.runtime.kinds import Acting
from swarmsim.runtime.processes.place import names, programs
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.output import Output
from swarmsim.runtime.processes.place.programs import CannotStart
from swarmsim.runtime.processes.publishing import CannotPublish, Target
from swarmsim.runtime.processes.running import Launch, Process, Running

_log = logging.getLogger(__name__)

#: Pieces of output that are kept of each kind, for tasks without a process.
_WRITTEN_KEPT = 200
#: The exit code that Docker gives to a container whose network could not be set up.
_NO_NETWORK = 128
_NO_PORT = (
    "driver failed programming external connectivity on endpoint {}: Error starting userland proxy"
)

_ONLY_ACTS = (
    b"swarmsim: there are processes enough; this task only acts, as others of its kind did\n"
)


def start(it: Running, ended: Callable[[int], None]) -> Process:
    """Start a task; `ended` is called in the event loop. Raises `CannotStart`."""
    hostname = it.plan.hostname or it.task.container_id[:12]
    it.attachments = names.attachments(it.task, hostname, it.world.engine)
    if it.folder is None:
        it.life.decided = True
        it.write(True, _ONLY_ACTS)
        return Acting(it.life.kind, it.world.call_after, it.write, partial(it.world.soon, ended))
    _publish(it)
    it.world.names.settle(it.folder, it.attachments)
    it.cwd = it.folder.inside(it.plan.working_dir)
    it.env = programs.variables(it.folder, it.plan, hostname)
    return _spawned(it, it.folder, ended)


def _spawned(it: Running, folder: Folder, ended: Callable[[int], None]) -> Process:
    name = it.plan.command[0]
    words = programs.find(it.plan.command, folder, it.plan.env, it.cwd)
    kind = it.life.kind
    kind.written_by = kind.written_by or it.task.id
    it.life.started_at = it.world.monotonic()
    outputs = {
        is_error: Output(folder.root, partial(_wrote, it, is_error)) for is_error in (False, True)
    }

    def over(code: int) -> None:
        for output in outputs.values():
            output.close()
        ended(code)

    def write(is_error: bool, data: bytes) -> None:
        outputs[is_error].feed(data)

    def spawned(words: list[str]) -> Process:
        return it.world.system.spawn(Launch(words, it.cwd, it.env, write, over))

    try:
        return spawned(words)
    except OSError as problem:
        if problem.errno == errno.ENOEXEC:  # to Docker it has started, and ends at once
            broken = f"exec {name}: exec format error"
            return spawned([sys.executable, "-c", f"raise SystemExit({broken!r})"])
        reason = (problem.strerror or str(problem)).lower()
        raise CannotStart(f'"{name}": {reason}', programs.NOT_FOUND) from None


def _wrote(it: Running, is_error: bool, data: bytes) -> None:
    it.world.engine.catch_up()
    it.write(is_error, data)
    kind = it.life.kind
    if kind.written_by == it.task.id and len(kind.written) < _WRITTEN_KEPT:
        kind.written.append((it.world.monotonic() - it.life.started_at, is_error, data))


# ---- ports -------------------------------------------------------------------------


def _publish(it: Running) -> None:
    """Publish a task's ports on this machine. Raises `CannotStart`."""
    publisher = it.world.system.publisher
    published: list[tuple[int, Target]] = []

    def unpublish() -> None:
        for port, target in published:
            publisher.discard(port, target)

    it.unpublish = unpublish
    for port, inside, alone in _ports(it):
        target = partial(_where, it, inside)
        try:
            publisher.add(port, target, alone=alone)
            published.append((port, target))
        except CannotPublish as problem:
            if alone:
                message = f"{_NO_PORT.format(it.task.name)}: {problem}"
                raise CannotStart.whole(message, _NO_NETWORK) from None
            _log.warning("port %d of %s: %s", port, it.task.service_name, problem)


def _ports(it: Running) -> Iterator[tuple[int, int, bool]]:
    """Yield published port, port inside, and whether it is this task's alone."""
    service = it.world.engine.cluster.services.get(it.task.service_id)
    given = {
        each.get("TargetPort"): each.get("PublishedPort")
        for each in (service.endpoint.get("Ports") if service else None) or ()
    }
    for port in (it.task.endpoint_spec or {}).get("Ports") or ():
        inside = port["TargetPort"]
        published = port.get("PublishedPort") or given.get(inside)
        if published and port.get("Protocol", "tcp") == "tcp":
            yield int(published), int(inside), port.get("PublishMode") == "host"


def _where(it: Running, inside: int) -> tuple[str, int] | None:
    """Where a port of a task is on this machine."""
    return names.port_of(it.folder, inside) if it.folder else None
