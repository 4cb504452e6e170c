"""Reading the logs of several containers: what is there already, and what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from swarmsim.engine.logs import Line, Log
from swarmsim.model import Task

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine

#: Lines of followed logs that wait for a client that is slow to take them.
_WAITING = 256


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of the logs, from the query."""

    streams: frozenset[str]
    follow: bool
    timestamps: bool
    details: bool
    since: int = 0
    until: int | None = None
    #: How many of the last lines of each task; `None` is all.
    tail: int | None = None

    def selected(self, log: Log) -> tuple[list[Line], int]:
        """The lines that are there already, and the position after the last one."""
        lines = [line for _, line in log.lines() if self.wants(line)]
        if self.tail is not None:
            lines = lines[-self.tail :] if self.tail else []
        return lines, log.end

    def wants(self, line: Line) -> bool:
        """Whether a line is of the streams and the time that are asked for."""
        in_time = line.at >= self.since and (self.until is None or line.at <= self.until)
        return line.stream in self.streams and in_time


@dataclass(frozen=True, slots=True)
class Output:
    """A line and where it comes from."""

    task: Task
    line: Line


class Reader:
    """Reads the logs of tasks, and follows them, until the end of its `with`.

    With a service, tasks that it gets later are followed, too, from their first line; such
    reading has no end of its own.
    """

    def __init__(self, engine: Engine, wish: Wish, service: str = "") -> None:
        self._engine = engine
        self._wish = wish
        self._service = service
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue(_WAITING)
        self._followers: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        if self._wish.follow and self._service:
            self._engine.containers.when_started.add(self._started)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.containers.when_started.discard(self._started)
        for follower in self._followers:
            follower.cancel()

    async def outputs(self, tasks: list[Task]) -> AsyncIterator[Output]:
        """What is there, in the order of time, and then what comes, if it is to be followed."""
        past: list[Output] = []
        for task in tasks:
            if (log := self._engine.containers.logs(task.id)) is not None:
                lines, end = self._wish.selected(log)
                past += [Output(task, line) for line in lines]
                self._follow(task, log, end)
        for output in sorted(past, key=lambda it: it.line.at):
            yield output
        unfinished = len(self._followers)
        while self._wish.follow and (self._service or unfinished):
            news = await self._queue.get()
            if news is None:
                unfinished -= 1
            else:
                yield news

    def _started(self, task: Task) -> None:
        log = self._engine.containers.logs(task.id)
        if task.service_id == self._service and log is not None:
            self._follow(task, log, 0)

    def _follow(self, task: Task, log: Log, start: int) -> None:
        if self._wish.follow:
            self._followers.add(asyncio.create_task(self._forward(task, log, start)))

    async def _forward(self, task: Task, log: Log, start: int) -> None:
        while await log.more(start):
            for at, line in log.lines(start):
                start = at + 1
                if self._wish.wants(line):
                    await self._queue.put(Output(task, line))
        await self._queue.put(None)
