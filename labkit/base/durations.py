"""Durations as a learner writes them: text such as `"5s"`, or a `timedelta`.

The rules are Docker's and stand in `swarmsim.go.durations`; a mistake is a `BadValue` here,
which a learner sees as a sentence.
"""

from __future__ import annotations

from datetime import timedelta

from labkit.base.errors import BadValue
from swarmsim.go import durations
from swarmsim.go.durations import Duration, from_nanoseconds

__all__ = ["Duration", "from_nanoseconds", "to_nanoseconds", "to_text", "to_timedelta"]


def to_nanoseconds(duration: Duration) -> int:
    """Return a duration in nanoseconds, as the Engine API counts it; raises `BadValue`."""
    try:
        return durations.to_nanoseconds(duration)
    except ValueError as problem:
        raise BadValue(str(problem)) from None


def to_timedelta(duration: Duration) -> timedelta:
    """Return a duration as a `timedelta` (exact to a microsecond); raises `BadValue`."""
    return (
        duration if isinstance(duration, timedelta) else from_nanoseconds(to_nanoseconds(duration))
    )


def to_text(duration: Duration) -> str:
    """Return a duration as the docker command line writes it: `1m30s`, `500ms`, `0s`."""
    return durations.to_text(to_timedelta(duration))
