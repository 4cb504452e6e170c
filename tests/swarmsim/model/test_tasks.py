"""A task's life: its states, what is said of them, how long they take, and how it ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from swarmsim.model import SECOND, Behaviour, Task
from tests.swarmsim.model.swarms import GOOD, STUBBORN, Swarm, dies, missing, spec

NETWORK: dict[str, Any] = {"Networks": [{"Target": "n1"}]}
ORDER = ["new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running"]
MESSAGES = {
    "new": "created",
    "pending": "pending task scheduling",
    "assigned": "scheduler assigned task to node",
    "accepted": "accepted",
    "preparing": "preparing",
    "ready": "prepared",
    "starting": "starting",
    "running": "started",
}


def fresh(behaviour: Behaviour = GOOD, **more: Any) -> tuple[Swarm, Task]:
    """A service with one task that has just been made."""
    swarm = Swarm(spec(replicas=1, **more), {"1": behaviour}, settle=0)
    swarm.wait_for(lambda: bool(swarm.tasks))
    swarm.forget()
    return swarm, swarm.tasks[0]


def reach(swarm: Swarm, task: Task, state: str) -> float:
    return swarm.wait_for(lambda: task.state == state)


# ---- up --------------------------------------------------------------------------------------


def test_a_task_runs_within_a_second_and_passes_its_states_in_order() -> None:
    seen: dict[str, set[str]] = {}
    for seed in range(300):
        swarm = Swarm(spec(replicas=1), seed=seed, settle=0)
        messages: list[tuple[str, str]] = []

        def note(*_: object, swarm: Swarm = swarm, messages: Any = messages) -> None:
            if (found := swarm.tasks) and (found[0].state, found[0].message) not in messages:
                messages.append((found[0].state, found[0].message))

        swarm.cluster.watch(note)
        assert 0.4 < swarm.wait_for(lambda: swarm.running["1"] == 1) < 0.85  # noqa: B023
        states = [state for state, _ in messages]
        assert states == [state for state in ORDER if state in states]
        for state, message in messages:
            seen.setdefault(state, set()).add(message)
    # short ones are seen now and then
    assert seen == {state: {message} for state, message in MESSAGES.items()}


def test_the_scheduler_takes_a_moment_and_so_does_the_way_to_the_node() -> None:
    swarm, task = fresh()
    assert 0.05 <= reach(swarm, task, "assigned") < 0.062
    assigned = swarm.now
    swarm.wait_for(lambda: task.state != "assigned")
    assert 0.1 < swarm.now - assigned < 0.22
    # a node reports what was, up to a tenth of a second later
    assert task.status_at < swarm.cluster.now


def test_a_process_that_dies_before_it_is_healthy_has_failed_without_ever_running() -> None:
    swarm, task = fresh(replace(dies(1, 4), healthy_after=timedelta(seconds=10)))
    reach(swarm, task, "failed")
    assert (task.message, task.error) == ("starting", "task: non-zero exit (4)")


# ---- down by itself ----------------------------------------------------------------------------


def test_a_process_that_ends_badly_has_failed() -> None:
    swarm, task = fresh(dies(1, 42))
    reach(swarm, task, "failed")
    assert (task.message, task.error) == ("started", "task: non-zero exit (42)")
    assert (task.exit_code, task.desired_state) == (42, "running")
    swarm.wait(0.01)
    assert task.desired_state == "shutdown"


@pytest.mark.parametrize("first", [None, timedelta(seconds=1)])
@pytest.mark.parametrize(("code", "state"), [(3, "failed"), (0, "complete")])
def test_an_unhealthy_container_is_stopped_and_its_exit_code_decides(first, code, state):
    """Before it ever was healthy, or after; one that exits with 0 has finished."""
    sick = Behaviour(healthy_after=first, unhealthy_after=timedelta(seconds=4), stop_code=code)
    swarm, task = fresh(sick)
    reach(swarm, task, state)
    assert swarm.now == pytest.approx(4.6, abs=0.3)
    if code:
        assert task.error == "task: non-zero exit (3): dockerexec: unhealthy container"
        assert task.message == ("started" if first else "starting")
    else:
        assert (task.message, task.error) == ("finished", "")


def test_an_unhealthy_container_leaves_its_network_first_too() -> None:
    sick = Behaviour(unhealthy_after=timedelta(seconds=4), stop_code=1)
    swarm, task = fresh(sick, template=NETWORK)
    assert reach(swarm, task, "failed") == pytest.approx(6.9, abs=0.3)


# ---- told to stop ---------------------------------------------------------------------------


def stopped(behaviour: Behaviour, **more: Any) -> tuple[float, Task]:
    """Have a task that runs replaced; return how long it took to end."""
    swarm = Swarm(spec(replicas=1, **more), {"1": behaviour})
    task = swarm.tasks[0]
    swarm.update(spec("2", 1))
    return reach(swarm, task, "shutdown"), task


def test_a_container_is_asked_to_stop_a_second_after_its_node_has_heard() -> None:
    took, task = stopped(GOOD)
    assert took == pytest.approx(1.3, abs=0.15)
    assert (task.message, task.error, task.exit_code) == ("shutdown", "", 0)


def test_with_an_overlay_network_two_seconds_go_by_first() -> None:
    took, _ = stopped(GOOD, template=NETWORK)
    assert took == pytest.approx(3.3, abs=0.15)
    published = {"Ports": [{"PublishedPort": 80, "TargetPort": 80, "PublishMode": "ingress"}]}
    took, _ = stopped(GOOD, EndpointSpec=published)
    assert took == pytest.approx(3.3, abs=0.15)


@pytest.mark.parametrize(("grace", "took"), [(3 * SECOND, 4.3), (2_900_000_000, 3.3), (0, 1.3)])
def test_the_grace_period_is_counted_in_whole_seconds(grace: int, took: float) -> None:
    container = {"ContainerSpec": {"Image": "web:1", "StopGracePeriod": grace}}
    found, task = stopped(STUBBORN, template=container)
    assert found == pytest.approx(took, abs=0.15)
    assert task.exit_code == 137


def test_while_it_is_stopped_a_task_says_anew_that_it_runs() -> None:
    """The engine writes its status again, with this time and the exit code -1."""
    swarm = Swarm(spec(replicas=1))
    task, since = swarm.tasks[0], swarm.tasks[0].status_at
    swarm.update(spec("2", 1))
    swarm.wait(0.4)
    assert (task.state, task.desired_state, task.exit_code) == ("running", "shutdown", -1)
    assert task.status_at > since


@pytest.mark.parametrize(
    ("state", "least", "most"),
    [
        ("pending", 0.2, 0.5),
        ("assigned", 0.0, 0.35),
        ("accepted", 0.0, 0.8),
        ("preparing", 0.0, 0.8),
        ("starting", 0.0, 1.9),
    ],
)
def test_a_task_can_be_told_to_stop_at_any_point_of_its_way(state: str, least: float, most: float):
    for seed in range(200):
        swarm = Swarm(spec(replicas=1), seed=seed, settle=0)
        swarm.wait_for(lambda: bool(swarm.tasks))  # noqa: B023
        task = swarm.tasks[0]
        swarm.wait_for(lambda: task.state in (state, "running"))  # noqa: B023
        if task.state != state:
            continue
        began = swarm.now
        swarm.update(spec("2", 1))
        assert least <= reach(swarm, task, "shutdown") - began <= most
        swarm.wait_for(lambda: swarm.running == {"2": 1}, at_most=30)  # noqa: B023
        return
    pytest.fail(f"in 200 runs no task was seen {state}")


def test_a_task_that_has_not_been_started_is_shut_down_as_soon_as_its_node_hears() -> None:
    swarm = Swarm(spec(replicas=1), {"1": STUBBORN})
    swarm.update(spec("2", 1))
    swarm.wait_for(lambda: swarm.tasks[-1].state == "ready")
    waiting, began = swarm.tasks[-1], swarm.now
    swarm.update(spec("3", 1))
    assert reach(swarm, waiting, "shutdown") - began < 0.25
    assert swarm.times("2", "starting") == []


def test_a_process_that_ends_just_as_it_is_told_to_stop_is_shut_down() -> None:
    swarm = Swarm(spec(replicas=1))
    task = swarm.tasks[0]
    swarm.update(spec("2", 1))
    swarm.wait(0.6)  # its node has heard, and waits for a second
    swarm.cluster.container_exited(task.id, 7)
    reach(swarm, task, "shutdown")
    assert (task.exit_code, task.error) == (7, "")


def test_the_container_of_a_task_that_is_forgotten_is_still_stopped_properly() -> None:
    """Slots that are removed within an update are forgotten while they run."""
    slow = {"1": Behaviour(stops_after=timedelta(seconds=4))}
    swarm = Swarm(spec(replicas=3), slow)
    third = swarm.slot(3)[0]
    swarm.update(spec("2", 2))
    swarm.wait(0.1)
    assert third.id not in swarm.cluster.tasks
    swarm.wait(3)
    assert third.id in swarm.driver.stopped
    assert third.id not in swarm.driver.removed
    swarm.wait(2)
    assert third.id in swarm.driver.removed


def test_when_all_is_over_no_container_is_left() -> None:
    swarm = Swarm(spec(replicas=3), {"2": dies(1), "3": missing("3")})
    for tag in ("2", "3", "1"):
        swarm.update(spec(tag))
        swarm.wait(7)
    made = {task.id for _, task, state, _ in swarm.writes if state in ("preparing", "ready")}
    swarm.cluster.remove_service(swarm.service.id)
    swarm.wait(10)
    assert made <= set(swarm.driver.removed)
    assert len(swarm.driver.removed) == len(set(swarm.driver.removed))
