"""Exercises about rollbacks: what starts one, and what is left to go back to afterwards. Pure."""

from __future__ import annotations

from dataclasses import fields

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import untried
from labkit.lessons.checks.exercises.lives import after_failures, lives
from labkit.lessons.checks.finding import Finding, not_yet, passed
from labkit.recordings.values import RollbackConfig, UpdateConfig
from swarmsim.go import durations
from swarmsim.model.orchestration.budget import tolerated

_BROKEN, _FIRST_TAG, _BETTER = "bugged", "1.0", "faster"


def _not_rolled_back(attempt: Attempt) -> Finding:
    """Return what to say of an update that Swarm has not taken back by itself."""
    if attempt.by_hand:
        return not_yet(
            f"the newest change is a rollback by hand, to {attempt.tag}.",
            "You have asked for it. Here the swarm is to notice by itself that an image is broken.",
            f"update to {_BROKEN}, so that Swarm has a reason of its own.",
        )
    if not attempt.status.settled:
        return not_yet(
            f"the update to {attempt.tag} is not over: {attempt.message}.",
            "What becomes of it is known when its last monitor window is over.",
            "wait until the view says `rollback_completed`, and check again.",
        )
    if attempt.state == "paused":
        return not_yet(
            f"the update to {attempt.tag} was paused{after_failures(attempt)}.",
            "There were too many failures, so Swarm did what the failure action says; it was "
            "pause, which is the default.",
            f"which one setting names another action? Set it, and update to {_BROKEN} once more.",
        )
    if attempt.state == "rollback_paused":
        return not_yet(
            f"the rollback from {attempt.tag} was paused: {attempt.message}.",
            "Tasks of the old tag failed, too; a rollback that fails is not rolled back again.",
            "begin the exercise anew.",
        )
    return _completed(attempt)


def _completed(attempt: Attempt) -> Finding:
    saw = f"the update to {attempt.tag} is completed{after_failures(attempt)}."
    config = attempt.config
    if attempt.budget and not attempt.budget.watched:
        return not_yet(
            saw,
            "The failure action is continue, so Swarm does not look at failures.",
            "which action brings the old tag back?",
        )
    if any(life.failed_unprompted for life in lives(attempt)):
        count = tolerated(attempt.budget.slots if attempt.budget else 10, config.max_failure_ratio)
        return not_yet(
            saw,
            f"{attempt.failures} of these failures counted, within a monitor window of "
            f"{durations.to_text(config.monitor)}; a ratio of {config.max_failure_ratio:g} "
            f"tolerates {count}.",
            "leave ratio and monitor window at Swarm's defaults.",
        )
    return not_yet(
        saw,
        "None of its tasks failed, so there was no reason to take it back.",
        f"update to {_BROKEN}, whose tasks end at once.",
    )


# ---- which flag --------------------------------------------------------------------------


def _judge_flag(evidence: Evidence) -> Finding:
    if not evidence.attempts:
        return untried(evidence, _SET_ONE)
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
    return not_yet(
        f"{attempt.tag} was rolled back by itself{after_failures(attempt)}. Set were {_NEEDED}, "
        f"{', '.join(extra)}.",
        "With several of them set it is not clear which of them did the work.",
        f"the same without {extra[-1]}: give that its default, or begin the exercise anew, "
        "which sets none.",
    )


def _one_did_it(attempt: Attempt) -> Finding:
    return passed(
        f"{attempt.tag} was rolled back by itself{after_failures(attempt)}. Set was "
        f"{_NEEDED}, and nothing else.",
        "Whether is the failure action's business. When is that of the update's own ratio and "
        "monitor window, here the defaults: more than 0 of the slots failing within 5 s of "
        "starting, so the first failure was enough. The flags that begin with --rollback- say "
        "how a rollback goes once there is one; they start none.",
    )


_NEEDED = "--update-failure-action=rollback"
_SET_ONE = f"set one of the four, update to {_BROKEN}, and see."

