"""Exercises about rollbacks: what starts one, and what is left to go back to afterwards. Pure."""

from __future__ import annotations

from dataclasses import fields

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import untried
from labkit.lessons.checks.finding import Finding, Findings
from labkit.recordings.values import RollbackConfig, UpdateConfig
from swarmsim.go import durations
from swarmsim.model.orchestration.budget import tolerated

_SAY = Findings("returning")

_BROKEN, _FIRST_TAG, _BETTER = "bugged", "1.0", "faster"


def _not_rolled_back(attempt: Attempt) -> Finding:
    """Return what to say of an update that Swarm has not taken back by itself."""
    if attempt.by_hand:
        return _SAY.not_yet("rollback-by-hand", attempt=attempt)
    if not attempt.status.settled:
        return _SAY.not_yet("not-over", attempt=attempt)
    if attempt.state == "paused":
        return _SAY.not_yet("paused", attempt=attempt)
    if attempt.state == "rollback_paused":
        return _SAY.not_yet("rollback-paused", attempt=attempt)
    return _completed(attempt)


def _completed(attempt: Attempt) -> Finding:
    config = attempt.config
    if attempt.budget and not attempt.budget.watched:
        return _SAY.not_yet("continue", attempt=attempt)
    if any(life.failed_unprompted for life in attempt.lives):
        count = tolerated(attempt.budget.slots if attempt.budget else 10, config.max_failure_ratio)
        return _SAY.not_yet("tolerated", attempt=attempt, config=config, count=count)
    return _SAY.not_yet("none-failed", attempt=attempt)


# ---- which flag --------------------------------------------------------------------------


def _judge_flag(evidence: Evidence) -> Finding:
    if not evidence.attempts:
        return untried(evidence, _SAY.text("set-one"))
    back = [each for each in evidence.attempts if each.rolled_back]
    for each in back:
        if not _extra(each):
            return _one_did_it(each)
    last = evidence.attempts[0]
    return _more_than_needed(last) if last.rolled_back else _not_rolled_back(last)


def _extra(attempt: Attempt) -> list[str]:
    """Return the flags that were set and need not have been, as docker spells them.

    The rollback config that governs is that of the spec that comes back; what the failing
    update itself asked for counts as tried, too.
    """
    update = _set(attempt.config, UpdateConfig(), "update")
    asked = _set(attempt.requested.rollback_config, RollbackConfig(), "rollback")
    governing = _set(attempt.before.rollback_config, RollbackConfig(), "rollback")
    extra = list(dict.fromkeys([*update, *governing, *asked]))
    return [flag for flag in extra if flag != _NEEDED]


def _set(config: UpdateConfig, default: UpdateConfig, kind: str) -> list[str]:
    """Return what differs from Swarm's defaults, as flags of `docker service update`."""
    names = [each.name for each in fields(UpdateConfig)]
    differs = [name for name in names if getattr(config, name) != getattr(default, name)]
    return [
        f"--{kind}-{name.replace('_', '-')}={_value(getattr(config, name))}" for name in differs
    ]


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int | str) else durations.to_text(value)  # type: ignore[arg-type]


def _more_than_needed(attempt: Attempt) -> Finding:
    extra = _extra(attempt)
    return _SAY.not_yet("more-flags", attempt=attempt, listed=", ".join(extra), extra=extra[-1])


def _one_did_it(attempt: Attempt) -> Finding:
    return _SAY.passed("one-flag", attempt=attempt)


_NEEDED = "--update-failure-action=rollback"

WHICH_FLAG = exercise(
    "which-flag", _judge_flag, begins=Begins(tag=_FIRST_TAG, images=(Image((_BROKEN,)),))
)


# ---- the way back ------------------------------------------------------------------------


def _judge_way_back(evidence: Evidence) -> Finding:
    if not evidence.attempts:
        return untried(evidence, _SAY.text("break"))
    automatic = [n for n, each in enumerate(evidence.attempts) if each.rolled_back]
    if not automatic:
        return _none_by_itself(evidence)
    later = evidence.attempts[: automatic[-1]]
    done = [each for each in later if each.by_hand and each.state == "rollback_completed"]
    if done:
        return _back_by_hand(evidence.attempts[automatic[-1]], done[0])
    return _after_it(evidence.attempts[automatic[0]], evidence.attempts[: automatic[0]])


def _none_by_itself(evidence: Evidence) -> Finding:
    last = evidence.attempts[0]
    if not last.by_hand:
        return _not_rolled_back(last)
    return _SAY.not_yet("only-by-hand", last=last)


def _after_it(automatic: Attempt, later: list[Attempt]) -> Finding:
    """Return what is missing after an automatic rollback; `later` has the newest first."""
    if not later:
        return _SAY.not_yet("nothing-since", automatic=automatic)
    last = later[0]
    if last.by_hand:
        return _SAY.not_yet(
            "rollback-not-over", automatic=automatic, last=last, state=last.state.replace("_", " ")
        )
    if not last.status.settled:
        return _SAY.not_yet("update-not-over", automatic=automatic, last=last)
    if last.tag == automatic.before.tag:
        return _SAY.not_yet("back-by-update", automatic=automatic, last=last)
    return _SAY.not_yet("updated-since", automatic=automatic, last=last)


def _back_by_hand(automatic: Attempt, by_hand: Attempt) -> Finding:
    left, came = by_hand.before.tag, by_hand.tag
    way = _SAY.text("to-another" if left != came else "to-the-same", left=left, came=came)
    return _SAY.passed("passed", automatic=automatic, way=way)


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    if not any(each.rolled_back for each in evidence.attempts):
        return _SAY.text("notice-before", service=service)
    if service.previous_image is None:
        return _SAY.text("notice-no-spec")
    previous = service.previous_image.rpartition(":")[2]
    return _SAY.text("notice-after", service=service, previous=previous)


WAY_BACK = exercise(
    "way-back",
    _judge_way_back,
    begins=Begins(tag=_FIRST_TAG, images=(Image((_BROKEN,)), Image((_BETTER,)))),
    notice=_notice,
)
