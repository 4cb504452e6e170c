"""Updates, rule by rule: which slots, in which order, when, and what the manager says."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from swarmsim.model import Task
from swarmsim.model.plan import Strategy
from tests.swarmsim.model.swarms import (
    GOOD,
    STUBBORN,
    Swarm,
    config,
    dies,
    healthy,
    missing,
    spec,
    tag_of,
)

SECOND = 10**9


# ---- configs --------------------------------------------------------------------------


def test_an_absent_config_means_one_slot_at_a_time_and_pause() -> None:
    assert Strategy.read(None) == Strategy(
        parallelism=1,
        delay=0,
        failure_action="pause",
        monitor=5 * SECOND,
        max_failure_ratio=0.0,
        start_first=False,
    )


def test_a_config_without_parallelism_means_all_at_once() -> None:
    assert Strategy.read({}) == replace(Strategy.read(None), parallelism=0)
    assert Strategy.read({"Monitor": 0, "FailureAction": "", "Order": ""}) == replace(
        Strategy.read(None), parallelism=0
    )


# ---- what is dirty ----------------------------------------------------------------------


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(spec(update=config()))
    *folders, name = path.split(".")
    place = made
    for folder in folders:
        place = place.setdefault(folder, {})
    place[name] = value
    return made


@pytest.mark.parametrize(
    "wanted",
    [
        spec(update=config()),
        changed("Labels", {"a": "b"}),
        changed("UpdateConfig", config(Delay=9)),
        changed("RollbackConfig", config(Delay=9)),
    ],
)
def test_what_is_not_in_the_template_replaces_no_task_and_makes_no_status(
    wanted: dict[str, Any],
) -> None:
    swarm = Swarm(spec(update=config()))
    before = swarm.service.spec
    ids = {task.id for task in swarm.tasks}
    swarm.update(wanted)
    swarm.wait(60)
    assert swarm.state is None
    assert {task.id for task in swarm.tasks} == ids
    assert swarm.service.previous_spec is before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("TaskTemplate.ForceUpdate", 1),
        ("TaskTemplate.ContainerSpec.Env", ["A=1"]),
        ("TaskTemplate.RestartPolicy", {"Condition": "any"}),
        ("TaskTemplate.Resources", {}),
        ("EndpointSpec", {"Mode": "vip"}),
    ],
)
def test_what_is_in_the_template_or_the_endpoint_replaces_all_tasks(path: str, value: Any) -> None:
    """An explicit default is another spec than none at all."""
    swarm = Swarm(spec(update=config()))
    old = {task.id for task in swarm.tasks}
    swarm.update(changed(path, value))
    swarm.wait_for_state("completed")
    assert not old & {task.id for task in swarm.current}
    assert len(swarm.current) == 3


def test_a_placement_that_a_node_meets_replaces_nothing_there() -> None:
    swarm = Swarm(spec(replicas=4, update=config()), nodes=2)
    first, _ = swarm.nodes
    staying = {task.id for task in swarm.tasks if task.node_id == first.id}
    assert len(staying) == 2
    wanted = changed("TaskTemplate.Placement", {"Constraints": [f"node.id == {first.id}"]})
    wanted["Mode"]["Replicated"]["Replicas"] = 4
    swarm.update(wanted)
    swarm.wait_for_state("completed")
    assert {task.node_id for task in swarm.current} == {first.id}
    assert staying < {task.id for task in swarm.current}
    assert len(swarm.times("1", "new")) == 2


def test_with_the_placement_alone_swarmkit_does_not_look_at_the_endpoint() -> None:
    swarm = Swarm(spec(update=config()))
    wanted = changed("TaskTemplate.Placement", {"Constraints": ["node.hostname == n1"]})
    wanted["EndpointSpec"] = {"Mode": "dnsrr"}
    swarm.update(wanted)
    swarm.wait(60)
    assert swarm.state is None


# ---- the run -----------------------------------------------------------------------------


def test_without_a_config_slots_are_replaced_one_at_a_time() -> None:
    """Probe e1: in any order, and completed five seconds after the last one runs."""
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    done = swarm.wait_for_state("completed")
    assert swarm.states == ["updating", "completed"]
    started = swarm.times("2", "running")
    assert done - started[-1] == pytest.approx(5, abs=0.001)
    # each is made when the one before it runs
    assert swarm.made("2")[1:] == pytest.approx(started[:-1], abs=0.001)
    assert [round(b - a, 1) for a, b in zip(swarm.made("2"), started, strict=True)] == (
        pytest.approx([1.9] * 3, abs=0.25)
    )
    assert swarm.service.update_status
    assert swarm.service.update_status.message == "update completed"
    assert swarm.service.update_status.completed_at == swarm.cluster.now


def test_slots_are_taken_in_any_order() -> None:
    orders = set()
    for seed in range(12):
        swarm = Swarm(spec(), seed=seed)
        swarm.update(spec("2"))
        swarm.wait_for_state("completed")
        orders.add(tuple(task.slot for task in swarm.current))
    assert len(orders) > 3


@pytest.mark.parametrize(("parallelism", "together"), [(1, 1), (2, 2), (4, 4), (0, 6), (9, 6)])
def test_so_many_slots_are_replaced_at_once(parallelism: int, together: int) -> None:
    swarm = Swarm(spec(replicas=6))
    swarm.update(spec("2", 6, update={"Parallelism": parallelism}))
    least = 6
    while swarm.state != "completed":
        swarm.wait(0.1)
        least = min(least, sum(swarm.running.values()))
    assert least == 6 - together


@pytest.mark.parametrize(
    ("delay", "monitor", "tail"), [(0, 5, 5), (4, 1, 9), (3, 5, 8), (5, 5, 11), (0, 2, 2)]
)
def test_the_delay_also_follows_the_last_slot_and_the_monitor_window_follows_that(
    delay: float, monitor: float, tail: float
) -> None:
    swarm = Swarm(spec())
    swarm.update(spec("2", update=config(Delay=delay, Monitor=monitor)))
    done = swarm.wait_for_state("completed")
    started = swarm.times("2", "running")
    assert done - started[-1] == pytest.approx(tail, abs=0.001)
    pauses = [made - ran for made, ran in zip(swarm.made("2")[1:], started[:-1], strict=True)]
    assert pauses == pytest.approx([delay, delay], abs=0.001)


def test_workers_do_not_wait_for_each_other() -> None:
    """A slot that takes long holds up its own worker, not the other one."""
    slow = {"2": lambda task: healthy(60 if task.slot == 1 else 0.5)}
    swarm = Swarm(spec(replicas=6), slow)
    swarm.update(spec("2", 6, update=config(Parallelism=2)))
    swarm.wait_for(lambda: swarm.running["2"] == 5, at_most=20)
    assert swarm.running["1"] == 0
    assert swarm.state == "updating"


# ---- scaling ------------------------------------------------------------------------------


def test_slots_that_are_added_are_made_at_once_and_never_count() -> None:
    """Probe e14: they are none of the update's, not its parallelism, not its failures."""
    broken = {"2": lambda task: dies(1) if (task.slot or 0) > 2 else GOOD}
    swarm = Swarm(spec(replicas=2), broken)
    swarm.update(spec("2", 5, update=config()))
    swarm.wait(0.05)
    assert {task.slot for task in swarm.current if tag_of(task) == "2"} > {3, 4, 5}
    swarm.wait_for_state("completed", "paused")
    assert swarm.state == "completed"


