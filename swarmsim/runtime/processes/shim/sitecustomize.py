"""What makes a task's Python believe that it is in a container: names, ports, files.

Python runs a module of this name before anything else, if it finds one on PYTHONPATH; the
engine puts it there for its tasks (`SWARMSIM_TASK` names the task's folder). It imports
nothing of swarmsim, and is the only code of the engine that runs in a task.

- `bind` of a port takes a free one of this machine's loopback, and notes which in the
  task's folder; `connect` to a task's address looks there.
- Names of services, aliases and `tasks.NAME` have the addresses that the engine keeps for
  the networks that the task is attached to.
- What opens, lists, moves or removes a file by an absolute path does it in the task's
  folder, if the image, a volume, a config or a secret has that path.

What it does not reach: programs that are not Python, extension modules that open sockets or
files themselves (sqlite3 by an absolute path), `python -E`, `-I` and `-S`. A peer's address
is the loopback's, and with a port of this machine.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported, and neither is pathlib: each task would wait for it
    from collections.abc import Callable
    from typing import Any

#: A host and a port of this machine.
Address = tuple[str, int]

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 - names of "all addresses", which here are one
_MAPPED = "::ffff:"
#: The functions below use these, whatever has become of them for everybody else.
_open, _lstat, _listdir, _replace = open, os.lstat, os.listdir, os.replace
_getsockname = socket.socket.getsockname


class Task:
    """What the engine says about this task."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.ports = os.path.join(folder, "ports")
        self.hostname = self.root = self.addresses = ""
        self.own_addresses: list[str] = []
        self.networks: list[str] = []
        self.system: set[str] = set()
        for line in _lines(os.path.join(folder, "task")):
            key, _, value = line.partition(" ")
            if key == "address":
                self.own_addresses.append(value)
            elif key == "network":
                self.networks.append(value)
            elif key == "system":
                self.system = set(value.split())
            else:
                setattr(self, key, value)

    def is_here(self, host: str) -> bool:
        """Whether a host is this task itself."""
        return (
            host in _ANY
            or host in ("localhost", "::1", self.hostname)
            or host.startswith("127.")
            or host in self.own_addresses
        )

    def named(self, name: Any) -> list[str]:
        """Return the addresses of a name, in any order; none for what is no name of Swarm's."""
        if isinstance(name, bytes):
            name = name.decode("ascii", "replace")
        if name == self.hostname:
            return self.own_addresses[:1] or ["127.0.0.1"]
        if not isinstance(name, str) or "/" in name or name in ("", ".", ".."):
            return []
        found = [a for net in self.networks for a in _lines(os.path.join(net, name.lower()))]
        return _in_any_order(found)

    def note(self, kind: str, port: int, host: str, real: int) -> None:
        """Remember where a port of this task is."""
        path = os.path.join(self.ports, f"{kind}-{port}")
        with _open(f"{path}.new", "w") as file:
            file.write(f"{host} {real}\n")
        _replace(f"{path}.new", path)

    def reached(self, host: str, port: int, kind: str) -> Address | None:
        """Return where a connection to a host and port has to go.

        `None` if the host is not of this engine; raises `ConnectionRefusedError` if nobody
        listens there.
        """
        folder = self._ports_of(host)
        if folder is None:
            return None
        found = _noted(folder, kind, port)
        if found:
            return found
        if folder == self.ports and _is_real(folder, port):
            return "127.0.0.1", port
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    def _ports_of(self, host: str) -> str | None:
        if self.is_here(host):
            return self.ports
        address = next(iter(self.named(host)), host)
        folder = os.path.join(self.addresses, address)
        backends = _lines(os.path.join(folder, "backends"))
        if backends:  # a virtual address stands for all of them
            return os.path.join(self.addresses, _in_any_order(backends)[0])
        try:
            _lstat(folder)
        except OSError:
            return None
        return folder

    # ---- files ---------------------------------------------------------------------

    def path(self, path: Any) -> Any:
        """Return where a path lies: in the task's folder if it is one of the task's."""
        if isinstance(path, int):
            return path
        text = os.fspath(path)
        name = os.fsdecode(text)
        if not name.startswith("/") or name.startswith(self.root):
            return path
        inside = os.path.normpath(name).strip("/")
        parent = os.path.dirname(inside)
        if not inside or inside in self.system:
            return path
        there = os.path.join(self.root, inside)
        parent_is_own = parent and parent not in self.system
        if _exists(there) or (parent_is_own and _exists(os.path.join(self.root, parent))):
            return os.fsencode(there) if isinstance(text, bytes) else there
        return path


