"""What became of the tasks that an update made, as far as it tells why they ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from labkit.base.quoted import verbatim
from labkit.base.wording import listed
from labkit.recordings.recording import Recording, TaskSeen
from labkit.recordings.values import Task

#: Final states of tasks that ended unprompted; a task that was asked to stop ends as `shutdown`.
_BY_ITSELF = frozenset({"complete", "failed", "rejected"})
#: What Docker says of a task that it has stopped because its health check failed. It says
#: nothing if the process then ends with exit code 0, as one does that obeys SIGTERM.
_UNHEALTHY = "unhealthy container"
#: With a health check a task is `starting` until its first healthy probe, and the first comes
#: an interval after its start. Without one it runs within a second, if not ten start at once.
_SHORTEST_CHECK = timedelta(seconds=1.2)


@dataclass(frozen=True, slots=True)
class Life:
    """One task of the image that an update went to."""

    #: The task each time it was seen, the oldest first.
    seen: tuple[Task, ...]

    @property
    def last(self) -> Task:
        """The task as it was seen last."""
        return self.seen[-1]

    @property
    def failed_unprompted(self) -> bool:
        """Whether it ended unprompted."""
        return self.last.state in _BY_ITSELF

    @property
    def waits_for_health(self) -> bool:
        """Whether it has started and no probe has found it healthy yet."""
        return self.last.state == "starting" and not self.last.ended

    @property
    def lasted(self) -> timedelta:
        """How long it was up, by the engine's clock; zero if it was not seen to start."""
        began = [task.status_at for task in self.seen if task.state in ("starting", "running")]
        return self.last.status_at - began[0] if began else timedelta(0)

    @property
    def started_for(self) -> timedelta | None:
        """How long it was `starting`, by the engine's clock; `None` if that was not seen."""
        states = {task.state: task.status_at for task in self.seen}
        if "starting" not in states or self.last.state == "starting":
            return None
        return states.get("running", self.last.status_at) - states["starting"]

    @property
    def unhealthy(self) -> bool:
        """Whether it ended because its health check failed."""
        waited = self.started_for or timedelta(0)
        stopped = self.last.exit_code == 0 and waited >= _SHORTEST_CHECK
        return self.failed_unprompted and (_UNHEALTHY in self.last.error or stopped)


def lives(recording: Recording, image: str, since: datetime | None) -> list[Life]:
    """Return the tasks of an image that were made since an update began."""
    seen: dict[str, list[Task]] = {}
    tasks = (change.task for change in recording.changes if isinstance(change, TaskSeen))
    for task in tasks:
        if task.image == image and since is not None and task.created_at >= since:
            seen.setdefault(task.id, []).append(task)
    return [Life(tuple(each)) for each in seen.values()]


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
