"""How far a broken image comes, and what brings it back, read off recordings."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.base.errors import NotSettled
from labkit.lessons.checks import QUESTIONS
from swarmsim.model import Behaviour
from tests.lessons.checks.lesson import FLAGS, PAIRS, began, recorded, rolled_back, rolling
from tests.played import CRASHES

SLOTS = QUESTIONS["bugged-slots"]
BUDGET = QUESTIONS["budget"]
FLAGGED = QUESTIONS["which-flags"]
AGAIN = QUESTIONS["rollback-again"]

LATE = Behaviour(exits_after="8s", exit_code=1)  # type: ignore[arg-type]

# ---- slots -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "choice", "why"),
    [
        (PAIRS, "two", "2 slots were in hand"),
        ({"delay": "5s"}, "one", "one slot was in hand"),
        ({"parallelism": 3, "delay": "5s"}, "three", "3 slots were in hand"),
        ({"parallelism": 4, "delay": "5s"}, "", "4 slots were in hand"),
        ({"parallelism": 0}, "all", "10 slots were in hand"),
        ({"parallelism": 2, "failure_action": "continue"}, "all", "does not look at failures"),
        ({**PAIRS, "max_failure_ratio": 0.2}, "", "failure number 3 was one too many"),
    ],
)
def test_how_many_slots_are_hit_follows_from_the_update_config(
    config: dict[str, Any], choice: str, why: str
):
    made = began()
    made.update("bugged", CRASHES, **config)
    reading = SLOTS.read(made.recording)

    assert reading.choice == choice
    assert why in reading.because


def test_without_a_delay_the_next_slot_may_be_taken_before_the_failure_is_noticed():
    made = began()
    made.update("bugged", CRASHES)
    reading = SLOTS.read(made.recording)

    assert reading.choice == "two"
    assert reading.because.endswith("before the failure is noticed.")


def test_tasks_that_end_after_their_window_stop_nothing():
    made = began()
    made.update("bugged", LATE, parallelism=5, seconds=60)
    reading = SLOTS.read(made.recording)

    assert reading.choice == "all"
    assert "within 5s of its start" in reading.because


def test_an_update_that_does_not_fail_is_not_what_is_asked_about():
    reading = SLOTS.read(rolling().recording)

    assert reading.choice == ""
    assert reading.saw == "10 slots had a task of 1.1: slots 1, 2, 3 and 7 more."


def test_the_update_that_failed_is_read_though_a_good_one_followed():
    made = rolled_back()
    made.update("1.1")

    assert SLOTS.read(made.recording).choice == "two"


# ---- budget ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replicas", "choice"), [(10, "two"), (5, "one"), (4, "none"), (15, "three"), (20, "")]
)
def test_the_ratio_is_of_the_slots_that_are_updated(replicas: int, choice: str):
    made = began(replicas=replicas)
    made.update("1.1", parallelism=0)

    assert BUDGET.read(made.recording).choice == choice


def test_the_update_s_own_ratio_is_told_beside_it():
    saw = BUDGET.read(recorded("budget")).saw

    assert "own ratio was 0, which tolerates no failures; it had 1 failure." in saw


# ---- flags -------------------------------------------------------------------------


def test_both_configs_are_told_and_when_the_rollback_began():
    reading = FLAGGED.read(recorded("which-flags"))

    assert "failure action rollback, ratio 0 and monitor 5s" in reading.saw
    assert "the rollback had ratio 0.2 and monitor 20s" in reading.saw
    assert "after 1 failure" in reading.saw


def test_the_rollback_flags_alone_start_no_rollback():
    made = began(**PAIRS)
    made.update(rollback=FLAGS)
    made.update("bugged", CRASHES)
    reading = FLAGGED.read(made.recording)

    assert reading.choice == ""
    assert "Swarm paused the update" in reading.saw
    assert "starts none" in reading.because


def test_failures_that_are_tolerated_start_none_either():
    made = began(**PAIRS, failure_action="rollback", max_failure_ratio=1.0)
    made.update("bugged", CRASHES)
    reading = FLAGGED.read(made.recording)

    assert reading.choice == ""
    assert "no action was taken" in reading.because


def test_a_rollback_that_is_paused_is_said_to_be():
    made = began("1.0", does=CRASHES, failure_action="rollback")
    made.update("bugged", CRASHES)
    reading = FLAGGED.read(made.recording)

    assert reading.choice == ""
    assert "its status is rollback_paused" in reading.saw


# ---- again -------------------------------------------------------------------------


def test_after_a_rollback_by_hand_the_next_one_goes_forward():
    made = rolling()
    made.roll_back()
    reading = AGAIN.read(made.recording)

    assert reading.choice == "forward"
    assert reading.saw == "the service is at 1.0, and its previous spec has 1.1."


def test_without_a_rollback_there_is_nothing_to_go_on_from():
    with pytest.raises(NotSettled):
        AGAIN.read(rolling().recording)


def test_what_was_done_after_the_rollback_does_not_matter():
    made = rolled_back()
    made.update(replicas=12)

    assert AGAIN.read(made.recording).choice == "refused"
