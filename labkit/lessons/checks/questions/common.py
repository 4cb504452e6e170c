"""What readings share: which update is read, and how it ended. Pure."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from labkit.base.errors import NotSettled
from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.recordings.recording import Recording
from labkit.recordings.update.phases import described

# ---- which update ------------------------------------------------------------------


def newest(
    recording: Recording, fits: Callable[[Attempt], bool] = lambda _: True
) -> tuple[dict[str, Any], Attempt]:
    """Return what is known of the newest update that is over and fits a question, and it.

    If none of them fits, of the newest that is over. A rollback that somebody asked for is not
    an update. Raises `NotSettled` if no update is over.
    """
    over = [each for each in attempts(recording) if each.update.ended and not each.by_hand]
    fitting = [each for each in over if fits(each)]
    if not over:
        raise not_over(recording, "an update")
    attempt = (fitting or over)[-1]
    facts = {
        "attempt": attempt,
        "fits": bool(fitting),
        "config": attempt.config,
        "budget": attempt.budget,
        "end": attempt.end,
    }
    return facts, attempt


def not_over(recording: Recording, of: str) -> NotSettled:
    """Return that what a question is about has not happened, or is not over."""
    found = "nothing has been recorded yet."
    if recording.changes:
        found = described(recording)
    return NotSettled(
        f"a recording of {of}, from its beginning to its end.",
        found,
        "run the cell that does it, wait until it has finished, and compare then.",
    )


# ---- what was seen of it -----------------------------------------------------------


def at_worst(attempt: Attempt) -> tuple[int, int]:
    """Return the fewest replicas that ran during an update, and how many it was about."""
    was, now = attempt.before.replicas, attempt.requested.replicas
    wanted = attempt.most if was is None or now is None else min(was, now)
    return attempt.fewest, max(attempt.fewest, wanted)


def nearest(measured: timedelta, expected: Mapping[str, timedelta]) -> str:
    """Return the key of the value that comes nearest to what was measured."""
    return min(expected, key=lambda key: abs(expected[key] - measured))
