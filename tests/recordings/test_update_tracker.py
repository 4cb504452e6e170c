"""Claims about what Swarm's updater does, seen from outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.recordings.recording import Recording
from labkit.recordings.update_tracker import Budget, UpdateTracker
from labkit.recordings.values import RollbackConfig, Service, Snapshot, Task, UpdateConfig
from swarmsim.model.orchestration.budget import exceeds, tolerated
from tests import values
from tests.values import at

OLD, NEW = "1.0", "1.1"


def asked(tag: str = NEW, state: str | None = "updating", began: float = 0, **more: Any) -> Service:
    """The service, `state` seconds into an update to a tag."""
    message = more.pop("message", "")
    status = values.status(state, started_at=at(began), message=message) if state else None
    config = UpdateConfig(**more)
    return values.service(tag, update_status=status, update_config=config, replicas=5)


def old(slot: int, **more: Any) -> Task:
    return values.task(slot, OLD, created_at=at(-60), status_at=at(-50), **more)


def new(slot: int, made: float, state: str = "running", since: float | None = None, **more: Any):
    since = made if since is None else since
    return values.task(slot, NEW, state, created_at=at(made), status_at=at(since), **more)


def follow(*snapshots: Snapshot) -> UpdateTracker:
    """What is known of the updater after these looks."""
    tracker, recording = UpdateTracker(), Recording(values.recording().header)
    for each in snapshots:
        for change in recording.observe(each):
            tracker.apply(change)
    return tracker


def before(service: Service | None = None) -> Snapshot:
    """Five slots at rest."""
    return values.snapshot(-1, service or asked(OLD, None), *map(old, range(1, 6)))


def update(*looks: tuple[float, dict[int, Task]], **config: Any) -> UpdateTracker:
    """Follow an update of five slots: each look has the slots that are no longer as before."""
    shots = [before()]
    for when, changed in looks:
        tasks = [task for slot in range(1, 6) for task in _slot(slot, changed)]
        shots.append(values.snapshot(when, asked(**config), *tasks))
    return follow(*shots)


def _slot(slot: int, changed: dict[int, Task]) -> list[Task]:
    if slot not in changed:
        return [old(slot)]
    return [replace(old(slot), state="shutdown", desired_state="shutdown"), changed[slot]]


def budget(tracker: UpdateTracker) -> Budget:
    return next(tracker.budgets())


def test_without_an_update_there_is_no_budget():
    tracker = follow(before())

    assert list(tracker.budgets()) == []
    assert tracker.settling() is None


def test_the_slots_of_an_update_are_those_that_differ_from_the_spec():
    """Two of five slots have the image already: three are updated."""
    tasks = [*map(old, (1, 2, 3)), new(4, -30), new(5, -30)]
    tracker = follow(values.snapshot(-1, None, *tasks), values.snapshot(1, asked(), *tasks))

    assert budget(tracker).slots == 3


def test_an_update_that_no_image_shows_is_of_all_slots():
    """`docker service update --force`: every task is replaced by one with the same image."""
    tasks = [*map(old, range(1, 6))]
    tracker = follow(before(), values.snapshot(1, asked(OLD), *tasks))

    assert budget(tracker).slots == 5


def test_a_recording_that_begins_within_an_update_knows_its_slots():
    tasks = [new(1, 3), new(2, 6, "starting"), *map(old, (3, 4, 5))]
    tracker = follow(values.snapshot(7, asked(), *tasks))

    assert budget(tracker).slots == 5
    assert tracker.cause("1.1-1") == "update"
    assert tracker.cause("1.0-3") == "there"


def test_a_task_that_was_seen_before_its_update_is_the_updates():
    """The recorder may see the first new task before the status that explains it."""
    first = [new(1, 0.1, "preparing"), *map(old, range(1, 6))]
    tracker = follow(
        before(),
        values.snapshot(0.2, asked(OLD, None), *first),
        values.snapshot(0.3, asked(), *first),
    )

    assert tracker.cause("1.1-1") == "update"
    assert tracker.explained_anew() == {"1.1-1"}


@pytest.mark.parametrize(
    ("failures", "slots", "ratio", "triggers"),
    [
        (1, 5, 0.2, False),  # this and the next four were measured on a real engine
        (1, 4, 0.25, False),
        (1, 5, 0.19, True),
        (1, 10, 0.0, True),
        (3, 10, 0.2, True),
        (7, 10, 0.7, False),  # in 64 bits 7/10 is more than the 0.7 that is kept in 32
        (10, 10, 1.0, False),
    ],
)
def test_more_than_the_ratio_triggers(failures: int, slots: int, ratio: float, triggers: bool):
    assert exceeds(failures, slots, ratio) is triggers


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_one_failure_more_than_is_tolerated_triggers(slots: int, ratio: float):
    """`tolerated` is the last number that does not, for every size and ratio."""
    most = tolerated(slots, ratio)

    assert 0 <= most <= slots
    assert not exceeds(most, slots, ratio)
    assert most == slots or exceeds(most + 1, slots, ratio)


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_task_that_ends_within_the_monitor_window_failed(exit_code: int):
    """Whatever its exit code."""
    running = (2, {1: new(1, 1, since=2)})
    state = "failed" if exit_code else "complete"
    died = (5, {1: new(1, 1, state, since=5, exit_code=exit_code)})

    assert budget(update(running, died)).failures == 1


def test_a_task_that_never_ran_failed():
    rejected = (2, {1: new(1, 1, "rejected")})

    assert budget(update(rejected)).failures == 1


def test_a_task_that_ends_after_its_monitor_window_is_not_counted():
    running = (2, {1: new(1, 1, since=2)})
    died = (9, {1: new(1, 1, "failed", since=8)})
    found = budget(update(running, died))

    assert (found.failures, found.missed) == (0, ("1.1-1",))


def test_what_the_restart_supervisor_makes_counts_no_more():
    """A slot counts once, however often its task is restarted."""
    died = new(1, 1, "failed")
    again = replace(new(1, 7, "failed"), id="again")
    tasks = [old(1), died, *map(old, range(2, 6))]
    tracker = follow(
        before(),
        values.snapshot(2, asked(), *tasks),
        values.snapshot(8, asked(), again, *tasks),
    )

    assert budget(tracker).failures == 1
    assert tracker.cause("again") == "restart"
    assert tracker.before("again") == died.id


def test_failures_are_not_watched_with_continue():
    rejected = (2, {1: new(1, 1, "rejected")})
    found = budget(update(rejected, failure_action="continue"))

    assert (found.watched, found.failures, found.missed) == (False, 0, ("1.1-1",))


def test_a_failure_is_missed_while_the_updater_waits_for_its_last_workers():
    """All slots at once: the one that died early is looked at when the slowest one runs.

    Measured on a real engine: such an update is called completed.
    """
    made = {slot: new(slot, 0.1, "starting") for slot in range(1, 6)}
    ran = made | {1: new(1, 0.1, since=0.5)}
    died = made | {1: new(1, 0.1, "failed", since=1)}
    slow = {slot: new(slot, 0.1, since=9) for slot in range(2, 6)} | {1: died[1]}
    tracker = update((0.2, made), (0.6, ran), (1.1, died), (9.1, slow), parallelism=0)

    assert (budget(tracker).failures, budget(tracker).missed) == (0, ("1.1-1",))


def test_the_failure_that_the_message_names_counts():
    """Also when the engine says so before its task is seen to have ended."""
    tasks = [new(1, 1, since=2), *map(old, range(1, 6))]
    message = "update paused due to failure or early termination of task 1.1-1"
    tracker = follow(
        before(),
        values.snapshot(2, asked(), *tasks),
        values.snapshot(3, asked(state="paused", message=message), *tasks),
    )

    assert budget(tracker).failures == 1


def test_after_its_end_an_update_counts_no_more():
    """A paused update's tasks go on dying; what was decided stays decided."""
    one, two = new(1, 1, "failed"), new(2, 1, since=2)
    rest = list(map(old, range(1, 6)))
    paused = asked(state="paused", message="update paused")
    tracker = follow(
        before(),
        values.snapshot(2, asked(), one, two, *rest),
        values.snapshot(3, paused, one, two, *rest),
        values.snapshot(4, paused, one, new(2, 1, "failed", since=4), *rest),
    )

    assert budget(tracker).failures == 1


