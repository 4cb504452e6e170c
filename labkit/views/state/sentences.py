"""Small words that several parts of a view use. Pure."""

from pathlib import Path
from typing import NamedTuple

from labkit.base.rules import words
from labkit.recordings.recording import Recording
from labkit.recordings.update.tracker import Budget
from labkit.recordings.values import Provenance


class Badge(NamedTuple):
    """A word that stands beside the service's name, and the sentences behind it."""

    word: str
    meaning: str


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


def shortened(text: str, letters: int) -> str:
    """Return text of so many letters at most, `…` in place of what is cut."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def torn(lines: int) -> str:
    """Return how much of a recording's file could not be read, as a sentence, or `""`."""
    if not lines:
        return ""
    verb = f"{counted(lines, 'line')} of the file could not be read"
    return f"{verb}; the rest is shown."


def left_out(recording: Recording) -> str:
    """Return how much of a long recording a view leaves out, as a sentence, or `""`."""
    if not recording.left_out:
        return ""
    since = f"{recording.header.started:%Y-%m-%d %H:%M:%S} UTC"
    first = counted(recording.left_out, "change")
    return f"The recording is long: its first {first} are not shown, and times count from {since}."


def badge_of(provenance: Provenance) -> Badge | None:
    """Return what a view says of itself if it comes from there; `None` for a Docker engine."""
    meanings = words(Path(__file__).with_name("badges.yaml"))
    return Badge(provenance, meanings[provenance]) if provenance in meanings else None


def budget_words(budget: Budget, state: str) -> list[str]:
    """Return a failure budget in sentences, given the update state; the first sums it up."""
    if not budget.watched:
        return ["Not watched, because failure_action is continue."]
    if not budget.missed:
        return [_standing(budget, state)]
    when = f"the monitor window was over when it died, or when the {budget.of} checked"
    died = f"{counted(len(budget.missed), 'task')} died without being counted: {when}."
    return [_standing(budget, state), died]


def _standing(budget: Budget, state: str) -> str:
    failures, tolerated, of = budget.failures, budget.tolerated, budget.of
    goes_back = budget.config.failure_action == "rollback" and of == "update"
    if failures > tolerated:
        did = "rolled the update back" if goes_back else f"paused the {of}"
        return f"{counted(failures, 'failure')}, {tolerated or 'none'} tolerated: Swarm {did}."
    does = "rolls the update back" if goes_back else f"pauses the {of}"
    over = state in ("completed", "rollback_completed") or (
        of == "update" and state.startswith("rollback")
    )
    if not tolerated:
        none = "No failure was tolerated, and none was counted."
        return none if over else f"No failure is tolerated: the first one {does}."
    which = f"of {counted(budget.slots, 'slot')} {'that were' if over else 'being'} updated"
    seen = counted(failures, "failure") if failures else "No failures"
    left = tolerated + 1 - failures
    then = f"; {'one more' if left == 1 else f'{left} more'} and Swarm {does}"
    return f"{seen} of {tolerated} tolerated ({which}){'' if over else then}."
