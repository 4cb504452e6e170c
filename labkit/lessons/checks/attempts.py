"""The updates in a long recording, each cut out as a recording of its own. Pure.

An exercise is recorded from its beginning on, however often the learner updates the
service, from a notebook or from a terminal. Swarm gives each update a time at which it
started, which an automatic rollback keeps and a rollback by hand does not; so that time
tells one update from the next.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from labkit.base.rules import verbatim
from labkit.lessons.checks.lives import (
    Changeover,
    Life,
    changeovers,
    errors,
    lives_in,
    stop_requests,
    where,
)
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import (
    Back,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.update.phases import completes_after, requested, settled
from labkit.recordings.update.tracker import Budget, UpdateTracker
from labkit.recordings.values import Service, UpdateConfig, UpdateStatus
from swarmsim.go.states import UpdateState
from swarmsim.model.orchestration.budget import tolerated


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of an update that was completed; by the engine's own clock."""

    #: From its beginning until its last new task ran.
    ran: timedelta
    #: From then until the status said `completed`.
    watched: timedelta

    @property
    def total(self) -> timedelta:
        """How long the whole update took."""
        return self.ran + self.watched


@dataclass(frozen=True)
class Attempt:
    """One update: from the moment its spec was seen to the beginning of the next one."""

    #: The service before it, and as it was asked for.
    before: Service
    requested: Service
    #: It alone; it begins with what there was when it began.
    recording: Recording

    # ---- how it went ---------------------------------------------------------------

    @cached_property
    def update(self) -> story.Update:
        """The update, from beginning to end."""
        found = story.first_update(self.recording)
        assert found is not None, "an attempt is cut at an update's status"
        return found

    @property
    def status(self) -> UpdateStatus:
        """The update status that it ended with, or the last that was seen of it."""
        return self.update.status

    @property
    def message(self) -> str:
        """Docker's own words in it, marked as such."""
        return verbatim(self.status.message)

    @property
    def state(self) -> UpdateState:
        """The state of that."""
        return self.status.state

    @property
    def states(self) -> list[str]:
        """The states that it went through, in order."""
        return story.phases(self.recording)

    @property
    def total(self) -> timedelta | None:
        """How long it took, by the engine's clock; `None` while it goes on."""
        return self.update.total

    def under_way(self, now: datetime) -> bool:
        """Whether it goes on, or replicas are still on their way after it."""
        return settled(self.recording, now) is None

    @property
    def by_hand(self) -> bool:
        """Whether it is a rollback that somebody asked for."""
        # where nothing was to be replaced, it may have ended before the first poll
        return self.states[:1] in (["rollback_started"], ["rollback_completed"])

    @property
    def rolled_back(self) -> bool:
        """Whether Swarm took it back by itself, to the end."""
        return not self.by_hand and self.state == "rollback_completed"

    # ---- what was asked for --------------------------------------------------------

    @property
    def tag(self) -> str:
        """The tag that it went to, whether or not it stayed there."""
        return self.requested.tag

    @property
    def config(self) -> UpdateConfig:
        """The update config that governed it: that of the new spec."""
        return self.requested.update_config

    @property
    def at_once(self) -> int:
        """How many slots may change over at the same time."""
        return self.config.at_once(self.touched)

    @property
    def tail(self) -> timedelta:
        """From the last start to `completed`, as its config has it."""
        return completes_after(self.config)

    def tolerated(self, slots: int = 10) -> int:
        """Return how many failures of so many slots its config tolerates."""
        return tolerated(slots, self.config.max_failure_ratio)

    # ---- what was seen -------------------------------------------------------------

    @cached_property
    def budget(self) -> Budget | None:
        """Its failures as Swarm counts them, and the slots it was about; `None` if unknown."""
        tracker = UpdateTracker()
        for change in self.recording.changes:
            tracker.apply(change)
        return next((each for each in tracker.budgets() if each.of == "update"), None)

    @property
    def failures(self) -> int:
        """How many of the slots that it updated had a new task that failed, and counted."""
        return self.budget.failures if self.budget else 0

    @cached_property
    def touched(self) -> int:
        """How many slots had a task replaced."""
        return story.slots_touched(self.recording)

    @cached_property
    def fewest(self) -> int:
        """The fewest replicas that ran at any moment of it, until it had settled."""
        return story.fewest_running(self._itself)

    @cached_property
    def most(self) -> int:
        """The most replicas that ran at any moment of it."""
        steps = self.recording.running_by_tag()
        return max((counts.total() for _, counts in steps), default=0)

    @property
    def error(self) -> str:
        """The first error of its tasks, in Docker's words and marked as such; `""` without one."""
        return verbatim(self.errors[0]) if self.errors else ""

    @property
    def said(self) -> str:
        """That error, to go after a clause."""
        return f" ({self.error})" if self.error else ""

    @property
    def errors(self) -> list[str]:
        """The different errors of its tasks, in Docker's words."""
        return story.errors(self.recording)

    @cached_property
    def lives(self) -> list[Life]:
        """The tasks of the new image that came with it or after it."""
        image, since = self.requested.image, self.update.started_at
        return [
            life
            for life in self._all_lives
            if life.last.image == image and since is not None and life.made >= since
        ]

    @cached_property
    def _all_lives(self) -> list[Life]:
        return lives_in(self.recording)

    @property
    def failed(self) -> list[Life]:
        """Those that ended although nobody had told them to."""
        return [life for life in self.lives if life.failed_unprompted]

    @property
    def unhealthy(self) -> list[Life]:
        """Those that ended because their health check failed."""
        return [life for life in self.lives if life.unhealthy]

    @property
    def after_failures(self) -> str:
        """Which slots failed, to go after what became of it; `""` if none did."""
        failed = self.failed
        return f", after {where(failed)} had failed{errors(failed)}" if failed else ""

    @cached_property
    def stops(self) -> dict[str, timedelta]:
        """How long each task that was told to stop took to end, by the task's id.

        Tasks that an earlier update told to stop do not count.
        """
        return {
            life.last.id: max(life.ended - told, timedelta(0))
            for life, told in self._stop_requests
            if life.ended
        }

    @property
    def stopping(self) -> dict[str, datetime]:
        """The tasks that were told to stop and have not ended, and when they were told."""
        return {life.last.id: told for life, told in self._stop_requests if not life.ended}

    @cached_property
    def _stop_requests(self) -> list[tuple[Life, datetime]]:
        return stop_requests(self.recording, self._all_lives)

    @property
    def _itself(self) -> Recording:
        """It without what came after it had settled, such as a scale."""
        ended = self.update.ended
        changes = self.recording.changes
        kept = (change for change in changes if ended is None or change.at <= ended)
        return Recording(self.recording.header).add_all(kept)

    @cached_property
    def changeovers(self) -> list[Changeover]:
        """What it did to each slot whose new task ran, in the order in which these were made."""
        status = self.status
        if status.started_at is None:
            return []
        return changeovers(self._all_lives, self.tag, status.started_at, status.completed_at)

    @property
    def end(self) -> Tail | None:
        """Its end; `None` if it was not completed, or no new task ran."""
        began, done = self.update.started_at, self.status.completed_at
        if self.state != "completed" or not self.changeovers or began is None or done is None:
            return None
        last = max(slot.ran for slot in self.changeovers)
        return Tail(last - began, done - last)


