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

from dataclasses import dataclass

#: Seconds after which a process that has not ended is expected to keep running.
HORIZON = 10.0
#: A process that ended by itself at a greater age than this is not waited for.
_LATEST_EXIT = 60.0
#: Seconds to wait for a stop; a process that takes longer counts as ignoring the signal.
_LONGEST_STOP = 15.0
_LEAST_MARGIN = 2.0
#: Ignore kills within this time of the stop signal, in seconds.
_SHORTEST_GRACE = 1.0


@dataclass(slots=True)
class Kind:
    """What was seen of the processes of one kind. All times are real seconds."""

    #: The age at which one ended by itself, if the last one did.
    exits_after: float | None = None
    #: The greatest age that was seen.
    survived: float = 0
    ignores_stop: bool = False


@dataclass(slots=True)
class Life:
    """One process of a kind. Times are of a clock in real seconds."""

    kind: Kind
    started_at: float
    #: The age from which it is expected to keep running.
    horizon: float = HORIZON
    stop_asked_at: float | None = None
    ended: bool = False
    #: A probe of its health is under way.
    probing: bool = False
    #: A client interfered: what it does now says nothing about its kind.
    disturbed: bool = False

    def undecided(self, now: float) -> bool:
        """Whether it is open what the process will do, so that its time has to be real."""
        if self.ended:
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

    def exited(self, now: float) -> None:
        """Record its end."""
        self.ended = True
        kind, age = self.kind, now - self.started_at
        if self.disturbed:
            return
        if self.stop_asked_at is not None:
            kind.ignores_stop = False
        elif age <= _LATEST_EXIT:
            kind.exits_after = age