def test_slots_that_are_too_many_are_removed_at_once_the_highest_first() -> None:
    swarm = Swarm(spec(replicas=5))
    swarm.update(spec("2", 2, update=config()))
    swarm.wait(0.05)
    assert {task.slot for _, task, _, desired in swarm.writes if desired == "remove"} == {3, 4, 5}
    # the manager forgets them as soon as the update is marked as begun, still running
    assert {task.slot for task in swarm.tasks} == {1, 2}
    swarm.wait_for_state("completed")
    assert {(task.slot, tag_of(task)) for task in swarm.tasks if task.state == "running"} == {
        (1, "2"),
        (2, "2"),
    }


def test_scaling_alone_is_no_update() -> None:
    swarm = Swarm(spec(replicas=3))
    swarm.update(spec(replicas=6))
    swarm.wait(20)
    assert (swarm.state, swarm.running["1"]) == (None, 6)
    swarm.update(spec(replicas=2))
    swarm.wait(20)
    assert {task.slot for task in swarm.tasks} == {1, 2}
    assert swarm.state is None


def test_what_does_not_run_is_removed_before_what_runs() -> None:
    swarm = Swarm(spec(replicas=4), {"1": lambda task: dies(2) if task.slot == 2 else GOOD})
    swarm.wait_for(lambda: swarm.slot(2)[-1].state == "ready")
    swarm.update(spec(replicas=3))
    swarm.wait(10)
    assert {task.slot for task in swarm.current} == {1, 3, 4}


