"""Restarts: what takes the place of a task that has ended, and when."""

from typing import Any

import pytest

from swarmsim.model import SECOND
from tests.swarmsim.model.swarms import GOOD, Swarm, dies, spec, tag_of


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
