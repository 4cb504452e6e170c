"""What is due, and when: the clock of the model. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

Function = Callable[..., object]


class Agenda:
    """Calls functions at their moments, in order; those of one moment as they were asked for."""

    def __init__(self, now: int) -> None:
        #: Nanoseconds since 1970; moves only in `run_until`.
        self.now = now
        self._due: list[tuple[int, int, Function, tuple[Any, ...]]] = []
        self._number = count()

    def at(self, moment: int, function: Function, *arguments: Any) -> None:
        """Call a function at a moment; a past moment counts as now."""
        if moment < self.now:
            moment = self.now
        heapq.heappush(self._due, (moment, next(self._number), function, arguments))

    def next_due(self) -> int | None:
        """Return when something is due next; `None` if nothing is."""
        return self._due[0][0] if self._due else None

    def run_until(self, moment: int, pause: Callable[[], bool] | None = None) -> None:
        """Call what is due until a moment, that moment included, and make it now.

        With `pause`, this stops early, at the time of the last call, as soon as it says so.
        """
        due = self._due
        while due and due[0][0] <= moment:
            self.now, _, function, arguments = heapq.heappop(due)
            function(*arguments)
            if pause and pause():
                return
        self.now = max(self.now, moment)
