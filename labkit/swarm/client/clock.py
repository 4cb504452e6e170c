"""What time it is for an engine: its own time where it tells one, else this machine's.

labkit's simulated engine has a clock of its own, which may run many times as fast as this
machine's, and tells it in each answer. What happened there is dated by it, so what labkit
sees has to be as well. A Docker engine tells nothing, and its clock is this machine's, or
one that is kept as right.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

#: Answers that overtake one another are seconds apart at most, also on a clock that hurries.
#: One that goes back by more than this is another: the engine was started again.
_ANOTHER = timedelta(minutes=1)


class Clock:
    """A clock that is set by what an engine tells, and never goes back.

    `wall` is the time until something was told. From then on the clock goes on by
    `ticks`, in seconds. The engine's is at least as fast as a rule, so the time between two
    answers may be late, by as much as that clock hurries, and is not early. Several
    threads may use it.
    """

    def __init__(
        self, wall: Callable[[], datetime], ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._ticks = ticks
        self._lock = threading.Lock()
        self._received: tuple[datetime, float] | None = None
        self._latest: datetime | None = None

    @property
    def own(self) -> bool:
        """Whether the engine has a clock of its own."""
        return self._received is not None

    @property
    def age(self) -> float:
        """Seconds since the engine told its time."""
        return self._ticks() - self._received[1] if self._received else 0.0

    def set(self, reading: datetime) -> None:
        """Set the clock to what the engine tells."""
        with self._lock:
            self._received = reading, self._ticks()
            if self._latest and self._latest - reading > _ANOTHER:
                self._latest = None

    def now(self) -> datetime:
        """Return the time."""
        with self._lock:
            if self._received is None:
                return self._wall()
            reading, at = self._received
            reached = reading + timedelta(seconds=self._ticks() - at)
            self._latest = max(reached, self._latest or reached)
            return self._latest
