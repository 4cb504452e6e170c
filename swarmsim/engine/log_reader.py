"""Reading the logs of several containers: what is there already, and what is still to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarmsim.model import Task
from swarmsim.runtime.logs import Line, Log

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines a client wants, and how."""

    streams: frozenset[str]
    follow: bool
    timestamps: bool
    details: bool
    since: int = 0
    until: int | None = None
    #: How many of the last lines of each task; `None` is all.
    tail: int | None = None

    def includes(self, line: Line) -> bool:
        """Whether a line is of the streams and the time that are asked for."""
        in_time = line.at >= self.since and (self.until is None or line.at <= self.until)
        return line.stream in self.streams and in_time


@dataclass(frozen=True, slots=True)
class Output:
    """A line and where it comes from."""

    task: Task
    line: Line


@dataclass(slots=True)
class _Followed:
    """A log and how far it has been read."""

    task: Task
    log: Log
    position: int = 0


class Reader:
    """Reads the logs of tasks, and what is added to them.

    With a service, tasks that it gets later are read, too, from their first line; such
    reading has no end of its own.
    """

    def __init__(
        self, engine: Engine, query: LogQuery, tasks: Iterable[Task], service: str = ""
    ) -> None:
        self._engine = engine
        self._query = query
        self._service = service
        self._followed: dict[str, _Followed] = {}
        self._add(tasks)
        self._tail = query.tail

    @property
    def ended(self) -> bool:
        """Whether everything that is asked for has been read."""
        if not self._query.follow:
            return True
        return not self._service and all(
            it.log.closed and it.position >= it.log.end for it in self._followed.values()
        )

    def read(self) -> list[Output]:
        """Return the lines since the last call, in the order of time; at first the last few."""
        if self._service:
            self._add(self._engine.cluster.tasks_of(self._service))
        found: list[Output] = []
        for it in self._followed.values():
            lines = [line for line in it.log.lines(it.position) if self._query.includes(line)]
            if self._tail is not None:
                lines = lines[-self._tail :] if self._tail else []
            found += [Output(it.task, line) for line in lines]
            it.position = it.log.end
        self._tail = None
        return sorted(found, key=lambda output: output.line.at)

    def _add(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            log = self._engine.containers.logs(task.id)
            if log is not None and task.id not in self._followed:
                self._followed[task.id] = _Followed(task, log)
