"""Restarts: what takes the place of a task that has ended, and when."""

from __future__ import annotations

from typing import Any

import pytest

from swarmsim.model import SECOND
from tests.swarmsim.model.swarms import GOOD, Swarm, dies, missing, spec, tag_of


def life(restart: dict[str, Any] | None, code: int = 1, wait: float = 60) -> Swarm:
    """A service of one task that ends after a second, for a while."""
    swarm = Swarm(spec(replicas=1, restart=restart), {"1": dies(1, code)}, settle=0.001)
    swarm.cluster.history_limit = -1
    swarm.wait(wait)
    return swarm


@pytest.mark.parametrize(
    ("condition", "code", "restarted"),
    [
        ("", 0, True),
        ("any", 0, True),
        ("any", 1, True),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("none", 0, False),
        ("none", 1, False),
    ],
)
def test_the_condition_decides_whether_a_task_is_replaced(
    condition: str, code: int, *, restarted: bool
) -> None:
    swarm = life({"Condition": condition}, code)
    assert (len(swarm.tasks) > 1) is restarted
    assert swarm.tasks[0].state == ("failed" if code else "complete")
    assert swarm.tasks[0].desired_state == "shutdown", "whether or not it is replaced"


@pytest.mark.parametrize(("given", "delay"), [(None, 5), (0, 0), (2 * SECOND, 2)])
def test_the_replacement_is_made_ready_at_once_and_starts_after_the_delay(
    given: int | None, delay: float
) -> None:
    swarm = Swarm(spec(replicas=1, restart={"Delay": given}), {"1": dies(1)}, settle=0.001)
    swarm.wait_for(lambda: len(swarm.tasks) == 2)
    made = swarm.now
    new = swarm.tasks[-1]
    if delay:
        assert new.desired_state == "ready"
        swarm.wait(1)
        assert (new.state, new.message) == ("ready", "prepared")
    assert swarm.wait_for(lambda: new.desired_state == "running") - made == pytest.approx(delay)


def test_a_crash_loop_is_made_of_tasks_that_run_and_fail_and_is_no_updates_business() -> None:
    swarm = life(None)
    assert swarm.state is None
    gaps = [round(b - a, 1) for a, b in zip(swarm.made("1"), swarm.made("1")[1:], strict=False)]
    assert gaps[1:] == pytest.approx([6.5] * len(gaps[1:]), abs=0.2)
    failed = swarm.tasks[0]
    assert (failed.state, failed.message, failed.error, failed.exit_code) == (
        "failed",
        "started",
        "task: non-zero exit (1)",
        1,
    )


def test_a_task_that_is_rejected_while_it_waits_is_replaced_when_its_wait_is_over() -> None:
    """A missing image is asked for once in a restart delay."""
    swarm = Swarm(spec(replicas=1), {"1": missing("1")}, settle=0.001)
    swarm.cluster.history_limit = -1
    swarm.wait(60)
    gaps = [b - a for a, b in zip(swarm.made("1"), swarm.made("1")[1:], strict=False)]
    assert gaps[1:] == pytest.approx([5] * len(gaps[1:]), abs=0.01)
    assert len(gaps) > 8


def test_max_attempts_are_restarts_so_that_there_is_one_task_more() -> None:
    """Probe e5b: on-failure, two attempts: three tasks, and no update status."""
    swarm = life({"Condition": "on-failure", "MaxAttempts": 2}, wait=300)
    assert [task.state for task in swarm.tasks] == ["failed"] * 3
    assert {task.desired_state for task in swarm.tasks} == {"shutdown"}
    assert swarm.state is None


def test_a_slot_that_is_used_up_counts_as_filled_until_the_spec_changes() -> None:
    restart = {"Condition": "on-failure", "MaxAttempts": 1}
    swarm = life(restart, wait=100)
    swarm.update(spec(replicas=2, restart=restart))
    swarm.wait(0.1)
    assert len(swarm.slot(1)) == 2
    assert len(swarm.slot(2)) == 1
    swarm.wait(100)
    swarm.update(spec("2", 2, restart=restart))
    swarm.wait_for_state("completed")
    assert swarm.running == {"2": 2}


def test_attempts_are_counted_for_each_spec() -> None:
    restart = {"Condition": "any", "MaxAttempts": 1}
    swarm = Swarm(spec(replicas=1, restart=restart), {"1": dies(1), "2": dies(1)}, settle=100)
    swarm.update(spec("2", 1, restart=restart))
    swarm.wait(200)
    assert [tag_of(task) for task in swarm.tasks] == ["2", "2"]


def test_only_restarts_within_the_window_count() -> None:
    """One attempt in three seconds, and a restart every six: it goes on for ever."""
    swarm = life({"MaxAttempts": 1, "Window": 3 * SECOND}, wait=100)
    assert len(swarm.made("1")) > 10
    swarm = life({"MaxAttempts": 1, "Window": 30 * SECOND}, wait=100)
    assert len(swarm.made("1")) == 2


def test_finished_slots_are_still_updated() -> None:
    """Probe e5a: never restarted, they crash and pause the update; a good image mends them."""
    none = {"Condition": "none"}
    swarm = Swarm(spec(replicas=2, restart=none), {"2": dies(1)})
    swarm.update(spec("2", 2, restart=none))
    swarm.wait_for_state("paused")
    swarm.wait(30)
    dead = [task for task in swarm.tasks if tag_of(task) == "2"]
    assert {task.state for task in dead} == {"failed"}
    assert swarm.current == [task for task in swarm.current if tag_of(task) == "1"]
    swarm.update(spec("3", 2, restart=none))
    swarm.wait_for_state("completed")
    assert swarm.running == {"3": 2}


def test_in_a_rollback_a_finished_slot_is_filled_again_at_once() -> None:
    """So that a rollback always ends with all slots filled; it counts as dead then."""
    none = {"Condition": "none"}
    lives = iter([GOOD, dies(1)])
    swarm = Swarm(spec(replicas=2, restart=none), {"1": lambda _: next(lives, GOOD)})
    assert swarm.running == {"1": 1}
    swarm.update(spec("2", 2, restart=none))
    swarm.wait(0.1)
    swarm.rollback()
    swarm.wait_for_state("rollback_completed")
    assert swarm.running == {"1": 2}
