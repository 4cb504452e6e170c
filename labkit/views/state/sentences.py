"""What is in a picture, said in words: for those who do not see it drawn. Pure.

What is returned has been through `words.plain`, as everything in a picture has, and is
no HTML yet.
"""

from __future__ import annotations

from labkit.views.state.picture import Json


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
    """Return how the failures of the last update stand, and of its rollback, a line each.

    The words are those of `assets/js/budget.js`.
    """
    state = picture["status"]["state"]
    told = []
    for key, of in (("budget", "Failures"), ("rollback_budget", "Failures of the rollback")):
        if budget := picture[key]:
            told.append(f"{of}: {_standing(budget, state)}{_missed(budget)}")
    return told


def _standing(budget: Json, state: str) -> str:
    if not budget["watched"]:
        return "not watched, as failure_action is continue."
    failures, tolerated, of = budget["failures"], budget["tolerated"], budget["of"]
    goes_back = budget["action"] == "rollback" and of == "update"
    if failures > tolerated:
        did = "rolled the update back" if goes_back else f"paused the {of}"
        return f"{counted(failures, 'failure')}, {tolerated or 'none'} tolerated: Swarm {did}."
    does = "rolls the update back" if goes_back else f"pauses the {of}"
    over = state in ("completed", "rollback_completed") or (
        of == "update" and state.startswith("rollback")
    )
    if not tolerated:
        none = "no failure was tolerated, and none was counted."
        return none if over else f"no failure is tolerated: the first one {does}."
    slots = counted(budget["slots"], "slot")
    which = f"of {slots} {'that were' if over else 'being'} updated"
    seen = counted(failures, "failure") if failures else "no failure"
    left = tolerated + 1 - failures
    then = f"; {'one more' if left == 1 else f'{left} more'} and Swarm {does}"
    return f"{seen} of {tolerated} tolerated ({which}){'' if over else then}."


def _missed(budget: Json) -> str:
    if not budget["watched"] or not budget["missed"]:
        return ""
    when = f"after the monitor window, or when the {budget['of']} looked it was over"
    return f" {counted(budget['missed'], 'task')} died without being counted: {when}."
