"""A task without a process: beyond a limit, a task repeats what others of its kind did.

It ends, writes, becomes healthy and stops as they did, on the engine's clock. If none of its
kind has run yet, it runs until it is stopped, and stops at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from swarmsim.model import SECOND
from swarmsim.runtime.kinds import Kind

_KILLED = 137


class Acting:
    """Stands in for a process. `call_after` takes ns of the engine's clock."""

    pid = 0

    def __init__(
        self,
        kind: Kind,
        call_after: Callable[[int, Callable[[], None]], None],
        write: Callable[[bool, bytes], None],
        ended: Callable[[int], None],
    ) -> None:
        self._kind = kind
        self._call_after = call_after
        self._write = write
        self._ended = ended
        self._over = False
        for age, is_error, data in kind.written:
            self._later(age, partial(write, is_error, data))
        if kind.exits_after is not None:
            self._later(kind.exits_after, lambda: self._end(kind.exit_code))

    def send(self, number: int) -> None:  # noqa: ARG002  all signals that reach it end it
        """Stop as others of its kind did, or ignore the signal as they did."""
        if not self._kind.ignores_stop:
            self._later(self._kind.stops_after or 0, lambda: self._end(self._kind.stop_code))

    def kill(self) -> None:
        """End now."""
        self._later(0, lambda: self._end(_KILLED))

    def wait(self) -> None:
        """Do nothing more: there is no process to wait for."""
        self._over = True

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def unless_over() -> None:
            if not self._over:
                act()

        self._call_after(int(seconds * SECOND), unless_over)

    def _end(self, code: int) -> None:
        self._over = True
        self._ended(code)