def test_a_node_with_more_copies_loses_them_first() -> None:
    swarm = Swarm(spec(replicas=2), nodes=1)
    second = swarm.cluster.add_node("n2")
    swarm.update(spec(replicas=4))
    swarm.wait(10)
    assert sum(task.node_id == second.id for task in swarm.tasks) == 2
    swarm.update(spec(replicas=2))
    swarm.wait(10)
    assert len({task.node_id for task in swarm.tasks}) == 2


def test_slots_that_are_never_restarted_count_as_filled_while_they_are_removed() -> None:
    """An oddity of swarmkit: scaled down and up at once, such a service stays small."""
    swarm = Swarm(spec(restart={"Condition": "none"}))
    swarm.update(spec(replicas=1, restart={"Condition": "none"}))
    swarm.wait(0.5)
    swarm.update(spec(replicas=3, restart={"Condition": "none"}))
    swarm.wait(60)
    assert swarm.running["1"] == 1


def test_a_slot_that_comes_back_keeps_what_is_left_of_its_past() -> None:
    swarm = Swarm(spec(replicas=3))
    swarm.update(spec(replicas=1))
    swarm.wait(0.5)
    swarm.update(spec(replicas=3))
    swarm.wait(0.05)
    assert [task.desired_state for task in swarm.slot(3)] == ["remove", "running"]
    swarm.wait(10)
    assert len(swarm.tasks) == 3
    assert swarm.running["1"] == 3


# ---- failures ------------------------------------------------------------------------------


def test_a_failure_pauses_and_the_monitor_window_does_not_hold_up_the_next_slot() -> None:
    """Probe e2: a task that dies a second after its start is noticed in the second slot."""
    swarm = Swarm(spec(replicas=4), {"2": dies(1)})
    swarm.update(spec("2", 4, restart={"Delay": 2 * SECOND}))
    swarm.wait_for_state("paused")
    failed = next(task for task in swarm.tasks if task.state == "failed")
    assert swarm.message == f"update paused due to failure or early termination of task {failed.id}"
    assert swarm.service.update_status
    assert swarm.service.update_status.completed_at is None
    swarm.wait(60)
    assert swarm.state == "paused"
    assert len(swarm.touched("2")) == 2
    assert len(swarm.made("2")) > 6, "they crash and are replaced, on and on"
    assert swarm.running["1"] == 2


def test_while_an_update_is_paused_an_old_task_that_dies_comes_back_with_the_new_spec() -> None:
    swarm = Swarm(spec(replicas=4), {"2": dies(1)})
    swarm.update(spec("2", 4))
    swarm.wait_for_state("paused")
    swarm.wait(20)
    old = next(task for task in swarm.current if tag_of(task) == "1")
    swarm.cluster.container_exited(old.id, 137)
    swarm.wait(1)
    assert tag_of(swarm.slot(old.slot or 0)[-1]) == "2"
    assert swarm.state == "paused"


def test_exit_code_0_counts_too() -> None:
    swarm = Swarm(spec(), {"2": dies(1, code=0)})
    swarm.update(spec("2"))
    swarm.wait_for_state("paused")


def test_a_death_after_the_monitor_window_is_not_the_updates_business() -> None:
    """Probe e4a: it is completed before the tasks begin to die, and stays so."""
    swarm = Swarm(spec(replicas=1), {"2": dies(8)})
    swarm.update(spec("2", 1, update=config(Monitor=3)))
    swarm.wait_for_state("completed")
    swarm.wait(100)
    assert swarm.state == "completed"
    assert len(swarm.made("2")) > 5


@pytest.mark.parametrize(
    ("replicas", "ratio", "ends"),
    [(5, 0.2, "completed"), (4, 0.25, "completed"), (5, 0.19, "paused"), (4, 0.0, "paused")],
)
def test_failures_are_too_many_when_their_share_is_greater_than_the_ratio(
    replicas: int, ratio: float, ends: str
) -> None:
    """Probe e13: an equal share is tolerated, compared as 32-bit numbers."""
    bad = {"2": lambda task: dies(1) if task.slot == 1 else GOOD}
    for seed in range(4):
        swarm = Swarm(spec(replicas=replicas), bad, seed=seed)
        swarm.update(spec("2", replicas, update=config(MaxFailureRatio=ratio, Delay=1)))
        swarm.wait_for_state("completed", "paused")
        assert swarm.state == ends


def test_the_share_is_of_the_slots_to_update_not_of_the_replicas() -> None:
    swarm = Swarm(spec(replicas=4), {"2": dies(1)})
    swarm.update(spec("2", 4, update=config(Delay=3)))
    swarm.wait_for_state("paused")
    assert len(swarm.touched("2")) == 1
    # three of four slots are left: one failure is a third of them
    swarm.update(spec("2", 4, update=config(Delay=3, MaxFailureRatio=0.32)))
    swarm.wait_for_state("paused")
    assert len(swarm.touched("2")) == 2


