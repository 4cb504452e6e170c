"""What makes a task's Python believe that it is in a container: names, ports, files.

Python runs a module of this name before anything else, if it finds one on PYTHONPATH; the
engine puts it there for its tasks (`LABKIT_TASK` names the task's folder). It imports
nothing of labkit, and is the only code of the engine that runs in a task.

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

import builtins
import errno
import io
import os
import random
import signal
import socket
import sys

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 - names of "all addresses", which here are one
_MAPPED = "::ffff:"
#: The functions below use these, whatever has become of them for everybody else.
_open, _lstat, _listdir, _replace = open, os.lstat, os.listdir, os.replace


class Task:
    """What the engine says about this task."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = os.path.join(folder, "ports")
        self.hostname = self.root = self.addresses = ""
        self.own_addresses = []
        self.networks = []
        self.system = set()
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

    def is_here(self, host):
        """Whether a host is this task itself."""
        return (
            host in _ANY
            or host in ("localhost", "::1", self.hostname)
            or host.startswith("127.")
            or host in self.own_addresses
        )

    def named(self, name):
        """Return the addresses of a name, in any order; none for a name that Swarm has not."""
        if name == self.hostname:
            return self.own_addresses[:1] or ["127.0.0.1"]
        if "/" in name or name in ("", ".", ".."):
            return []
        found = [a for net in self.networks for a in _lines(os.path.join(net, name.lower()))]
        random.shuffle(found)
        return found

    def port_of(self, kind, port):
        """Return where a port of this task is: host and port of this machine, or nothing."""
        return _noted(self.ports, kind, port)

    def note(self, kind, port, host, real):
        """Remember where a port of this task is."""
        path = os.path.join(self.ports, f"{kind}-{port}")
        with _open(f"{path}.new", "w") as file:
            file.write(f"{host} {real}\n")
        _replace(f"{path}.new", path)

    def reached(self, host, port, kind):
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

    def _ports_of(self, host):
        if self.is_here(host):
            return self.ports
        address = next(iter(self.named(host)), host)
        folder = os.path.join(self.addresses, address)
        backends = _lines(os.path.join(folder, "backends"))
        if backends:  # a virtual address stands for all of them
            return os.path.join(self.addresses, random.choice(backends))  # noqa: S311
        try:
            _lstat(folder)
        except OSError:
            return None
        return folder

    # ---- files ---------------------------------------------------------------------

    def path(self, path):
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


def _lines(path):
    try:
        with _open(path) as file:
            return file.read().split("\n")[:-1]
    except OSError:
        return []


def _noted(folder, kind, port):
    for line in _lines(os.path.join(folder, f"{kind}-{port}")):
        host, _, real = line.partition(" ")
        return host, int(real)
    return None


def _is_real(folder, port):
    """Whether a port of this machine is one of the task's: it was told to somebody as it is."""
    suffix = f" {port}"
    names = [name for name in _listdir(folder) if not name.endswith(".new")]
    return any(line.endswith(suffix) for name in names for line in _lines(f"{folder}/{name}"))


def _exists(path):
    try:
        _lstat(path)
    except OSError:
        return False
    return True


# ---- sockets -----------------------------------------------------------------------


