"""One Python as what has the tasks' processes, and the ports that they publish."""

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from types import ModuleType
from weakref import WeakSet

from swarmsim.runtime.processes.publishing import CannotPublish, Target
from swarmsim.runtime.turns import standing_in
from swarmsim.runtime.turns.fibers import Fiber
from swarmsim.runtime.turns.program import Program
from swarmsim.runtime.turns.sockets import Socket

_IN_USE = "listen tcp4 0.0.0.0:{}: bind: address already in use"


class Turns:
    """A system for `Processes`: a folder, programs, and ports that `ask` reaches."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "tasks"
        self.folder.mkdir(parents=True)
        self.publisher = Ports()
        self._shim = _installed(data / "python3")

    def spawn(
        self,
        words: list[str],
        cwd: Path,
        env: Mapping[str, str],
        write: Callable[[bool, bytes], None],
        ended: Callable[[int], None],
    ) -> Program:
        """Start a program. Raises `OSError` for one that is no Python."""
        if words[0] != sys.executable:
            raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))
        task = self._shim.Task(env["SWARMSIM_TASK"])
        return Program(words, cwd, env, task, write, ended)

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Ports:
    """Published ports; the tasks of one take turns."""

    def __init__(self) -> None:
        self._targets: dict[int, list[Target]] = {}
        self._turn = count()

    def add(self, port: int, target: Target, *, alone: bool) -> None:
        """Add a target to a port; `alone` if no other may have it. Raises `CannotPublish`."""
        if alone and port in self._targets:
            raise CannotPublish(_IN_USE.format(port))
        self._targets.setdefault(port, []).append(target)

    def discard(self, port: int, target: Target) -> None:
        """Remove a target of a port."""
        self._targets[port].remove(target)
        if not self._targets[port]:
            del self._targets[port]

    async def ask(
        self, port: int, method: str, path: str, body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        """Send a request to a port, and return status and body. Raises `OSError`."""
        answered: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def ask() -> None:
            try:
                answered.set_result(_asked(self._address(port), method, path, body, seconds))
            except (OSError, HTTPException) as problem:
                answered.set_exception(OSError(str(problem)))

        Fiber(_Outsider(), ask).start()
        return await answered

    def _address(self, port: int) -> tuple[str, int]:
        targets = self._targets.get(port, [])
        first = next(self._turn)
        for at in range(len(targets)):
            if address := targets[(first + at) % len(targets)]():
                return address
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


class _Outsider:
    """Has a fiber, and is no program."""

    path = "\0"

    def __init__(self) -> None:
        self.sockets: WeakSet[Socket] = WeakSet()

    def enter(self) -> None: ...
    def leave(self) -> None: ...
    def deliver(self, fiber: Fiber) -> None: ...


def _asked(
    address: tuple[str, int], method: str, path: str, body: bytes, seconds: float
) -> tuple[int, bytes]:
    connection = HTTPConnection(*address, timeout=seconds)
    try:
        connection.request(method, path, body or None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@cache
def _installed(python: Path) -> ModuleType:
    return standing_in.install(python)
