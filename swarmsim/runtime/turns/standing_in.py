"""What the standard library is for programs that take turns: installed once, for all of them.

The modules stay as they are; only what they take from the operating system is replaced: threads,
locks, sleep, sockets, selectors, signals, event loops. Names, ports and absolute paths
are those of the program's task, as the `shim` has it in a process of its own.
"""

import asyncio
import importlib.util
import math
import os
import queue
import selectors
import signal
import socket
import socketserver
import sys
import threading
import time
from asyncio import selector_events
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from swarmsim.runtime.turns import fibers, sockets
from swarmsim.runtime.turns.fibers import Bell, Fiber, here
from swarmsim.runtime.turns.program import Exit, Killed, Program
from swarmsim.runtime.turns.sockets import Selector, Socket

_SHIM = Path(__file__).parents[1] / "processes" / "shim" / "sitecustomize.py"


def install(python: Path) -> ModuleType:
    """Put everything in its place; `python` stands for the program of that name.

    Returns the `shim`.
    """
    python.write_text("")
    python.chmod(0o755)
    fibers.watch_loops()
    sys.executable = str(python)
    _threads()
    _sockets()
    _signals()
    asyncio.run = _run
    return _shim()


def _program() -> Program | None:
    """Return the program that runs; `None` while the engine does."""
    owner = Fiber.current.owner if Fiber.current is not None else None
    return owner if isinstance(owner, Program) else None


def _this() -> Program:
    """Return the program that runs."""
    program = _program()
    assert program is not None
    return program


def _of_programs(owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Have programs call a function, and the engine the one that was there."""
    real = getattr(owner, name)

    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (real if Fiber.current is None else function)(*args, **kwargs)

    setattr(owner, name, chosen)


# ---- threads -----------------------------------------------------------------------


class Lock:
    """A lock of `threading`."""

    def __init__(self) -> None:
        self._held = False
        self._freed = Bell()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; whether it could be had."""
        until = math.inf if timeout < 0 else time.monotonic() + timeout
        while self._held:
            left = until - time.monotonic()
            if not blocking or left <= 0:
                return False
            self._freed.wait(None if left == math.inf else left)
        self._held = True
        return True

    def release(self) -> None:
        """Give it back."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False
        self._freed.ring()

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._held

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Thread(threading.Thread):
    """A thread of a program: a fiber."""

    _fiber: Fiber | None = None

    def start(self) -> None:
        """Begin."""
        program = _this()
        self._fiber = Fiber(program, self._in_fiber)
        program.threads[self._fiber] = self.daemon
        self._fiber.start()

    def _in_fiber(self) -> None:
        fiber, program = here(), _this()
        try:
            program.deliver(fiber)
            self.run()
        except (Killed, Exit, SystemExit):
            pass
        except BaseException:
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self)))
        finally:
            program.threads.pop(fiber, None)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self._fiber is None:
            raise RuntimeError("cannot join thread before it is started")
        self._fiber.join(timeout)

    def is_alive(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self._fiber is not None and not self._fiber.done

    @property
    def ident(self) -> int | None:
        """Its number."""
        return id(self._fiber) if self._fiber is not None else None


def _threads() -> None:
    threading.Thread = Thread
    threading.Lock = threading._allocate_lock = Lock
    threading._CRLock = None  # then RLock is made of Lock
    _of_programs(threading, "get_ident", lambda: id(here()))
    queue.SimpleQueue = queue._PySimpleQueue
    _of_programs(time, "sleep", _sleep)


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    here().wait(seconds)


# ---- sockets -----------------------------------------------------------------------

#: Options of sockets by their Linux numbers, of which this Python may not know all.
_LINUX = {"SO_REUSEADDR": 2, "SO_ERROR": 4, "SO_BROADCAST": 6, "SO_KEEPALIVE": 9, "TCP_NODELAY": 1}


def _sockets() -> None:
    socket.socket = socket.SocketType = Socket
    socket.socketpair = sockets.socketpair
    socket.getaddrinfo = sockets.getaddrinfo
    socket.gethostbyname = sockets.gethostbyname
    socket.has_ipv6 = False
    for name, number in _LINUX.items():
        if not hasattr(socket, name):
            setattr(socket, name, number)
    for name in ("DefaultSelector", "PollSelector", "SelectSelector"):
        setattr(selectors, name, Selector)
    socketserver._ServerSelector = Selector


class _Loop(selector_events.BaseSelectorEventLoop):
    """An event loop of a program."""

    def __init__(self) -> None:
        super().__init__(Selector())

    async def getaddrinfo(self, host: Any, port: Any, **kwargs: Any) -> Any:
        """Look a name up at once: that never waits."""
        return socket.getaddrinfo(host, port, **kwargs)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call a function in the loop when a signal comes."""

        def come(*_: object) -> None:
            self.call_soon_threadsafe(callback, *args)

        signal.signal(sig, come)

    def remove_signal_handler(self, sig: int) -> bool:
        """Take it back."""
        return callable(signal.signal(sig, signal.SIG_DFL))


_run_outside = asyncio.run


def _run(main: Coroutine[Any, Any, Any], **options: Any) -> Any:
    if _program() is None:
        return _run_outside(main, **options)
    with asyncio.Runner(loop_factory=_Loop, debug=options.get("debug")) as runner:
        return runner.run(main)


# ---- signals -----------------------------------------------------------------------


def _signals() -> None:
    def set_handler(number: int, handler: Any) -> Any:
        before = handler_of(number)
        _this().handlers[int(number)] = handler
        return before

    def handler_of(number: int) -> Any:
        return _this().handlers.get(int(number), signal.SIG_DFL)

    def kill(pid: int, number: int) -> None:
        program = _this()
        if pid not in (program.pid, 1):
            raise ProcessLookupError(3, "No such process")
        program.send(number)
        program.deliver(here())

    def leave(code: int) -> None:
        raise Exit(code)

    _of_programs(signal, "signal", set_handler)
    _of_programs(signal, "getsignal", handler_of)
    _of_programs(os, "getpid", lambda: 1)
    _of_programs(os, "kill", kill)
    _of_programs(os, "_exit", leave)


# ---- names, ports, paths -----------------------------------------------------------


class _Task:
    """The task of the program that runs, for the `shim`."""

    def __getattr__(self, name: str) -> Any:
        program = _program()
        return getattr(program.task if program else _Outside, name)


class _Outside:
    """What stands for a task while the engine runs, which has the machine as it is."""

    hostname = "localhost"

    @staticmethod
    def path(path: Any) -> Any:
        """Return a path as it is."""
        return path

    @staticmethod
    def reached(*_: object) -> None:
        """Return that a host is of no task."""

    @staticmethod
    def named(_: Any) -> list[str]:
        """Return that a name is Swarm's no more than any other."""
        return []


def _shim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("swarmsim_shim", _SHIM)
    assert spec is not None
    assert spec.loader is not None
    shim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shim)
    shim.install_for(_Task())
    return shim
