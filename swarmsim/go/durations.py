"""Durations as Go and Docker write them (`1m30s`), as `timedelta`, and as nanoseconds.

A learner writes `"5s"` or a `timedelta`; nanoseconds exist only on the way to the
Engine API, which counts every duration in them.
"""

import re
from datetime import timedelta

from swarmsim.go.errors import BadValue

#: What a learner may give where a duration is wanted.
Duration = timedelta | str

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "\u03bcs": 10**3,  # the Greek letter; the line above has the micro sign
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|[µ\u03bc]s|ms|s|m|h)"
_WHOLE = re.compile(rf"([-+]?)((?:{_PART})+|0)")
#: Go counts nanoseconds in 64 bits: some 292 years.
_MOST = 2**63 - 1


def to_nanoseconds(duration: Duration) -> int:
    """Return a duration in nanoseconds, as the Engine API counts it.

    Raises `BadValue` on text that Go's `time.ParseDuration` would refuse, and on a bare
    number: `5` could mean seconds or nanoseconds, and docker-py silently takes the second.
    """
    if isinstance(duration, timedelta):
        return (duration.days * 86_400 + duration.seconds) * 10**9 + duration.microseconds * 1000
    if not isinstance(duration, str):
        raise BadValue(f"a duration is text such as '5s' or a timedelta, not {duration!r}")
    found = _WHOLE.fullmatch(duration)
    if not found:
        raise BadValue(f"{duration!r} is not a duration; write it as '5s', '1m30s' or '500ms'")
    parts = re.findall(_PART, found[2])
    count = sum(_in_nanoseconds(number, unit) for number, unit in parts)
    if count > _MOST:
        raise BadValue(f"{duration!r} is not a duration that Docker can hold: at most 292 years")
    return -count if found[1] == "-" else count


def to_timedelta(duration: Duration) -> timedelta:
    """Return a duration as a `timedelta` (which is exact to a microsecond)."""
    if isinstance(duration, timedelta):
        return duration
    return from_nanoseconds(to_nanoseconds(duration))


def from_nanoseconds(count: int) -> timedelta:
    """Return what the Engine API counted as a `timedelta`."""
    return timedelta(microseconds=count / 1000)


def to_text(duration: Duration) -> str:
    """Return a duration as the docker command line writes it: `1m30s`, `500ms`, `0s`."""
    nanoseconds = to_nanoseconds(duration)
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if nanoseconds < _UNITS[unit] * 1000 and nanoseconds < 10**9:
            return f"{sign}{_trim(nanoseconds / _UNITS[unit])}{unit}"
    hours, rest = divmod(nanoseconds, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    seconds = f"{_trim(rest / 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def in_words(seconds: float) -> str:
    """Return a length of time as `docker ps` has it: `About a minute`, `3 weeks`.

    The limits are those of go-units' `HumanDuration`; hours are rounded, the rest is cut.
    """
    minutes, hours = int(seconds) // 60, int(seconds / 3600 + 0.5)
    days = hours // 24
    for below, words in (
        (seconds < 1, "Less than a second"),
        (seconds < 2, "1 second"),
        (minutes < 1, f"{int(seconds)} seconds"),
        (minutes == 1, "About a minute"),
        (minutes < 60, f"{minutes} minutes"),
        (hours == 1, "About an hour"),
        (hours < 48, f"{hours} hours"),
        (days < 14, f"{days} days"),
        (days < 60, f"{days // 7} weeks"),
        (days < 730, f"{days // 30} months"),
    ):
        if below:
            return words
    return f"{int(seconds / 3600) // 24 // 365} years"


def _in_nanoseconds(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale = _UNITS[unit]
    return int(whole or 0) * scale + int(int(fraction or 0) * scale / 10 ** len(fraction))


def _trim(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
