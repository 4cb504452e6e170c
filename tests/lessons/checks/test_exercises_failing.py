"""Exercises about failures: untouched, with each known mistake, and done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from labkit.base.quoted import unmarked
from labkit.lessons.checks import EXERCISES, Evidence, Finding
from labkit.lessons.checks.exercises.failing import ONE_BAD_IN_TEN
from labkit.lessons.checks.exercises.silent import SILENT_BUG
from labkit.recordings import story
from labkit.recordings.recording import Change, HashesSeen, Recording
from swarmsim.model import Behaviour
from tests.played import CRASHES, RUNS, Played

#: What the stub gives.
GIVEN: dict[str, Any] = {"parallelism": 5, "monitor": "15s"}
SOLVED: dict[str, Any] = {**GIVEN, "failure_action": "rollback", "max_failure_ratio": 0.2}


def evidence(played: Played, *tags: str) -> Evidence:
    made = played.recording
    return Evidence(recording=made, service=made.service, tags=frozenset(tags), now=played.now)


def bad_in(*slots: int) -> Callable[[int], Behaviour]:
    return lambda slot: CRASHES if slot in slots else RUNS


def one_bad(played: Played, **config: Any) -> None:
    played.update("one-bad", bad_in(3), **config)


def three_bad(played: Played, **config: Any) -> None:
    played.update("three-bad", bad_in(3, 6, 9), **config)


def judged(played: Played) -> Finding:
    return ONE_BAD_IN_TEN.judge(evidence(played))


def test_the_exercises_are_in_the_lesson() -> None:
    assert {"one-bad-in-ten", "silent-bug"} <= EXERCISES.keys()


# ---- one bad in ten ------------------------------------------------------------------------


def test_one_bad_untouched_is_not_attempted() -> None:
    found = judged(Played())

    assert found.outcome == "not attempted"
    assert "runs 1.0" in found.saw


def test_three_bad_are_rolled_back_and_one_is_survived() -> None:
    played = Played()
    three_bad(played, **SOLVED)
    one_bad(played, **SOLVED)

    found = judged(played)
    assert found.passed
    assert "completed, after a task in slot 3 had failed" in found.saw
    assert "slots 3, 6 and 9" in found.saw
    assert "A ratio of 0.2 lets 2 of ten slots fail" in found.because


def test_one_bad_may_come_first_if_no_slot_fails_when_three_bad_comes() -> None:
    played = Played()
    one_bad(played, **SOLVED)
    played.update("1.0")
    three_bad(played)

    assert judged(played).passed


def test_without_the_settings_the_second_update_goes_by_the_old_config() -> None:
    played = Played()
    three_bad(played, **SOLVED)
    one_bad(played)

    found = judged(played)
    assert found.outcome == "not yet"
    assert "Its failure action was pause, its ratio 0." in found.saw
    assert "brought back the whole old spec" in found.because


@pytest.mark.parametrize(
    ("config", "saw", "because"),
    [
        ({"failure_action": "rollback"}, "was rolled back, after", "0.1, and that is more than 0"),
        ({}, "was paused, after a task in slot 3", "0.1, and that is more than 0"),
        (SOLVED | {"failure_action": "pause"}, "is completed", "The failure action is pause"),
        (SOLVED | {"failure_action": "continue"}, "is completed", "not look at failures at all"),
        (SOLVED | {"monitor": "100ms"}, "the monitor window was 100ms", "not looked at in time"),
        (SOLVED, "That three-bad is rolled back was not seen yet", "is half of it"),
        (SOLVED | {"max_failure_ratio": 0.3}, "lets 3 of ten", "would be survived as well"),
        ({**SOLVED, "seconds": 8}, "is not over: update in progress", "last monitor window"),
    ],
)
def test_each_mistake_with_one_bad_has_its_own_message(
    config: dict[str, Any], saw: str, because: str
) -> None:
    played = Played()
    one_bad(played, **GIVEN | config)

    found = judged(played)
    assert found.outcome == "not yet"
    assert saw in unmarked(found.saw)
    assert because in found.because


def test_one_bad_with_a_failure_of_another_slot_is_told_to_look() -> None:
    played = Played()
    played.update("one-bad", bad_in(1, 2, 3), **SOLVED)

    assert "and more of them failed" in judged(played).because


@pytest.mark.parametrize(
    ("config", "saw", "because"),
    [
        ({"failure_action": "rollback"}, "was rolled back", "one-bad would have been"),
        (SOLVED | {"max_failure_ratio": 0.3}, "is completed", "0.3, and that is not more than 0.3"),
        (SOLVED | {"failure_action": "pause"}, "was paused", "brings nothing back"),
        (SOLVED | {"failure_action": "continue"}, "is completed", "not look at failures at all"),
        (SOLVED | {"monitor": "100ms", "parallelism": 0}, "of them 0 were counted", "of 100ms"),
        (SOLVED, "That one-bad is survived was not seen yet", "its update config included"),
    ],
)
def test_each_mistake_with_three_bad_has_its_own_message(
    config: dict[str, Any], saw: str, because: str
) -> None:
    played = Played()
    three_bad(played, **GIVEN | config)

    found = judged(played)
    assert found.outcome == "not yet"
    assert saw in unmarked(found.saw)
    assert because in found.because


def test_a_slot_that_is_failing_already_may_hide_a_failure_or_pause_the_way_back() -> None:
    """What the restart supervisor makes is not counted; which of the two is first is chance."""
    found = {way_back(seed) for seed in range(8)}
    reasons = " ".join(each.because for each in found)

    assert "Slot 3 was failing already" in reasons
    assert "leads to one-bad, where slot 3 fails once more" in reasons
    assert "it was 0, so one failure was too many" in reasons


def way_back(seed: int) -> Finding:
    played = Played(seed=seed)
    one_bad(played, **SOLVED, rollback={"parallelism": 0})
    three_bad(played)
    return judged(played)


def test_three_bad_where_it_runs_already_is_about_fewer_slots() -> None:
    played = Played()
    three_bad(played, **GIVEN)  # paused; some slots have it
    three_bad(played, **SOLVED)

    assert not judged(played).passed


def test_another_image_and_a_rollback_by_hand_are_said_to_be_something_else() -> None:
    played = Played()
    played.update("1.1")
    assert "the newest update went to 1.1" in judged(played).saw
    played.roll_back()
    assert "rollback by hand, to 1.0" in judged(played).saw


def test_the_notice_of_one_bad_goes_by_the_state_of_the_service() -> None:
    played = Played()
    assert "still runs 1.0" in ONE_BAD_IN_TEN.notice(evidence(played))
    one_bad(played, **SOLVED)
    assert "failure action is rollback, its ratio 0.2" in ONE_BAD_IN_TEN.notice(evidence(played))


# ---- a silent bug --------------------------------------------------------------------------

#: Found unhealthy; it obeys SIGTERM with exit code 0, as the worker does, or with another.
SICK = Behaviour(unhealthy_after=timedelta(seconds=8))
SICK_AND_LOUD = Behaviour(unhealthy_after=timedelta(seconds=8), stop_code=1)
WELL = Behaviour(healthy_after=timedelta(seconds=4))
BACK: dict[str, Any] = {"failure_action": "rollback"}


def said(played: Played, *tags: str) -> Finding:
    return SILENT_BUG.judge(evidence(played, *tags))


def test_silent_bug_untouched_is_not_attempted() -> None:
    assert said(Played()).outcome == "not attempted"


@pytest.mark.parametrize("sick", [SICK, SICK_AND_LOUD])
def test_a_check_that_catches_the_bug_and_lets_a_mended_image_through_passes(
    sick: Behaviour,
) -> None:
    played = Played()
    played.update("stuck", **BACK)
    played.roll_back()
    played.update("checked", sick, **BACK)
    caught = said(played)
    assert caught.outcome == "not yet"
    assert "checked was rolled back by itself, after a task in slot" in caught.saw
    assert "No other image with that check was tried" in caught.saw

    played.update("mended", WELL, parallelism=5)

    found = said(played)
    assert found.passed
    assert "mended was completed in" in found.saw
    assert ("exit code 0" in found.saw) == (sick is SICK)
    assert ("unhealthy container" in found.saw) == (sick is SICK_AND_LOUD)


@pytest.mark.parametrize("tag", ["stuck", "1.1"])
def test_without_a_health_check_the_bug_is_not_noticed(tag: str) -> None:
    played = Played()
    played.update(tag, **BACK)

    found = said(played)
    assert found.outcome == "not yet"
    assert "is completed: 10 replicas run it, none of its tasks failed" in found.saw
    assert "Without a health check nothing looks" in found.because
    assert "HEALTHCHECK" in found.try_next


def test_that_nobody_works_any_more_is_said_where_hashes_were_seen() -> None:
    played = Played()
    played.wait(30)
    played.update("stuck", **BACK)
    made = played.recording
    began = story.first_update(made).began
    hashes = 0
    seen: list[Change] = []
    for second in range(-20, 21):
        hashes += 30 if second < 2 else 0
        at = began + timedelta(seconds=second)
        seen.append(HashesSeen(at, hashes, at.timestamp()))
    counted = Recording(made.header)
    for change in sorted([*made.changes, *seen], key=lambda each: each.at):
        counted.add(change)

    found = SILENT_BUG.judge(replace(evidence(played), recording=counted))
    assert "and hashes a second fell from 30.0 to 0.0" in found.saw


def test_an_image_of_one_s_own_without_a_check_is_not_noticed_either() -> None:
    played = Played()
    played.update("checked", **BACK)

    assert "either it has no health check, or one that says yes" in said(played).because


@pytest.mark.parametrize(
    ("does", "config", "saw", "because"),
    [
        (SICK, {}, "was paused, after a task in slot", "the failure action is pause"),
        (SICK, {"failure_action": "continue"}, "is completed, although", "not look at failures"),
        (SICK, BACK | {"max_failure_ratio": 1.0}, "is completed, although", "a ratio of 1"),
        (CRASHES, BACK, "rolled back, after a task in slot", "A task that ends is noticed anyway"),
        (CRASHES, {}, "was paused, after tasks in slots", "A task that ends is noticed anyway"),
        (
            Behaviour(unhealthy_after=timedelta(seconds=90)),
            BACK | {"seconds": 40},
            "still `starting` after 3",
            "a minute and a half a slot",
        ),
        (RUNS, BACK | {"seconds": 10}, "is not over: update in progress", "last monitor window"),
    ],
)
def test_each_mistake_with_the_check_has_its_own_message(
    does: Behaviour, config: dict[str, Any], saw: str, because: str
) -> None:
    played = Played()
    played.update("checked", does, **{"seconds": 300, **config})

    found = said(played)
    assert found.outcome == "not yet"
    assert saw in unmarked(found.saw)
    assert because in found.because


def test_a_check_that_lets_nobody_through_does_not_pass() -> None:
    played = Played()
    played.update("checked", SICK, **BACK)
    played.update("mended", SICK, **BACK)

    found = said(played)
    assert found.outcome == "not yet"
    assert "The update to mended after that was not completed either" in found.saw
    assert "says no to whoever works" in found.because


def test_an_image_without_the_check_is_no_sign_that_it_lets_anybody_through() -> None:
    played = Played()
    played.update("checked", SICK, **BACK)
    played.update("stuck")

    assert "stuck has no health check" in said(played).because


@pytest.mark.parametrize("tag", ["1.0", "1.1", "faster", "mended"])
def test_an_image_that_nobody_probes_is_no_sign_either(tag: str) -> None:
    """Neither one of the lesson, nor one of one's own that was built without the check."""
    played = Played("deaf")
    played.update("checked", SICK, **BACK)
    played.update(tag)

    found = said(played)
    assert found.outcome == "not yet"
    assert f"The newest update, to {tag}, is completed" in found.saw
    assert f"{tag} has no health check" in found.because


