"""What is kept of the past: how many tasks of a slot, and for how long."""

import pytest

from swarmsim.model import SECOND
from tests.swarmsim.model.swarms import STUBBORN, Swarm, config, spec, tag_of


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
