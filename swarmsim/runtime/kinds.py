"""What is known of each kind of process, and how long the engine waits to learn more.

A kind is an image with a command, variables and so on. What one process of a kind has done,
the next is expected to do as well.

The engine's clock may run faster than real time; processes do not. While it is open what a
process will do, the engine runs in real time (`undecided`):

- a process of a kind of which nothing older than `HORIZON` has been seen, until it is that
  old, or has ended. If its service is being updated, until the update's monitor is over;
- of a kind that was seen to end by itself, until it has, or is late by half as much again;
- a process that was told to stop, until it has, unless its kind ignores the signal;
- any process while its health is probed.

So times are right at any speed for what a process does in its first ten seconds, for what
its kind was seen to do within a minute, and for how it stops. Anything later comes too late
on the engine's clock the first time: at twenty times the speed, a process that fails after
30 s does so at an age of 10 + 20 x 20 = 410 s; the next of its kind is right. What a process
times itself (a cache that expires after a minute) is in real time as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from swarmsim.model import SECOND

#: Seconds after which a process that has not ended is expected to keep running.
HORIZON = 10.0
#: A process that ended by itself at a greater age than this is not waited for.
_LATEST_EXIT = 60.0
#: Seconds to wait for a stop; a process that takes longer counts as ignoring the signal.
_LONGEST_STOP = 15.0
_LEAST_MARGIN = 2.0
#: Ignore kills within this time of the stop signal, in seconds.
_SHORTEST_GRACE = 1.0
_KILLED = 137


@dataclass(slots=True)
class Kind:
    """What was seen of the processes of one kind. All times are real seconds."""

    #: The age at which one ended by itself, and how, if the last one did.
    exits_after: float | None = None
    exit_code: int = 0
    #: The greatest age that was seen.
    survived: float = 0
    #: How long the last one took to stop, and the code it ended with.
    stops_after: float | None = None
    stop_code: int = 0
    ignores_stop: bool = False
    #: When one was first found healthy, or unhealthy.
    healthy_after: float | None = None
    unhealthy_after: float | None = None
    #: What the last one wrote: age, whether to standard error, and data.
    written: list[tuple[float, bool, bytes]] = field(default_factory=list)
    #: The task that wrote it.
    written_by: str = ""


@dataclass(slots=True)
class Life:
    """One process of a kind. Times are of a clock in real seconds."""

    kind: Kind
    started_at: float
    #: The age from which it is expected to keep running.
    horizon: float = HORIZON
    stop_asked_at: float | None = None
    ended: bool = False
    #: It has no process: all that it will do is known.
    decided: bool = False
    #: A probe of its health is under way.
    probing: bool = False
    #: A client interfered: what it does now says nothing about its kind.
    disturbed: bool = False

    def undecided(self, now: float) -> bool:
        """Whether it is open what the process will do, so that its time has to be real."""
        if self.ended or self.decided:
            return False
        if self.probing:
            return True
        age = now - self.started_at
        if self.stop_asked_at is not None:
            waited = now - self.stop_asked_at
            return not self.kind.ignores_stop and waited < _LONGEST_STOP
        self.kind.survived = max(self.kind.survived, age)
        exits_after = self.kind.exits_after
        if exits_after is not None:
            return age < exits_after + max(_LEAST_MARGIN, exits_after / 2)
        return age < self.horizon and self.kind.survived < self.horizon

    def stop_asked(self, now: float) -> None:
        """Record the stop signal."""
        if self.stop_asked_at is None:
            self.stop_asked_at = now

    def killed(self, now: float) -> None:
        """Record that it is killed, because it did not stop or is not needed any more."""
        asked = self.stop_asked_at
        if asked is not None and now - asked >= _SHORTEST_GRACE and not self.ended:
            self.kind.ignores_stop = True
        self.disturbed = True

    def exited(self, now: float, code: int) -> None:
        """Record its end."""
        self.ended = True
        kind, age = self.kind, now - self.started_at
        if self.disturbed:
            return
        if self.stop_asked_at is not None:
            kind.stops_after, kind.stop_code = now - self.stop_asked_at, code
            kind.ignores_stop = False
        elif age <= _LATEST_EXIT:
            kind.exits_after, kind.exit_code = age, code


class Acting:
    """Stands in for a process: beyond a limit, a task repeats what others of its kind did.

    If none of its kind has run yet, it runs until it is stopped, and stops at once.
    `call_after` takes ns of the engine's clock.
    """

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