@pytest.mark.parametrize("after", ["900ms", "3s", "20s"])
def test_a_task_that_ends_by_itself_with_exit_code_0_was_not_found_unhealthy(after: str) -> None:
    """It ran as soon as it had started: no probe was waited for."""
    ends = Behaviour(exits_after=after)  # type: ignore[arg-type]
    played = Played()
    played.update("checked", ends, **BACK, monitor="30s")
    found = said(played)
    assert "no health check has found anything here" in found.because

    played.update("mended", WELL)

    assert said(played).outcome == "not yet"


def test_a_worker_that_was_healthy_at_first_may_be_found_unhealthy() -> None:
    late = Behaviour(healthy_after=timedelta(seconds=2), unhealthy_after=timedelta(seconds=6))
    played = Played()
    played.update("checked", late, **BACK, monitor="30s")

    assert "found unhealthy and stopped" in said(played).saw


def test_the_mended_image_is_waited_for() -> None:
    played = Played()
    played.update("checked", SICK, **BACK)
    played.update("mended", WELL, seconds=10)

    assert "The update to mended is not over" in said(played).saw


def test_going_back_by_hand_only_is_told_to_let_the_swarm_notice() -> None:
    played = Played(tag="1.0")
    played.update("stuck")
    before = played.recording
    assert "10 replicas run it" in said(played).saw
    played.update("1.0")
    assert "went back to 1.0" in said(played).saw
    assert before is played.recording


def test_the_notice_says_what_is_built_and_not_tried() -> None:
    played = Played()
    assert "stuck is built; the service still runs 1.0" in SILENT_BUG.notice(evidence(played))
    played.update("stuck", **BACK)
    notice = SILENT_BUG.notice(evidence(played, "1.0", "stuck", "checked"))
    assert notice == "You have built checked; the service asks for stuck."
    assert "failure action is rollback" in SILENT_BUG.notice(evidence(played, "1.0"))
