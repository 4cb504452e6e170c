"""A task's healthcheck: when it is probed, what counts, what `docker inspect` shows of it.

After moby's `daemon/health.go`: the first probe comes an interval after the start, the next
one an interval after the last has ended; failures in the start period do not count until
one has succeeded; so many in a row make the container unhealthy. In the start period, until
one has succeeded, the interval is another one (since Docker Engine 25).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from swarmsim.go.times import stamp
from swarmsim.runtime.plan import Healthcheck

#: As many results as Docker keeps, and bytes of a probe's output.
_KEPT = 5
_MOST_OUTPUT = 4096
_HEALTHY, _UNHEALTHY, _STARTING = "healthy", "unhealthy", "starting"
#: The exit code of a probe that was not run to its end.
NO_CODE = -1


#: Starts a probe; the second argument is called with its exit code and what it wrote. Returns
#: what kills it, or `None` if it could not be started, which that function has then been told.
Start = Callable[[tuple[str, ...], Callable[[int, bytes], None]], Callable[[], None] | None]


@dataclass
class Health:
    """The health of one task. `report` is called with `healthy` or `unhealthy` when it changes."""

    check: Healthcheck
    start: Start
    report: Callable[[str], None]
    call_at: Callable[[int, Callable[[], None]], None]
    clock: Callable[[], int]
    status: str = _STARTING
    failing_streak: int = 0
    _results: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _started_at: int = 0
    _kill: Callable[[], None] | None = None
    #: Which probe it is: one that was given up may still answer.
    _number: int = 0
    _stopped: bool = False

    def begin(self) -> None:
        """Begin to probe a container that has been started."""
        self._started_at = self.clock()
        self._probe_later()

    def stop(self) -> None:
        """Stop probing: the container has ended, or is being ended."""
        self._stopped = True
        self._number += 1
        if self._kill is not None:
            self._kill()

    def as_json(self) -> dict[str, Any]:
        """Return what `docker inspect` shows as `State.Health`."""
        return {
            "Status": self.status,
            "FailingStreak": self.failing_streak,
            "Log": list(self._results),
        }

    def _probe_later(self) -> None:
        now, check = self.clock(), self.check
        starts = self.status == _STARTING and now - self._started_at < check.start_period
        self.call_at(now + (check.start_interval if starts else check.interval), self._begin_probe)

    def _begin_probe(self) -> None:
        if self._stopped:
            return
        self._number += 1
        number, begun = self._number, self.clock()

        def ended(code: int, output: bytes) -> None:
            if number == self._number:
                self._result(begun, code, output.decode("utf-8", "replace"))

        self._kill = self.start(self.check.command, ended)
        if self._kill is not None:
            self.call_at(begun + self.check.timeout, lambda: self._time_is_up(number, begun))

    def _time_is_up(self, number: int, begun: int) -> None:
        if number != self._number or self._kill is None:
            return
        self._kill()
        seconds = self.check.timeout / 10**9
        self._result(begun, NO_CODE, f"Health check exceeded timeout ({seconds:g}s)")

    def _result(self, begun: int, code: int, output: str) -> None:
        self._number += 1
        self._kill = None
        now = self.clock()
        self._results.append(
            {
                "Start": stamp(begun),
                "End": stamp(now),
                "ExitCode": code,
                "Output": output[:_MOST_OUTPUT],
            }
        )
        if code == 0:
            self.failing_streak = 0
            self._become(_HEALTHY)
        elif self.status != _STARTING or now - self._started_at >= self.check.start_period:
            self.failing_streak += 1
            if self.failing_streak >= self.check.retries:
                self._become(_UNHEALTHY)
        self._probe_later()

    def _become(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self.report(status)
