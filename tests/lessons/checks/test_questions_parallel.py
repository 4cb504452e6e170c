"""What updates of several slots at the same time show, and what would show something else."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.lessons.checks import QUESTIONS, Question
from labkit.recordings.recording import Recording, TaskSeen
from labkit.recordings.values import UpdateConfig
from tests.lessons.checks.lesson import PAIRS, SLOW, began, completed, no_delay, pairs, recorded
from tests.played import CRASHES, DEAF, RUNS
from tests.values import at, recording, service, snapshot, status, task

COMPLETED = QUESTIONS["pairs-completed"]
BATCHES = QUESTIONS["pairs-batches"]
AT_ONCE = QUESTIONS["parallelism-zero"]
NO_DELAY = QUESTIONS["no-delay"]

# ---- completed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "choice"),
    [
        (0.0, "later"),
        (3.0, "later"),
        (-6.0, "window"),
        (-11.0, "last"),
        (40.0, "single"),
    ],
)
def test_the_belief_that_comes_nearest_to_the_measured_time_is_read(later: float, choice: str):
    assert COMPLETED.read(completed(recorded("pairs-completed"), later)).choice == choice


def test_slow_changeovers_make_it_longer_and_no_other_belief_true():
    made = began("1.1", does=DEAF)
    made.update("1.0", **PAIRS)
    reading = COMPLETED.read(made.recording)

    assert reading.choice == "later"
    assert "after 9" in reading.saw, "ten seconds more a slot"


def test_a_slow_slot_makes_it_longer_and_no_other_belief_true():
    assert COMPLETED.read(recorded("pairs-batches")).choice == "later"


@pytest.mark.parametrize("config", [{}, {"parallelism": 2}, {"parallelism": 2, "delay": "4s"}])
def test_another_update_is_measured_and_answers_for_itself(config: dict[str, Any]):
    made = began("1.1")
    made.update("1.0", **config)
    reading = COMPLETED.read(made.recording)

    assert reading.choice == ""
    assert "the update was completed" in reading.saw


def test_the_update_in_pairs_is_found_among_others():
    made = pairs()
    made.update("1.1", parallelism=0, delay="0s")

    assert COMPLETED.read(made.recording).choice == "later"


def test_a_pair_that_fails_is_not_completed():
    made = began()
    made.update("bugged", CRASHES, **PAIRS)
    reading = COMPLETED.read(made.recording)

    assert reading.choice == ""
    assert reading.saw.startswith("Swarm paused the update")


# ---- batches -----------------------------------------------------------------------

PARALLEL = UpdateConfig(parallelism=2)


def two_pairs(second: float, third: float) -> Recording:
    """Slot 1 runs at 4 s and slot 2 at 6 s; slots 3 and 4 are taken at `second` and `third`."""
    going = service("1.1", replicas=4, update_status=status("updating"), update_config=PARALLEL)
    done = service(
        "1.1",
        replicas=4,
        update_status=status("completed", completed_at=at(20)),
        update_config=PARALLEL,
    )
    old = [task(slot) for slot in range(1, 5)]
    gone = [task(slot, state="shutdown") for slot in range(1, 5)]
    made = [
        task(1, "1.1", created_at=at(0.1), status_at=at(4)),
        task(2, "1.1", created_at=at(0.1), status_at=at(6)),
        task(3, "1.1", created_at=at(second), status_at=at(second + 4)),
        task(4, "1.1", created_at=at(third), status_at=at(third + 4)),
    ]
    return recording(
        snapshot(-1, service(replicas=4, update_config=PARALLEL), *old),
        snapshot(0, going, *old),
        snapshot(6, going, *gone[:2], *old[2:], *made[:2]),
        snapshot(11, going, *gone, *made),
        snapshot(20, done, *gone, *made),
    )


def test_a_slot_taken_before_the_slower_of_a_pair_ran_shows_that_nobody_waits():
    reading = BATCHES.read(two_pairs(4.1, 6.1))

    assert reading.choice == "goes-on"
    assert reading.saw == (
        "slot 3 was begun 1.9 s before slot 2's updater was free: "
        "the other updater had not waited for it."
    )


def test_slots_taken_only_when_the_slower_of_a_pair_ran_would_show_batches():
    assert BATCHES.read(two_pairs(6.1, 6.1)).choice == "waits"


def test_the_delay_belongs_to_what_the_next_slot_waits_for():
    reading = BATCHES.read(recorded("pairs-batches"))

    assert "before slot 3's updater was free" in reading.saw
    slot, seconds = reading.saw.split()[1], float(reading.saw.split()[4])
    assert slot != "3"
    assert 50 < seconds < 65, "a minute's changeover"


def test_a_slow_slot_shows_it_without_a_delay_too():
    made = began("1.1")
    made.update("1.0", lambda slot: SLOW if slot == 3 else RUNS, parallelism=2)

    assert BATCHES.read(made.recording).choice == "goes-on"


@pytest.mark.parametrize("config", [{"parallelism": 1}, {"parallelism": 0}])
def test_without_several_groups_there_is_nothing_to_see(config: dict[str, Any]):
    made = began("1.1")
    made.update("1.0", **config)

    assert BATCHES.read(made.recording).choice == ""


def test_an_update_that_was_paused_does_not_tell():
    made = began()
    made.update("bugged", CRASHES, **PAIRS)
    reading = BATCHES.read(made.recording)

    assert reading.choice == ""
    assert reading.saw.startswith("Swarm paused the update")


def test_equally_fast_pairs_do_not_tell_and_that_is_said():
    reading = BATCHES.read(equally_fast())

    assert reading.choice == ""
    assert reading.saw == "those that changed over together ran within 0.0 s of one another."
    assert "as if they went in step" in reading.because


def equally_fast() -> Recording:
    """Both of the first pair run at 6 s."""
    made = two_pairs(6.1, 6.1)
    whole = Recording(made.header)
    for change in made.changes:
        if isinstance(change, TaskSeen) and change.task.id == "1.1-1":
            change = TaskSeen(change.at, task(1, "1.1", created_at=at(0.1), status_at=at(6)))
        whole.add(change)
    return whole


# ---- all at once -------------------------------------------------------------------


@pytest.mark.parametrize(("order", "choice"), [("stop-first", "none"), ("start-first", "all")])
def test_with_parallelism_0_the_order_decides(order: str, choice: str):
    made = began()
    made.update("1.1", parallelism=0, order=order)

    assert AT_ONCE.read(made.recording).choice == choice


def test_where_one_slot_alone_differs_one_is_missing():
    made = began(delay="5s")
    made.update("bugged", CRASHES)
    made.update("1.0", parallelism=0, delay="0s")

    assert AT_ONCE.read(made.recording).choice == "one-less"


def test_an_update_with_another_parallelism_does_not_tell():
    reading = AT_ONCE.read(recorded("rolling-missing"))

    assert reading.choice == ""
    assert "9 of 10" in reading.saw
    assert "parallelism 1" in reading.because


def test_of_several_updates_the_one_with_parallelism_0_is_read():
    made = began()
    made.update("1.1", parallelism=0)
    made.update("1.0", parallelism=2)

    assert AT_ONCE.read(made.recording).choice == "none"


# ---- without the delay -------------------------------------------------------------


def test_where_both_are_recorded_their_times_are_compared():
    made = pairs()
    made.update("1.1", parallelism=0, delay="0s")
    made.update("1.0", parallelism=2)
    reading = NO_DELAY.read(made.recording)

    assert reading.choice == "every"
    assert "sooner than the 51." in reading.saw


def test_alone_it_says_what_the_delays_would_have_added():
    reading = NO_DELAY.read(no_delay().recording)

    assert reading.choice == "every"
    assert reading.saw.endswith("delays of 5s would have added 26.0 s.")


@pytest.mark.parametrize(
    ("later", "choice"), [(0.0, "every"), (6.0, "between"), (21.0, "once"), (27.0, "nothing")]
)
def test_what_was_saved_is_measured(later: float, choice: str):
    made = pairs()
    made.update("1.1", parallelism=0, delay="0s")
    first = len(made.recording.changes)
    made.update("1.0", parallelism=2)
    both = Recording(made.recording.header)
    for number, (change, moved) in enumerate(
        zip(made.recording.changes, completed(made.recording, later).changes, strict=True)
    ):
        both.add(change if number < first else moved)

    assert NO_DELAY.read(both).choice == choice


def test_slots_that_took_longer_in_one_of_the_updates_saved_nothing():
    """As on a machine that is busier then."""
    made = pairs()
    made.update("1.1", DEAF, parallelism=0, delay="0s")
    made.update("1.0", parallelism=2)

    assert NO_DELAY.read(made.recording).choice == "every"


@pytest.mark.parametrize("question", [COMPLETED, NO_DELAY], ids=lambda each: each.name)
def test_the_seconds_of_the_choices_are_those_of_ten_slots(question: Question):
    made = began("1.1", replicas=6)
    made.update("1.0", **PAIRS)
    made.update("1.1", delay="0s")

    assert question.read(made.recording).choice == ""


@pytest.mark.parametrize("config", [PAIRS, {"parallelism": 1}])
def test_an_update_that_is_not_asked_about_is_measured(config: dict[str, Any]):
    made = began("1.1")
    made.update("1.0", **config)
    reading = NO_DELAY.read(made.recording)

    assert reading.choice == ""
    assert reading.saw.startswith("the update with parallelism")
