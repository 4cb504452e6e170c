"""Words for what was measured and counted, the same in exercises and questions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

#: So many slots a sentence lists before it counts the others, if there are several others.
_LISTED = 3


def seconds(length: timedelta) -> str:
    """Return a measured time, such as `27.4 s`."""
    return f"{length.total_seconds():.1f} s"


def counted(count: int, thing: str) -> str:
    """Return a count with its thing: `1 slot`, `2 slots`, `no slots`."""
    return f"{count or 'no'} {thing}{'s' * (count != 1)}"


def listed(slots: Iterable[int]) -> str:
    """Return which slots, in the order given: `slots 3 and 7`, `slots 1, 4, 7 and 5 more`."""
    names = [str(slot) for slot in slots]
    if len(names) > _LISTED + 1:
        names = [*names[:_LISTED], f"{len(names) - _LISTED} more"]
    if not names:
        return "no slot"
    if len(names) == 1:
        return f"slot {names[0]}"
    return f"slots {', '.join(names[:-1])} and {names[-1]}"
