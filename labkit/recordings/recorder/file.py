"""The file of a recording while it is made."""

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from labkit.recordings.recording import Change, Header, change_line, create, header_line


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
