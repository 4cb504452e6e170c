"""Tasks that nobody looks at sleep: their processes are halted, until somebody does.

In use is a request that changes something or reads what tasks write, and a connection to a
published port; each as long as it lasts. What else the API says of a swarm is the same asleep.
Tasks fall asleep only where nothing is due: no update goes on, no task starts, stops or is
about to be restarted, and no task has its health probed.

A worker may be halted while it waits for an answer. It finds that, and no timeout, if it
falls asleep before those who answer, and wakes before them, too.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator

from swarmsim.runtime.processes.running import Running

#: Seconds until those who answer fall asleep, and wake, after those who ask.
_ANSWERED, _ASKED = 1.0, 0.1
#: Seconds between two looks at whether something is due.
_AGAIN = 5.0


class Sleep:
    """Halts tasks `after` so many seconds in which they were not in use."""

    def __init__(
        self, after: float, tasks: Callable[[], Iterable[Running]], quiet: Callable[[], bool]
    ) -> None:
        self._after = after
        self._tasks = tasks
        self._quiet = quiet
        self._uses = 0
        self._used_at = time.monotonic()
        self._halted: list[int] = []
        self._next: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Keep tasks awake meanwhile; it begins on the event loop."""
        self._uses += 1
        self.wake()
        try:
            yield
        finally:
            self._uses -= 1
            self._used_at = time.monotonic()

    def wake(self) -> None:
        """Have all tasks go on, and count from now again."""
        self._used_at = time.monotonic()
        asking, answering = _told_apart(it for it in self._tasks() if _group(it) in self._halted)
        self._halted.clear()
        _send(asking, signal.SIGCONT)
        self._then(self._after, self._try)
        if answering:
            asyncio.get_running_loop().call_later(_ASKED, _send, answering, signal.SIGCONT)

    def close(self) -> None:
        """Halt nothing any more."""
        if self._next is not None:
            self._next.cancel()

    def _then(self, seconds: float, act: Callable[[], None]) -> None:
        self.close()
        self._next = asyncio.get_running_loop().call_later(seconds, act)

    def _try(self) -> None:
        left = self._used_at + self._after - time.monotonic()
        if self._uses or left > 0 or not self._quiet():
            self._then(max(left, _AGAIN), self._try)
            return
        asking, _ = _told_apart(self._tasks())
        self._halt(asking)
        self._then(_ANSWERED, lambda: self._halt(_told_apart(self._tasks())[1]))

    def _halt(self, groups: list[int]) -> None:
        self._halted += groups
        _send(groups, signal.SIGSTOP)


def _group(it: Running) -> int:
    return it.process.pid if it.process is not None and it.running else 0


def _told_apart(tasks: Iterable[Running]) -> tuple[list[int], list[int]]:
    """Return the process groups that only ask others, and those that listen on a port."""
    asking: list[int] = []
    answering: list[int] = []
    for it in tasks:
        if it.folder is not None and _group(it):
            listens = any(it.folder.ports.iterdir())
            (answering if listens else asking).append(_group(it))
    return asking, answering


def _send(groups: list[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