def test_continue_does_not_look_at_failures() -> None:
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2", update=config(FailureAction="continue")))
    swarm.wait_for_state("completed")
    assert swarm.touched("2") == {1, 2, 3}


def test_slots_in_hand_are_finished_after_a_pause() -> None:
    swarm = Swarm(spec(replicas=6), {"2": lambda t: missing("2") if t.slot == 1 else healthy(4)})
    swarm.update(spec("2", 6, update=config(Parallelism=2)))
    swarm.wait_for_state("paused")
    swarm.wait(0.05)
    before = swarm.touched("2")
    swarm.wait(30)
    assert swarm.touched("2") == before
    assert swarm.running["2"] == len(before) - 1


@pytest.mark.parametrize(("parallelism", "ends"), [(0, "completed"), (1, "rollback_completed")])
def test_failures_are_missed_while_the_last_slots_are_in_hand(parallelism: int, ends: str) -> None:
    """Probe e12: with all slots in hand, nobody looks until the slowest of them runs."""
    behaviours = {"2": lambda task: dies(0.1) if task.slot == 1 else healthy(9)}
    update = config(Parallelism=parallelism, FailureAction="rollback", Monitor=4, Delay=1)
    for seed in range(4):
        swarm = Swarm(spec(), behaviours, seed=seed)
        swarm.update(spec("2", update=update))
        swarm.wait_for_state("completed", "rollback_completed")
        assert swarm.state == ends


def test_a_failure_in_the_last_slot_but_one_is_missed_if_the_last_one_takes_long_to_stop() -> None:
    behaviours = {
        "1": STUBBORN,
        "2": dies(1),
    }
    swarm = Swarm(spec(replicas=2), behaviours)
    swarm.update(spec("2", 2, update=config()))
    swarm.wait_for_state("paused", "completed")
    first = next(task for _, task, state, _ in swarm.writes if state == "failed")
    assert swarm.touched("2") == {1, 2}
    assert not swarm.message.endswith(first.id), "the first failure was looked at too late"


def test_a_missing_image_is_rejected_and_unblocks_its_worker() -> None:
    """Probe e4b: all at once, so both old tasks are stopped; paused when both are back."""
    swarm = Swarm(spec(replicas=2), {"2": missing("2")})
    swarm.update(spec("2", 2, update={}))
    swarm.wait_for_state("paused")
    assert swarm.running == {}
    assert {task.error for task in swarm.tasks if task.state == "rejected"} == {
        "No such image: web:2"
    }


def test_one_at_a_time_a_missing_image_costs_one_slot() -> None:
    swarm = Swarm(spec(replicas=3), {"2": missing("2")})
    swarm.update(spec("2"))
    paused = swarm.wait_for_state("paused")
    assert paused < 1
    swarm.wait(30)
    assert len(swarm.touched("2")) == 1
    assert swarm.running["1"] == 2


# ---- start-first ---------------------------------------------------------------------------


def test_start_first_never_has_fewer_tasks_than_replicas() -> None:
    """Probe e4c: the old task is told to stop when the new one runs."""
    swarm = Swarm(spec(replicas=3))
    swarm.update(spec("2", update=config(Order="start-first")))
    counts = set()
    while swarm.state != "completed":
        swarm.wait(0.05)
        counts.add(sum(swarm.running.values()))
    # the old tasks stop at leisure while the next slot is on its way
    assert (min(counts), max(counts) > 3) == (3, True)
    assert swarm.running == {"2": 3}
    assert swarm.times("2", "running")[-1] < 2, "it does not wait for the old ones to stop"


def test_with_start_first_a_process_that_dies_at_once_costs_the_old_task_too() -> None:
    swarm = Swarm(spec(replicas=2), {"2": dies(0.3)})
    swarm.update(spec("2", 2, update=config(Order="start-first")))
    swarm.wait_for_state("paused")
    swarm.wait(5)
    assert swarm.running["1"] < 2


def test_with_start_first_a_task_that_never_runs_leaves_the_old_one_alone() -> None:
    swarm = Swarm(spec(replicas=2), {"2": missing("2")})
    swarm.update(spec("2", 2, update=config(Order="start-first")))
    swarm.wait_for_state("paused")
    swarm.wait(60)
    assert swarm.running["1"] == 2
    (slot,) = swarm.touched("2")
    assert len([task for task in swarm.slot(slot or 0) if task in swarm.current]) == 2


# ---- waiting ---------------------------------------------------------------------------------


