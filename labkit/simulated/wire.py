"""Small words of the wire: timestamps as Go writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000_000

#: How Go writes a moment that never was.
NEVER = "0001-01-01T00:00:00Z"


def stamp(moment: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC, without trailing zeros (`time.RFC3339Nano`)."""
    seconds, nanoseconds = divmod(moment, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"
