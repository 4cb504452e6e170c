"""The recorder itself: start it, stop it, mark a moment, wait for one."""

import contextlib
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, get_args

from labkit.base import browser, echo, jobs
from labkit.base.errors import BadValue, NotSettled
from labkit.base.jobs import PATIENCE, Firm, Job, Steps
from labkit.recordings.recorder.live import LiveRecording
from labkit.recordings.recorder.poller import OF_ANOTHER, Poller, Source, Until, moving
from labkit.recordings.recorder.timeline import TimeLine, ticks
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, HashesSeen, Header, Marked
from labkit.recordings.story import phases
from labkit.recordings.update.phases import completes_after, described, settled
from swarmsim.go.states import UpdateState

#: Takes how things stand while somebody waits, as a sentence.
Say = Callable[[str], None]
#: Returns how many hashes dockercoins has made, and the time of its web page's clock. One with a
#: `patience` is asked nothing while nothing has moved for so many seconds; one with a `close` is
#: closed at the end.
Meter = Callable[[], tuple[int, float]]

_AGAIN = "start it again (`labkit up` does, for one of the lab's own); the recording goes on."
_ANEW = "begin a recording of what runs now."
_LONGER = "run the cell again to wait longer, or look at the table for a task with an error."
#: Seconds that a wait goes on in a browser whose engine does not answer; a request waits for 30.
_SILENT = 20
#: Seconds between two questions to a meter. Workers add to the counter once a second: asked more
#: often than that would beat against them and give a line half as flat.
EVERY = 0.5


