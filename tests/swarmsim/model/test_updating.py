"""Updates, rule by rule: which slots, in which order, when, and what the manager says."""

from dataclasses import replace

import pytest

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


def test_a_placement_that_a_node_meets_replaces_nothing_there() -> None:
    swarm = Swarm(spec(replicas=4, update=config()), nodes=2)
    first, _ = swarm.nodes
    staying = {task.id for task in swarm.tasks if task.node_id == first.id}
    assert len(staying) == 2
    here = {"Placement": {"Constraints": [f"node.id == {first.id}"]}}
    swarm.update(spec(replicas=4, update=config(), template=here))
    swarm.wait_for_state("completed")
    assert {task.node_id for task in swarm.current} == {first.id}
    assert staying < {task.id for task in swarm.current}
    assert len(swarm.times("1", "new")) == 2


def test_with_the_placement_alone_swarmkit_does_not_look_at_the_endpoint() -> None:
    swarm = Swarm(spec(update=config()))
    here = {"Placement": {"Constraints": ["node.hostname == n1"]}}
    swarm.update(spec(update=config(), template=here, EndpointSpec={"Mode": "dnsrr"}))
    swarm.wait(60)
    assert swarm.state is None


# ---- the run -----------------------------------------------------------------------------


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


# ---- scaling ------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("replicas", "ratio", "ends"),
    [(5, 0.2, "completed"), (4, 0.25, "completed"), (5, 0.19, "paused"), (4, 0.0, "paused")],
)
def test_failures_are_too_many_when_their_share_is_greater_than_the_ratio(replicas, ratio, ends):
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


def test_slots_in_hand_are_finished_after_a_pause() -> None:
    swarm = Swarm(spec(replicas=6), {"2": lambda t: missing("2") if t.slot == 1 else healthy(4)})
    swarm.update(spec("2", 6, update=config(Parallelism=2)))
    swarm.wait_for_state("paused")
    swarm.wait(0.05)
    before = swarm.touched("2")
    swarm.wait(30)
    assert swarm.touched("2") == before
    assert swarm.running["2"] == len(before) - 1


def test_a_failure_in_the_last_slot_but_one_is_missed_if_the_last_one_takes_long_to_stop() -> None:
    behaviours = {"1": STUBBORN, "2": dies(1)}
    swarm = Swarm(spec(replicas=2), behaviours)
    swarm.update(spec("2", 2, update=config()))
    swarm.wait_for_state("paused", "completed")
    first = next(task for _, task, state, _ in swarm.writes if state == "failed")
    assert swarm.touched("2") == {1, 2}
    assert not swarm.message.endswith(first.id), "the first failure was looked at too late"


def test_one_at_a_time_a_missing_image_costs_one_slot() -> None:
    swarm = Swarm(spec(replicas=3), {"2": missing("2")})
    swarm.update(spec("2"))
    paused = swarm.wait_for_state("paused")
    assert paused < 1
    swarm.wait(30)
    assert len(swarm.touched("2")) == 1
    assert swarm.running["1"] == 2


# ---- one update after another --------------------------------------------------------------------


def test_the_same_spec_again_is_lost_while_an_update_runs() -> None:
    """The updater works towards this spec already: its status is gone, its work goes on."""
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    swarm.wait(1)
    swarm.update(spec("2"))
    swarm.wait(60)
    assert swarm.states == ["updating", None]
    assert swarm.running == {"2": 3}
