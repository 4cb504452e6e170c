"""The file of a recording: a new one, its lines, and the last of them where it is long."""

from __future__ import annotations

import json
import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from labkit.base.errors import RecordingProblem, expecting
from labkit.recordings.recording.changes import (
    KINDS,
    HashesSeen,
    Marked,
    NodesSeen,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.recording.lines import UNREADABLE

#: Bytes; a longer first line is that of another file.
_LONGEST_HEADER = 100_000
#: Bytes; a longer line is none that a recorder wrote, and is not held in memory.
_LONGEST_LINE = 10_000_000
#: What the changes of a long recording are about, nearly all of them.
MANY = (TaskSeen.kind, TaskForgotten.kind, HashesSeen.kind)
#: How many bytes the changes may have, on average, that are read of a long recording.
_MEAN = 1000
#: What a line that is only looked at tells: its kind, and a task's id. Within a text JSON has
#: a backslash before each quotation mark, so these are keys wherever they stand.
_KIND, _ID = (re.compile(rb'"%b"\s*:\s*"([^"\\]*)"' % key) for key in (b"kind", b"id"))


def create(path: Path, *, exists: bool = False) -> FileIO:
    """Return a new file for a recording, and make its folders; or one that `exists`.

    Raises `RecordingProblem` where it cannot, or the new one is there: none is replaced.
    """
    advice = "choose the name of a file that does not exist yet, in a folder you may write to."
    with expecting(f"to write a recording to {path}.", advice, RecordingProblem):
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileIO(path, "r+" if exists else "x")


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, less the empty ones at its end.

    Raises `RecordingProblem` for a file that cannot be read.
    """
    advice = "give the path of a file that `labkit record -o FILE` wrote."
    with (
        expecting(f"a recording at {path}.", advice, RecordingProblem),
        path.open("rb", buffering=1 << 20) as file,
    ):
        yield file.readline(_LONGEST_LINE).rstrip(b"\n")
        blank: list[bytes] = []  # no lines, if the file ends with them
        while line := _line_of(file):
            blank.append(line)
            if line != b"\n":
                yield from blank
                blank.clear()


def _line_of(file: BinaryIO) -> bytes:
    """Return the next line, or, where it is too long, words that are no change."""
    line = file.readline(_LONGEST_LINE)
    if len(line) < _LONGEST_LINE or line.endswith(b"\n"):
        return line
    while line and not line.endswith(b"\n"):
        line = file.readline(_LONGEST_LINE)
    return b"too long"


def is_at(path: Path) -> bool:
    """Whether a file is a recording, of whatever schema."""
    try:
        with path.open("rb") as file:
            return bool(json.loads(file.readline(_LONGEST_HEADER))["kind"] == "recording")
    except (OSError, *UNREADABLE):
        return False


class Tail:
    """The last lines of a recording's file, and those before that say what was known then."""

    def __init__(self, most: int, most_events: int) -> None:
        self._most, self._most_events = most, most_events
        self._most_held = _MEAN * (most + 1000)
        self._rows: deque[tuple[bytes, str]] = deque()
        self._events = self._held = self._told = 0
        #: The last line of each task that was listed; and of the service and the nodes, by kind.
        self._tasks: OrderedDict[bytes, bytes] = OrderedDict()
        self._others: dict[str, bytes] = {}
        #: The last of all that is not a mark.
        self.last = b""
        self.left_out = 0

    def add(self, line: bytes) -> bool:
        """Take the next line; return whether it seems to be whole."""
        found = _KIND.search(line)
        if not found or not line.rstrip().endswith(b"}"):
            return False
        if (kind := found[1].decode("utf-8", "replace")) in KINDS:
            self._rows.append((line, kind))
            self._held += len(line)
            self._events += kind not in MANY
            while (
                len(self._rows) > self._most
                or self._events > self._most_events
                or self._held > self._most_held
            ):
                self._leave_out(*self._rows.popleft())
        return True

    def _leave_out(self, line: bytes, kind: str) -> None:
        self._events -= kind not in MANY
        self._held -= len(line)
        self.left_out += 1
        match kind:
            case TaskSeen.kind | TaskForgotten.kind:
                self._leave_out_task(line, listed=kind == TaskSeen.kind)
            case ServiceRemoved.kind:
                self._others.pop(ServiceSeen.kind, None)
            case ServiceSeen.kind | NodesSeen.kind:
                self._others[kind] = line
        if kind != Marked.kind:
            self.last = line

    def _leave_out_task(self, line: bytes, *, listed: bool) -> None:
        if not (found := _ID.search(line)):
            return
        self._told -= len(self._tasks.get(found[1], b""))
        if listed:
            self._tasks[found[1]] = line
            self._told += len(line)
        else:
            self._tasks.pop(found[1], None)
        while self._told > self._most_held:
            self._told -= len(self._tasks.popitem(last=False)[1])

    @property
    def before(self) -> list[bytes]:
        """The lines that say what was known."""
        tasks = islice(reversed(self._tasks.values()), self._most)
        return [*reversed([*tasks]), *self._others.values()]

    @property
    def lines(self) -> list[bytes]:
        """The lines that are not left out."""
        return [line for line, _ in self._rows]