def test_a_rollback_has_a_budget_of_its_own():
    """Of the slots that had left the previous spec, by the rollback config."""
    bad = [new(1, 1, "failed"), new(2, 1, "failed"), *map(old, range(1, 6))]
    back = replace(
        asked(OLD, "rollback_started"), rollback_config=RollbackConfig(max_failure_ratio=0.5)
    )
    again = replace(values.task(1, OLD, "starting", created_at=at(4)), id="back-1")
    tracker = follow(
        before(),
        values.snapshot(2, asked(max_failure_ratio=0.2), *bad),
        values.snapshot(3, back, *bad),
        values.snapshot(4, back, again, *bad),
    )
    first, second = tracker.budgets()

    assert (first.of, first.failures, first.tolerated, first.slots) == ("update", 2, 1, 5)
    assert (second.of, second.failures, second.tolerated, second.slots) == ("rollback", 0, 1, 2)
    assert tracker.cause("back-1") == "rollback"


def test_each_updated_slot_has_a_delay_and_a_monitor_window():
    tracker = update((2, {1: new(1, 1, since=2)}), delay="3s", monitor="7s")
    (window,) = tracker.new_windows()

    assert (window.task, window.start, window.until) == ("1.1-1", at(2), (at(5), at(9)))
    assert tracker.new_windows() == []


