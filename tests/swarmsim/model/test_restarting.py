"""Restarts: what takes the place of a task that has ended, and when; and what is kept of it."""

from typing import Any

import pytest

from swarmsim.model import SECOND
from tests.swarmsim.model.swarms import GOOD, STUBBORN, Swarm, config, dies, spec, tag_of


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


# ---- what is kept of the past ----------------------------------------------------


def updated(limit: int, times: int = 8, **more: object) -> Swarm:
    swarm = Swarm(spec(replicas=2, **more))  # type: ignore[arg-type]
    swarm.cluster.history_limit = limit
    for n in range(times):
        swarm.update(spec(str(n + 2), 2, update=config(Parallelism=2), **more))  # type: ignore[arg-type]
        swarm.wait_for_state("completed")
    return swarm


@pytest.mark.parametrize(("limit", "kept"), [(5, 5), (2, 2), (1, 1), (0, 1), (-1, 9)])
def test_so_many_tasks_of_a_slot_are_kept_the_present_one_included(limit: int, kept: int) -> None:
    swarm = updated(limit)
    for slot in (1, 2):
        tags = [tag_of(task) for task in swarm.slot(slot)]
        assert tags == [str(n) for n in range(10 - kept, 10)], "the oldest go first"


def test_what_is_too_much_goes_a_quarter_of_a_second_later() -> None:
    swarm = updated(2, times=1)
    swarm.forget()
    oldest = swarm.slot(1)[0]
    swarm.update(spec("9", 2, update=config(Parallelism=2)))
    gone = swarm.wait_for(lambda: oldest.id not in swarm.cluster.tasks)
    assert gone == pytest.approx(0.25, abs=0.02)


def test_tasks_that_have_not_ended_are_not_forgotten() -> None:
    """Not even above the limit; they go when they have ended."""
    grace = {"ContainerSpec": {"Image": "web:1", "StopGracePeriod": 20 * SECOND}}
    first = spec(replicas=1, template=grace)
    swarm = Swarm(first, {"1": STUBBORN})
    swarm.cluster.history_limit = 0
    swarm.update(spec("2", 1, update=config(Order="start-first")))
    swarm.wait(15)
    assert [task.state for task in swarm.tasks] == ["running", "running"]
    swarm.wait(10)
    assert [tag_of(task) for task in swarm.tasks] == ["2"]


def test_of_a_service_that_is_removed_the_past_goes_at_once_and_the_rest_when_it_stops() -> None:
    swarm = updated(5, times=2)
    swarm.cluster.remove_service(swarm.service.id)
    swarm.wait(0.3)
    assert [(task.state, task.desired_state) for task in swarm.tasks] == [("running", "remove")] * 2
    swarm.wait(3)
    assert swarm.tasks == []


def test_a_thousand_tasks_are_forgotten_without_waiting() -> None:
    swarm = Swarm(spec(replicas=1100))
    swarm.cluster.remove_service(swarm.service.id)
    swarm.wait(20)
    assert swarm.tasks == []
