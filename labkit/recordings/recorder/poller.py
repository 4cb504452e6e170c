"""Polling a service: when, and what to make of the answer, or of none."""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from labkit.base import jobs
from labkit.base.errors import EngineRefused, NoEngine, NotAManager, NotFound
from labkit.base.jobs import Firm, Job
from labkit.recordings.recorder.live import LiveRecording
from labkit.recordings.recorder.timeline import TimeLine
from labkit.recordings.recorder.wakeups import WakeUps
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Change, Gap, TaskSeen
from labkit.recordings.values import Service, Snapshot

#: For how many seconds of the source's clock the service may be taken to be as it was, when no
#: event says otherwise.
_SERVICE = 2.0
#: The largest share of a processor that it takes. Waiting for the engine costs nothing.
_SHARE = 0.1
#: An answer that takes longer than these seconds leaves a gap: nothing is known of them.
_BLOCKED = 3.0
#: What the engine may answer while it is going down or coming up.
_UNAVAILABLE = (NoEngine, NotAManager, EngineRefused)
#: A manager that restarts says how to make a swarm, which is not what to do.
_AWAY = "The swarm's manager is not there: it is restarting, or the swarm was left."


#: Reasons of a gap that lasts although something answers.
_ANOTHER_ENGINE = "Another engine answers now. What is recorded here ran on the one before."
_ANOTHER_SERVICE = "Another service has the name now. What is recorded here was another one."
OF_ANOTHER = (_ANOTHER_ENGINE, _ANOTHER_SERVICE)

#: Says why to stop, by the recording and the time, or `None` to go on.
Until = Callable[[Recording, datetime], str | None]


class Source(Protocol):
    """What a recorder polls; a `labkit.swarm.client.Swarm` is one."""

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        """Return the service and its tasks at this moment.

        With `known` the service may be taken to be as it was, which is half the work.
        """
        ...


class Poller:
    """Polls a service until something says to stop.

    `first` is what was seen of it so far; without it, what was recorded before goes on, after
    a gap. `until` is asked after each change, and now and then; a reason ends the polling,
    `None` lets it go on. The `job` is what polls. `speed` is how many times as fast as real
    time the source's clock runs: the faster, the more often it is polled, as far as the share
    of the processor goes.
    """

    def __init__(
        self,
        source: Source,
        first: Snapshot | None,
        live: LiveRecording,
        until: Until | None,
        line: TimeLine,
        job: Job,
        speed: float = 1.0,
    ) -> None:
        self._source = source
        self._speed = speed
        self._service = live.recording.header.service
        self._live = live
        self._until = until
        self._line = line
        self._now = line.now
        #: When the engine last answered.
        self.last_seen = first.at if first else live.recording.last_at
        self._job = job
        self._why_stopped = ""
        self._events = WakeUps(getattr(source, "events", None), self._service, self._poke)
        self._pace = Pace()
        self._judged_at = 0.0
        #: What the engine's silence began with, while it lasts.
        self.gap: Gap | None = None
        self._service_moved = True
        self._asked_at = 0.0
        self._tasks = first.tasks if first else None
        self._identity = getattr(source, "identity", str)
        self._engine_date = getattr(source, "engine_date", lambda: None)
        self._engine = self._identity() if first else ""
        if first:
            line.hear(self._engine_date(), self._now())
            live.observe(line.placed(first, live.recording))
        elif not live.recording.ended:
            if any(end is None for _, end, _ in live.recording.gaps()):
                self.gap = live.recording.of(Gap)[-1]
            self._begin_gap(self.last_seen, "The recorder was not running.")

    def stop(self, why: str) -> None:
        """Make `poll_until_done` return, with this reason."""
        self._why_stopped = why
        self._job.stop()

    def poll_until_done(self) -> Generator[float, None, str]:
        """Poll again and again, as a part of the job, and return why it ended."""
        self._events.start()
        try:
            while True:
                began = jobs.spent()
                if why := self._reason_to_stop(changed=self._poll()):
                    return why
                # an event may shorten the pause, but never below what bounds the cost
                least = max(ANNOUNCED / self._speed, (jobs.spent() - began) / _SHARE)
                earliest = time.monotonic() + least
                is_moving = bool(self.gap) or moving(self._live.recording)
                pause = self._pace.pause(self._clock(), moving=is_moving) / self._speed
                yield max(pause, least)
                if (early := earliest - time.monotonic()) > 0:
                    yield Firm(early)
                if self._job.stopped:
                    return self._why_stopped
        finally:
            self._events.stop()

    def _reason_to_stop(self, *, changed: bool) -> str | None:
        """Ask `until`; not after each poll, as that looks at the whole recording."""
        now = self._clock()
        if not self._until or (not changed and now - self._judged_at < STEADY):
            return None
        self._judged_at = now
        return self._until(self._live.recording, self._now())

    def _poll(self) -> bool:
        """Poll once, or note that the engine does not answer; says whether anything changed."""
        began, before = time.monotonic(), self._now()
        for mark in self._line.marks():
            self._live.add(mark)
        try:
            snapshot = self._snapshot()
            if another := self._another(snapshot):
                self._begin_gap(self._now(), another, anew=True)
                return True
        except _UNAVAILABLE as problem:
            said = problem.docker_says or problem.found
            self._begin_gap(self._now(), _AWAY if isinstance(problem, NotAManager) else said)
            return True
        if (seconds := time.monotonic() - began) > _BLOCKED:
            self._begin_gap(before, f"The engine took {seconds:.0f} s to answer.")
            snapshot = replace(snapshot, at=self._now())  # it may have answered just now
        else:
            snapshot = replace(snapshot, at=self._line.moment(snapshot.at))
        self._line.hear(self._engine_date(), before)
        self.last_seen = snapshot.at
        if self.gap:
            self.gap = None
            self._live.add(Back(snapshot.at))
            self._events.start()
        known = self._live.recording
        same = (snapshot.service, snapshot.nodes) == (known.service, known.nodes)
        if snapshot.tasks is self._tasks and same:
            return False  # the source has found what it found before
        self._tasks = snapshot.tasks
        if changes := self._live.observe(self._line.placed(snapshot, self._live.recording)):
            self._pace.changed(self._clock(), changes)
        return bool(changes)

    def _snapshot(self) -> Snapshot:
        """Look, and look again if there are new tasks and no update that is known to make them.

        A write may come between the request for the service and the one for its tasks. It has to
        be recorded before the tasks that came of it.
        """
        known, seen = self._known(), set[str]()
        try:
            while (found := self._source.snapshot(self._service, known)).tasks is not self._tasks:
                status = found.service.update_status if found.service else None
                before = self._live.recording.tasks.keys() | seen
                seen = {task.id for task in found.tasks}
                if seen <= before or not found.service or (status and not status.settled):
                    break
                known = None
        except NotFound:
            return Snapshot(at=self._now(), service=None, tasks=())
        return found

    def _another(self, snapshot: Snapshot) -> str:
        """Return a sentence if the answer is not about what was recorded, or `""`.

        Another engine is noticed at every poll. Another service of the same name is looked for
        only after a gap, during which the stack may have been deployed again.
        """
        identity = self._identity()
        self._engine = self._engine or identity
        if identity != self._engine:
            return _ANOTHER_ENGINE
        before, seen = self._live.recording.service, snapshot.service
        if self.gap and before and seen and before.id != seen.id:
            return _ANOTHER_SERVICE
        return ""

    def _begin_gap(self, at: datetime, reason: str, *, anew: bool = False) -> None:
        """Record that nothing is known from here on, once; `anew` if for another reason."""
        if not self.gap or (anew and self.gap.reason != reason):
            self.gap = Gap(at, reason)
            self._live.add(self.gap)

    def _known(self) -> Service | None:
        now = self._clock()
        if self._service_moved or self.gap or now - self._asked_at > _SERVICE:
            self._service_moved, self._asked_at = False, now
            return None
        return self._live.recording.service

    def _poke(self, task: str = "", *, service_moved: bool = False) -> None:
        """Poll now, and often for a while: something has happened, or is announced of a task."""
        self._service_moved = self._service_moved or service_moved
        self._pace.event(self._clock(), task)
        self._job.wake()

    def _clock(self) -> float:
        """Return seconds of the source's clock, from anywhere."""
        return time.monotonic() * self._speed


