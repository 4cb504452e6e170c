"""Reading the logs of tasks: which lines, in which order, and what is added later."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from swarmsim.engine.engine import Engine
from swarmsim.model import Task
from swarmsim.runtime.logs import Line, Log


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines a client wants. Times are the engine's, in ns."""

    streams: frozenset[str]
    follow: bool
    since: int = 0
    until: int | None = None
    #: How many of the last lines of each task; `None` is all.
    tail: int | None = None

    def includes(self, line: Line) -> bool:
        """Whether a line is of the streams and the time that are asked for."""
        in_time = line.at >= self.since and (self.until is None or line.at <= self.until)
        return line.stream in self.streams and in_time


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
        self._tail = query.tail
        self._logs: dict[str, tuple[Task, Log]] = {}
        #: How many lines of each task have been read.
        self._read: Counter[str] = Counter()
        self._add(tasks)

    @property
    def ended(self) -> bool:
        """Whether everything that is asked for has been read."""
        if not self._query.follow:
            return True
        return not self._service and all(
            log.closed and self._read[task_id] >= log.end
            for task_id, (_, log) in self._logs.items()
        )

    def read(self) -> list[tuple[Task, Line]]:
        """Return the lines since the last call, in the order of time; at first the last few."""
        if self._service:
            self._add(self._engine.cluster.tasks_of(self._service))
        found: list[tuple[Task, Line]] = []
        for task, log in self._logs.values():
            lines = [it for it in log.lines(self._read[task.id]) if self._query.includes(it)]
            if self._tail is not None:
                lines = lines[-self._tail :] if self._tail else []
            found += [(task, line) for line in lines]
            self._read[task.id] = log.end
        self._tail = None
        return sorted(found, key=lambda each: each[1].at)

    def _add(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            log = self._engine.containers.logs(task.id)
            if log is not None:
                self._logs.setdefault(task.id, (task, log))
