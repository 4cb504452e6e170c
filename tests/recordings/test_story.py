"""The numbers that the lesson reads out of a recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from labkit.base.errors import NotSettled
from labkit.recordings import story
from labkit.recordings.recording import Ended, HashesSeen, Recording
from labkit.recordings.values import Snapshot, Task
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
    """It ended when its slot's new task was about to start: slot 2 first."""
    return task(slot, state="shutdown", status_at=at(3 if slot == 2 else 6))


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
    assert story.slots_touched(made) == 2


def test_a_dip_between_two_looks_shows_by_the_engine_s_own_times() -> None:
    """At a multiple of real time, or on a busy machine, a look may come too late."""
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(
            8,
            service("1.1"),
            *(task(slot, state="shutdown", status_at=at(3)) for slot in (1, 2)),
            *(task(slot, "1.1", status_at=at(5)) for slot in (1, 2)),
        ),
    )

    assert [counts.total() for _, counts in made.running_by_tag()] == [2, 2]
    assert story.fewest_running(made) == 0


def test_a_task_that_runs_when_its_forerunner_ends_leaves_no_dip() -> None:
    made = recording(
        snapshot(0, service(), task(1)),
        snapshot(
            8,
            service("1.1"),
            task(1, state="shutdown", status_at=at(3)),
            task(1, "1.1", status_at=at(3)),
        ),
    )

    assert story.fewest_running(made) == 1


@pytest.mark.parametrize("made_at", [1, 1.1])
def test_a_task_that_is_seen_a_look_before_its_update_is_touched_by_it(made_at: float) -> None:
    """A recorder may take the service to be as it was for a moment, and look at tasks alone."""
    going = service("1.1", update_status=status("updating", started_at=at(1)))
    early = task(2, "1.1", "preparing", created_at=at(made_at), desired_state="ready")
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1.2, service(), task(1), leaving(2), early),
        snapshot(1.4, going, task(1), leaving(2), early),
    )

    assert story.slots_touched(made) == 1


def test_a_slot_that_the_update_added_was_not_touched() -> None:
    going = service("1.1", update_status=status("updating"), replicas=2)
    made = recording(
        snapshot(0, service(replicas=1), task(1)),
        snapshot(1, going, leaving(1), coming(1), coming(2)),
        snapshot(2, going, task(1, "1.1"), task(2, "1.1")),
    )

    assert story.slots_touched(made) == 1


def test_without_an_update_no_slot_was_touched() -> None:
    assert story.slots_touched(recording(snapshot(0, service(), task(1)))) == 0


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


def test_the_first_update_lasts_until_it_settles_its_rollback_included() -> None:
    made = recording(
        snapshot(0, service(update_status=status("completed")), task(1)),
        snapshot(
            1, service("bugged", update_status=status("updating", started_at=at(0.9))), task(1)
        ),
        snapshot(2, service(update_status=status("rollback_started", started_at=at(0.9))), task(1)),
        snapshot(
            4,
            service(
                update_status=status("rollback_completed", started_at=at(0.9), completed_at=at(3.8))
            ),
            task(1),
        ),
        snapshot(9, service("1.2", update_status=status("updating", started_at=at(9))), task(1)),
    )

    update = story.first_update(made)

    assert update
    assert (update.began, update.ended) == (at(1), at(4))
    assert update.status.state == "rollback_completed"
    assert update.total == timedelta(seconds=2.9)


def test_an_update_that_was_paused_has_only_labkit_s_clock_for_its_length() -> None:
    made = recording(
        snapshot(0, service(), task(1)),
        snapshot(1, service("1.1", update_status=status("updating", started_at=at(1))), task(1)),
        snapshot(6, service("1.1", update_status=status("paused", started_at=at(1))), task(1)),
    )

    update = story.first_update(made)

    assert update
    assert update.total == timedelta(seconds=5)


