"""An exercise about how many failures are too many. Pure."""

from __future__ import annotations

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, Image, exercise
from labkit.lessons.checks.exercises.common import TEN, untried
from labkit.lessons.checks.exercises.lives import after_failures
from labkit.lessons.checks.finding import Finding, not_yet, passed
from swarmsim.go import durations
from swarmsim.model.orchestration.budget import exceeds, tolerated

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
        return untried(evidence, _FIRST)
    if last.by_hand:
        return not_yet(
            f"the newest change is a rollback by hand, to {last.tag}.",
            "Whoever asks for a rollback decides alone; here the settings are to decide.",
            _FIRST,
        )
    return not_yet(
        f"the newest update went to {last.tag}.",
        f"None of the two images that are half broken was tried: {_ONE} fails in slot 3, "
        f"{_THREE} in slots 3, 6 and 9.",
        _FIRST,
    )


def _not_over(attempt: Attempt) -> Finding:
    return not_yet(
        f"the update to {attempt.tag} is not over: {attempt.message or attempt.state}.",
        "Whether it stays is known when its last monitor window is over, "
        "fifteen seconds or more after its last replica has started.",
        "wait until the view says `completed` or `rollback_completed`, and check again; "
        "an update that is sent too early takes the place of the one before.",
    )


# ---- one bad task --------------------------------------------------------------------------


def _about_one_bad(attempt: Attempt, back: list[Attempt]) -> Finding:
    if not attempt.status.settled:
        return _not_over(attempt)
    if attempt.state == "completed":
        return _one_bad_stayed(attempt)
    ratio = attempt.config.max_failure_ratio
    became = "paused" if attempt.state == "paused" else "rolled back"
    saw = f"{_ONE} was {became}{after_failures(attempt)}"
    if not _too_strict(attempt):
        return not_yet(
            f"{saw}.",
            f"A ratio of {ratio:g} tolerates {tolerated(TEN, ratio)} failed slots of ten, and "
            "more of them failed.",
            f"see with `labkit.logs` which slots failed, and why; then update to {_ONE} once more.",
        )
    if back and attempt.config == attempt.before.update_config:
        return not_yet(
            f"{saw}. Its failure action was {attempt.config.failure_action}, its ratio {ratio:g}.",
            f"The rollback of {_THREE} has brought back the whole old spec, its update config "
            "included: your settings went with it.",
            f"give the settings once more, in the same call as the image {_ONE}.",
        )
    return not_yet(
        f"{saw}.",
        f"One slot of ten is a share of 0.1, and that is more than {ratio:g}: "
        "the first failure was one too many.",
        "give max_failure_ratio a value that one in ten does not exceed, and three in ten do.",
    )


def _one_bad_stayed(attempt: Attempt) -> Finding:
    action = attempt.config.failure_action
    saw = f"the update to {_ONE} is completed{after_failures(attempt)}"
    if action == "continue":
        return not_yet(
            f"{saw}.",
            f"With failure action continue Swarm does not look at failures at all. {_THREE} "
            "would be completed as well, and so would an image that fails everywhere.",
            f"choose the action that {_THREE} calls for; which share is too much is another "
            "setting.",
        )
    if action == "pause":
        return not_yet(
            f"{saw}.",
            "The failure action is pause. Were there too many failures, Swarm would stop where "
            "it is, and leave the broken tasks in place.",
            "choose the failure action that brings the old tag back, and begin the exercise anew.",
        )
    if not attempt.failures:
        return not_yet(
            f"{saw}; none was counted, as the monitor window was "
            f"{durations.to_text(attempt.config.monitor)}.",
            "The failure was not looked at in time: once the last slots are in hand, Swarm looks "
            "when all of them are done, and counts who failed no longer than a monitor window "
            "before.",
            "leave the monitor window at 15s or more, so that it outlasts the slots in hand.",
        )
    if _too_lax(attempt):
        return not_yet(
            f"{saw}. {_tolerance(attempt)}.",
            f"{_THREE} would be survived as well: three of ten are a share of 0.3, and that is not "
            f"more than {attempt.config.max_failure_ratio:g}.",
            "begin the exercise anew, with a smaller max_failure_ratio.",
        )
    return not_yet(
        f"{saw}. {_tolerance(attempt)}. That {_THREE} is rolled back was not seen yet.",
        "That a bad task is survived is half of it; a setting that survives everything would "
        "do that, too.",
        f"update to 1.0, so that no slot fails, and then to {_THREE} with the same settings. "
        "First say: what will it do?",
    )


# ---- three bad tasks -----------------------------------------------------------------------


