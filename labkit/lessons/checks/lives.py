"""The life of each task under a recording, by the engine's own times where it tells them. Pure.

A recorder sees that a task was told to stop at its next poll, which may be seconds later by a
fast clock. With stop-first a task gets its stop request in the write that makes its successor,
with start-first when its successor runs; and the engine dates both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from labkit.base.rules import listed, verbatim
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceSeen, TaskSeen
from labkit.recordings.values import Order, Task

#: The end of a task that nobody had told to end; `shutdown` is that of one that was.
_BY_ITSELF = frozenset({"complete", "failed", "rejected"})
#: In the error of a task that was stopped because its health check failed; it has none if the
#: process then ends with exit code 0, as one does that obeys SIGTERM.
_UNHEALTHY = "unhealthy container"
#: With a health check a task is `starting` until its first healthy probe, and the first comes
#: an interval after its start. Without one it runs within a second, if not ten start at once.
_SHORTEST_CHECK = timedelta(seconds=1.2)


@dataclass(frozen=True, slots=True)
class Life:
    """One task, each time it was seen, the oldest first."""

    seen: tuple[TaskSeen, ...]

    @property
    def last(self) -> Task:
        """The task as it was seen last."""
        return self.seen[-1].task

    @property
    def made(self) -> datetime:
        """When it was made."""
        return self.last.created_at

    @property
    def ran(self) -> datetime | None:
        """When it came to run; `None` if that was not seen."""
        return next((each.task.status_at for each in self.seen if each.task.running), None)

    @property
    def ended(self) -> datetime | None:
        """When it ended; `None` while it has not."""
        return next((each.task.status_at for each in self.seen if each.task.ended), None)

    @property
    def told(self) -> datetime | None:
        """When it was seen that it was told to stop.

        `None` if it was not, if it had been before the recording, or if it ended by itself.
        """
        ours = False
        for each in self.seen:
            if not each.task.ended and each.task.desired_state in ("ready", "running"):
                ours = True
            elif ours and _is_told(each.task):
                return each.at
        return None

    @property
    def failed_unprompted(self) -> bool:
        """Whether it ended although nobody had told it to."""
        return self.last.state in _BY_ITSELF

    @property
    def waits_for_health(self) -> bool:
        """Whether it has started and no probe has found it healthy yet."""
        return self.last.state == "starting" and not self.last.ended

    @property
    def lasted(self) -> timedelta:
        """How long it was up; zero if it was not seen to start."""
        tasks = [each.task for each in self.seen]
        began = [task.status_at for task in tasks if task.state in ("starting", "running")]
        return self.last.status_at - began[0] if began else timedelta(0)

    @property
    def started_for(self) -> timedelta | None:
        """How long it was `starting`; `None` if that was not seen."""
        states = {each.task.state: each.task.status_at for each in self.seen}
        if "starting" not in states or self.last.state == "starting":
            return None
        return states.get("running", self.last.status_at) - states["starting"]

    @property
    def unhealthy(self) -> bool:
        """Whether it ended because its health check failed."""
        waited = self.started_for or timedelta(0)
        stopped = self.last.exit_code == 0 and waited >= _SHORTEST_CHECK
        return self.failed_unprompted and (_UNHEALTHY in self.last.error or stopped)


def lives_in(recording: Recording) -> list[Life]:
    """Return the tasks under a recording, in the order in which they were first seen."""
    seen: dict[str, list[TaskSeen]] = {}
    for change in recording.of(TaskSeen):
        seen.setdefault(change.task.id, []).append(change)
    return [Life(tuple(each)) for each in seen.values()]


def _is_told(task: Task) -> bool:
    return task.state == "shutdown" if task.ended else task.desired_state in ("shutdown", "remove")


# ---- in words ----------------------------------------------------------------------------


def unchecked(of: list[Life]) -> bool:
    """Whether none of some tasks was waited for as a health check requires."""
    waited = [life.started_for for life in of if life.started_for is not None]
    return bool(waited) and max(waited) < _SHORTEST_CHECK


def where(of: list[Life]) -> str:
    """Return the slots of tasks: `a task in slot 3`, `tasks in slots 3 and 7`."""
    slots = {life.last.slot for life in of if life.last.slot is not None}
    return f"{'a task' if len(slots) == 1 else 'tasks'} in {listed(sorted(slots))}"


def errors(of: list[Life]) -> str:
    """Return the first error of tasks in Docker's words, as an apposition; `""` if none."""
    said = next((life.last.error for life in of if life.last.error), "")
    return f" ({verbatim(said)})" if said else ""


# ---- what an update did to each slot -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changeover:
    """A slot that an update gave a new task which got to run."""

    slot: int
    #: When its new task was made, and when that ran.
    made: datetime
    ran: datetime
    #: When its old task had ended; `None` if that was not seen.
    left: datetime | None = None

    @property
    def took(self) -> timedelta:
        """From the new task's creation until it ran."""
        return self.ran - self.made


def changeovers(
    lives: Iterable[Life], tag: str, began: datetime, ended: datetime | None
) -> list[Changeover]:
    """Return the slots that an update to a tag changed over, as their new tasks were made.

    `began` and `ended` are the times of its update status. A task that the restart
    supervisor makes in the same slot later does not count.
    """
    found: dict[int, Changeover] = {}
    left = {life.last.slot: life.ended for life in reversed([*lives]) if life.made < began}
    for life in sorted(lives, key=lambda each: each.made):
        slot, in_time = life.last.slot, began <= life.made and (ended is None or life.made <= ended)
        if slot is not None and in_time and life.last.tag == tag and life.ran:
            found.setdefault(slot, Changeover(slot, life.made, life.ran, left.get(slot)))
    return list(found.values())


# ---- how long tasks take to stop ---------------------------------------------------------


def stop_requests(recording: Recording, lives: Iterable[Life]) -> list[tuple[Life, datetime]]:
    """Return the tasks that were told to stop, and when: by the engine's time if it is known."""
    return [
        (life, _began(life, life.told, _order(recording, life.told), lives))
        for life in lives
        if life.told and (life.ended or life.last.id in recording.listed)
    ]


def _order(recording: Recording, at: datetime) -> Order:
    seen = [each.service for each in recording.of(ServiceSeen) if each.at <= at]
    if not seen:
        return "stop-first"
    status = seen[-1].update_status
    back = status is not None and status.state.startswith("rollback")
    return (seen[-1].rollback_config if back else seen[-1].update_config).order


def _began(old: Life, told: datetime, order: Order, lives: Iterable[Life]) -> datetime:
    slot = old.last.slot
    later = [
        each
        for each in lives
        if slot is not None
        and each.last.slot == slot
        and each.made > old.made
        and each.seen[0].at <= told
    ]
    if not later:
        return told
    successor = min(later, key=lambda each: each.made)
    if order == "stop-first":
        return successor.made
    seen = [each.task for each in successor.seen if each.at <= told]
    return next((task.status_at for task in seen if task.running), told)