def _in_any_order(found: list[str]) -> list[str]:
    return sorted(found, key=lambda _: os.urandom(4))


def _lines(path: str) -> list[str]:
    try:
        with _open(path) as file:
            return file.read().split("\n")[:-1]
    except OSError:
        return []


def _noted(folder: str, kind: str, port: int) -> Address | None:
    for line in _lines(os.path.join(folder, f"{kind}-{port}")):
        host, _, real = line.partition(" ")
        return host, int(real)
    return None


def _is_real(folder: str, port: int) -> bool:
    """Whether a port of this machine is one of the task's: it was told to somebody as it is."""
    suffix = f" {port}"
    names = [name for name in _listdir(folder) if not name.endswith(".new")]
    return any(line.endswith(suffix) for name in names for line in _lines(f"{folder}/{name}"))


def _exists(path: str) -> bool:
    try:
        _lstat(path)
    except OSError:
        return False
    return True


def install(owner: Any, patches: object, *names: str) -> None:
    """Put methods in the place of the owner's functions, which they get as their first argument."""
    for name in names:
        if real := getattr(owner, name, None):
            setattr(owner, name, _with_first(getattr(patches, name), real))


def _with_first(function: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: function(real, *args, **kwargs)


# ---- sockets -----------------------------------------------------------------------


class Sockets:
    """What sockets do as if they were in a container: each task has all ports."""

    def __init__(self, task: Task) -> None:
        self._task = task
        #: By port of this machine: what the task believes that it is bound to.
        self._shown: dict[int, Address] = {}

    def _target(self, sock: socket.socket, address: Any) -> Any:
        """Return the address to connect to: the one that was given, if it is none of ours."""
        if sock.family not in _FAMILIES:
            return address
        host = address[0].removeprefix(_MAPPED)
        found = self._task.reached(host, address[1], _kind_of(sock))
        return _for_family(sock, *found) if found else address

    def bind(self, real: Callable[..., Any], sock: socket.socket, address: Any) -> None:
        """Take a free port of this machine, and note which."""
        if sock.family not in _FAMILIES:
            real(sock, address)
            return
        host, port = address[:2]
        if not self._task.is_here(host):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        kind, local = _kind_of(sock), "::1" if _speaks_only_6(sock) else "127.0.0.1"
        known = _noted(self._task.ports, kind, port) if port else None
        wanted = known[1] if known else 0
        try:
            real(sock, _for_family(sock, local, wanted))
        except OSError as problem:
            if local != "::1" or problem.errno != errno.EADDRNOTAVAIL:
                raise
            real(sock, ("::", wanted))  # a container without IPv6, where nobody reaches that
        taken = _getsockname(sock)[1]
        given = {"": "0.0.0.0", "localhost": "127.0.0.1"}.get(host, host)  # noqa: S104
        self._shown[taken] = (given, port or taken)
        if not (known and local == "::1"):  # one beside it is for IPv4, which all can reach
            self._task.note(kind, port or taken, local, taken)

    def getsockname(self, real: Callable[..., Any], sock: socket.socket) -> Any:
        """Return the port that the task has asked for."""
        found = real(sock)
        if sock.family in _FAMILIES and found[1] in self._shown:
            return (*self._shown[found[1]], *found[2:])
        return found

    def connect(self, real: Callable[..., Any], sock: socket.socket, address: Any) -> None:
        """Connect to where a task's port really is."""
        real(sock, self._target(sock, address))

    def connect_ex(self, real: Callable[..., Any], sock: socket.socket, address: Any) -> Any:
        """Connect, and return what went wrong."""
        try:
            return real(sock, self._target(sock, address))
        except ConnectionRefusedError as problem:
            return problem.errno

    def sendto(self, real: Callable[..., Any], sock: socket.socket, data: Any, *rest: Any) -> Any:
        """Send to where a task's port really is; if nobody listens there, nobody says so."""
        try:
            return real(sock, data, *rest[:-1], self._target(sock, rest[-1]))
        except ConnectionRefusedError:
            return len(data)


def _kind_of(sock: socket.socket) -> str:
    return "udp" if sock.type == socket.SOCK_DGRAM else "tcp"


def _speaks_only_6(sock: socket.socket) -> bool:
    if sock.family != socket.AF_INET6:
        return False
    return bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))


