"""What a container has written: lines with their times, kept in memory.

The runtime writes (`Log.write`, `Log.close`), the API reads (`Log.lines`).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

Stream = Literal["stdout", "stderr"]

#: Bytes of a container's output that are kept; older lines are dropped.
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
        #: How many lines have been dropped.
        self._dropped = 0
        self._unfinished: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self.closed = False

    @property
    def end(self) -> int:
        """How many lines there have been."""
        return self._dropped + len(self._lines)

    def write(self, at: int, stream: Stream, data: bytes) -> None:
        """Add a piece of output; a line is kept once it is complete, or too long."""
        data = self._unfinished[stream] + data
        *complete, rest = data.split(b"\n")
        for line in complete:
            self._keep(Line(at, stream, line + b"\n"))
        while len(rest) >= _LONGEST:
            self._keep(Line(at, stream, rest[:_LONGEST]))
            rest = rest[_LONGEST:]
        self._unfinished[stream] = rest

    def close(self, at: int) -> None:
        """End the log; unfinished lines are kept as they are."""
        for stream, rest in self._unfinished.items():
            if rest:
                self._keep(Line(at, stream, rest))
        self._unfinished = {"stdout": b"", "stderr": b""}
        self.closed = True

    def lines(self, start: int = 0) -> Iterator[Line]:
        """Yield the lines from a position on, as far as they are still kept."""
        skipped = max(0, start - self._dropped)
        return islice(self._lines, skipped, None)

    def _keep(self, line: Line) -> None:
        self._lines.append(line)
        self._kept += len(line.data)
        while self._kept > _KEPT:
            self._kept -= len(self._lines.popleft().data)
            self._dropped += 1
