"""A recorder: a thread that looks at a service again and again, and records what changed.

It looks often while something moves and seldom while nothing does. Swarm emits no event
for a task, but the engine emits some for its containers and for the service; each of
them wakes the recorder. It never spends more than a tenth of a processor on looking,
however large the service has grown.

A recorder polls anything that has `snapshot(service)`; what it also takes from a `Swarm`
is `events(...)`, when there is one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, get_args

from labkit.errors import (
    BadValue,
    EngineRefused,
    NoEngine,
    NotAManager,
    NotFound,
    NotSettled,
    RecordingProblem,
)
from labkit.model import Service, Snapshot, UpdateState
from labkit.phases import describe, settled
from labkit.recording import (
    Back,
    Change,
    Ended,
    Gap,
    Header,
    Recording,
    change_line,
    header_line,
)
from labkit.story import phases

#: Seconds between two looks: just after something moved, in the midst of an update, at rest.
FAST, STEADY, SLOW = 0.1, 0.5, 2.0
#: The shortest pause, however many events there are.
_LEAST = 0.05
#: For how many seconds after a change or an event it looks fast.
_HOT = 0.8
#: For how many seconds the service may be taken to be as it was, when no event says otherwise.
_SERVICE = 1.0
#: The largest share of a processor that it takes. Waiting for the engine costs nothing.
_SHARE = 0.1
#: An answer that takes longer than these seconds leaves a gap: nothing is known of them.
_BLOCKED = 3.0
#: The container events that go with a change of a task's state.
_CONTAINER_EVENTS = ["create", "start", "kill", "die", "destroy", "health_status"]
#: What the engine may answer while it is going down or coming up.
_NOBODY_HOME = (NoEngine, NotAManager, EngineRefused)


class Source(Protocol):
    """What a recorder looks at; a `labkit.swarm.Swarm` is one."""

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        """Return the service and its tasks at this moment.

        With `known` the service may be taken to be as it was, which is half the work.
        """
        ...


class Recorder:
    """Records one service until its update has settled, or until it is stopped.

    >>> with Recorder(swarm, "dc_worker") as recorder:      # doctest: +SKIP
    ...     services.update(swarm, "dc_worker", image="lab/dockercoins_worker:1.1")
    ...     recorder.wait(timeout=120)

    `path` names the file that every change is written to as it happens; without it the
    recording is kept in memory only. `until` says when to stop by itself: a function of
    the recording and the time that returns a reason, or `None` to go on.
    Raises `NotFound` at once for a service that does not exist.
    """

    def __init__(
        self,
        source: Source,
        service: str,
        path: Path | None = None,
        *,
        until: Callable[[Recording, datetime], str | None] | None = settled,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._until = until
        self._now = now
        first = source.snapshot(service)
        self.service = first.service.name if first.service else service
        self.recording = Recording(
            header=Header(
                service=self.service,
                service_id=first.service.id if first.service else "",
                engine=_engine_of(source),
                started=now(),
            )
        )
        self.path = path
        #: What ended the recorder against its will, or `None`.
        self.error: Exception | None = None
        #: What keeps changes from reaching the file, or `None`; they are kept in memory.
        self.file_error: OSError | None = None
        #: When the engine last answered.
        self.last_seen = first.at
        self._file = _File(path, self.recording.header) if path else None
        self._lock = threading.Condition()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name=f"record {service}", daemon=True)
        self._events = _Events(source, self.service, self._poke)
        self._hot_until = 0.0
        self._in_gap = False
        self._service_moved = True
        self._asked_at = 0.0
        self._observe(first)

    # ---- for whoever holds it ------------------------------------------------------

    def start(self) -> Self:
        """Begin to look. Returns the recorder."""
        self._thread.start()
        self._events.start()
        return self

    def stop(self, why: str = "It was stopped.") -> Recording:
        """Stop looking, and return the recording. Stopping twice does nothing more."""
        self._why_stopped = why
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        elif self._thread.ident is None and self._file:  # never started, so nothing else closes it
            self._file.close()
        return self.recording

    @property
    def alive(self) -> bool:
        """Whether it is looking."""
        return self._thread.is_alive()

    @property
    def why(self) -> str:
        """Why it stopped, as a sentence; `""` while it goes on."""
        if self.error:
            return f"The recorder died: {self.error}"
        ended = self.recording.ended
        return ended.why if ended else ""

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener()` from the recorder's thread after each change, and at the end."""
        self._listeners.append(listener)

    def wait_for(
        self, condition: Callable[[Recording], bool], what: str, timeout: float = 50
    ) -> None:
        """Wait until a condition holds of the recording. `timeout` is in seconds.

        Raises what killed the recorder if it died, and `NotSettled`, naming `what` was
        waited for and how far things are, if the time is up or the recorder stopped.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            while not condition(self.recording):
                left = deadline - time.monotonic()
                if self.error:
                    raise self.error
                if left <= 0 or not self.alive:
                    raise self._not_settled(what, timeout if left <= 0 else None)
                self._lock.wait(min(left, 0.5))
        if self.error:
            raise self.error

    def wait(self, timeout: float = 50) -> str:
        """Wait until it has stopped by itself, and return why. `timeout` is in seconds."""
        self.wait_for(
            lambda recording: recording.ended is not None,
            f"the update of {self.service} to settle",
            timeout,
        )
        return self.why

    def wait_for_replicas(self, tag: str, count: int, timeout: float = 50) -> None:
        """Wait until `count` replicas run a tag. `timeout` is in seconds; as `wait_for`."""

        def enough(recording: Recording) -> bool:
            return sum(task.running and task.tag == tag for task in recording.current) >= count

        self.wait_for(enough, f"{count} replicas of {self.service} to run {tag}", timeout)

    def wait_for_update(self, state: UpdateState, timeout: float = 50) -> None:
        """Wait until the update status has been `state`, say `rollback_started`; as `wait_for`."""
        if state not in get_args(UpdateState):
            raise BadValue(f"an update is {', '.join(get_args(UpdateState))}, not {state!r}")
        what = f"the update of {self.service} to be {state}"
        self.wait_for(lambda recording: state in phases(recording), what, timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- the thread ----------------------------------------------------------------

    _why_stopped = "It was stopped."

    def _run(self) -> None:
        try:
            why = self._look_until_done()
            self._add(Ended(self._now(), why))
        except Exception as problem:  # whatever it is, whoever waits must hear of it
            self.error = problem
        finally:
            self._events.stop()
            if self._file:
                self.file_error = self._file.close()
            self._tell()

    def _look_until_done(self) -> str:
        while True:
            began = time.thread_time()
            self._look()
            if self._until and (why := self._until(self.recording, self._now())):
                return why
            # an event may shorten the pause, but never below what bounds the cost
            least = max(_LEAST, (time.thread_time() - began) / _SHARE)
            if self._stopping.wait(least):
                return self._why_stopped
            self._wake.wait(max(self._pause() - least, 0))
            self._wake.clear()

    def _look(self) -> None:
        """Take one look, or note that the engine does not answer."""
        began, before = time.monotonic(), self._now()
        try:
            snapshot = self._source.snapshot(self.service, self._known())
        except NotFound:
            snapshot = Snapshot(at=self._now(), service=None, tasks=())
        except _NOBODY_HOME as problem:
            self._begin_gap(self._now(), problem.docker_says or problem.found)
            return
        if (seconds := time.monotonic() - began) > _BLOCKED:
            self._begin_gap(before, f"The engine took {seconds:.0f} s to answer.")
        self.last_seen = snapshot.at
        if self._in_gap:
            self._in_gap = False
            self._add(Back(snapshot.at))
            self._events.start()
        if self._observe(snapshot):
            self._hot_until = time.monotonic() + _HOT

    def _begin_gap(self, at: datetime, reason: str) -> None:
        """Record that nothing is known from here on, once."""
        if not self._in_gap:
            self._in_gap = True
            self._add(Gap(at, reason))

    def _known(self) -> Service | None:
        """Return the service if it need not be asked for: no event, and not long ago."""
        now = time.monotonic()
        if self._service_moved or self._in_gap or now - self._asked_at > _SERVICE:
            self._service_moved, self._asked_at = False, now
            return None
        return self.recording.service

    def _pause(self) -> float:
        """Return how long to wait before the next look, in seconds."""
        if time.monotonic() < self._hot_until:
            return FAST
        return STEADY if self._moving() else SLOW

    def _moving(self) -> bool:
        service = self.recording.service
        status = service.update_status if service else None
        if service is None or (status and not status.settled) or self._in_gap:
            return True
        return any(
            not task.ended and task.state != task.desired_state for task in self.recording.current
        )

    def _observe(self, snapshot: Snapshot) -> bool:
        """Record what a snapshot changes; returns whether it changed anything."""
        with self._lock:
            changes = self.recording.observe(snapshot)
            self._write(changes)
        if changes:
            self._tell()
        return bool(changes)

    def _add(self, change: Change) -> None:
        """Record one change that no snapshot shows."""
        with self._lock:
            self.recording.add(change)
            self._write([change])
        self._tell()

    def _write(self, changes: list[Change]) -> None:
        if self._file and changes:
            self.file_error = self._file.write(changes)

    def _tell(self) -> None:
        with self._lock:
            self._lock.notify_all()
        for listener in list(self._listeners):
            listener()

    def _poke(self, *, service_moved: bool) -> None:
        """Look now, and fast for a while: something has just happened."""
        self._service_moved = self._service_moved or service_moved
        self._hot_until = time.monotonic() + _HOT
        self._wake.set()

    def _not_settled(self, what: str, seconds: float | None) -> NotSettled:
        doing = describe(self.recording.service, self.recording.current)
        if seconds is None:
            found = f"the recording has ended. {self.why} {doing}"
            return NotSettled(f"{what}.", found, "watch the service anew, and then update it.")
        return NotSettled(
            f"{what}, within {seconds:g} s.",
            doing,
            "run the cell again to wait longer, or look at the table for a task with an error.",
        )


class _Events:
    """A thread that pokes the recorder at each event of its service or its containers."""

    def __init__(self, source: Source, service: str, poke: Callable[..., None]) -> None:
        self._follow: Callable[..., Iterator[dict[str, Any]]] | None
        self._follow = getattr(source, "events", None)
        self._service = service
        self._poke = poke
        self._thread: threading.Thread | None = None
        self._stream: Any = None
        self._stopped = False

    def start(self) -> None:
        """Follow the events until the engine goes away; start again when it is back."""
        if self._follow and not (self._thread and self._thread.is_alive()):
            self._thread = threading.Thread(
                target=self._run, name=f"events {self._service}", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopped = True
        if self._stream is not None:
            # over ssh docker-py cannot close it; the thread then ends with the process
            with contextlib.suppress(Exception):
                self._stream.close()

    def _run(self) -> None:
        assert self._follow is not None
        # a recorder without events is slower, not wrong: polling finds every change
        with contextlib.suppress(Exception):
            self._stream = self._follow(
                type=["container", "service"], event=[*_CONTAINER_EVENTS, "update", "remove"]
            )
            if self._stopped:
                self.stop()
            for event in self._stream:
                if self._stopped:
                    return
                said = event.get("Actor", {}).get("Attributes", {})
                if said.get("name") == self._service:
                    self._poke(service_moved=True)
                elif said.get("com.docker.swarm.service.name") == self._service:
                    self._poke(service_moved=False)


class _File:
    """The file of a recording. What cannot be written now is written before the next change."""

    def __init__(self, path: Path, header: Header) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except OSError as problem:
            raise RecordingProblem(
                f"to write a recording to {path}.",
                str(problem),
                "choose the name of a file that does not exist yet, in a folder you may write to.",
            ) from None
        self._unwritten = b""
        self._append(header_line(header).encode())

    def write(self, changes: list[Change]) -> OSError | None:
        """Append changes; returns what keeps them from the file, or `None`."""
        return self._append("".join(map(change_line, changes)).encode())

    def close(self) -> OSError | None:
        """Close the file; returns what kept the last changes from it, or `None`."""
        problem = self._append(b"")
        self._file.close()
        return problem

    def _append(self, lines: bytes) -> OSError | None:
        self._unwritten += lines
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[self._file.write(self._unwritten) or 0 :]
        except OSError as problem:
            return problem
        return None


def _engine_of(source: Source) -> str:
    """Return the engine in words, when the source can say."""
    about: Callable[[], str] | None = getattr(source, "about", None)
    return about() if about else ""
