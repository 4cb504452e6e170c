"""What an update is doing in words, and when it has settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labkit.recordings.phases import completes_after, describe, settled
from labkit.recordings.values import UpdateConfig
from tests.values import at, recording, service, snapshot, status, task

NEW = (task(1, "1.1"), task(2, "1.1"))


def test_all_replicas_new_and_update_completed_are_two_moments() -> None:
    updating = service("1.1", update_status=status("updating"))

    assert describe(updating, (task(1, "1.1"), task(2))) == "Updating: 1 of 2 replicas run 1.1."
    assert describe(updating, NEW) == (
        "2 of 2 replicas run 1.1. Not completed yet: "
        "Swarm says so 5s after the last replica started (the monitor window)."
    )


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("completed", "Completed: 2 of 2 replicas run 1.1."),
        ("paused", "Paused: 2 of 2 replicas run 1.1. Swarm goes no further until"),
        ("rollback_started", "2 of 2 replicas run 1.1 again. The rollback is not completed yet"),
        ("rollback_completed", "Rolled back: 2 of 2 replicas run 1.1 again."),
        ("rollback_paused", "The rollback is paused: 2 of 2 replicas run 1.1."),
    ],
)
def test_every_update_state_has_its_sentence(state: str, says: str) -> None:
    assert describe(service("1.1", update_status=status(state)), NEW).startswith(says)


def test_a_replica_that_is_still_stopping_keeps_a_rollback_going() -> None:
    stopping = task(3, "bugged", "running", desired_state="shutdown")

    said = describe(service("1.1", update_status=status("rollback_started")), (*NEW, stopping))

    assert said == "Rolling back: 2 of 2 replicas run 1.1 again."


def test_a_removed_service_counts_the_tasks_that_are_still_stopping() -> None:
    assert describe(None, [task(1, desired_state="remove")]).endswith(
        "1 of its tasks are still stopping."
    )
    assert describe(None, []) == "The service is removed."


@pytest.mark.parametrize(
    ("delay", "monitor", "seconds"),
    [(0, 5, 5), (3, 5, 8), (4, 1, 9), (5, 5, 11)],
)
def test_completed_comes_a_delay_and_a_monitor_window_after_the_last_replica(
    delay: int, monitor: int, seconds: int
) -> None:
    """The four figures were observed on a real engine."""
    config = UpdateConfig(delay=timedelta(seconds=delay), monitor=timedelta(seconds=monitor))

    assert completes_after(config) == timedelta(seconds=seconds)


@pytest.mark.parametrize("state", ["completed", "paused", "rollback_completed", "rollback_paused"])
def test_an_update_that_began_here_settles_when_the_engine_says_so(state: str) -> None:
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, service("1.1", update_status=status("updating")), *NEW),
    )
    assert settled(made, at(2)) is None

    made.observe(snapshot(9, service("1.1", update_status=status(state, message="m")), *NEW))
    assert settled(made, at(9)) == f"The update has settled: {state} (m)."


def test_a_rollback_that_was_completed_at_once_is_waited_for_until_its_replicas_run() -> None:
    """The restart supervisor restores the slots; the updater finds nothing left to do."""
    done = service(update_status=status("rollback_completed", message="rollback completed"))
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, service("bugged", update_status=status("updating")), task(1), task(2)),
        snapshot(5, done, task(1), task(2, state="ready", desired_state="ready")),
    )
    assert settled(made, at(6)) is None
    assert settled(made, at(20)) is not None

    made.observe(snapshot(11, done, task(1), task(2)))
    assert (
        settled(made, at(11)) == "The update has settled: rollback_completed (rollback completed)."
    )


def test_an_automatic_rollback_has_not_settled_while_it_runs() -> None:
    made = recording(
        snapshot(0, service(), task(1), task(2)),
        snapshot(1, service(update_status=status("rollback_started")), task(1), task(2)),
    )

    assert settled(made, at(100)) is None


def test_an_update_of_long_ago_settles_nothing() -> None:
    done = service("1.1", update_status=status("completed"))

    assert settled(recording(snapshot(0, done, *NEW)), at(1000)) is None


def test_an_update_that_was_under_way_at_first_sight_settles() -> None:
    made = recording(snapshot(0, service("1.1", update_status=status("updating")), *NEW))
    made.observe(snapshot(5, service("1.1", update_status=status("completed")), *NEW))

    assert settled(made, at(5)) is not None


def test_a_scale_settles_when_nothing_moves_any_more() -> None:
    made = recording(snapshot(0, service(), task(1), task(2)))
    three = service(replicas=3)
    made.observe(
        snapshot(1, three, task(1), task(2), task(3, state="starting", desired_state="running"))
    )
    assert settled(made, at(60)) is None

    made.observe(snapshot(2, three, task(1), task(2), task(3)))
    assert settled(made, at(3)) is None
    assert settled(made, at(5)) is not None


def test_a_write_of_the_engine_itself_is_no_update() -> None:
    made = recording(snapshot(0, service(), task(1), task(2)))
    made.observe(snapshot(1, service(version=11), task(1), task(2)))

    assert settled(made, at(100)) is None


def test_a_removed_service_settles_with_its_last_task() -> None:
    made = recording(snapshot(0, service(), task(1)))
    made.observe(snapshot(1, None, task(1, desired_state="remove")))
    assert settled(made, at(1)) is None

    made.observe(snapshot(3, None))
    assert settled(made, at(3)) == "The service was removed, and its last task is gone."
