"""The facts of exercises that ask for a faster, or a safer, update config. Pure."""

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from statistics import median_high

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.recordings.update.phases import completes_after
from labkit.recordings.values import UpdateConfig

_DEFAULT = UpdateConfig()


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


@partial(exercise, "half-the-time", any_update=True)
def _facts(_: Evidence, attempt: Attempt | None) -> Facts:
    if attempt is None or not attempt.changeovers or attempt.total is None:
        return {"pace": None}  # its tasks were not seen to run
    took = median_high(each.took for each in attempt.changeovers)
    slot = took
    if attempt.config.order == "start-first" and attempt.stops:
        slot += median_high(attempt.stops.values())  # which the new task does not wait for
    # how many slots the busiest updater has
    rounds = math.ceil(attempt.touched / attempt.at_once) if attempt.touched else 0
    return {
        "pace": _Pace(attempt.total, slot, attempt.touched),
        "rounds": rounds,
        "busy": rounds * took,
        "default": _DEFAULT,
        "default_tail": completes_after(_DEFAULT),
    }


NEVER_FEWER = exercise("never-fewer", any_update=True)
