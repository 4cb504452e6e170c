"""The time line of a recording: it runs evenly, even if somebody sets a clock meanwhile.

Two clocks date a recording: this machine's says when something was seen, and the engine's when
it happened. Either may be set meanwhile, by hand or after a virtual machine has slept. Then
later times would not fit earlier ones, so they are moved onto the time line as it began, and a
mark says so. A clock is known to have been set by one that nobody can set, and that goes on
while a machine sleeps. An engine on another machine may have another time from the first; its
times are moved as well.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Marked
from labkit.recordings.values import Service, Snapshot, Task, UpdateStatus
from swarmsim.go import durations

T = TypeVar("T", Task, UpdateStatus)

_NONE = timedelta(0)
#: A clock that is off by less was not set: it runs a little faster or slower.
_SET = timedelta(seconds=1)
#: The same for the engine's clock, which is known in whole seconds only, and a little late.
_ENGINE_SET = timedelta(seconds=3)
#: The engine's time is known only roughly: it may seem to be this much later than now.
_LATER = timedelta(seconds=2)
#: An answer that took longer says nothing about the engine's clock.
_IN_TIME = timedelta(seconds=1)
#: What a time in whole seconds leaves out, on average.
_HALF = timedelta(seconds=0.5)


def ticks() -> float:
    """Return seconds that nobody can set, and that go on while this machine sleeps."""
    # Linux counts a sleep in CLOCK_BOOTTIME only, others in CLOCK_MONOTONIC; Windows always
    kind = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if kind is None else time.clock_gettime(kind)


@dataclass(slots=True)
class _Dial:
    """What is known of a clock: how far it is ahead of even time, and of the time line."""

    #: Of even time, when it was last read.
    ahead: timedelta
    #: How far ahead of the time line it has been; the last one is how far it is now.
    offsets: list[timedelta] = field(default_factory=lambda: [_NONE])

    def turn(self, by: timedelta) -> None:
        """Note that it was set."""
        self.offsets.append(self.offsets[-1] + by)

    def on_line(self, shown: datetime, now: datetime) -> datetime:
        """Return where a time that was read lately is on the time line: not later than now."""
        placed = [shown - offset for offset in self.offsets]
        return max((each for each in placed if each <= now + _LATER), default=placed[-1])


class TimeLine:
    """The time line of a recording, by a clock that may be set, and `ticks` that cannot.

    Without `ticks` the clock is taken to be right. A recording that goes on after `since` does
    not go back behind that. Several threads may ask for the time.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] | None,
        since: datetime | None = None,
    ) -> None:
        self._clock = clock
        self._ticks = ticks
        self._lock = threading.RLock()
        self._marks: list[Marked] = []
        #: By how much this machine's clock was set since the engine's was last heard of.
        self._set_by = _NONE
        #: The engine's times that are on the time line already, by what the engine says.
        self._known: dict[datetime, datetime] = {}
        self._engine: _Dial | None = None
        self._latest, ahead = self._read()
        self._mine = _Dial(ahead)
        if ticks and since and (by := self._latest - since) < _NONE:
            self._latest = since
            self._set(by)

    def now(self) -> datetime:
        """Return the time."""
        with self._lock:
            shown, ahead = self._read()
            if not self._ticks:  # it goes back only where another engine answers
                self._latest = max(self._latest, shown)
                return self._latest
            by, self._mine.ahead = ahead - self._mine.ahead, ahead
            self._latest = max(self._latest, shown - self._mine.offsets[-1] - _step(by, _SET))
            if _step(by, _SET):
                self._set(by)
            return self._latest

    def moment(self, shown: datetime) -> datetime:
        """Return where a time of this machine's clock that was just read is on the time line."""
        return self._mine.on_line(shown, self.now()) if self._ticks else shown

    def hear(self, told: datetime | None, asked: datetime) -> None:
        """Take the time, in whole seconds, of an engine that was `asked` then."""
        if told is None or not self._ticks or (now := self.now()) - asked > _IN_TIME:
            return
        with self._lock:
            ahead, set_by, self._set_by = told + _HALF - now, self._set_by, _NONE
            if self._engine is None:
                self._engine = _Dial(ahead, [_step(ahead, _ENGINE_SET)])
                return
            by, self._engine.ahead = ahead - self._engine.ahead, ahead
            if abs(by - set_by) < abs(by):  # with this machine's, to which it is close
                self._engine.turn(set_by)
            elif _step(by, _ENGINE_SET):
                self._engine.turn(by)
                self._mark("The engine's clock was set", by)

    def placed(self, snapshot: Snapshot, recording: Recording) -> Snapshot:
        """Return a snapshot with the engine's times on the time line, as those recorded are."""
        if self._engine is None or self._engine.offsets == [_NONE]:
            return snapshot
        if not self._known:
            for each in (recording.service, *recording.tasks.values()):
                self._known |= {at: at for at in _times(each).values()}
        service = snapshot.service
        if service and service.update_status:
            service = replace(service, update_status=self._moved(service.update_status))
        return replace(snapshot, service=service, tasks=tuple(map(self._moved, snapshot.tasks)))

    def marks(self) -> list[Marked]:
        """Return the marks about clocks that were set since the last call."""
        marks, self._marks = self._marks, []
        return marks

    def _read(self) -> tuple[datetime, timedelta]:
        """Return what the clock shows, and how far that is ahead of the ticks."""
        while self._ticks:
            before, shown, after = self._ticks(), self._clock(), self._ticks()
            if after - before < _SET.total_seconds() / 4:  # else it was interrupted between
                return shown, shown - datetime.fromtimestamp(after, UTC)
        return self._clock(), _NONE

    def _set(self, by: timedelta) -> None:
        self._mine.turn(by)
        self._set_by += by
        self._mark("The clock of this machine was set", by)

    def _mark(self, what: str, by: timedelta) -> None:
        whole = timedelta(seconds=abs(round(by.total_seconds())))
        way = "forward" if by > _NONE else "back"
        label = f"{what} {way} by {durations.to_text(whole)}."
        self._marks.append(Marked(self._latest, self._latest, label))

    def _moved(self, seen: T) -> T:
        """Return a task or an update status with its times on the time line."""
        assert self._engine
        now, moved = self.now(), dict[str, Any]()
        for name, shown in _times(seen).items():
            at = self._known.get(shown) or self._engine.on_line(shown, now)
            self._known[shown] = self._known[at] = moved[name] = at
        return replace(seen, **moved)


def _step(by: timedelta, least: timedelta) -> timedelta:
    """Return by how much a clock was set; nothing if it only runs a little differently."""
    return by if abs(by) > least else _NONE


def _times(seen: object) -> dict[str, datetime]:
    """Return the engine's times of a task, or of an update, by their names."""
    seen = seen.update_status if isinstance(seen, Service) else seen
    names = ("created_at", "status_at", "started_at", "completed_at")
    found = ((name, getattr(seen, name, None)) for name in names)
    return {name: at for name, at in found if at is not None}
