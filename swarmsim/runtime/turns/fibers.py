"""Stacks of their own: a fiber runs until it waits, and then it is another one's turn.

A wait suspends the whole stack, whatever is on it; WebAssembly can do that through JavaScript
Promise Integration (JSPI). Nothing is interrupted, except what runs on and never waits: it is made
to wait for a moment now and then, so that others go on and it can be ended (`watch_loops`).
"""

import asyncio
import os
import signal
import time
from asyncio import events, tasks
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Protocol
from weakref import WeakSet

#: Seconds that a fiber may run on before it is made to wait.
_SLICE = 0.02
#: A browser's timer can count this many seconds; it ends a much longer wait at once.
_LONGEST = 1e6
#: Where Python asks whether there is a signal: SIGINT (2) every so many ms.
_ALARM = f"""let next = 0;
({{
  get 0() {{
    const now = performance.now();
    if (now < next) return 0;
    next = now + {_SLICE * 1000};
    return 2;
  }},
  set 0(_) {{}},
}})"""
#: The folders of the engine's own code, as its frames name them (a site has it compiled before),
#: and of Python's library.
_ENGINE = str(Path((lambda: None).__code__.co_filename).parents[2])
_LIBRARY = str(Path(os.__file__).parents[1])


class Owner(Protocol):
    """What fibers belong to: a program."""

    #: Those that it has open.
    sockets: WeakSet[Any]

    def enter(self) -> None:
        """Take the Python over: one of its fibers goes on."""

    def leave(self) -> None:
        """Give the Python back."""

    def deliver(self, fiber: "Fiber") -> None:
        """Handle the signals that have come meanwhile; may raise."""


class Fiber:
    """One stack. `run` is called on it once it is started."""

    #: The one that runs; `None` while the engine does.
    current: ClassVar["Fiber | None"] = None
    #: How many are being made to wait now.
    made_to_wait: ClassVar[int] = 0

    def __init__(self, owner: Owner, run: Callable[[], None]) -> None:
        self.owner = owner
        self.done = False
        self._run = run
        self._ended = Bell()
        #: The engine's.
        self.loop: asyncio.AbstractEventLoop = (
            Fiber.current.loop if Fiber.current else asyncio.get_running_loop()
        )
        #: The loop that runs on this stack, and its task.
        self._inner: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._resumed: asyncio.Future[None] | None = None
        self._woken = False
        self._may_run_until = 0.0

    def start(self) -> None:
        """Begin, when the one that runs waits."""
        self.loop.call_soon(self._main)

    def wait(self, seconds: float | None = None) -> None:
        """Let others run until `wake`, or for so many seconds."""
        until = None if seconds is None else time.monotonic() + seconds
        self._woken = False
        while True:
            self._suspend(None if until is None else max(0, until - time.monotonic()))
            self.owner.deliver(self)
            if self._woken or (until is not None and time.monotonic() >= until):
                return

    def wake(self) -> None:
        """End its wait."""
        self._woken = True
        self.poke()

    def poke(self) -> None:
        """Have it see whether there is a signal; its wait goes on."""
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)

    def rest(self) -> None:
        """Let others run until something pokes it."""
        self._suspend(None)

    def join(self, seconds: float | None = None) -> None:
        """Wait until it has ended."""
        if not self.done:
            self._ended.wait(seconds)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Let the engine do something meanwhile, on this stack."""
        self._leave()
        try:
            yield
        finally:
            self._enter()

    def make_wait(self) -> None:
        """Wait if it has run for long; all who are made to leave half of the time to others."""
        if time.monotonic() > self._may_run_until:
            Fiber.made_to_wait += 1
            try:
                self._suspend(2 * _SLICE * Fiber.made_to_wait)
            finally:
                Fiber.made_to_wait -= 1
            self.owner.deliver(self)

    def _main(self) -> None:
        self._enter()
        try:
            self._run()
        finally:
            self.done = True
            self._leave()
            self._ended.ring()

    def _suspend(self, seconds: float | None) -> None:
        from pyodide.ffi import run_sync

        self._resumed = self.loop.create_future()
        late = None
        if seconds is not None:
            late = self.loop.call_later(min(seconds, _LONGEST), self.poke)
        with self.outside():
            run_sync(self._resumed)
        if late is not None:
            late.cancel()

    def _enter(self) -> None:
        events._set_running_loop(self._inner)
        if self._inner and self._task:
            tasks._enter_task(self._inner, self._task)
        Fiber.current = self
        self.owner.enter()
        self._may_run_until = time.monotonic() + _SLICE

    def _leave(self) -> None:
        self.owner.leave()
        Fiber.current = None
        self._inner = events._get_running_loop()
        self._task = tasks.current_task(self._inner) if self._inner else None
        if self._inner and self._task:
            tasks._leave_task(self._inner, self._task)
        events._set_running_loop(self.loop)


class Bell:
    """What fibers wait for."""

    def __init__(self) -> None:
        self._waiting: list[Fiber] = []

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it rings, or for so many seconds."""
        fiber = here()
        self.add(fiber)
        try:
            fiber.wait(seconds)
        finally:
            self.discard(fiber)

    def add(self, fiber: Fiber) -> None:
        """Have a fiber woken, too."""
        self._waiting.append(fiber)

    def discard(self, fiber: Fiber) -> None:
        """Take a fiber away again."""
        self._waiting.remove(fiber)

    def ring(self) -> None:
        """Wake all that wait."""
        for fiber in self._waiting:
            fiber.wake()


def here() -> Fiber:
    """Return the fiber that runs."""
    assert Fiber.current is not None
    return Fiber.current


def watch_loops() -> None:
    """Have programs wait for a moment now and then, wherever Python asks for signals.

    It does so in every loop, and in what takes long in C, such as a regular expression.
    """
    import pyodide_js  # type: ignore[import-not-found]
    from pyodide.code import run_js

    signal.signal(signal.SIGINT, _interrupted)
    pyodide_js.setInterruptBuffer(run_js(_ALARM))


def _interrupted(_: int, frame: FrameType | None) -> None:
    if Fiber.current is not None and _is_interruptible(frame):
        Fiber.current.make_wait()


def _is_interruptible(frame: FrameType | None) -> bool:
    """Whether a program's own code runs, or what it has called in Python's library.

    An import is not interrupted: others might see half of a module that they share.
    """
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith((_ENGINE, "<frozen ")):  # importlib, zipimport
            return False
        if not name.startswith(_LIBRARY):
            return True
        frame = frame.f_back
    return False
