"""Exercises about rollbacks: untouched, with each known mistake, and done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labkit.base.quoted import unmarked
from labkit.lessons.checks import EXERCISES, Evidence, Finding
from labkit.lessons.checks.exercises.returning import WAY_BACK, WHICH_FLAG
from labkit.recordings.recording import Recording, ServiceSeen
from tests.played import CRASHES, RUNS, Played

BACK: dict[str, Any] = {"failure_action": "rollback"}
#: The others of the lesson's command.
OTHERS = {"parallelism": 2, "monitor": "20s", "max_failure_ratio": 0.2}


def evidence(played: Played) -> Evidence:
    made = played.recording
    return Evidence(recording=made, service=made.service, now=played.now)


def flags(played: Played) -> Finding:
    return WHICH_FLAG.judge(evidence(played))


def way(played: Played) -> Finding:
    return WAY_BACK.judge(evidence(played))


def test_the_exercises_are_in_the_lesson() -> None:
    assert {"which-flag", "way-back"} <= EXERCISES.keys()


# ---- which flag ----------------------------------------------------------------------------


def test_which_flag_untouched_is_not_attempted() -> None:
    assert flags(Played()).outcome == "not attempted"


def test_a_config_alone_is_said_to_replace_no_task() -> None:
    played = Played()
    played.update(**BACK)

    assert flags(played).outcome == "not yet"
    assert "no task was replaced" in flags(played).because


def test_the_failure_action_alone_does_the_work() -> None:
    played = Played()
    played.update("bugged", CRASHES, **BACK)

    found = flags(played)
    assert found.passed
    assert "Set was --update-failure-action=rollback, and nothing else" in found.saw
    assert "they start none" in found.because


def test_the_flags_of_the_lesson_s_command_are_more_than_needed() -> None:
    played = Played()
    played.update(**BACK, rollback=OTHERS)  # as the lesson does, in an update of its own
    played.update("bugged", CRASHES)

    found = flags(played)
    assert found.outcome == "not yet"
    for flag in ("parallelism=2", "monitor=20s", "max-failure-ratio=0.2"):
        assert f"--rollback-{flag}" in found.saw
    assert "the same without --rollback-max-failure-ratio=0.2" in found.try_next

    played.update(rollback={"parallelism": 1, "monitor": "5s", "max_failure_ratio": 0.0})
    played.update("bugged", CRASHES)
    assert flags(played).passed, "the others are at their defaults again"


@pytest.mark.parametrize(
    ("does", "config", "saw", "because"),
    [
        (CRASHES, {"rollback": OTHERS}, "was paused, after", "pause, which is the default"),
        (CRASHES, {"failure_action": "continue"}, "is completed, after", "not look at failures"),
        (CRASHES, BACK | {"max_failure_ratio": 1.0}, "is completed, after", "tolerates 10"),
        (CRASHES, BACK | {"rollback": OTHERS}, "--rollback-monitor=20s", "not clear which"),
        (CRASHES, BACK | {"parallelism": 2}, "--update-parallelism=2", "not clear which"),
        (RUNS, BACK, "the update to bugged is completed.", "None of its tasks failed"),
        (RUNS, BACK | {"seconds": 8}, "is not over: update in progress", "monitor window"),
    ],
)
def test_each_mistake_with_the_flags_has_its_own_message(
    does: Any, config: dict[str, Any], saw: str, because: str
) -> None:
    played = Played()
    played.update("bugged", does, **config)

    found = flags(played)
    assert found.outcome == "not yet"
    assert saw in unmarked(found.saw)
    assert because in found.because


def test_a_rollback_by_hand_is_not_what_a_flag_does() -> None:
    played = Played()
    played.update("1.1")
    played.roll_back()

    assert "rollback by hand, to 1.0" in flags(played).saw


def test_a_rollback_that_is_paused_is_said_to_be_so() -> None:
    """The old tag fails as well by the time it comes back."""
    played = Played("1.0")
    played.update("bugged", CRASHES, seconds=1, parallelism=0, **BACK)
    played._does["1.0"] = CRASHES
    played.wait(200)

    found = flags(played)
    assert "the rollback from bugged was paused" in found.saw


# ---- the way back --------------------------------------------------------------------------


def broken(**config: Any) -> Played:
    """A service that Swarm has just rolled back by itself."""
    played = Played()
    played.update("bugged", CRASHES, **BACK, **config)
    return played


def test_way_back_untouched_is_not_attempted() -> None:
    assert way(Played()).outcome == "not attempted"


def test_an_update_after_the_automatic_rollback_makes_one_by_hand_possible() -> None:
    played = broken()
    played.update("faster")
    played.roll_back()

    found = way(played)
    assert found.passed
    assert "by hand took the service from faster to 1.0" in found.saw
    assert "uses it up" in found.because


def test_any_update_leaves_a_spec_to_go_back_to() -> None:
    played = broken()
    played.update(delay="1s")
    played.roll_back()

    assert "to the spec before; both have 1.0" in way(played).saw
    assert way(played).passed


def test_a_rollback_with_nothing_to_replace_counts_though_its_start_was_not_seen() -> None:
    """It is over before anybody looks."""
    played = broken()
    played.update(delay="1s")
    played.roll_back()
    seen = Recording(played.recording.header)
    for change in played.recording.changes:
        status = change.service.update_status if isinstance(change, ServiceSeen) else None
        if not (status and status.message == "manually requested rollback"):
            seen.add(change)
    assert len(seen.changes) < len(played.recording.changes)

    assert WAY_BACK.judge(replace(evidence(played), recording=seen)).passed


def test_after_the_automatic_rollback_there_is_no_previous_spec() -> None:
    played = broken()

    found = way(played)
    assert found.outcome == "not yet"
    assert "Nothing was updated since" in found.saw
    assert "has used it up" in found.because
    assert "no previous spec now" in WAY_BACK.notice(evidence(played))
    assert evidence(played).service.previous_image is None


@pytest.mark.parametrize(
    ("steps", "saw", "because"),
    [
        ([("faster", {})], "the service was updated to faster", "there is a previous spec again"),
        ([("faster", {"seconds": 8})], "to faster after that is not over", "half an update"),
        (
            [("faster", {}), ("1.0", {})],
            "1.0 replaced faster by an update",
            "An update to the old tag is no rollback",
        ),
    ],
)
def test_each_mistake_after_the_automatic_rollback_has_its_own_message(
    steps: list[tuple[str, dict[str, Any]]], saw: str, because: str
) -> None:
    played = broken()
    for tag, config in steps:
        played.update(tag, **config)

    found = way(played)
    assert found.outcome == "not yet"
    assert saw in unmarked(found.saw)
    assert because in found.because


def test_a_rollback_by_hand_is_waited_for() -> None:
    played = broken()
    played.update("faster")
    played.roll_back(seconds=3)

    assert "by hand to 1.0 was begun, and it is rollback started" in way(played).saw


def test_a_rollback_by_hand_before_the_automatic_one_does_not_count() -> None:
    played = Played()
    played.update("faster")
    played.roll_back()
    assert "none was done by Swarm itself so far" in way(played).saw

    played.update("bugged", CRASHES, **BACK)
    assert "Nothing was updated since" in way(played).saw


def test_without_the_failure_action_there_is_no_automatic_rollback() -> None:
    played = Played()
    played.update("bugged", CRASHES)

    assert "pause, which is the default" in way(played).because


def test_the_notice_says_where_a_rollback_would_lead() -> None:
    played = Played()
    assert "its failure action is pause" in WAY_BACK.notice(evidence(played))
    played.update("bugged", CRASHES, **BACK)
    played.update("faster")
    assert "a rollback by hand would lead to 1.0" in WAY_BACK.notice(evidence(played))
