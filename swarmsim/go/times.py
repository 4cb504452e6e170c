"""Timestamps on the wire, as Go writes and reads them."""

from datetime import UTC, datetime

from swarmsim.go.errors import ApiError

SECOND = 1_000_000_000

#: How Go writes a moment that never was.
NEVER = "0001-01-01T00:00:00Z"


def stamp(moment: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC, without trailing zeros (`time.RFC3339Nano`)."""
    return fixed_stamp(moment)[:-1].rstrip("0").rstrip(".") + "Z"


def fixed_stamp(moment: int) -> str:
    """The same with all nine digits of the fraction, as in logs."""
    seconds, nanoseconds = divmod(moment, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanoseconds:09d}Z"


def moment(text: str, prefix: str = "") -> int | None:
    """Read `since` and `until`: seconds since 1970, with a fraction or without; in ns.

    Nothing is `None`. The command line turns dates and durations into this form.
    """
    if not text:
        return None
    seconds, dot, fraction = text.partition(".")
    for part in (seconds, *([fraction] if dot else [])):
        if not part.removeprefix("-").isdecimal():
            why = f'strconv.ParseInt: parsing "{part}": invalid syntax'
            raise ApiError(500, prefix + why)
    return int(seconds) * SECOND + int(f"{fraction:0<9}"[:9])