def patch_sockets(task):
    """Have sockets bind and connect as in a container."""
    real = {name: getattr(socket.socket, name) for name in _METHODS}
    shown = {}  # by port of this machine: what the task believes that it is bound to

    def kind_of(sock):
        return "udp" if sock.type == socket.SOCK_DGRAM else "tcp"

    def for_family(sock, host, port):
        if sock.family == socket.AF_INET6 and ":" not in host:
            host = _MAPPED + host
        return host, port

    def bind(self, address):
        if self.family not in _FAMILIES:
            return real["bind"](self, address)
        host, port = address[:2]
        if not task.is_here(host):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        only_6 = self.family == socket.AF_INET6 and self.getsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_V6ONLY
        )
        local = "::1" if only_6 else "127.0.0.1"
        known = task.port_of(kind_of(self), port) if port else None
        real["bind"](self, for_family(self, local, known[1] if known else 0))
        number = real["getsockname"](self)[1]
        given = {"": "0.0.0.0", "localhost": "127.0.0.1"}.get(host, host)  # noqa: S104
        shown[number] = (given, port or number)
        if not (only_6 and known):  # beside a socket for IPv4, which all can reach
            task.note(kind_of(self), port or number, local, number)
        return None

    def getsockname(self):
        found = real["getsockname"](self)
        if self.family in _FAMILIES and found[1] in shown:
            return (*shown[found[1]], *found[2:])
        return found

    def target(sock, address):
        """Return the address to connect to, the one that was given if it is none of ours."""
        if sock.family not in _FAMILIES:
            return address
        host = address[0].removeprefix(_MAPPED)
        found = task.reached(host, address[1], kind_of(sock))
        return for_family(sock, *found) if found else address

    def connect(self, address):
        return real["connect"](self, target(self, address))

    def connect_ex(self, address):
        try:
            return real["connect_ex"](self, target(self, address))
        except ConnectionRefusedError as problem:
            return problem.errno

    def sendto(self, data, *rest):
        try:
            return real["sendto"](self, data, *rest[:-1], target(self, rest[-1]))
        except ConnectionRefusedError:
            return len(data)  # nobody hears it, and nobody says so

    for function in (bind, getsockname, connect, connect_ex, sendto):
        setattr(socket.socket, function.__name__, function)


_METHODS = ("bind", "getsockname", "connect", "connect_ex", "sendto")


# ---- names -------------------------------------------------------------------------


def patch_names(task):
    """Have names of services mean their tasks."""
    real_getaddrinfo = socket.getaddrinfo
    real_gethostbyname = socket.gethostbyname
    real_gethostbyname_ex = socket.gethostbyname_ex
    real_gethostbyaddr = socket.gethostbyaddr
    real_uname = os.uname

    def named(host):
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        return task.named(host) if isinstance(host, str) and host else []

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002 - its name
        found = named(host) or [host]
        return [
            each
            for address in found
            for each in real_getaddrinfo(address, port, family, type, proto, flags)
        ]

    def gethostbyname(hostname):
        return next(iter(named(hostname)), None) or real_gethostbyname(hostname)

    def gethostbyname_ex(hostname):
        found = named(hostname)
        return (hostname, [], found) if found else real_gethostbyname_ex(hostname)

    def gethostbyaddr(ip_address):
        if ip_address in task.own_addresses:
            return task.hostname, [], [ip_address]
        if _exists(os.path.join(task.addresses, ip_address)):
            return ip_address, [], [ip_address]
        return real_gethostbyaddr(ip_address)

    def gethostname():
        return task.hostname

    def uname():
        found = real_uname()
        return os.uname_result((found.sysname, task.hostname, *found[2:]))

    for function in (getaddrinfo, gethostbyname, gethostbyname_ex, gethostbyaddr, gethostname):
        setattr(socket, function.__name__, function)
    os.uname = uname


# ---- files -------------------------------------------------------------------------

_OF_ONE_PATH = (
    *("access", "chdir", "chmod", "chown", "listdir", "listxattr", "lstat", "mkdir", "open"),
    *("readlink", "remove", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime"),
)
_OF_TWO_PATHS = ("link", "rename", "replace")


def patch_files(task):
    """Have absolute paths mean the task's files, where it has such files."""

    def of_one_path(real):
        def function(path=".", *args, **kwargs):
            return real(task.path(path), *args, **kwargs)

        return function

    def of_two_paths(real):
        def function(src, dst, *args, **kwargs):
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
_SETS_OF_FUNCTIONS = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks)


def ignore_stop_by_default():
    """Have SIGTERM do nothing until somebody handles it, as the first process of a container.

    On Linux the engine sees from outside whether a process handles a signal, and sends none
    that it does not.
    """
    is_first = os.getpid() == os.getpgrp()
    if sys.platform != "linux" and is_first and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main():
    """Do all of it, if this is a task of the engine."""
    folder = os.environ.get("LABKIT_TASK")
    if not folder:
        return
    task = Task(folder)
    patch_sockets(task)
    patch_names(task)
    patch_files(task)
    ignore_stop_by_default()


main()
