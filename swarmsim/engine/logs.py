"""What a container has written: lines with their times, kept in memory, that can be followed.

The processes write (`Log.write`, `Log.close`), the API reads (`Log.lines`, `Log.more`):

    engine.processes.logs(task_id) -> Log | None     # None: the task has no container (yet)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Stream = Literal["stdout", "stderr"]

#: Bytes of a container's output that are kept; what is older is forgotten.
_KEPT = 4 * 1024 * 1024
#: The longest piece of a line that Docker's log driver takes at once.
_LONGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line of output. `at` is the engine's time in ns; `data` ends with its line feed."""

    at: int
    stream: Stream
    data: bytes


class Log:
    """The output of one container, in the order in which it was written."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._kept = 0
        #: How many lines there have been that are forgotten now.
        self._forgotten = 0
        self._unfinished: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._waiting: set[asyncio.Future[None]] = set()
        self.closed = False

    @property
    def end(self) -> int:
        """How many lines there have been."""
        return self._forgotten + len(self._lines)

    def write(self, at: int, stream: Stream, data: bytes) -> None:
        """Take a piece of output; lines are kept once they are complete, or too long."""
        data = self._unfinished[stream] + data
        *complete, rest = data.split(b"\n")
        for line in complete:
            self._keep(Line(at, stream, line + b"\n"))
        while len(rest) >= _LONGEST:
            self._keep(Line(at, stream, rest[:_LONGEST]))
            rest = rest[_LONGEST:]
        self._unfinished[stream] = rest
        self._wake()

    def close(self, at: int) -> None:
        """There will be no more; lines that were never finished are kept as they are."""
        for stream, rest in self._unfinished.items():
            if rest:
                self._keep(Line(at, stream, rest))
        self._unfinished = {"stdout": b"", "stderr": b""}
        self.closed = True
        self._wake()

    def lines(self, start: int = 0) -> Iterator[tuple[int, Line]]:
        """The lines from a position on that are still kept, each with its position."""
        for at, line in enumerate(list(self._lines), self._forgotten):
            if at >= start:
                yield at, line

    async def more(self, start: int) -> bool:
        """Wait until there is a line at this position; false if there will be none."""
        while self.end <= start and not self.closed:
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await future
            finally:
                self._waiting.discard(future)
        return self.end > start

    def _keep(self, line: Line) -> None:
        self._lines.append(line)
        self._kept += len(line.data)
        while self._kept > _KEPT:
            self._kept -= len(self._lines.popleft().data)
            self._forgotten += 1

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
