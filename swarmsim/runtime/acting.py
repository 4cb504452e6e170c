"""A task that only acts: beyond so many processes, it does what is known of its kind.

It ends when one of its kind did, writes what that wrote, is healthy when that was, and stops
as fast as that did, on the engine's clock. Of a kind that nobody has seen it goes on for
ever, and stops at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from swarmsim.runtime.kinds import Kind

_SECOND = 10**9
_KILLED = 137


class Acting:
    """What stands for a process. `call_after` takes ns of the engine's clock."""

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
        """Stop, as one of its kind did; or take no notice, as one of its kind did."""
        if not self._kind.ignores_stop:
            self._later(self._kind.stops_after or 0, lambda: self._end(self._kind.stop_code))

    def kill(self) -> None:
        """End now."""
        self._later(0, lambda: self._end(_KILLED))

    def wait(self) -> None:
        """There is nothing to wait for."""
        self._over = True

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def unless_over() -> None:
            if not self._over:
                act()

        self._call_after(int(seconds * _SECOND), unless_over)

    def _end(self, code: int) -> None:
        self._over = True
        self._ended(code)
