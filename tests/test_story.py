"""The numbers that the lesson reads out of a recording."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labkit import story
from labkit.errors import NotSettled
from labkit.model import Snapshot, Task
from labkit.recording import Recording
from tests.values import at, recording, service, snapshot, status, task


def one_at_a_time() -> Recording:
    """Two slots, slot 2 first; completed five seconds after the last start."""
    going = service("1.1", update_status=status("updating", started_at=at(1)))
    done = service("1.1", update_status=status("completed", started_at=at(1), completed_at=at(12)))
    new_2 = task(2, "1.1", status_at=at(4))
    return recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, going, task(1), leaving(2), coming(2)),
        snapshot(3, going, task(1), gone(2), coming(2)),
        snapshot(4, going, task(1), gone(2), new_2),
        snapshot(5, going, leaving(1), coming(1), gone(2), new_2),
        snapshot(7, going, gone(1), task(1, "1.1", status_at=at(7)), gone(2), new_2),
        snapshot(12, done, gone(1), task(1, "1.1", status_at=at(7)), gone(2), new_2),
    )


def leaving(slot: int) -> Task:
    return task(slot, desired_state="shutdown")


def gone(slot: int) -> Task:
    return task(slot, state="shutdown")


def coming(slot: int) -> Task:
    return task(slot, "1.1", "ready", desired_state="ready")


def test_a_one_at_a_time_update_in_numbers() -> None:
    made = one_at_a_time()

    assert story.phases(made) == ["updating", "completed"]
    assert story.running_now(made) == {"1.1": 2}
    assert story.fewest_running(made) == 1
    assert story.slots_in_order(made, "1.1") == [2, 1]
    assert story.starts(made, "1.1") == [at(4), at(7)]
    assert story.most_at_once(made, "1.1") == 1
    assert story.from_last_start_to_end(made, "1.1") == timedelta(seconds=5)
    assert story.took(made) == timedelta(seconds=11)
    assert story.errors(made) == []


def test_two_slots_on_their_way_in_one_look_are_two_at_once() -> None:
    going = service("1.1", update_status=status("updating"))
    looks: list[Snapshot] = [
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, going, leaving(1), leaving(2), coming(1), coming(2)),
        snapshot(2, going, gone(1), gone(2), task(1, "1.1"), task(2, "1.1")),
    ]

    assert story.most_at_once(recording(*looks), "1.1") == 2


def test_one_slot_after_another_within_one_look_is_one_at_once() -> None:
    """Slot 1 arrives and slot 2 sets out between two looks: never two at once."""
    going = service("1.1", update_status=status("updating"))
    made = recording(
        snapshot(0, going, leaving(1), coming(1), task(2)),
        snapshot(1, going, gone(1), task(1, "1.1"), leaving(2), coming(2)),
    )

    assert story.most_at_once(made, "1.1") == 1


def test_the_state_of_an_earlier_update_is_no_phase_of_this_one() -> None:
    made = recording(
        snapshot(0, service(update_status=status("completed")), task(1)),
        snapshot(1, service("bugged", update_status=status("updating")), task(1)),
        snapshot(2, service(update_status=status("rollback_started")), task(1)),
        snapshot(3, service(update_status=status("rollback_completed")), task(1)),
    )

    assert story.phases(made) == ["updating", "rollback_started", "rollback_completed"]
    assert story.time_in(made, "rollback_started") == timedelta(seconds=1)
    with pytest.raises(NotSettled):
        story.time_in(made, "paused")


def test_a_slot_counts_even_if_its_new_task_never_ran() -> None:
    failed = task(2, "bugged", "failed", error="task: non-zero exit (1)")
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, service("bugged"), task(1), gone(2), failed),
    )

    assert story.slots_that_ran(made, "bugged") == {2}
    assert story.slots_in_order(made, "bugged") == []
    assert story.errors(made) == ["task: non-zero exit (1)"]


def test_what_had_ended_before_the_recording_began_is_history() -> None:
    """A notebook that is run again finds the failed tasks of its first run."""
    old = task(1, "bugged", "failed", error="task: non-zero exit (1)")
    made = recording(snapshot(0, service(), task(1), task(2), old))

    assert story.slots_that_ran(made, "bugged") == set()
    assert story.errors(made) == []


def test_an_update_that_goes_on_has_no_length_yet() -> None:
    made = recording(snapshot(0, service(update_status=status("updating")), task(1)))

    with pytest.raises(NotSettled, match="an update from its start to its end"):
        story.took(made)
    with pytest.raises(NotSettled):
        story.from_last_start_to_end(made, "1.0")
