"""Exercises about how many slots are replaced at a time, and in which order. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from labkit.base.quoted import verbatim
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import TEN, broken, judged, middle, partial, unfinished
from labkit.lessons.checks.finding import Finding, not_yet, passed
from labkit.lessons.checks.wording import counted, seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.values import UpdateConfig
from swarmsim.go import durations

_DEFAULT = UpdateConfig()
#: What both exercises update to, as notebook 1 builds it.
_NEXT = Image(("faster",), "1.1")


def _something_else(attempt: Attempt) -> Finding | None:
    """Return what to say of whatever is no completed update of all ten slots."""
    return unfinished(attempt) or partial(attempt, _UPDATE_ALL) or broken(attempt)


# ---- half the time ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long an update took, beside one slot after another with Swarm's defaults."""

    total: timedelta
    #: What a slot takes, from the moment its old task is told to stop until the new one runs.
    slot: timedelta
    slots: int

    @property
    def one_by_one(self) -> timedelta:
        return self.slots * self.slot + completes_after(_DEFAULT)

    @property
    def limit(self) -> timedelta:
        return self.one_by_one / 2

    def __str__(self) -> str:
        tail = durations.to_text(completes_after(_DEFAULT))
        return (
            f"the update took {seconds(self.total)}. One slot after another takes "
            f"{seconds(self.one_by_one)} ({self.slots} × {seconds(self.slot)}, and {tail} until "
            f"it is `completed`), and half of that is {seconds(self.limit)}."
        )


def _pace(attempt: Attempt) -> _Pace | None:
    """Return the pace of a completed update; `None` if its tasks were not seen to run."""
    if not attempt.changeovers or attempt.total is None:
        return None
    slot = middle(each.took for each in attempt.changeovers)
    if attempt.config.order == "start-first" and attempt.stops:
        slot += middle(attempt.stops.values())  # which the new task does not wait for
    return _Pace(attempt.total, slot, attempt.touched)


def _judge_time(evidence: Evidence) -> Finding:
    return judged(evidence, _in_half_the_time, _UPDATE_ALL)


def _in_half_the_time(attempt: Attempt) -> Finding:
    early = _something_else(attempt)
    if early:
        return early
    pace = _pace(attempt)
    if pace is None:
        return not_yet(
            f"no new task of {attempt.tag} was seen running.",
            "How long a slot takes is measured until its new task runs.",
            "update to an image that runs.",
        )
    return _quick(attempt, pace) if pace.total <= pace.limit else _slow(attempt, pace)


def _rounds(attempt: Attempt) -> int:
    """Return how many slots the busiest updater has."""
    at_once = attempt.config.parallelism or attempt.touched
    return math.ceil(attempt.touched / at_once)


def _slow(attempt: Attempt, pace: _Pace) -> Finding:
    config, rounds = attempt.config, _rounds(attempt)
    if config.parallelism == 1:
        return not_yet(
            str(pace),
            "With parallelism 1 there is one updater, and all "
            f"{attempt.touched} changeovers come one after another.",
            "let several slots be replaced at a time. How many are enough? Work it out first.",
        )
    if config.delay:
        slept = rounds * config.delay
        return not_yet(
            str(pace),
            f"Each updater sleeps a delay of {durations.to_text(config.delay)} after each of its "
            f"slots, the last one included: {rounds} times, that is {seconds(slept)} in which "
            "no slot changes over.",
            'the same once more with `"delay": "0s"`; a field that you leave out keeps its value.',
        )
    tail = durations.to_text(completes_after(config))
    busy = rounds * middle(each.took for each in attempt.changeovers)
    if completes_after(config) > completes_after(_DEFAULT):
        return not_yet(
            str(pace),
            f"The monitor window is {durations.to_text(config.monitor)}, so `completed` came "
            f"{tail} after the last replica had started, however many slots go at a time.",
            "go back to a monitor window of five seconds, which is Swarm's default.",
        )
    return not_yet(
        str(pace),
        f"With parallelism {config.parallelism} an updater still has {rounds} slots, one after "
        f"another: about {seconds(busy)}. The monitor window at the end does not shrink with it: "
        f"{tail} more.",
        "one step more of parallelism; or think about how long the window has to be.",
    )


