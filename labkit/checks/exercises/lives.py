"""What became of the tasks that an update made, as far as it tells why they ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from labkit.checks.attempts import Attempt
from labkit.checks.exercises.common import some
from labkit.model import Task
from labkit.recording import TaskSeen

#: The end of a task that nobody had told to end; `shutdown` is that of one that was.
_BY_ITSELF = frozenset({"complete", "failed", "rejected"})
#: What Docker says of a task that it has stopped because its health check failed. It says
#: nothing if the process then ends with exit code 0, as one does that obeys SIGTERM.
_UNHEALTHY = "unhealthy container"
#: A process that ends by itself with exit code 0 does so sooner than any health check.
_SHORTEST_CHECK = timedelta(seconds=1)


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
    def fell(self) -> bool:
        """Whether it ended although nobody had told it to."""
        return self.last.state in _BY_ITSELF

    @property
    def lasted(self) -> timedelta:
        """How long it was up, by the engine's clock; zero if it was not seen to start."""
        began = [task.status_at for task in self.seen if task.state in ("starting", "running")]
        return self.last.status_at - began[0] if began else timedelta(0)

    @property
    def unhealthy(self) -> bool:
        """Whether it ended because its health check failed."""
        stopped = self.last.exit_code == 0 and self.lasted >= _SHORTEST_CHECK
        return self.fell and (_UNHEALTHY in self.last.error or stopped)


def lives(attempt: Attempt) -> list[Life]:
    """Return the tasks of the new image that came with an update or after it."""
    started = attempt.update.started_at
    seen: dict[str, list[Task]] = {}
    for change in attempt.recording.changes:
        if (
            isinstance(change, TaskSeen)
            and change.task.image == attempt.asked.image
            and started is not None
            and change.task.created_at >= started
        ):
            seen.setdefault(change.task.id, []).append(change.task)
    return [Life(tuple(tasks)) for tasks in seen.values()]


def where(of: list[Life]) -> str:
    """Return the slots of tasks: `a task in slot 3`, `tasks in slots 3 and 7`."""
    slots = {life.last.slot for life in of if life.last.slot is not None}
    return f"{'a task' if len(slots) == 1 else 'tasks'} in {some(slots)}"


def errors(of: list[Life]) -> str:
    """Return the first error of tasks in Docker's words, as an apposition; `""` if none."""
    said = next((life.last.error for life in of if life.last.error), "")
    return f" ({said})" if said else ""


def after_failures(attempt: Attempt) -> str:
    """Return which slots failed, to go after what became of an update; `""` if none did."""
    fallen = [life for life in lives(attempt) if life.fell]
    return f", after {where(fallen)} had failed{errors(fallen)}" if fallen else ""