def moving(recording: Recording) -> bool:
    """Whether an update is under way, or a task on its way to the state that it should have."""
    service = recording.service
    status = service.update_status if service else None
    if service is None or (status and not status.settled):
        return True
    waits = (task for task in recording.current if not (task.ended or task.lost))
    return any(task.state != task.desired_state for task in waits)


# ---- when to poll ----------------------------------------------------------------

#: Seconds between two polls: where an event has announced a change, just after something
#: moved, during an update, at rest.
ANNOUNCED, FAST, STEADY, SLOW = 0.03, 0.15, 0.5, 2.0
#: For how many seconds an announced change is awaited. A node reports at once, but the manager
#: takes reports ten times a second (swarmkit's manager/dispatcher/dispatcher.go).
_AWAITED = 0.4
#: For how many seconds after a change or an event it polls fast.
_HOT = 0.5


class Pace:
    """Often after something moved, and very often until an announced change is seen."""

    def __init__(self) -> None:
        self._hot_until = 0.0
        #: Until when a change of a task is awaited, by the task's id.
        self._awaited: dict[str, float] = {}

    def event(self, now: float, task: str = "") -> None:
        """Take an event, from any thread; `task` is the id of the task that it announces."""
        self._hot_until = now + _HOT
        if task:
            self._awaited[task] = now + _AWAITED

    def changed(self, now: float, changes: Iterable[Change]) -> None:
        """Take what a poll has found."""
        self._hot_until = now + _HOT
        for change in changes:
            if isinstance(change, TaskSeen) and (change.task.running or change.task.ended):
                self._awaited.pop(change.task.id, None)

    def pause(self, now: float, *, moving: bool) -> float:
        """Return how many seconds to wait; `moving` says that an update is under way."""
        for task, until in tuple(self._awaited.items()):
            if until <= now:  # else a long recording would keep every task that ever started
                self._awaited.pop(task, None)
        if self._awaited:
            return ANNOUNCED
        if now < self._hot_until:
            return FAST
        return STEADY if moving else SLOW
