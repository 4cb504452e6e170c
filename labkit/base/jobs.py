"""Work that goes on beside the cells of a notebook, in threads or in turns; and waiting.

A job is a generator: it does a step, and yields for how many seconds it then rests. A thread
of its own runs it. Where Python has no threads, as in a browser, jobs take turns: whenever
something waits (`wait`, `sleep`), and, between two cells, on the event loop.
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self, TypeVar

from labkit.base import browser

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
Steps = Iterator[float]

#: Whether there are turns in place of threads.
in_turns = sys.platform == "emscripten"
#: Seconds between two rounds of turns on the event loop.
_OFTEN = 0.05
#: Default seconds that a call waits for Swarm: at most 50 in the lesson on a machine with little
#: else to do, and twice that on a busy one.
PATIENCE = 110

_taking_turns: "list[Job]" = []


def idle(seconds: float) -> None:
    """Let so many seconds pass while it is nobody's turn; a browser has its own way."""
    time.sleep(seconds)


class Firm(float):
    """A rest that `Job.wake` does not cut short."""


class Job:
    """One job; it begins with `start`, and goes on until its generator ends."""

    def __init__(self, steps: Steps, name: str) -> None:
        self._steps = steps
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._ends_rest = self._woken
        self._rests_until = 0.0
        self._is_in_step = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        #: Whether it was started.
        self.begun = False

    @classmethod
    def of(cls, function: Callable[[], None], name: str) -> Self:
        """Return a job of a single step."""

        def steps() -> Steps:
            function()
            yield from ()

        return cls(steps(), name)

    def start(self) -> Self:
        """Begin."""
        self.begun = True
        if in_turns:
            _taking_turns.append(self)
            _go_on_between_cells()
        else:
            self._thread.start()
        return self

    def wake(self) -> None:
        """Cut its rest short, unless that is `Firm`."""
        self._woken.set()

    def stop(self) -> None:
        """Cut any rest short, from now on; it is for the generator to see that it is `stopped`."""
        self._stopped.set()
        self._woken.set()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    @property
    def alive(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self._thread.is_alive() or self in _taking_turns

    def join(self) -> None:
        """Wait for its end, unless this is the job itself."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        while self in _taking_turns and not self._is_in_step:
            take_turns(_OFTEN)

    @property
    def rest(self) -> float:
        """For how many seconds it is not its turn; while it does a step, it never is."""
        if self._is_in_step:
            return math.inf
        if self._ends_rest.is_set():
            return 0
        return max(0, self._rests_until - time.monotonic())

    def step(self) -> bool:
        """Do a step; whether there is another one."""
        if self._ends_rest is self._woken:
            self._woken.clear()
        rest = next(self._steps, None)
        if rest is None:
            return False
        self._rests_until = time.monotonic() + rest
        self._ends_rest = self._stopped if isinstance(rest, Firm) else self._woken
        return True

    def _run(self) -> None:
        while self.step():
            self._ends_rest.wait(self.rest)

    def take_turn(self) -> None:
        """Do a step if it is its turn."""
        if self.rest:
            return
        self._is_in_step, goes_on = True, False
        try:
            goes_on = self.step()
        except Exception:  # what ends a thread ends no cell
            import logging  # a deploy, say, logs nothing and has no pool

            logging.getLogger(__name__).exception("%s", self._thread.name)
        finally:
            self._is_in_step = False
            if not goes_on:
                _taking_turns.remove(self)


def take_turns(within: float = 0) -> None:
    """Wait until it is a job's turn, at most so many seconds, and give each job its own."""
    if (rest := min([within, *(job.rest for job in _taking_turns)])) > 0:
        idle(rest)
    for job in tuple(_taking_turns):
        job.take_turn()


def sleep(seconds: float) -> None:
    """Let so many seconds pass, in which jobs go on."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        take_turns(left)


def wait(changed: threading.Condition, seconds: float) -> None:
    """Wait to be notified, or for so many seconds; maybe less."""
    if in_turns:
        take_turns(seconds)
    else:
        changed.wait(seconds)


def longest() -> float:
    """Return how many seconds a call may wait altogether while something moves.

    Unlimited, except under pytest (nbval), which ends a cell that takes longer.
    """
    return PATIENCE if "PYTEST_VERSION" in os.environ else math.inf


def poll(seconds: float, every: float) -> Iterator[float]:
    """Yield the seconds that have passed: at once, `every` so often, and when the time is up.

    The last poll comes after the time is up, so a caller that gives up has just polled.

    >>> for waited in poll(30, every=0.2):      # doctest: +SKIP
    ...     if done():
    ...         break
    ... else:
    ...     raise NotSettled(...)
    """
    begun = time.monotonic()
    while True:
        waited = time.monotonic() - begun
        yield waited
        if waited >= seconds:
            return
        sleep(every)


def each(
    function: Callable[[_Given], _Made], things: Iterable[_Given], at_once: int
) -> list[_Made]:
    """Return what a function makes of each, of so many at once where there are threads.

    Raises what it raises.
    """
    if in_turns:
        return [*map(function, things)]
    from concurrent.futures import ThreadPoolExecutor  # 4 ms, which few need

    with ThreadPoolExecutor(at_once) as pool:
        return [*pool.map(function, things)]


def spent() -> float:
    """Return the seconds of a processor that the job has taken, or all jobs that take turns."""
    return float(getattr(time, "thread_time", time.process_time)()) - browser.waited[0]


def _go_on_between_cells() -> None:
    import asyncio  # which takes long to import

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a script: whatever it waits for gives turns
        return

    def go_on() -> None:
        take_turns()
        if _taking_turns:
            loop.call_later(_OFTEN, go_on)

    if len(_taking_turns) == 1:  # else it goes on already
        loop.call_soon(go_on)
