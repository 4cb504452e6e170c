"""What an update with Swarm's defaults shows, and what others show instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labkit.lessons.checks import QUESTIONS
from labkit.recordings.recording import Recording, TaskSeen
from tests.lessons.checks.lesson import began, completed, pairs, recorded, rolling
from tests.played import CRASHES

MISSING = QUESTIONS["rolling-missing"]
ORDER = QUESTIONS["rolling-order"]
COMPLETED = QUESTIONS["rolling-completed"]


@pytest.mark.parametrize(
    ("config", "choice", "why"),
    [
        ({}, "one", "one slot is in hand"),
        ({"order": "start-first"}, "none", "start-first"),
        ({"parallelism": 2}, "two", "up to 2 slots"),
        ({"parallelism": 3}, "", "up to 3 slots"),
        ({"parallelism": 0}, "all", "up to 10 slots"),
    ],
)
def test_how_many_are_missing_follows_from_the_update_config(
    config: dict[str, Any], choice: str, why: str
):
    made = began()
    made.update("1.1", **config)
    reading = MISSING.read(made.recording)

    assert reading.choice == choice
    assert why in reading.because


def test_the_newest_update_is_read_and_not_one_under_way():
    made = rolling()
    made.update("1.2", parallelism=2)
    made.update("1.3", parallelism=0, seconds=5)

    assert MISSING.read(made.recording).choice == "two"


def test_a_rollback_by_hand_is_no_update():
    made = rolling()
    made.update("1.2", parallelism=2)
    made.roll_back()

    assert MISSING.read(made.recording).choice == "two"


def test_those_missing_beyond_the_parallelism_had_failed():
    made = began()
    made.update("bugged", CRASHES, failure_action="continue")

    assert MISSING.read(made.recording).because.endswith("had failed.")


# ---- order -------------------------------------------------------------------------


def in_order(recording: Recording, slots: list[int]) -> Recording:
    """The same update with the slots in another order."""
    tasks = [c.task for c in recording.changes if isinstance(c, TaskSeen) and c.task.tag == "1.1"]
    taken = list(dict.fromkeys(task.slot for task in tasks))
    new = dict(zip(taken, slots, strict=True))
    changed = Recording(recording.header)
    for change in recording.changes:
        if isinstance(change, TaskSeen):
            change = TaskSeen(change.at, replace(change.task, slot=new[change.task.slot]))
        changed.add(change)
    return changed


def test_all_slots_are_listed_in_their_order():
    reading = ORDER.read(recorded("rolling-order"))
    slots = [int(word) for word in reading.saw.rstrip(".").split("order ")[1].split(", ")]

    assert sorted(slots) == list(range(1, 11))
    assert slots != sorted(slots)


@pytest.mark.parametrize(
    ("slots", "choice"),
    [(list(range(1, 11)), "ascending"), (list(range(10, 0, -1)), "descending")],
)
def test_an_order_that_looks_like_a_rule_is_said_to_be_chance(slots: list[int], choice: str):
    reading = ORDER.read(in_order(recorded("rolling-order"), slots))

    assert reading.choice == choice
    assert reading.because.startswith("That is chance")


def test_one_slot_is_no_order():
    made = began(replicas=1)
    made.update("1.1")

    assert ORDER.read(made.recording).choice == ""


# ---- completed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "choice"), [(-5.0, "at-once"), (0.0, "window"), (2.0, "window"), (44.0, "each")]
)
def test_when_it_is_completed_is_measured(later: float, choice: str):
    assert COMPLETED.read(completed(recorded("rolling-completed"), later)).choice == choice


def test_another_monitor_window_is_its_own_measure():
    made = began()
    made.update("1.1", monitor="20s")
    reading = COMPLETED.read(made.recording)

    assert reading.choice == "window"
    assert reading.saw.startswith("completed came 20.")


def test_with_a_delay_the_window_is_not_all():
    reading = COMPLETED.read(pairs().recording)

    assert reading.choice == ""
    assert "delay of 5s comes after the last slot too" in reading.because


def test_a_delay_shorter_than_the_window_comes_before_it():
    made = began()
    made.update("1.1", delay="2s", seconds=300)
    reading = COMPLETED.read(made.recording)

    assert reading.saw.startswith("completed came 7.")
    assert reading.because == (
        "The delay of 2s comes after the last slot too, then the monitor of 5s."
    )


def test_an_update_that_was_paused_is_never_completed():
    made = began()
    made.update("bugged", CRASHES)
    reading = COMPLETED.read(made.recording)

    assert reading.choice == ""
    assert reading.saw.startswith("Swarm paused the update")