@pytest.mark.parametrize(
    ("delay", "monitor", "completed"),
    [("0s", "5s", 14), ("3s", "5s", 17), ("4s", "1s", 18)],  # 4 + 5: delay + 1 s of monitor
)
def test_an_update_settles_a_delay_and_a_monitor_window_after_its_last_start(
    delay: str, monitor: str, completed: float
):
    done = {slot: new(slot, slot, since=slot + 1) for slot in range(1, 6)}
    most = {slot: done[slot] for slot in range(1, 5)}
    config = {"delay": delay, "monitor": monitor}

    assert update((8, most), **config).settling() is None
    settling = update((8, most), (9, done), **config).settling()
    assert settling is not None
    assert settling.monitor == at(completed)


def test_an_update_that_is_completed_waits_for_nothing():
    done = {slot: new(slot, slot) for slot in range(1, 6)}
    tasks = [task for slot in range(1, 6) for task in _slot(slot, done)]
    tracker = follow(
        before(),
        values.snapshot(9, asked(), *tasks),
        values.snapshot(15, asked(state="completed"), *tasks),
    )

    assert tracker.settling() is None
    assert budget(tracker).failures == 0


def test_new_slots_of_a_service_are_no_ones_but_its_own():
    """Scaled up: made at once, outside the update."""
    tracker = follow(before(), values.snapshot(1, asked(OLD, None), *map(old, range(1, 7))))

    assert tracker.cause("1.0-6") == "create"


def test_slots_that_an_update_adds_are_no_part_of_it():
    """Scaled up by the update itself: they are made at once, and their failures never count."""
    tasks = [*map(old, range(1, 6)), new(6, 0.1, "failed")]
    tracker = follow(before(), values.snapshot(0.2, asked(), *tasks))

    assert tracker.cause("1.1-6") == "create"
    assert (budget(tracker).slots, budget(tracker).failures) == (5, 0)


def test_a_slot_that_is_added_while_all_are_updated_is_no_part_of_it():
    """`--force` and a scale up: no image tells which slots are updated."""
    extra = replace(old(6), created_at=at(0.4))
    five = [*map(old, range(1, 6))]
    tracker = follow(
        before(),
        values.snapshot(0.2, asked(OLD), *five),
        values.snapshot(0.5, asked(OLD), *five, extra),
    )

    assert tracker.cause("1.0-6") == "create"
    assert budget(tracker).slots == 5


def test_slots_that_an_update_takes_away_are_no_part_of_it():
    """Scaled down by the update itself: the others are updated, and then it settles."""
    going = [old(slot, desired_state="remove") for slot in (4, 5)]
    tasks = [new(1, 1), new(2, 2), new(3, 3), *going]
    tracker = follow(before(), values.snapshot(0.2, asked(), *map(old, (1, 2, 3)), *going))

    assert budget(tracker).slots == 3
    tracker = follow(
        before(),
        values.snapshot(0.2, asked(), *map(old, (1, 2, 3)), *going),
        values.snapshot(4, asked(), *map(old, (1, 2, 3)), *tasks),
    )
    assert tracker.settling() is not None


def test_a_service_that_was_made_again_replaces_no_task_of_the_one_before():
    """The last tasks of the one that was removed bear its name while they stop."""
    ending = [replace(old(slot), desired_state="remove", service_id="s1") for slot in (1, 2)]
    first = replace(values.task(1, OLD, created_at=at(1)), id="first", service_id="s2")
    again = replace(asked(OLD, None), id="s2")
    tracker = follow(
        before(),
        values.snapshot(0, None, *ending),
        values.snapshot(2, again, *ending, first),
        values.snapshot(3, replace(asked(), id="s2"), *ending, first),
    )

    assert (tracker.cause("first"), tracker.before("first")) == ("create", None)
    assert budget(tracker).slots == 1


def test_the_history_of_slots_that_were_scaled_away_is_no_slot():
    """Seen on a real engine: their dead tasks stay in `docker service ps`."""
    history = [old(slot) for slot in (6, 7)]
    dead = [replace(task, state="failed", desired_state="shutdown") for task in history]
    tasks = [*map(old, range(1, 6)), *dead]
    tracker = follow(
        values.snapshot(-1, asked(OLD, None), *tasks), values.snapshot(1, asked(), *tasks)
    )

    assert budget(tracker).slots == 5


def test_a_slot_whose_task_will_not_be_restarted_is_updated():
    """The restart policy is exhausted: fewer slots are left than there are replicas."""
    dead = [replace(old(slot), state="failed", desired_state="shutdown") for slot in (4, 5)]
    tasks = [*map(old, (1, 2, 3)), *dead]
    tracker = follow(
        values.snapshot(-1, asked(OLD, None), *tasks), values.snapshot(1, asked(), *tasks)
    )

    assert budget(tracker).slots == 5
