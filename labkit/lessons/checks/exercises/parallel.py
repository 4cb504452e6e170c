"""Exercises about how many slots are replaced at a time, and in which order. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import (
    TEN,
    broken,
    judged,
    middle,
    partial,
    said,
    unfinished,
)
from labkit.lessons.checks.finding import Finding, Findings
from labkit.lessons.checks.wording import seconds
from labkit.recordings.phases import completes_after
from labkit.recordings.values import UpdateConfig
from swarmsim.go import durations

_SAY = Findings("parallel")

_DEFAULT = UpdateConfig()
#: What both exercises update to, as notebook 1 builds it.
_NEXT = Image(("faster",), "1.1")


def _something_else(attempt: Attempt) -> Finding | None:
    """Return the finding for anything but a completed update of all ten slots."""
    return unfinished(attempt) or partial(attempt, _SAY.text("first")) or broken(attempt)


# ---- half the time ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long an update took, beside one slot after another with Swarm's defaults."""

    total: timedelta
    #: What a slot takes, from the stop request of its old task until the new task runs.
    slot: timedelta
    slots: int

    @property
    def one_by_one(self) -> timedelta:
        return self.slots * self.slot + completes_after(_DEFAULT)

    @property
    def limit(self) -> timedelta:
        return self.one_by_one / 2

    def __str__(self) -> str:
        return _SAY.text("pace", pace=self, tail=completes_after(_DEFAULT))


def _pace(attempt: Attempt) -> _Pace | None:
    """Return the pace of a completed update; `None` if its tasks were not seen to run."""
    if not attempt.changeovers or attempt.total is None:
        return None
    slot = middle(each.took for each in attempt.changeovers)
    if attempt.config.order == "start-first" and attempt.stops:
        slot += middle(attempt.stops.values())  # which the new task does not wait for
    return _Pace(attempt.total, slot, attempt.touched)


def _judge_time(evidence: Evidence) -> Finding:
    return judged(evidence, _in_half_the_time, _SAY.text("first"))


def _in_half_the_time(attempt: Attempt) -> Finding:
    early = _something_else(attempt)
    if early:
        return early
    pace = _pace(attempt)
    if pace is None:
        return _SAY.not_yet("none-ran", attempt=attempt)
    return _quick(attempt, pace) if pace.total <= pace.limit else _slow(attempt, pace)


def _rounds(attempt: Attempt) -> int:
    """Return how many slots the busiest updater has."""
    at_once = attempt.config.parallelism or attempt.touched
    return math.ceil(attempt.touched / at_once)


def _slow(attempt: Attempt, pace: _Pace) -> Finding:
    config, rounds = attempt.config, _rounds(attempt)
    if config.parallelism == 1:
        return _SAY.not_yet("slow-one-by-one", pace=pace, attempt=attempt)
    if config.delay:
        slept = rounds * config.delay
        return _SAY.not_yet("slow-delay", pace=pace, config=config, rounds=rounds, slept=slept)
    tail = durations.to_text(completes_after(config))
    busy = rounds * middle(each.took for each in attempt.changeovers)
    if completes_after(config) > completes_after(_DEFAULT):
        return _SAY.not_yet("slow-monitor", pace=pace, config=config, tail=tail)
    return _SAY.not_yet(
        "slow-rounds", pace=pace, config=config, rounds=rounds, busy=busy, tail=tail
    )


def _quick(attempt: Attempt, pace: _Pace) -> Finding:
    config, rounds = attempt.config, _rounds(attempt)
    if config.parallelism == 1:
        reasons = ["one-slot"]
    elif rounds == 1:
        reasons = ["all-at-once" if attempt.fewest else "none-left"]
    else:
        reasons = ["few-rounds"]
    reasons += ["no-waiting"] if config.order == "start-first" else []
    reasons.append("short-window" if config.monitor < _DEFAULT.monitor else "same-window")
    ran = _SAY.text("ran" if attempt.fewest else "none-ran-for-a-while", attempt=attempt)
    why = (_SAY.text(each, attempt=attempt, rounds=rounds) for each in reasons)
    return _SAY.passed("fast-enough", pace=pace, ran=ran, why=" ".join(why))


def _notice_config(evidence: Evidence) -> str:
    service = evidence.service
    if service is None or evidence.attempts:
        return ""
    return _SAY.text("notice", service=service)


HALF_THE_TIME = exercise(
    "half-the-time",
    _judge_time,
    begins=Begins(tag="1.0", edits=("faster", "in pairs"), images=(_NEXT,)),
    notice=_notice_config,
)

# ---- never fewer -----------------------------------------------------------------------


def _judge_fewest(evidence: Evidence) -> Finding:
    return judged(evidence, _never_fewer, _SAY.text("first"))


def _never_fewer(attempt: Attempt) -> Finding:
    early = _something_else(attempt)
    if early:
        return early
    total = seconds(attempt.total) if attempt.total else _SAY.text("not-seen")
    saw = _SAY.text("all-went", attempt=attempt, total=total, most=_most(attempt))
    if attempt.fewest >= TEN:
        return _SAY.passed("never-fewer", saw=saw, why=_why_enough(attempt))
    return _too_few(attempt, saw)


def _too_few(attempt: Attempt, saw: str) -> Finding:
    config, replicas = attempt.config, attempt.requested.replicas or 0
    if replicas < TEN:
        return _SAY.not_yet("fewer-replicas", saw=saw, replicas=replicas)
    if config.order == "start-first":
        return _SAY.not_yet("fewer-start-first", saw=saw, said=said(attempt))
    at_once = min(config.parallelism or attempt.touched, attempt.touched)
    return _SAY.not_yet(
        "fewer-stop-first", saw=saw, config=config, at_once=at_once, replicas=replicas
    )


def _why_enough(attempt: Attempt) -> str:
    replicas = attempt.requested.replicas or 0
    if attempt.config.order == "start-first":
        return _SAY.text("enough-start-first", more=_most(attempt) - replicas)
    more = replicas - TEN
    return _SAY.text("enough-stop-first", attempt=attempt, replicas=replicas, more=more)


def _most(attempt: Attempt) -> int:
    steps = attempt.recording.running_by_tag()
    return max((counts.total() for _, counts in steps), default=0)


NEVER_FEWER = exercise(
    "never-fewer",
    _judge_fewest,
    begins=Begins(tag="1.0", edits=("faster",), images=(_NEXT,)),
    notice=_notice_config,
)
