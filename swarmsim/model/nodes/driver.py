"""What runs containers: the interface, and a driver that acts by a script. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from swarmsim.go.durations import to_timedelta
from swarmsim.go.errors import BadValue
from swarmsim.model.objects import Task

_KILLED = 137


class Driver(Protocol):
    """What runs containers. The model calls it at the right moments of its clock."""

    def pull(self, task: Task) -> str:
        """Get the image; return the error, or `""`."""

    def has_healthcheck(self, task: Task) -> bool:
        """Whether the task counts as running only once it is healthy."""

    def start(self, task: Task) -> str:
        """Start the process; return the error, or `""`."""

    def stop(self, task: Task) -> None:
        """Send the stop signal."""

    def kill(self, task: Task) -> None:
        """End the process at once; it is not asked."""

    def remove(self, task: Task) -> None:
        """Forget the task's container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the process of a task does: by default it runs until it is stopped.

    Durations may be given as text such as `"1.5s"`; they are kept as `timedelta`.
    Raises `BadValue` for text that is not a duration, and for a negative one.
    """

    #: How long after its start it ends by itself.
    exits_after: timedelta | None = None
    exit_code: int = 0
    #: How long it takes to end after the stop signal; `None` ignores the signal.
    stops_after: timedelta | None = timedelta(0)
    stop_code: int = 0
    #: The same as `stops_after=None`.
    ignores_stop: bool = False
    #: With a healthcheck: when it is first found healthy, and when unhealthy.
    healthy_after: timedelta | None = None
    unhealthy_after: timedelta | None = None
    #: What the engine says when the image cannot be had, or the program not be started.
    pull_error: str = ""
    start_error: str = ""
    #: What it writes when it starts, for a runtime that keeps logs.
    stdout: str = ""
    stderr: str = ""

    def __post_init__(self) -> None:
        """Convert durations from text."""
        if self.ignores_stop:
            object.__setattr__(self, "stops_after", None)
        for name in ("exits_after", "stops_after", "healthy_after", "unhealthy_after"):
            given = getattr(self, name)
            if given is None:
                continue
            length = to_timedelta(given)
            if length < timedelta(0):
                raise BadValue(f"{name} must be a duration of zero or more, not {given!r}")
            object.__setattr__(self, name, length)


class Scripted:
    """A driver whose containers do what a function says of each task."""

    def __init__(self, behaviour: Callable[[Task], Behaviour] = lambda _: Behaviour()) -> None:
        self._behaviour = behaviour
        self._of: dict[str, Behaviour] = {}
        self._exited: Callable[[str, int], None]
        self._has_health: Callable[[str, str], None]
        self._after: Callable[..., None]

    def attach(
        self,
        exited: Callable[[str, int], None],
        has_health: Callable[[str, str], None],
        after: Callable[..., None],
    ) -> None:
        """Set where to report an end, with its code, and a change of health.

        `after` calls a function after so many nanoseconds.
        """
        self._exited, self._has_health, self._after = exited, has_health, after

    def pull(self, task: Task) -> str:
        """Return the error that the script has for this image."""
        self._of[task.id] = self._behaviour(task)
        return self._of[task.id].pull_error

    def has_healthcheck(self, task: Task) -> bool:
        """Whether the script speaks of health."""
        behaviour = self._of[task.id]
        return behaviour.healthy_after is not None or behaviour.unhealthy_after is not None

    def start(self, task: Task) -> str:
        """Schedule what the script says."""
        behaviour = self._of[task.id]
        if behaviour.start_error:
            return behaviour.start_error
        self._later(behaviour.exits_after, self._exit, task.id, behaviour.exit_code)
        self._later(behaviour.healthy_after, self._has_health, task.id, "healthy")
        self._later(behaviour.unhealthy_after, self._has_health, task.id, "unhealthy")
        return ""

    def stop(self, task: Task) -> None:
        """Schedule the end of the process, unless it ignores the signal."""
        behaviour = self._of[task.id]
        self._later(behaviour.stops_after, self._exit, task.id, behaviour.stop_code)

    def kill(self, task: Task) -> None:
        """End it now."""
        self._exit(task.id, _KILLED)

    def remove(self, task: Task) -> None:
        """Forget it."""
        self._of.pop(task.id, None)

    def _later(
        self, length: timedelta | None, function: Callable[..., None], *arguments: object
    ) -> None:
        if length is not None:
            self._after(round(length.total_seconds() * 1e9), function, *arguments)

    def _exit(self, task_id: str, code: int) -> None:
        if task_id in self._of:
            self._exited(task_id, code)
