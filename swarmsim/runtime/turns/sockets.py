"""TCP in memory: what `socket.socket` and selectors are for programs that take turns.

There is one host, the loopback; its ports are those of all programs (which believe that each has
all ports: see the `shim`).
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Self
from weakref import WeakSet, WeakValueDictionary

from swarmsim.runtime.turns.fibers import Bell, Fiber, here

Address = tuple[str, int]

_LOOPBACK = "127.0.0.1"
#: Bytes that wait to be read, beyond which a sender waits.
_MOST = 256 * 1024
_IS_LITERAL = set("0123456789.")
_numbers, _free_ports = count(1000), count(40000)
_by_number: WeakValueDictionary[int, "Socket"] = WeakValueDictionary()
_listening: dict[int, "Socket"] = {}
_real = socket.socket  # of which makefile and what goes with it are taken


class Socket:
    """A TCP socket."""

    makefile = _real.makefile
    close = _real.close
    _decref_socketios = _real._decref_socketios

    def __init__(
        self,
        family: int = socket.AF_INET,
        type: int = socket.SOCK_STREAM,
        proto: int = 0,
        fileno: int | None = None,
    ) -> None:
        if family not in (-1, socket.AF_INET) or type not in (-1, socket.SOCK_STREAM):
            raise _error(errno.EAFNOSUPPORT)
        self.family, self.type, self.proto = socket.AF_INET, socket.SOCK_STREAM, proto
        self.changed = Bell()
        self._timeout: float | None = socket.getdefaulttimeout()
        self._number = next(_numbers)
        _by_number[self._number] = self
        self._io_refs, self._closed = 0, False  # of makefile and close: files keep it open
        self._gone = False
        self._port = 0
        self._peer: Socket | None = None
        self._arrived: deque[Socket] | None = None
        self._data, self._over = bytearray(), False
        self.owned: WeakSet[Socket] | None = None
        if Fiber.current is not None:
            self.belong(Fiber.current.owner.sockets)

    def belong(self, owned: "WeakSet[Socket] | None") -> None:
        """Belong to a program, which closes it when it ends."""
        if self.owned is not None:
            self.owned.discard(self)
        self.owned = owned
        if owned is not None:
            owned.add(self)

    # ---- a listener --------------------------------------------------------------------

    def bind(self, address: Address) -> None:
        """Take a port; 0 is any free one."""
        port = address[1] or next(_free_ports)
        if port in _listening:
            raise _error(errno.EADDRINUSE)
        self._port = port

    def listen(self, backlog: int = 128) -> None:
        """Begin to listen."""
        if not self._port:
            self.bind((_LOOPBACK, 0))
        self._arrived = deque()
        _listening[self._port] = self

    def accept(self) -> tuple["Socket", Address]:
        """Return the next connection, and its peer's address."""
        if self._arrived is None:
            raise _error(errno.EINVAL)
        self._wait(self.can_read)
        arrived = self._arrived.popleft()
        return arrived, arrived.getpeername()

    # ---- a connection ------------------------------------------------------------------

    def connect(self, address: Address) -> None:
        """Connect to a port."""
        host, port = address[:2]
        if not host.startswith("127."):
            raise _error(errno.ENETUNREACH)
        listener = _listening.get(port)
        if listener is None or listener._arrived is None:
            raise _error(errno.ECONNREFUSED)
        self._port = self._port or next(_free_ports)
        there = Socket()
        there.belong(listener.owned)
        there._port = port
        there._peer, self._peer = self, there
        listener._arrived.append(there)
        listener.changed.ring()

    def connect_ex(self, address: Address) -> int:
        """Connect, and return what went wrong."""
        try:
            self.connect(address)
        except OSError as problem:
            return problem.errno or 0
        return 0

    def send(self, data: Any, flags: int = 0) -> int:
        """Send what there is room for, and return how many bytes that is."""
        if self._peer is None or self._peer._gone:
            raise _error(errno.EPIPE if self._peer else errno.ENOTCONN)
        self._wait(self.can_write)
        peer = self._peer
        piece = bytes(memoryview(data)[: _MOST - len(peer._data)])
        peer._data += piece
        peer.changed.ring()
        return len(piece)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self.send(left, flags) :]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what has come, at most so many bytes; nothing at the end."""
        if self._peer is None:
            raise _error(errno.ENOTCONN)
        self._wait(self.can_read)
        piece = bytes(self._data[:size])
        if not flags & socket.MSG_PEEK:
            del self._data[:size]
            self._peer.changed.ring()
        return piece

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Put what has come into a buffer, and return how many bytes that is."""
        view = memoryview(buffer).cast("B")
        piece = self.recv(nbytes or len(view), flags)
        view[: len(piece)] = piece
        return len(piece)

    def shutdown(self, how: int) -> None:
        """Send no more."""
        if self._peer is None:
            raise _error(errno.ENOTCONN)
        if how != socket.SHUT_RD:
            self._peer._over = True
            self._peer.changed.ring()

    def _real_close(self, _: object = None) -> None:
        _listening.pop(self._port, None) if self._arrived is not None else None
        _by_number.pop(self._number, None)
        self._gone = True
        for each in (self._peer, *(self._arrived or ())):
            if each is not None:
                each._over = True
                each.changed.ring()
        self.changed.ring()

    # ---- what is asked of it -----------------------------------------------------------

    def can_read(self) -> bool:
        """Whether something has come, or nothing will any more."""
        return bool(self._arrived or self._data or self._over or self._gone)

    def can_write(self) -> bool:
        """Whether there is room."""
        peer = self._peer
        return peer is None or peer._gone or len(peer._data) < _MOST

    def fileno(self) -> int:
        """Return its number, which is no file's."""
        return -1 if self._gone else self._number

    def getsockname(self) -> Address:
        """Return its address."""
        return _LOOPBACK, self._port

    def getpeername(self) -> Address:
        """Return the address of the other end."""
        if self._peer is None:
            raise _error(errno.ENOTCONN)
        return self._peer.getsockname()

    def settimeout(self, seconds: float | None) -> None:
        """Set for how long a call may wait."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """Return for how long a call may wait."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Have calls wait for ever, or not at all."""
        self._timeout = None if flag else 0

    def getblocking(self) -> bool:
        """Whether calls wait."""
        return self._timeout != 0

    def setsockopt(self, *_: object) -> None:
        """Do nothing: there is no network to tune."""

    def getsockopt(self, *_: object) -> int:
        """Return 0: also, that nothing went wrong."""
        return 0

    def detach(self) -> int:
        """Give up the socket without closing it."""
        return self._number

    def _wait(self, ready: Callable[[], bool]) -> None:
        until = None if self._timeout is None else time.monotonic() + self._timeout
        while not ready():
            if self._timeout == 0:
                raise _error(errno.EAGAIN)
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError("timed out")
            self.changed.wait(left)
        if self._gone:
            raise _error(errno.EBADF)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Selector(selectors._BaseSelectorImpl):
    """Waits for sockets."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return those that are ready, once there are any or so many seconds have passed."""
        until = None if timeout is None else time.monotonic() + timeout
        while not (ready := self._ready()):
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            self._wait(left)
        return ready

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        found = []
        for key in tuple(self.get_map().values()):
            sock = _by_number.get(key.fd)
            if sock is not None:
                reads = selectors.EVENT_READ if sock.can_read() else 0
                writes = selectors.EVENT_WRITE if sock.can_write() else 0
                if events := key.events & (reads | writes):
                    found.append((key, events))
        return found

    def _wait(self, seconds: float | None) -> None:
        fiber = here()
        bells = [_by_number[key.fd].changed for key in self.get_map().values()]
        for bell in bells:
            bell.add(fiber)
        try:
            fiber.wait(seconds)
        finally:
            for bell in bells:
                bell.discard(fiber)


def socketpair(*_: object) -> tuple[Socket, Socket]:
    """Return two that are connected."""
    one, other = Socket(), Socket()
    one._peer, other._peer = other, one
    return one, other


def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
    """Return a literal address as it is; all names are Swarm's (see the `shim`)."""
    if isinstance(host, bytes):
        host = host.decode()
    literal = {None: "0.0.0.0", "": "0.0.0.0", "localhost": _LOOPBACK}.get(host, host)
    if not set(literal) <= _IS_LITERAL:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    family, kind = socket.AF_INET, socket.SOCK_STREAM
    return [(family, kind, socket.IPPROTO_TCP, "", (literal, int(port or 0)))]


def gethostbyname(name: str) -> str:
    """Return the address of a name."""
    return str(getaddrinfo(name, 0)[0][4][0])


def close_all(owned: "WeakSet[Socket]") -> None:
    """Close what a program leaves open when it ends."""
    for each in tuple(owned):
        if not each._gone:
            each._real_close()


def _error(number: int) -> OSError:
    """Return an error as the system says it; its class is that of its number."""
    return OSError(number, os.strerror(number))