def test_the_new_task_waits_until_the_old_one_has_stopped_but_no_longer_than_a_minute() -> None:
    long = {"ContainerSpec": {"Image": "web:1", "StopGracePeriod": 120 * SECOND}}
    swarm = Swarm(spec(replicas=1, template=long), {"1": STUBBORN})
    swarm.update(spec("2", 1))
    started = swarm.wait_for(lambda: swarm.running["2"] == 1)
    assert started == pytest.approx(60.5, abs=0.3)
    assert swarm.running["1"] == 1, "the old one still runs"
    swarm.wait(65)
    assert swarm.running == {"2": 1}
    old = swarm.tasks[0]
    assert (old.state, old.exit_code, old.error) == ("shutdown", 137, "")


def test_a_task_that_finds_no_node_holds_up_the_update_for_ever() -> None:
    """Probe e10C: one replica short, until the constraint is relaxed."""
    swarm = Swarm(spec())
    swarm.update(spec("2", template={"Placement": {"Constraints": ["node.labels.ssd == yes"]}}))
    swarm.wait(3600)
    assert (swarm.state, swarm.running["1"]) == ("updating", 2)
    (waiting,) = [task for task in swarm.tasks if task.state == "pending"]
    assert waiting.error == ("no suitable node (scheduling constraints not satisfied on 1 node)")
    swarm.update(spec("2"))
    swarm.wait_for_state("completed", at_most=60)
    assert swarm.running == {"2": 3}


# ---- one update after another --------------------------------------------------------------------


def test_a_new_update_takes_the_place_of_the_one_that_runs() -> None:
    """Probe e5c: a status of its own, and what the first one did is not done again."""
    swarm = Swarm(spec())
    given = config(Delay=4, Monitor=1)
    swarm.update(spec("2", update=given))
    swarm.wait(3)
    before = swarm.service.update_status
    swarm.update(spec("3", update=given))
    done = swarm.wait_for_state("completed")
    status = swarm.service.update_status
    assert before
    assert status
    assert status.started_at > before.started_at
    assert swarm.states == ["updating", None, "updating", "completed"]
    assert done - swarm.times("3", "running")[-1] == pytest.approx(9, abs=0.001)
    assert len(swarm.made("2")) == 1
    assert swarm.running == {"3": 3}
    assert tag_of_spec(swarm.service.previous_spec) == "2"


def test_the_same_spec_again_resumes_an_update_that_is_paused_and_at_rest() -> None:
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2"))
    swarm.wait_for_state("paused")
    swarm.wait(20)
    swarm.forget()
    swarm.update(spec("2"))
    swarm.wait_for_state("paused")
    assert swarm.states == [None, "updating", "paused"]
    assert tag_of_spec(swarm.service.previous_spec) == "2", "the way back is lost"


def test_the_same_spec_again_is_lost_while_an_update_runs() -> None:
    """The updater works towards this spec already: its status is gone, its work goes on."""
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    swarm.wait(1)
    swarm.update(spec("2"))
    swarm.wait(60)
    assert swarm.states == ["updating", None]
    assert swarm.running == {"2": 3}


def test_the_same_spec_again_right_after_a_pause_is_lost() -> None:
    """While a slot is in a worker's hands, the updater that paused is still there."""
    swarm = Swarm(spec(replicas=4), {"2": dies(1)})
    swarm.update(spec("2", 4))
    swarm.wait_for_state("paused")
    swarm.update(spec("2", 4))
    swarm.wait(120)
    assert swarm.state is None
    assert swarm.running["1"] == 2, "no more slots are updated"
    swarm.update(spec("2", 4))
    swarm.wait(1)
    assert swarm.state == "updating"


def test_removing_a_service_ends_its_update() -> None:
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    swarm.wait(1)
    swarm.cluster.remove_service(swarm.service.id)
    swarm.wait(10)
    assert not swarm.cluster.tasks
    assert not swarm.cluster.services


def tag_of_spec(given: dict[str, Any] | None) -> str:
    assert given
    return str(given["TaskTemplate"]["ContainerSpec"]["Image"]).partition(":")[2]


def test_the_task_that_is_replaced_keeps_its_slot_and_its_past() -> None:
    swarm = Swarm(spec(replicas=1))

    def story(task: Task) -> tuple[str, str, str]:
        return tag_of(task), task.state, task.desired_state

    for tag in ("2", "3"):
        swarm.update(spec(tag, 1))
        swarm.wait_for_state("completed")
    assert [story(task) for task in swarm.slot(1)] == [
        ("1", "shutdown", "shutdown"),
        ("2", "shutdown", "shutdown"),
        ("3", "running", "running"),
    ]