def test_an_update_that_goes_on_has_begun_and_a_scale_is_none() -> None:
    going = recording(snapshot(3, service(update_status=status("updating")), task(1)))
    scaled = recording(snapshot(0, service(), task(1)), snapshot(1, service(replicas=1), task(1)))

    update = story.first_update(going)
    assert update
    assert (update.began, update.ended, update.total) == (at(3), None, None)
    assert story.first_update(scaled) is None
    assert story.first_update(recording()) is None


def updated(*samples: tuple[float, int]) -> Recording:
    """An update from second 10 to second 20, and what was seen of the counter."""
    made = recording(
        snapshot(0, service(), task(1)),
        snapshot(10, service("1.1", update_status=status("updating")), task(1)),
        snapshot(20, service("1.1", update_status=status("completed")), task(1)),
    )
    for second, hashes in samples:
        made.add(HashesSeen(at(second), hashes, 500.0 + second))
    made.add(Ended(at(20), "It was stopped."))
    return made


def test_hashes_lost_are_those_of_the_speed_before_less_those_that_were_made() -> None:
    """30 a second before, 20 a second in the ten seconds of the update."""
    before = [(second, 30 * second) for second in range(4, 11)]

    slower = updated(*before, *((10 + s, 300 + 20 * s) for s in range(1, 11)))
    faster = updated(*before, *((10 + s, 300 + 40 * s) for s in range(1, 11)))

    assert story.hashes_lost(slower) == pytest.approx(100)
    assert story.hashes_lost(faster) == pytest.approx(-100)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [(9, 270), (10, 300), (15, 400), (20, 500)],
        [(0, 0), (3, 90), (6, 180), (15, 400), (20, 500)],
        [(0, 0), (5, 150), (10, 300), (15, 400)],
        [(0, 0), (5, 150), (10, 300), (15, 40), (20, 140)],
    ],
    ids=[
        "never seen",
        "hardly seen before",
        "not seen when it began",
        "not seen at its end",
        "redis was started again",
    ],
)
def test_hashes_lost_are_unknown_where_the_counter_does_not_tell(
    samples: list[tuple[float, int]],
) -> None:
    assert story.hashes_lost(updated(*samples)) is None


def test_hashes_lost_are_unknown_while_the_update_goes_on() -> None:
    made = recording(snapshot(5, service(update_status=status("updating")), task(1)))
    for second in range(10):
        made.add(HashesSeen(at(second), 30 * second, 500.0 + second))

    assert story.hashes_lost(made) is None


def test_samples_between_two_tasks_of_one_look_make_no_second_moment() -> None:
    """Slot 1 arrives and slot 2 sets out in one look; a sample came while it was taken."""
    going = service("1.1", update_status=status("updating"))
    made = recording(snapshot(0, going, leaving(1), coming(1), task(2)))
    seen = recording(
        snapshot(0, going, leaving(1), coming(1), task(2)),
        snapshot(1, going, gone(1), task(1, "1.1"), leaving(2), coming(2)),
    )
    for change in seen.changes[len(made.changes) :]:
        made.add(HashesSeen(at(0.9), 1, 1.0))
        made.add(change)

    assert story.most_at_once(made, "1.1") == 1


def test_what_came_before_the_first_look_does_not_hide_history() -> None:
    old = task(1, "bugged", "failed", error="task: non-zero exit (1)")
    made = recording()
    made.add(HashesSeen(at(-1), 1, 1.0))
    made.observe(snapshot(0, service(), task(1), old))

    assert story.errors(made) == []


def test_an_update_that_replaces_another_counts_from_the_first() -> None:
    """No look saw the status change between: both are `updating`."""
    one = service("1.1", update_status=status("updating", started_at=at(1)))
    two = service("1.2", update_status=status("updating", started_at=at(4)))
    done = status("completed", started_at=at(4), completed_at=at(10))
    looks = [(0, service()), (1, one), (4, two), (10, replace(two, update_status=done))]
    update = story.first_update(recording(*(snapshot(t, each) for t, each in looks)))

    assert update is not None
    assert (update.began, update.total) == (at(1), timedelta(seconds=9))
