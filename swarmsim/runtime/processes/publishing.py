"""Published ports: what comes to a port of this machine goes on to a task's.

Only this machine's loopback listens, because tasks are no containers: whoever reaches one
reaches a process of this user. A port in mode `host` belongs to one task while that runs; one
in mode `ingress` to a service, whose tasks take turns.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count

_HOST = "127.0.0.1"
_BACKLOG = 128
_CHUNK = 64 * 1024
_GO_SAYS = {
    errno.EADDRINUSE: "address already in use",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
}

#: Where a task's port is on this machine; `None` while it has no listener.
Target = Callable[[], tuple[str, int] | None]


class CannotPublish(Exception):
    """A port of this machine that cannot be had, in Docker's words."""


class Port:
    """One port, and the tasks that it leads to."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.targets: list[Target] = []
        self._turn = count()

    def close(self) -> None:
        """Do nothing: nobody listens."""

    def addresses(self) -> Iterator[tuple[str, int]]:
        """Yield where the tasks listen, another one first each time."""
        first = next(self._turn)
        for at in range(len(self.targets)):
            target = self.targets[(first + at) % len(self.targets)]
            if address := target():
                yield address


class Published(Port):
    """One port of this machine, on which it listens."""

    def __init__(self, number: int, used: Callable[[], AbstractContextManager[None]]) -> None:
        """Listen; a connection is `used` until the task closes it. Raises `CannotPublish`."""
        super().__init__(number)
        self._used = used
        self._connections: set[asyncio.Task[None]] = set()
        self._socket = _listening(number)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._accept)

    def close(self) -> None:
        """Listen no more, and end what is being forwarded."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for each in self._connections:
            each.cancel()

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:  # it has gone again
            return
        client.setblocking(False)
        task = self._loop.create_task(self._forward(client))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _forward(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(sock=client)
            try:
                await self._join(reader, writer)
            finally:
                writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for address in self.addresses():
            with contextlib.suppress(ConnectionRefusedError):
                answers, to_task = await asyncio.open_connection(*address)
                try:
                    await asyncio.gather(_copy(reader, to_task), self._answer(answers, writer))
                finally:
                    to_task.close()
                return

    async def _answer(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._used():  # a client may keep what the task has closed
            await _copy(answers, writer)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass on what comes until there is no more, and say so."""
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        target.write_eof()


def _listening(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((_HOST, port))
        found.listen(_BACKLOG)
    except OSError as problem:
        found.close()
        reason = _GO_SAYS.get(problem.errno or 0, str(problem.strerror))
        raise CannotPublish(f"listen tcp4 0.0.0.0:{port}: bind: {reason}") from None
    found.setblocking(False)
    return found


class Publisher:
    """All ports that are published, by number; `kind` is what each of them is."""

    def __init__(self, kind: Callable[[int], Port]) -> None:
        self._kind = kind
        self._ports: dict[int, Port] = {}

    def add(self, port: int, target: Target, *, alone: bool) -> None:
        """Add a target to a port; `alone` if no other may have it.

        Raises `CannotPublish`.
        """
        if alone and port in self._ports:
            raise CannotPublish(f"listen tcp4 0.0.0.0:{port}: bind: {_GO_SAYS[errno.EADDRINUSE]}")
        if port not in self._ports:
            self._ports[port] = self._kind(port)
        self._ports[port].targets.append(target)

    def discard(self, port: int, target: Target) -> None:
        """Remove a target of a port; a port without targets is closed."""
        published = self._ports.get(port)
        if published is not None and target in published.targets:
            published.targets.remove(target)
            if not published.targets:
                published.close()
                del self._ports[port]

    def close(self) -> None:
        """Close all ports."""
        for published in self._ports.values():
            published.close()
        self._ports.clear()
