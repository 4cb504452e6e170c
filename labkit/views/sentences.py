"""What is in a picture, said in words: for those who do not see it drawn. Pure.

What is returned has been through `words.plain`, as everything in a picture has, and is
no HTML yet.
"""

from __future__ import annotations

from labkit.views.picture import Json


def minutes(ms: float) -> str:
    """Return a time since the recording began as `m:ss`."""
    seconds = round(ms) // 1000
    return f"{'-' if seconds < 0 else ''}{abs(seconds) // 60}:{abs(seconds) % 60:02}"


def spoken(state: str) -> str:
    """Return an update state as people say it."""
    return state.replace("_", " ") or "not updated yet"


def counted(count: int, what: str) -> str:
    """Return a count with its noun: `1 failure`, `2 failures`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def running(picture: Json) -> list[tuple[str, int]]:
    """Return how many replicas of each tag ran at the end, in the order of `tags`."""
    last = picture["steps"][-1][1] if picture["steps"] else []
    counts = [*last, *[0] * (len(picture["tags"]) - len(last))]
    return [(tag, count) for (tag, *_), count in zip(picture["tags"], counts, strict=True)]


def torn(lines: int) -> str:
    """Return how much of a recording's file could not be read, as a sentence, or `""`."""
    if not lines:
        return ""
    verb = f"{counted(lines, 'line')} of the file could not be read"
    return f"{verb}; what is drawn is what could."


def phases(picture: Json) -> list[str]:
    """Return the update status over time, a line each, with Docker's message."""
    told = []
    for number, (at, state, message, meaning) in enumerate(picture["phases"]):
        says = f" Docker says: “{message}”." if message else ""
        before = "before this: " if number == 0 and state else ""
        told.append(f"{minutes(at)} {before}{spoken(state)}.{says} {meaning}".rstrip())
    return told


def budgets(picture: Json) -> list[str]:
    """Return what happened to the failures of the last update, and of its rollback."""
    return [_budget(found) for key in ("budget", "rollback_budget") if (found := picture.get(key))]


def _budget(budget: Json) -> str:
    of = f"The {budget['of']} of {counted(budget['slots'], 'slot')}"
    if not budget["watched"]:
        return f"{of}: failures are not counted, as the failure action is continue."
    failures = counted(budget["failures"], "failure")
    tolerated = f"{budget['tolerated']:,} tolerated" if budget["tolerated"] else "none tolerated"
    words = f"{of}: {failures}, {tolerated} (max failure ratio {budget['ratio']:g}). "
    if budget["failures"] > budget["tolerated"]:
        words += f"That is too many, and means {budget['action']}."
    else:
        left = budget["tolerated"] - budget["failures"] + 1
        words += f"{counted(left, 'failure')} more would mean {budget['action']}."
    if budget["missed"]:
        words += f" Not counted: {counted(budget['missed'], 'task')} that ended too late."
    return words
