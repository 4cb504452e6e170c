"""A task's healthcheck at work: its probes are processes, whose results are reported."""

import re
import sys
from collections.abc import Callable
from functools import partial

from swarmsim.model import SECOND
from swarmsim.runtime.plan import Healthcheck
from swarmsim.runtime.probing import NO_CODE, Health
from swarmsim.runtime.processes.place import names, programs
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.programs import CannotStart
from swarmsim.runtime.processes.running import Launch, Process, Running

#: Bytes of a probe's output that are kept.
_MOST_OUTPUT = 4096
#: `localhost:80` in the command of a probe that is no Python, which `shim` does not reach.
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1)(?::(\d+)|(?=[/\s\"']|$))")

_Ended = Callable[[int, bytes], None]


class Checks:
    """The probes of all tasks."""

    def __init__(self) -> None:
        self._under_way: set[Process] = set()

    def begin(self, it: Running, check: Healthcheck) -> None:
        """Begin to probe a task that has been started."""
        world = it.world
        it.health = Health(
            check,
            start=partial(self._start, it),
            report=lambda status: world.soon(_report, it, status),
            call_at=lambda at, act: world.engine.cluster.call_at(at, act),
            clock=lambda: world.engine.now,
        )
        if it.folder is None:
            _act(it)
        else:
            it.health.begin()

    def close(self) -> None:
        """End all probes."""
        for probe in self._under_way:
            probe.kill()
            probe.wait()
        self._under_way.clear()

    def _start(
        self, it: Running, command: tuple[str, ...], ended: _Ended
    ) -> Callable[[], None] | None:
        """Start a probe in a task's folder; return what kills it."""
        output = bytearray()
        report_end = it.world.engine.probed(it.task.id, command)

        def write(_is_error: bool, data: bytes) -> None:
            output.extend(data[: _MOST_OUTPUT - len(output)])

        def over(code: int) -> None:
            self._under_way.discard(probe)
            it.life.probing = False
            it.world.engine.catch_up()
            report_end(code)
            ended(code, bytes(output))
            it.world.engine.catch_up()

        try:
            words = _words(it, command)
            probe = it.world.system.spawn(Launch(words, it.cwd, it.env, write, over))
        except CannotStart as problem:
            ended(NO_CODE, problem.of_probe.encode())
            return None
        except OSError as problem:
            ended(NO_CODE, f"OCI runtime exec failed: {problem.strerror}".encode())
            return None
        self._under_way.add(probe)
        it.life.probing = True
        return probe.kill


def _words(it: Running, command: tuple[str, ...]) -> list[str]:
    assert it.folder is not None
    words = programs.find(command, it.folder, it.plan.env, it.cwd)
    # in this Python names and ports work as they are
    return words if words[0] == sys.executable else _with_real_ports(words, it.folder)


def _with_real_ports(words: list[str], folder: Folder) -> list[str]:
    """Return a command with the task's own ports as they are on this machine."""

    def real(found: re.Match[str]) -> str:
        port = names.port_of(folder, int(found[1] or 80))
        return f"{port[0]}:{port[1]}" if port else found[0]

    return [_LOCAL.sub(real, word) for word in words]


def _act(it: Running) -> None:
    """Report a task without a process healthy, or unhealthy, when others of its kind were."""
    kind = it.life.kind
    status, age = "healthy", kind.healthy_after or 0
    if kind.unhealthy_after is not None:
        status, age = "unhealthy", kind.unhealthy_after
    it.world.call_after(int(age * SECOND), lambda: it.world.soon(_report, it, status))


def _report(it: Running, status: str) -> None:
    """Report a task's health; from the event loop."""
    if it.forgotten or not it.running:
        return
    age = (it.world.engine.now - it.started_at) / SECOND
    if status == "healthy":
        it.life.kind.healthy_after = age
        it.show()
    else:
        it.life.kind.unhealthy_after = age
    it.world.engine.has_health(it.task.id, status)