def _about_three_bad(attempt: Attempt) -> Finding:
    if not attempt.status.settled:
        return _not_over(attempt)
    if attempt.state == "completed":
        return _three_bad_stayed(attempt)
    if attempt.state == "paused":
        return not_yet(
            f"the update to {_THREE} was paused{after_failures(attempt)}.",
            "There were too many failures, and the failure action is pause: Swarm goes no "
            "further, and brings nothing back.",
            "choose the failure action that brings the old tag back, and begin the exercise anew.",
        )
    if attempt.state == "rollback_paused":
        return _way_back_was_paused(attempt)
    if _too_strict(attempt):
        return not_yet(
            f"{_THREE} was rolled back{after_failures(attempt)}.",
            f"The ratio was {attempt.config.max_failure_ratio:g}: one failure of ten is more than "
            f"that, so {_ONE} would have been rolled back as well.",
            "give max_failure_ratio a value that one in ten does not exceed, and three in ten do.",
        )
    return not_yet(
        f"{_THREE} was rolled back{after_failures(attempt)}. "
        f"That {_ONE} is survived was not seen yet.",
        "The rollback has brought back the whole old spec, its update config included.",
        f"update to {_ONE}, with the settings that {_THREE} was updated with.",
    )


def _three_bad_stayed(attempt: Attempt) -> Finding:
    saw = f"the update to {_THREE} is completed{after_failures(attempt)}"
    if attempt.config.failure_action == "continue":
        return not_yet(
            f"{saw}.",
            "With failure action continue Swarm does not look at failures at all.",
            "choose the failure action that brings the old tag back, and begin the exercise anew.",
        )
    if _too_lax(attempt):
        return not_yet(
            f"{saw}.",
            f"Three slots of ten are a share of 0.3, and that is not more than "
            f"{attempt.config.max_failure_ratio:g}: the share has to exceed the ratio, "
            "strictly.",
            "begin the exercise anew, with a smaller max_failure_ratio.",
        )
    if attempt.budget and attempt.budget.slots < TEN:
        return not_yet(
            f"{saw}; it was about {attempt.budget.slots} slots only.",
            "Slots that run the new image already are not updated again, and their failures are "
            "not counted.",
            f"begin the exercise anew, so that all ten slots change to {_THREE}.",
        )
    if attempt.before.tag == _ONE:
        return not_yet(
            f"{saw}. It came after {_ONE}.",
            "Slot 3 was failing already. Where the restart supervisor fills it before the updater "
            "does, its task fails, but it is not the update's own and is not counted.",
            f"update to 1.0, so that no slot fails, and then to {_THREE} once more.",
        )
    return not_yet(
        f"{saw}; of them {attempt.failures} were counted.",
        f"A monitor window of {durations.to_text(attempt.config.monitor)} was over before Swarm "
        "looked: "
        "once the last slots are in hand, it looks when all of them are done.",
        "leave the monitor window at 15s or more, so that it outlasts the slots in hand.",
    )


def _way_back_was_paused(attempt: Attempt) -> Finding:
    config = attempt.before.rollback_config
    return not_yet(
        f"{_THREE} was rolled back{after_failures(attempt)}. Then the rollback itself was paused.",
        f"The way back leads to {attempt.before.tag}, where slot 3 fails once more. The rollback "
        f"has a ratio of its own, in the rollback config of the spec that comes back; it was "
        f"{config.max_failure_ratio:g}, so one failure was too many.",
        f"update to 1.0, so that no slot fails, and then to {_THREE} once more.",
    )


# ---- both ----------------------------------------------------------------------------------


def _both(kept: Attempt, back: Attempt) -> Finding:
    ratio = back.config.max_failure_ratio
    return passed(
        f"{_ONE} was completed{after_failures(kept)}. "
        f"{_THREE} was rolled back{after_failures(back)}.",
        f"{_tolerance(back)}: one of ten is not more than {ratio:g}, three are. The failure action "
        "says what happens then; it is named in the update config, as is the ratio. Failures are "
        "divided by the slots being updated, and the share has to exceed the ratio, strictly.",
    )


def _tolerance(attempt: Attempt) -> str:
    ratio = attempt.config.max_failure_ratio
    count = tolerated(TEN, ratio)
    return f"A ratio of {ratio:g} lets {count} of ten slots fail"


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    tried = {each.tag for each in evidence.attempts}
    if not tried & _BAD:
        return f"{_ONE} and {_THREE} are built; the service still runs {service.tag}."
    config = service.update_config
    return (
        f"The service asks for {service.tag}. Its failure action is {config.failure_action}, its "
        f"ratio {config.max_failure_ratio:g}. How many of ten failures does that tolerate?"
    )


_FIRST = f"fill in the blanks, and update to {_THREE}."

ONE_BAD_IN_TEN = exercise(
    "one-bad-in-ten",
    _judge,
    begins=Begins(tag="1.0", images=(Image(("one bad",)), Image(("three bad",)))),
    notice=_notice,
)
