"""A recording while it is made, and its file: jobs add to it, and others wait for a change."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

from labkit.base import jobs
from labkit.base.errors import RecordingProblem
from labkit.base.files import unused
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Change, HashesSeen, Header, Marked
from labkit.recordings.recording.files import create
from labkit.recordings.recording.lines import change_line, header_line
from labkit.recordings.values import Snapshot

#: Seconds after which a waiting thread checks again without a notification.
_NAP = 0.5


class File:
    """Takes changes as they come. What cannot be written now is written before the next one."""

    def __init__(self, path: Path, header: Header, *, exists: bool = False) -> None:
        """Begin a new file; one that `exists`, and has a header, is opened and closed again."""
        self._path = path
        self._file = create(path, exists=exists)
        self._unwritten = b""
        if exists:
            self._file.close()
        else:
            self._append(header_line(header).encode())

    @property
    def is_lost(self) -> bool:
        """Whether its path no longer leads to it: it was moved or deleted."""
        try:
            there = self._path.stat()
        except OSError:
            return True
        return not (self._file.closed or os.path.samestat(os.fstat(self._file.fileno()), there))

    def write(self, changes: Sequence[Change]) -> OSError | None:
        """Append changes, to a closed file too; returns what keeps them from it, or `None`."""
        return self._append("".join(map(change_line, changes)).encode())

    def close(self) -> OSError | None:
        """Close the file; returns what kept the last changes from it, or `None`."""
        problem = self._append(b"") if self._unwritten else None
        self._file.close()
        return problem

    def _append(self, lines: bytes) -> OSError | None:
        self._unwritten += lines
        try:
            if self._file.closed:
                # a file that was moved away meanwhile is not begun anew: it would lack its header
                self._file = FileIO(self._path, "r+")
                self._file.seek(0, os.SEEK_END)
            while self._unwritten:
                self._unwritten = self._unwritten[self._file.write(self._unwritten) or 0 :]
        except OSError as problem:
            return problem
        return None


class LiveRecording:
    """Keeps a recording, in memory and in a file, and tells of each change.

    `path` names the file; without it the recording is kept in memory only. A recording that
    came `before` is at its beginning; one that has ended already has its file.
    """

    def __init__(self, header: Header, path: Path | None, before: Recording | None = None) -> None:
        self.recording = Recording(header).add_all(before.changes if before else ())
        #: What keeps changes from reaching the file, or `None`; they are kept in memory.
        self.file_error: OSError | None = None
        #: When something of the service last changed, by `time.monotonic`.
        self.moved_at = time.monotonic()
        #: Where the file is; another one is begun if that is moved or deleted.
        self.path = path
        self._was_lost = False
        self._closed = before is not None and before.ended is not None
        self._file = File(path, header, exists=self._closed) if path else None
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        if not self._closed:
            self._write(self.recording.changes)

    def observe(self, snapshot: Snapshot) -> list[Change]:
        """Record what a snapshot changes, and return it."""
        with self._changed:
            changes = self.recording.observe(snapshot)
            self._write(changes)
        if changes:
            self.moved_at = time.monotonic()
            self._notify()
        return changes

    def add(self, change: Change) -> None:
        """Record one change that no snapshot shows; after the end that can only be a mark."""
        with self._changed:
            ended = self._closed or self.recording.ended is not None
            if ended and not isinstance(change, Marked):
                return
            self.recording.add(change)
            self._write([change])
            if not isinstance(change, HashesSeen | Marked):
                self.moved_at = time.monotonic()
        self._notify()

    def close(self) -> None:
        """Close the file, and let everybody know that the recorder has stopped."""
        with self._changed:
            self._closed = True
            if self._file:
                self.file_error = self._file.close()
        self._notify()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener()` after each change and at the end, from the thread that made it."""
        self._listeners.append(listener)

    def wait(self, over: Callable[[], bool], left: Callable[[], float]) -> bool:
        """Wait until something is so, or no seconds are left; returns whether it is so."""
        with self._changed:
            while not over():
                if (seconds := left()) <= 0:
                    return False
                jobs.wait(self._changed, min(seconds, _NAP))
        return True

    @property
    def trouble(self) -> str:
        """What has become of the file, as a sentence; `""` if all is well."""
        if self.file_error:
            return (
                f"The recording cannot be written to its file: {self.file_error}. What was "
                "written before is safe; the rest is kept in memory, and written as soon as "
                "that is possible again."
            )
        if self._was_lost:
            return f"The file was moved or deleted. The whole recording is in {self.path}."
        return ""

    def _begin_anew(self) -> None:
        """Write everything to a new file, in place of one that was moved or deleted."""
        assert self._file
        assert self.path
        wanted, self._was_lost = self.path, True
        self._file.close()
        if wanted.exists():
            self.path = unused(lambda number: wanted.with_stem(f"{wanted.stem}-{number}"))
        try:
            self._file = File(self.path, self.recording.header)
        except RecordingProblem as problem:
            self.file_error = OSError(problem.found)
        else:
            self.file_error = self._file.write(self.recording.changes)

    def _write(self, changes: list[Change]) -> None:
        if self._file and changes and not self._closed and self._file.is_lost:
            self._begin_anew()
        elif self._file and changes:
            self.file_error = self._file.write(changes)
            if self._closed:
                self.file_error = self._file.close()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
        for listener in list(self._listeners):
            listener()