def attempts(recording: Recording) -> list[Attempt]:
    """Return the updates that began under a recording, the oldest first."""
    made: list[Attempt] = []
    starts = _starts(recording)
    ends = [*starts[1:], len(recording.changes)][: len(starts)]
    for start, end in zip(starts, ends, strict=True):
        before, part = _cut(recording, start, end)
        # the first is the service as it was before
        seen = (change.service for change in part.changes[1:] if isinstance(change, ServiceSeen))
        after = next((service for service in seen if service.update_status), None)
        if before is not None and after is not None:
            made.append(Attempt(before, after, part))
    return made


def newest_took(recording: Recording) -> int:
    """Return how many seconds the newest update took that is over; 0 without one."""
    totals = [each.total for each in attempts(recording) if each.total]
    return round(totals[-1].total_seconds()) if totals else 0


def _starts(recording: Recording) -> list[int]:
    """Return the number of the change with which each update begins.

    That is the change that first shows its spec: the status may come a poll later. An update
    that was there at the first poll, or at the first after a gap, began unseen.
    """
    starts: list[int] = []
    first_poll = recording.changes[0].at if recording.changes else None
    written: int | None = None  # a spec that is there, and whose update is not
    last: datetime | None = None
    there: Service | None = None  # as it was seen before
    for number, change in enumerate(recording.changes):
        if isinstance(change, ServiceRemoved):
            written, last, there = None, None, None
        elif isinstance(change, Back):
            written, first_poll = None, change.at
        if not isinstance(change, ServiceSeen):
            continue
        status = change.service.update_status
        unseen = there is None or change.at == first_poll
        if unseen:
            written = None
        elif status is None and there and _written_anew(there, change.service):
            written = number
        if status and status.started_at != last:
            if not unseen:
                starts.append(number if written is None else written)
            written, last = None, status.started_at
        there = change.service
    return starts


def _written_anew(before: Service, now: Service) -> bool:
    """Whether somebody changed the service: its status was cleared, or the request differs.

    The engine writes to a service, too, but never changes what was requested.
    """
    return before.update_status is not None or requested(before) != requested(now)


def _cut(recording: Recording, start: int, end: int) -> tuple[Service | None, Recording]:
    before = Recording(recording.header).add_all(recording.changes[:start])
    # the poll before: what it found was there before the update
    at = recording.changes[max(start - 1, 0)].at
    part = Recording(replace(recording.header, started=recording.changes[start].at))
    if before.service:
        # without its status: an update that this one interrupts is another
        part.add(ServiceSeen(at, replace(before.service, update_status=None)))
        part.add_all(TaskSeen(at, task) for task in before.current)
    for change in recording.changes[start:end]:
        if not isinstance(change, TaskForgotten) or change.id in part.tasks:
            part.add(change)
    return before.service, part