WHICH_FLAG = exercise(
    "which-flag", _judge_flag, begins=Begins(tag=_FIRST_TAG, images=(Image((_BROKEN,)),))
)


# ---- the way back ------------------------------------------------------------------------


def _judge_way_back(evidence: Evidence) -> Finding:
    if not evidence.attempts:
        return untried(evidence, _BREAK)
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
    return not_yet(
        f"a rollback by hand went to {last.tag}; none was done by Swarm itself so far.",
        "By hand one can go back as long as there is a previous spec. The question is what is "
        "left of it after a rollback that Swarm does by itself, so that has to come first.",
        _BREAK,
    )


def _after_it(automatic: Attempt, later: list[Attempt]) -> Finding:
    """Return what is missing after an automatic rollback; `later` has the newest first."""
    taken_back = f"{automatic.tag} was rolled back to {automatic.before.tag} by itself"
    if not later:
        return not_yet(
            f"{taken_back}{after_failures(automatic)}. Nothing was updated since.",
            "Swarm keeps one previous spec, and the automatic rollback has used it up: "
            "`docker service rollback` is refused now. Only an update leaves a previous spec "
            "behind.",
            f"`labkit.rollback(step.worker)`, to read the refusal; then update to {_BETTER}.",
        )
    last = later[0]
    if last.by_hand:
        return not_yet(
            f"{taken_back}; then a rollback by hand to {last.tag} was begun, and it is "
            f"{last.state.replace('_', ' ')}.",
            "It counts when every slot has been given its old tag back.",
            "wait until the view says `rollback_completed`, and check again.",
        )
    if not last.status.settled:
        return not_yet(
            f"{taken_back}; the update to {last.tag} after that is not over.",
            "A rollback would be taken at once, but then it would be about half an update.",
            "wait until the view says `completed`, and then roll it back by hand.",
        )
    if last.tag == automatic.before.tag:
        return not_yet(
            f"{taken_back}; after that, {last.tag} replaced {last.before.tag} by an update.",
            "An update to the old tag is no rollback: it is governed by the update config, and "
            f"it leaves the spec with {last.before.tag} behind as the previous one, "
            "so a rollback now would lead there.",
            f"update to {_BETTER} once more, and take it back with `labkit.rollback`.",
        )
    return not_yet(
        f"{taken_back}; after that the service was updated to {last.tag}.",
        f"So there is a previous spec again, the one with {last.before.tag}, "
        "and a rollback by hand has somewhere to go.",
        "`labkit.rollback(step.worker)`, or `docker service rollback` in a terminal.",
    )


def _back_by_hand(automatic: Attempt, by_hand: Attempt) -> Finding:
    left, came = by_hand.before.tag, by_hand.tag
    way = f"from {left} to {came}" if left != came else f"to the spec before; both have {came}"
    return passed(
        f"{automatic.tag} was rolled back by itself{after_failures(automatic)}. Later a rollback "
        f"by hand took the service {way}.",
        "Swarm keeps one previous spec. An automatic rollback uses it up, and leaves none; an "
        "update leaves the spec before it. A rollback by hand swaps the two, so another one now "
        "would go forward again.",
    )


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    if not any(each.rolled_back for each in evidence.attempts):
        action = service.update_config.failure_action
        return f"The service runs {service.tag}, and its failure action is {action}."
    if service.previous_image is None:
        return "The service has no previous spec now, so a rollback is refused."
    previous = service.previous_image.rpartition(":")[2]
    return f"The service asks for {service.tag}; a rollback by hand would lead to {previous}."


_BREAK = f"update to {_BROKEN} with failure action rollback, and let Swarm take it back."

WAY_BACK = exercise(
    "way-back",
    _judge_way_back,
    begins=Begins(tag=_FIRST_TAG, images=(Image((_BROKEN,)), Image((_BETTER,)))),
    notice=_notice,
)
