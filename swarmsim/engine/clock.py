"""The engine's clock: wall time at a multiple, or in real time while a process is awaited."""

import time
from collections.abc import Callable


class Clock:
    """Nanoseconds since 1970 that run `speed` times as fast as the wall's.

    It starts at the wall's time unless told otherwise, and never runs backwards. At speed 1 it
    stays with the wall's clock, which clients use for `since` and for ages. At a multiple, the
    time that the engine itself takes does not count, so a busy engine does not fall behind; but
    in real time it does, as for the processes that are awaited. At speed 0 it moves only by
    `advance`.
    """

    def __init__(
        self,
        speed: float = 1,
        *,
        start: int | None = None,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not 0 <= speed < float("inf"):
            raise ValueError(f"a clock's speed is zero or more, and not {speed}")
        self.speed = speed
        self.now = time.time_ns() if start is None else start
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._real_time = False

    @property
    def rate(self) -> float:
        """Its present speed: 1 while it runs in real time."""
        return 1.0 if self._real_time else self.speed

    def read(self) -> int:
        """Return the present time."""
        passed = self._monotonic() - self._read_at
        return self.now + int(passed * self.rate)

    def set(self, now: int, *, real_time: bool) -> None:
        """Continue from `now`, an earlier reading, in real time or at full speed."""
        passed = max(0, now - self.now)
        self.now += passed
        stays = self.speed == 1 or (self._real_time and real_time)
        self._read_at = self._read_at + passed if stays else self._monotonic()
        self._real_time = real_time

    def advance(self, length: int) -> None:
        """Move it forward, by nanoseconds."""
        self.now += length

    def seconds_until(self, moment: int) -> float:
        """Return the seconds of the wall's clock until a moment of this one."""
        left = max(0, moment - self.read())
        return left / self.rate / 1e9 if self.rate else float("inf") if left else 0.0
