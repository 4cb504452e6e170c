"""An exercise about how many failures are too many. Pure."""

from __future__ import annotations

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import TEN, untried
from labkit.lessons.checks.finding import Finding, Findings
from swarmsim.model.orchestration.budget import exceeds, tolerated

_SAY = Findings("failing")

_ONE, _THREE = "one-bad", "three-bad"
_BAD = {_ONE, _THREE}


def _judge(evidence: Evidence) -> Finding:
    tried = [each for each in evidence.attempts if each.tag in _BAD and not each.by_hand]
    if not tried:
        return _of_something_else(evidence)
    kept = [each for each in tried if _kept(each)]
    back = [each for each in tried if _went_back(each)]
    if kept and back:
        return _both(kept[0], back[0])
    return _about_one_bad(tried[0], back) if tried[0].tag == _ONE else _about_three_bad(tried[0])


def _kept(attempt: Attempt) -> bool:
    """Whether one bad task in ten was survived, by a config that would roll back three."""
    done = attempt.tag == _ONE and attempt.state == "completed" and attempt.failures > 0
    return done and attempt.config.failure_action == "rollback" and not _too_lax(attempt)


def _went_back(attempt: Attempt) -> bool:
    """Whether three bad tasks were rolled back, by a config that tolerates one."""
    return attempt.tag == _THREE and attempt.rolled_back and not _too_strict(attempt)


def _too_strict(attempt: Attempt) -> bool:
    return exceeds(1, TEN, attempt.config.max_failure_ratio)


def _too_lax(attempt: Attempt) -> bool:
    return not exceeds(3, TEN, attempt.config.max_failure_ratio)


# ---- before there is anything to judge ---------------------------------------------------


def _of_something_else(evidence: Evidence) -> Finding:
    last = evidence.last
    if last is None:
        return untried(evidence, _SAY.text("first"))
    if last.by_hand:
        return _SAY.not_yet("rollback-by-hand", last=last)
    return _SAY.not_yet("another-image", last=last)


def _not_over(attempt: Attempt) -> Finding:
    return _SAY.not_yet("not-over", attempt=attempt, now=attempt.message or attempt.state)


# ---- one bad task --------------------------------------------------------------------------


def _about_one_bad(attempt: Attempt, back: list[Attempt]) -> Finding:
    if not attempt.status.settled:
        return _not_over(attempt)
    if attempt.state == "completed":
        return _one_bad_stayed(attempt)
    became = "paused" if attempt.state == "paused" else "rolled back"
    if not _too_strict(attempt):
        return _SAY.not_yet(
            "one-bad-more-failed", became=became, attempt=attempt, tolerated=_tolerated(attempt)
        )
    if back and attempt.config == attempt.before.update_config:
        return _SAY.not_yet("one-bad-settings-gone", became=became, attempt=attempt)
    return _SAY.not_yet("one-bad-too-strict", became=became, attempt=attempt)


def _one_bad_stayed(attempt: Attempt) -> Finding:
    action = attempt.config.failure_action
    if action == "continue":
        return _SAY.not_yet("one-bad-continue", attempt=attempt)
    if action == "pause":
        return _SAY.not_yet("one-bad-pause", attempt=attempt)
    if not attempt.failures:
        return _SAY.not_yet("one-bad-not-counted", attempt=attempt)
    if _too_lax(attempt):
        return _SAY.not_yet("one-bad-too-lax", tolerated=_tolerated(attempt), attempt=attempt)
    return _SAY.not_yet("one-bad-kept", attempt=attempt, tolerated=_tolerated(attempt))


# ---- three bad tasks -----------------------------------------------------------------------


def _about_three_bad(attempt: Attempt) -> Finding:
    if not attempt.status.settled:
        return _not_over(attempt)
    if attempt.state == "completed":
        return _three_bad_stayed(attempt)
    if attempt.state == "paused":
        return _SAY.not_yet("three-bad-paused", attempt=attempt)
    if attempt.state == "rollback_paused":
        return _way_back_was_paused(attempt)
    if _too_strict(attempt):
        return _SAY.not_yet("three-bad-too-strict", attempt=attempt)
    return _SAY.not_yet("three-bad-rolled-back", attempt=attempt)


def _three_bad_stayed(attempt: Attempt) -> Finding:
    if attempt.config.failure_action == "continue":
        return _SAY.not_yet("three-bad-continue", attempt=attempt)
    if _too_lax(attempt):
        return _SAY.not_yet("three-bad-too-lax", attempt=attempt)
    if attempt.budget and attempt.budget.slots < TEN:
        return _SAY.not_yet("three-bad-some-slots", attempt=attempt)
    if attempt.before.tag == _ONE:
        return _SAY.not_yet("three-bad-after-one", attempt=attempt)
    return _SAY.not_yet("three-bad-not-counted", attempt=attempt)


def _way_back_was_paused(attempt: Attempt) -> Finding:
    config = attempt.before.rollback_config
    return _SAY.not_yet("three-bad-rollback-paused", attempt=attempt, config=config)


# ---- both ----------------------------------------------------------------------------------


def _both(kept: Attempt, back: Attempt) -> Finding:
    return _SAY.passed("passed", kept=kept, back=back, tolerated=_tolerated(back))


def _tolerated(attempt: Attempt) -> int:
    """Return how many of ten slots may fail."""
    return tolerated(TEN, attempt.config.max_failure_ratio)


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    tried = {each.tag for each in evidence.attempts}
    if not tried & _BAD:
        return _SAY.text("notice-untried", service=service)
    return _SAY.text("notice-tried", service=service)


ONE_BAD_IN_TEN = exercise(
    "one-bad-in-ten",
    _judge,
    begins=Begins(tag="1.0", images=(Image(("one bad",)), Image(("three bad",)))),
    notice=_notice,
)