def _for_family(sock: socket.socket, host: str, port: int) -> Address:
    if sock.family == socket.AF_INET6 and ":" not in host:
        host = _MAPPED + host
    return host, port


# ---- names -------------------------------------------------------------------------


class Names:
    """What names mean in a task's networks."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def getaddrinfo(
        self, real: Callable[..., Any], host: Any, *args: Any, **kwargs: Any
    ) -> list[Any]:
        """Return the addresses of all tasks of a name."""
        found = self._task.named(host) or [host]
        return [each for address in found for each in real(address, *args, **kwargs)]

    def gethostbyname(self, real: Callable[..., Any], hostname: Any) -> Any:
        """Return the address of one of them."""
        found = self._task.named(hostname)
        return found[0] if found else real(hostname)

    def gethostbyname_ex(self, real: Callable[..., Any], hostname: Any) -> Any:
        """Return the addresses of all of them."""
        found = self._task.named(hostname)
        return (hostname, [], found) if found else real(hostname)

    def gethostbyaddr(self, real: Callable[..., Any], ip_address: str) -> Any:
        """Return a name of an address; that of another task is as good as its address."""
        if ip_address in self._task.own_addresses:
            return self._task.hostname, [], [ip_address]
        if _exists(os.path.join(self._task.addresses, ip_address)):
            return ip_address, [], [ip_address]
        return real(ip_address)

    def gethostname(self, _: Callable[..., Any]) -> str:
        """Return the container's hostname."""
        return self._task.hostname

    def uname(self, real: Callable[..., Any]) -> os.uname_result:
        """Return what the system says of itself, with the container's hostname."""
        found = real()
        return os.uname_result((found.sysname, self._task.hostname, *found[2:]))


# ---- files -------------------------------------------------------------------------

_OF_ONE_PATH = (
    *("access", "chdir", "chmod", "chown", "listdir", "listxattr", "lstat", "mkdir", "open"),
    *("readlink", "remove", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime"),
)
_OF_TWO_PATHS = ("link", "rename", "replace")


def patch_files(task: Task) -> None:
    """Have absolute paths mean the task's files, where it has such files."""

    def of_one_path(real: Callable[..., Any]) -> Callable[..., Any]:
        def function(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
            return real(task.path(path), *args, **kwargs)

        return function

    def of_two_paths(real: Callable[..., Any]) -> Callable[..., Any]:
        def function(src: Any, dst: Any, *args: Any, **kwargs: Any) -> Any:
            return real(task.path(src), task.path(dst), *args, **kwargs)

        return function

    for names, wrapped in ((_OF_ONE_PATH, of_one_path), (_OF_TWO_PATHS, of_two_paths)):
        for name in names:
            if real := getattr(os, name, None):
                function = wrapped(real)
                for each in _SETS_OF_FUNCTIONS:
                    if real in each:
                        each.add(function)
                setattr(os, name, function)
    builtins.open = io.open = of_one_path(_open)


#: What a function is able to do is asked by the function itself.
_SETS_OF_FUNCTIONS: tuple[set[Any], ...] = (
    os.supports_dir_fd,
    os.supports_fd,
    os.supports_follow_symlinks,
)


def ignore_stop_by_default() -> None:
    """Have SIGTERM do nothing until somebody handles it, as the first process of a container.

    On Linux the engine sees from outside whether a process handles a signal, and sends none
    that it does not.
    """
    is_first = os.getpid() == os.getpgrp()
    if sys.platform != "linux" and is_first and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def install_for(task: Task) -> None:
    """Give a task its names, ports and files."""
    sockets, names = Sockets(task), Names(task)
    install(socket.socket, sockets, "bind", "getsockname", "connect", "connect_ex", "sendto")
    lookups = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "gethostname")
    install(socket, names, *lookups)
    install(os, names, "uname")
    patch_files(task)


def main() -> None:
    """Do all of it, if this is a task of the engine."""
    folder = os.environ.get("SWARMSIM_TASK")
    if not folder:
        return
    install_for(Task(folder))
    ignore_stop_by_default()


main()