def _quick(attempt: Attempt, pace: _Pace) -> Finding:
    ran = f"Never fewer than {counted(attempt.fewest, 'replica')} ran."
    saw = f"{pace} {ran if attempt.fewest else 'For a while no replica ran.'}"
    config, rounds = attempt.config, _rounds(attempt)
    reasons = []
    if config.parallelism == 1:
        reasons.append("One slot at a time was enough.")
    elif rounds == 1:
        reasons.append(
            f"All {attempt.touched} slots changed over at once"
            + (", which is why nothing was left to run." if attempt.fewest == 0 else ".")
        )
    else:
        reasons.append(
            f"With parallelism {config.parallelism} no updater had more than {rounds} slots, "
            "one after another."
        )
    if config.order == "start-first":
        reasons.append("With order start-first no new task waited for the old one to stop.")
    if config.monitor < _DEFAULT.monitor:
        reasons.append(
            f"The monitor window is {durations.to_text(config.monitor)}: a task that fails later "
            "than that after its start does not count."
        )
    else:
        reasons.append("The time from the last start to `completed` did not shrink.")
    return passed(saw, " ".join(reasons))


def _notice_config(evidence: Evidence) -> str:
    service = evidence.service
    if service is None or evidence.attempts:
        return ""
    config = service.update_config
    return (
        f"The service runs {service.tag}. The update config that it has now is parallelism "
        f"{config.parallelism}, delay {durations.to_text(config.delay)}, order {config.order}."
    )


_UPDATE_ALL = "update all ten replicas to 1.1, with an update config that you have thought about."

HALF_THE_TIME = exercise(
    "half-the-time",
    _judge_time,
    begins=Begins(tag="1.0", edits=("faster", "in pairs"), images=(_NEXT,)),
    notice=_notice_config,
)

# ---- never fewer -----------------------------------------------------------------------


def _judge_fewest(evidence: Evidence) -> Finding:
    return judged(evidence, _never_fewer, _UPDATE_ALL)


def _never_fewer(attempt: Attempt) -> Finding:
    early = _something_else(attempt)
    if early:
        return early
    saw = (
        f"all {attempt.touched} slots went to {attempt.tag}, in {_total(attempt)}; there were "
        f"{_most(attempt)} replicas running at most, and {attempt.fewest} at the worst moment."
    )
    if attempt.fewest >= TEN:
        return passed(saw, _why_enough(attempt))
    return _too_few(attempt, saw)


def _too_few(attempt: Attempt, saw: str) -> Finding:
    config, replicas = attempt.config, attempt.requested.replicas or 0
    if replicas < TEN:
        return not_yet(
            saw,
            f"The service asks for {replicas} replicas now, so there cannot be ten.",
            "scale it back to ten, and update once more.",
        )
    if config.order == "start-first":
        said = f" ({verbatim(attempt.errors[0])})" if attempt.errors else ""
        return not_yet(
            saw,
            "With order start-first no old task is told to stop before its new one runs; so "
            f"some task has ended by itself{said}.",
            "look at the slots in the view for a task that ended, and why.",
        )
    at_once = min(config.parallelism or attempt.touched, attempt.touched)
    return not_yet(
        saw,
        "With order stop-first a slot's old task is stopped before its new one starts, so the "
        f"slot is empty meanwhile. With parallelism {config.parallelism} that is up to "
        f"{at_once} of {replicas} at a time.",
        "which setting says whether the old task or the new one goes first?",
    )


def _why_enough(attempt: Attempt) -> str:
    config, replicas = attempt.config, attempt.requested.replicas or 0
    if config.order == "start-first":
        return (
            "With order start-first a slot's old task is told to stop only when its new one "
            f"runs. The price is room: {counted(_most(attempt) - replicas, 'more task')} for a "
            "while, as no updater waits until the old tasks have stopped. (A delay makes it less.)"
        )
    return (
        f"With order stop-first slots are empty while they change over, and {replicas} replicas "
        f"with parallelism {config.parallelism} left ten to run. The price is "
        f"{counted(replicas - TEN, 'task')} more, all the time."
    )


def _total(attempt: Attempt) -> str:
    return seconds(attempt.total) if attempt.total else "a time that was not seen"


def _most(attempt: Attempt) -> int:
    steps = attempt.recording.running_by_tag()
    return max((counts.total() for _, counts in steps), default=0)


NEVER_FEWER = exercise(
    "never-fewer",
    _judge_fewest,
    begins=Begins(tag="1.0", edits=("faster",), images=(_NEXT,)),
    notice=_notice_config,
)
