"""The parts of a view, and which of them somebody asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.base.errors import BadValue

#: In the order in which they stand.
PARTS = ("head", "phases", "replicas", "slots", "speed", "budget", "table")
#: Those that share the time axis.
CHARTS = ("phases", "replicas", "slots", "speed")


def known_parts(parts: Iterable[str] | None) -> list[str]:
    """Return the parts in the order in which they stand; all of them for `None`.

    Raises `BadValue` for one that no view has, and for none at all.
    """
    if parts is None:
        return list(PARTS)
    asked = [parts] if isinstance(parts, str) or not isinstance(parts, Iterable) else list(parts)
    if not asked:
        raise BadValue(f"a view has some of the parts {', '.join(PARTS)}, not none")
    for part in asked:
        if part not in PARTS:
            raise BadValue(f"a view has no part {part!r}; it has {', '.join(PARTS)}")
    return [part for part in PARTS if part in asked]
