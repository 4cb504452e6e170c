"""Files of JSON Lines that several processes append to, and that a reader forgives.

A line is written in one piece at the end of the file, so writers do not mix their lines.
One that was killed may leave a torn line: the next writer begins a line of its own, and
readers count what they cannot read.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

#: labkit writes no longer lines.
_LONGEST = 300_000
#: A link, or a pipe, is never followed or waited for; not every system has these.
_CAREFUL = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Read(NamedTuple):
    """What is in a file: its rows, and how many lines could not be read."""

    rows: list[dict[str, Any]]
    torn: int


def append(path: Path, row: Mapping[str, Any], *, mode: int) -> None:
    """Append a row as one line; a new file gets the `mode`. Raises `OSError`."""
    line = json.dumps(row).encode() + b"\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _CAREFUL, mode)
    try:
        _require_a_file(file, path)
        if end := os.lseek(file, 0, os.SEEK_END):  # maybe of a torn line
            os.lseek(file, end - 1, os.SEEK_SET)
            line = line if os.read(file, 1) == b"\n" else b"\n" + line
        if (written := os.write(file, line)) < len(line):
            raise OSError(f"{path} took {written} of {len(line)} bytes")
    finally:
        os.close(file)


def read(path: Path, *, most_bytes: int | None = None) -> Read:
    """Return the rows of a file; a pipe is not waited for. Raises `OSError`.

    One with more than `most_bytes` is an `OSError`, too.
    """
    content, size = head(path, most_bytes)
    if most_bytes is not None and size > most_bytes:
        raise OSError(f"{path} has {size} bytes, which is too many")
    found = [_row(line) for line in content.split(b"\n") if line.strip()]
    rows = [row for row in found if row is not None]
    return Read(rows, len(found) - len(rows))


def head(path: Path, most_bytes: int | None = None) -> tuple[bytes, int]:
    """Return the first bytes of a file, and how many it has; a pipe is not waited for.

    Raises `OSError`.
    """
    file = os.open(path, os.O_RDONLY | _CAREFUL)
    try:
        size = _require_a_file(file, path)
        with os.fdopen(file, "rb", closefd=False) as opened:
            # one that grows meanwhile is read as far as it was
            return opened.read(size if most_bytes is None else min(size, most_bytes)), size
    finally:
        os.close(file)


def _row(line: bytes) -> dict[str, Any] | None:
    if len(line) > _LONGEST:
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _require_a_file(file: int, path: Path) -> int:
    """Return the size of an opened file; raise `OSError` if it is a pipe or the like."""
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is not a file")
    return found.st_size
