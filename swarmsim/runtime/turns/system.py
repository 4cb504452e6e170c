"""One Python as what has the tasks' processes, and the ports that they publish."""

import asyncio
import errno
import os
import shutil
import sys
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import ModuleType
from weakref import WeakSet

from swarmsim.runtime.processes.publishing import Port, Publisher
from swarmsim.runtime.processes.running import Launch
from swarmsim.runtime.turns import standing_in
from swarmsim.runtime.turns.fibers import Fiber
from swarmsim.runtime.turns.program import Program
from swarmsim.runtime.turns.sockets import Socket


class Turns:
    """A system for `Processes`: a folder, programs, and ports that `ask` reaches."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "tasks"
        self.folder.mkdir(parents=True)
        self.publisher = Ports()
        self._shim = _installed(data / "python3")

    def spawn(self, launch: Launch) -> Program:
        """Start a program. Raises `OSError` for one that is no Python."""
        if launch.words[0] != sys.executable:
            raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))
        return Program(launch, self._shim.Task(launch.env["SWARMSIM_TASK"]))

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Ports(Publisher):
    """Published ports that only `ask` reaches."""

    def __init__(self) -> None:
        super().__init__(Port)

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
        addresses = self._ports[port].addresses() if port in self._ports else iter(())
        if address := next(addresses, None):
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