class Recorder:
    """Records one service until its update has settled, or until it is stopped.

    >>> with Recorder(swarm, "dc_worker") as recorder:      # doctest: +SKIP
    ...     services.update(swarm, "dc_worker", image="lab/dockercoins_worker:1.1")
    ...     recorder.wait(timeout=120)

    `path` names the file that every change is written to as it happens; without it the
    recording is kept in memory only. `until` says when to stop by itself: a function of
    the recording and the time that returns a reason, or `None` to go on. `now` is the
    clock, in place of the source's own, or of this machine's; `ticks` are seconds that nobody
    can set, by which it is seen that somebody has set that clock. `meter` says how many hashes
    the application has made, and when, in seconds of its own clock. With `before`, what was
    recorded before, the recording begins with that, and goes on; nothing comes after an end.
    Raises `NotFound` at once for a service that does not exist, unless it did `before`.
    """

    def __init__(
        self,
        source: Source,
        service: str,
        path: Path | None = None,
        *,
        until: Until | None = settled,
        now: Callable[[], datetime] | None = None,
        ticks: Callable[[], float] | None = ticks,
        meter: Meter | None = None,
        before: Recording | None = None,
    ) -> None:
        first = None if before else source.snapshot(service)
        speed = getattr(source, "speed", 1.0)  # an engine that is asked says if it has a clock
        clock = now or getattr(source, "now", None) or (lambda: datetime.now(UTC))
        own = getattr(source, "has_own_clock", False)  # which nobody sets
        line = TimeLine(clock, None if own else ticks, before.last_at if before else None)
        self._now = line.now
        self._ask_now = (own and getattr(source, "ask_now", None)) or self._now
        self.service = first.service.name if first and first.service else service
        #: What ended the recorder against its will, or `None`.
        self.error: Exception | None = None
        header = before.header if before else None
        header = header or Header(
            service=self.service,
            service_id=first.service.id if first and first.service else "",
            engine=getattr(source, "about", str)(),
            started=self._now(),
            provenance=getattr(source, "provenance", "engine"),
        )
        self._live = LiveRecording(header, path, before)
        self.recording = self._live.recording
        self._job = Job(self._run(), f"record {service}")
        self._poller = Poller(source, first, self._live, until, line, self._job, speed)
        self._metering = Job(self._measure(meter), f"meter {service}") if meter else None

    def start(self) -> Self:
        """Begin to poll. Returns the recorder. Starting twice does nothing more."""
        if not self._job.begun and not self.recording.ended:
            self._job.start()
            if self._metering:
                self._metering.start()
        return self

    def stop(self, why: str = "It was stopped.") -> Recording:
        """Stop polling, and return the recording. Stopping twice does nothing more."""
        self._poller.stop(why)
        self._job.join()
        if not self._job.begun:  # so nothing else closes the file
            self._live.close()
        return self.recording

    def mark(self, label: str, of: datetime | None = None) -> None:
        """Put a label on the time axis, at the moment `of`; without one, now.

        It is kept in the recording. After the recording's end "now" is its end, which is said.
        Raises `BadValue` for an empty label, or a moment without a time zone.
        """
        now = self._ask_now()
        ended = self.recording.ended
        self._live.add(Marked(now, of or (ended.at if ended else now), label))
        if ended and of is None:
            echo.say("The recording has ended: the mark is at its end.")

    # ---- how it is -----------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time by the clock that it records by. Asks no engine, so it may be late."""
        return self._now()

    @property
    def alive(self) -> bool:
        """Whether it is polling."""
        return self._job.alive

    @property
    def why(self) -> str:
        """Why it stopped, as a sentence; `""` while it goes on."""
        if self.error:
            return f"The recorder died: {self.error}"
        ended = self.recording.ended
        return ended.why if ended else ""

    @property
    def last_seen(self) -> datetime:
        """When the engine last answered."""
        return self._poller.last_seen

    @property
    def path(self) -> Path | None:
        """The file; another one than at first if that was moved or deleted meanwhile."""
        return self._live.path

    @property
    def file_error(self) -> OSError | None:
        """What keeps changes from reaching the file, or `None`; they are kept in memory."""
        return self._live.file_error

    @property
    def file_trouble(self) -> str:
        """What has become of the file, as a sentence; `""` if all is well."""
        return self._live.trouble

    @property
    def engine_trouble(self) -> str:
        """Since when the engine does not answer, and what to do; `""` while it does."""
        trouble, advice = self._trouble()
        return trouble and f"{trouble} {advice[0].upper()}{advice[1:]}"

    def _trouble(self) -> tuple[str, str]:
        """Return what is wrong with the engine (`""` if nothing is), and advice for a wait."""
        gap = self._poller.gap
        if not gap:
            return "", _LONGER
        at = f"{gap.at:%H:%M:%S} UTC"
        if gap.reason in OF_ANOTHER:
            return f"Since {at}: {gap.reason}", _ANEW
        silent = f"The engine has not answered since {at} ({gap.reason.rstrip('.')})."
        return silent, browser.START_ANOTHER if browser.is_here() else _AGAIN

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each change and at the end, from a job of the recorder."""
        self._live.subscribe(listener)

    # ---- waiting -------------------------------------------------------------------

    def wait_for(
        self,
        condition: Callable[[Recording], bool],
        what: str,
        timeout: float | None = None,
        say: Say | None = None,
    ) -> None:
        """Wait until a condition holds of the recording, as long as something moves.

        With a `timeout`, no longer than these seconds. Meanwhile `say` receives how things
        stand, as a sentence. Raises what killed the recorder if it died, and `NotSettled`,
        naming `what` was waited for and how far things are, if the recorder stopped, the time
        is up, or nothing has moved for `PATIENCE` seconds more than the update rests.
        """
        satisfied = False
        begun = time.monotonic()

        def over() -> bool:
            nonlocal satisfied
            satisfied = condition(self.recording)
            if satisfied or self.error is not None or not self.alive:
                return True
            if say:  # else the sentence would be made after each change, for nobody
                say(self.engine_trouble or described(self.recording))
            return False

        def left() -> float:
            if browser.is_here() and self._poller.gap:  # a page's engine does not come back
                return begun + _SILENT - time.monotonic()
            if timeout is not None:
                return begun + timeout - time.monotonic()
            still = max(begun, self._live.moved_at) + PATIENCE + _rest(self.recording)
            return min(still, begun + jobs.longest()) - time.monotonic()

        in_time = self._live.wait(over, left)
        if self.error:
            raise self.error
        if not satisfied:
            waited = timeout or round(time.monotonic() - begun)
            raise self._not_settled(what, None if in_time else waited)

    def wait(self, timeout: float | None = None, say: Say | None = None) -> str:
        """Wait until it has stopped by itself, and return why; as `wait_for`."""
        self.wait_for(
            lambda recording: recording.ended is not None,
            f"the update of {self.service} to settle",
            timeout,
            say,
        )
        return self.why

    def wait_for_replicas(
        self, tag: str, count: int, timeout: float | None = None, say: Say | None = None
    ) -> None:
        """Wait until `count` replicas run a tag; as `wait_for`."""

        def enough(recording: Recording) -> bool:
            return sum(task.running and task.tag == tag for task in recording.current) >= count

        self.wait_for(enough, f"{count} replicas of {self.service} to run {tag}", timeout, say)

    def wait_for_update(
        self, state: UpdateState, timeout: float | None = None, say: Say | None = None
    ) -> None:
        """Wait until the update status has been `state`, say `rollback_started`; as `wait_for`."""
        if state not in get_args(UpdateState):
            raise BadValue(f"an update is {', '.join(get_args(UpdateState))}, not {state!r}")
        what = f"the update of {self.service} to be {state}"
        self.wait_for(lambda recording: state in phases(recording), what, timeout, say)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- the jobs ------------------------------------------------------------------

    def _run(self) -> Steps:
        try:
            why = yield from self._poller.poll_until_done()
            self._live.add(Ended(self._now(), why))
        except Exception as problem:  # whatever it is, waiting threads must be told
            self.error = problem
        finally:
            if self._metering:
                self._metering.stop()
            self._live.close()

    def _measure(self, meter: Meter) -> Steps:
        """Ask a meter again and again, and record what it says; nothing where it raises.

        Nobody waits for this job, which may hang in a question; what it says after the end is
        dropped.
        """
        assert self._metering
        patience = getattr(meter, "patience", math.inf)
        try:
            while not self._metering.stopped:
                due = time.monotonic() + EVERY
                if not self._at_rest(patience):
                    with contextlib.suppress(Exception):
                        hashes, now = meter()
                        if not self._metering.stopped:
                            self._record_sample(hashes, now)
                yield Firm(max(0, due - time.monotonic()))
        finally:
            if close := getattr(meter, "close", None):
                close()

    def _record_sample(self, hashes: int, now: float) -> None:
        if not self._poller.gap:  # in a gap another application may have the page's port
            self._live.add(HashesSeen(self._ask_now(), hashes, now))

    def _at_rest(self, seconds: float) -> bool:
        """Whether nothing has moved for so many seconds, and no update is under way."""
        still = time.monotonic() - self._live.moved_at
        return still > seconds and not moving(self.recording)

    def _not_settled(self, what: str, seconds: float | None) -> NotSettled:
        doing = described(self.recording)
        if seconds is None:
            found = f"the recording has ended. {self.why} {doing}"
            return NotSettled(f"{what}.", found, "watch the service anew, and then update it.")
        trouble, advice = self._trouble()
        return NotSettled(f"{what}, within {seconds:g} s.", trouble or doing, advice)


def _rest(recording: Recording) -> float:
    """Return for how many seconds nothing may move in an update that goes on as it should."""
    service = recording.service
    if service is None or service.update_status is None or service.update_status.settled:
        return 0
    configs = (service.update_config, service.rollback_config)
    return max(completes_after(config).total_seconds() for config in configs)
