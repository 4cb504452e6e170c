"""What the readings share: which update is read, how it ended, and words for that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from labkit.base.errors import NotSettled
from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.wording import seconds
from labkit.recordings.comparison import compare
from labkit.recordings.phases import completes_after, describe
from labkit.recordings.recording import Recording
from labkit.recordings.values import UpdateConfig
from swarmsim.go import durations

# ---- which update ------------------------------------------------------------------


def newest(
    recording: Recording, fits: Callable[[Attempt], bool] = lambda _: True
) -> tuple[Attempt, bool]:
    """Return the newest update that is over and fits a question, and that it does.

    If none of them fits, the newest that is over, and that it does not. A rollback that
    somebody asked for is no update. Raises `NotSettled` if no update is over.
    """
    over = [each for each in attempts(recording) if each.update.ended and not each.by_hand]
    fitting = [each for each in over if fits(each)]
    if not over:
        raise not_over(recording, "an update")
    return (fitting or over)[-1], bool(fitting)


def not_over(recording: Recording, of: str) -> NotSettled:
    """Return that what a question is about has not happened, or is not over."""
    found = "nothing was recorded yet."
    if recording.changes:
        found = describe(recording.service, recording.current)
    return NotSettled(
        f"a recording of {of}, from its beginning to its end.",
        found,
        "run the cell that does it, wait until it is over, and compare then.",
    )


# ---- what was seen of it -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of an update that was completed; by the engine's own clock."""

    #: From its beginning until its last new task ran.
    ran: timedelta
    #: From then until the status said `completed`.
    watched: timedelta

    @property
    def total(self) -> timedelta:
        """How long the whole update took."""
        return self.ran + self.watched


def tail(attempt: Attempt) -> Tail | None:
    """Return the end of an update; `None` if it was not completed, or no new task ran."""
    slots, began = attempt.changeovers, attempt.update.started_at
    done = attempt.status.completed_at
    if attempt.state != "completed" or not slots or began is None or done is None:
        return None
    last = max(slot.ran for slot in slots)
    return Tail(last - began, done - last)


def at_worst(attempt: Attempt) -> tuple[int, int]:
    """Return the fewest replicas that ran during an update, and how many it was about."""
    run = compare([attempt.recording])[0]
    was, now = attempt.before.replicas, attempt.requested.replicas
    wanted = run.most if was is None or now is None else min(was, now)
    return run.fewest, max(run.fewest, wanted)


def workers(config: UpdateConfig, slots: int) -> int:
    """Return how many slots are in hand at the same time: 0 means one updater for each."""
    return min(config.parallelism, slots) or slots


def nearest(measured: timedelta, expected: Mapping[str, timedelta]) -> str:
    """Return the key of the value that comes nearest to what was measured."""
    return min(expected, key=lambda key: abs(expected[key] - measured))


# ---- words -------------------------------------------------------------------------


def settings(config: UpdateConfig) -> str:
    """Return the settings that time depends on: `parallelism 2 and a delay of 5s`."""
    delay = f"a delay of {durations.to_text(config.delay)}" if config.delay else "no delay"
    return f"parallelism {config.parallelism} and {delay}"


def why_then(config: UpdateConfig) -> str:
    """Return why an update is completed so long after its last new task ran."""
    monitor, delay = durations.to_text(config.monitor), durations.to_text(config.delay)
    watched = durations.to_text(completes_after(config) - config.delay)
    if not config.delay:
        return f"Swarm goes on watching the last new task for its monitor window of {monitor}."
    if config.delay < config.monitor:
        return f"The delay of {delay} comes after the last slot too, then the monitor of {monitor}."
    return (
        f"The delay of {delay} comes after the last slot too; and as it is no shorter than the "
        f"monitor window of {monitor}, Swarm then watches for the delay and a second: {watched}."
    )


def how_it_ended(attempt: Attempt) -> str:
    """Return how an update ended."""
    after = f" after {seconds(attempt.total)}" if attempt.total else ""
    if attempt.state == "completed":
        return f"the update was completed{after}."
    if attempt.rolled_back:
        return f"Swarm rolled the update back, which was completed{after}."
    if attempt.state == "paused":
        return f"Swarm paused the update{after}."
    return f"the update did not come to its end: its status is {attempt.state}{after}."
