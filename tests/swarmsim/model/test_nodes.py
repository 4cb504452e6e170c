"""Nodes that are drained, paused, down, changed or gone, and services on every node."""

import pytest

from swarmsim.model import Refused
from tests.swarmsim.model.swarms import Swarm, config, dies, spec, tag_of

DAY = 24 * 3600


def where(swarm: Swarm) -> set[str]:
    names = {node.id: node.hostname for node in swarm.nodes}
    return {names[task.node_id] for task in swarm.tasks if task.state == "running"}


# ---- replicated services ------------------------------------------------------------------


def test_the_tasks_of_a_node_that_is_drained_move_without_a_delay() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    swarm.set_node(swarm.nodes[1], Availability="drain")
    swarm.wait_for(lambda: len(swarm.times("1", "starting")) == 2)
    assert swarm.now < 2
    swarm.wait(2)
    assert where(swarm) == {"n1"}
    assert len(swarm.current) == 4
    assert swarm.state is None
    swarm.set_node(swarm.nodes[1], Availability="active")
    swarm.wait(60)
    assert where(swarm) == {"n1"}, "nothing moves back by itself"


def test_a_node_that_is_paused_keeps_its_tasks_and_gets_no_more() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    swarm.set_node(swarm.nodes[1], Availability="pause")
    swarm.wait(10)
    assert where(swarm) == {"n1", "n2"}
    swarm.update(spec(replicas=6))
    swarm.wait(10)
    names = [task.node_id for task in swarm.current]
    assert names.count(swarm.nodes[1].id) == 2


def test_the_tasks_of_a_node_that_is_down_are_replaced_after_the_restart_delay() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    lost = [task for task in swarm.tasks if task.node_id == swarm.nodes[1].id]
    swarm.cluster.set_node_state(swarm.nodes[1].id, "down")
    swarm.wait(4)
    assert len(swarm.times("1", "starting")) == 0
    swarm.wait(3)
    assert len(swarm.times("1", "starting")) == 2
    assert [(task.state, task.desired_state) for task in lost] == [("running", "shutdown")] * 2
    swarm.cluster.set_node_state(swarm.nodes[1].id, "ready")
    swarm.wait(3)
    assert [task.state for task in lost] == ["shutdown"] * 2, "it hears when it is back"


def test_what_happened_on_a_node_that_was_down_is_known_when_it_is_back() -> None:
    swarm = Swarm(spec(replicas=2), nodes=2)
    (task,) = [task for task in swarm.tasks if task.node_id == swarm.nodes[1].id]
    swarm.cluster.set_node_state(swarm.nodes[1].id, "down")
    swarm.wait(1)
    swarm.cluster.container_exited(task.id, 3)
    swarm.wait(10)
    assert task.state == "running"
    swarm.cluster.set_node_state(swarm.nodes[1].id, "ready")
    swarm.wait(1)
    assert (task.state, task.exit_code) == ("failed", 3)


def test_the_tasks_of_a_node_that_is_down_for_a_day_are_given_up() -> None:
    swarm = Swarm(spec(replicas=2), nodes=2)
    (task,) = [task for task in swarm.tasks if task.node_id == swarm.nodes[1].id]
    swarm.cluster.set_node_state(swarm.nodes[1].id, "down")
    swarm.wait(DAY - 1)
    assert task.state == "running"
    swarm.wait(2)
    assert task.state == "orphaned"


def test_a_node_that_comes_back_within_a_day_is_not_given_up() -> None:
    swarm = Swarm(spec(replicas=None), nodes=1)
    (task,) = swarm.tasks
    node = swarm.nodes[0].id
    swarm.cluster.set_node_state(node, "down")
    swarm.wait(100)
    swarm.cluster.set_node_state(node, "ready")
    swarm.wait(DAY + 100)
    assert task.state == "shutdown"


@pytest.mark.parametrize("silence", ["kill_node", "cut_node"])
def test_a_silent_node_gets_tasks_until_the_manager_misses_its_heartbeats(silence: str) -> None:
    """It waits for three of its periods, 13.5 to 16.5 s from the last heartbeat."""
    swarm = Swarm(spec(replicas=4), nodes=2)
    node = swarm.nodes[1]
    getattr(swarm.cluster, silence)(node.id)
    swarm.wait(8)
    swarm.update(spec(replicas=8))
    swarm.wait(0.4)
    late = [task for task in swarm.current if task.node_id == node.id and task.state == "assigned"]
    assert (node.state, len(late)) == ("ready", 2)
    swarm.wait_for(lambda: node.state == "down")
    assert 8.5 < swarm.now < 17
    swarm.wait(10)
    assert {task.node_id for task in swarm.current} == {swarm.nodes[0].id}
    assert [task.state for task in late] == ["assigned"] * 2


@pytest.mark.parametrize(
    ("silence", "ends"),
    [("kill_node", ("failed", "task: non-zero exit (255)")), ("cut_node", ("shutdown", ""))],
)
@pytest.mark.parametrize("seconds", [3, 30])
def test_what_ran_on_a_node_is_known_when_it_is_back(silence, ends, seconds):
    """As three real nodes did: what had run there has failed; what it never had is shut down."""
    swarm = Swarm(spec(replicas=2), nodes=2)
    node = swarm.nodes[1]
    (ran,) = [task for task in swarm.tasks if task.node_id == node.id]
    getattr(swarm.cluster, silence)(node.id)
    swarm.wait(1)
    swarm.update(spec(replicas=4))
    swarm.wait(seconds)
    (late,) = [task for task in swarm.tasks if task.node_id == node.id and task is not ran]
    swarm.cluster.start_node(node.id)
    swarm.wait(20)
    if seconds == 3 and silence == "cut_node":  # nobody has noticed
        assert (ran.state, late.state) == ("running", "running")
    else:
        assert (ran.state, ran.error) == ends
        assert late.state == ("running" if seconds == 3 else "shutdown")
    assert swarm.running["1"] == 4


def test_an_update_goes_on_with_the_slots_that_are_left_when_all_machines_restart() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    swarm.update(spec("2", 4, update=config(Delay=20)))
    swarm.wait(10)
    begun, (first,) = swarm.service.update_status, swarm.touched("2")
    swarm.cluster.restart()
    swarm.wait_for_state("completed")
    status = swarm.service.update_status
    assert begun
    assert status
    assert status.started_at == begun.started_at
    assert swarm.running == {"2": 4}
    assert len(swarm.made("2")) == 5, "what ran already on the new image is replaced, too"
    ended = [task.error for task in swarm.slot(first or 0) if tag_of(task) == "2"]
    assert ended == ["task: non-zero exit (255)", ""]


def test_an_update_waits_for_its_task_on_a_node_that_died_until_that_is_back() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    swarm.cluster.kill_node(swarm.nodes[1].id)
    swarm.update(spec("2", 4, update=config(Parallelism=4)))
    swarm.wait(300)
    assert (swarm.state, swarm.running["2"]) == ("updating", 4)
    swarm.cluster.start_node(swarm.nodes[1].id)
    swarm.wait(15)
    assert swarm.state == "paused", "a task that it made has ended, which is a failure"


def test_an_old_task_on_a_node_that_goes_down_is_waited_for_no_longer() -> None:
    swarm = Swarm(spec(replicas=2), nodes=2)
    swarm.update(spec("2", 2, update=config(Parallelism=2)))
    swarm.wait(0.5)
    swarm.cluster.set_node_state(swarm.nodes[1].id, "down")
    new = [task for task in swarm.current if tag_of(task) == "2"]
    assert [task.desired_state for task in new].count("running") >= 1


def test_the_tasks_of_a_node_that_is_removed_are_replaced() -> None:
    swarm = Swarm(spec(replicas=4), nodes=2)
    gone = [task for task in swarm.tasks if task.node_id == swarm.nodes[1].id]
    with pytest.raises(Refused, match="is not down and can't be removed"):
        swarm.cluster.remove_node(swarm.nodes[1].id)
    swarm.cluster.remove_node(swarm.nodes[1].id, force=True)
    assert {task.message for task in gone} == {"Task belonged to a node that has been deleted"}
    swarm.wait(10)
    assert {task.state for task in gone} == {"orphaned"}
    assert {task.node_id for task in swarm.current} == {swarm.nodes[0].id}
    assert swarm.running["1"] == 4


def test_a_manager_is_not_removed_and_the_last_one_not_demoted() -> None:
    swarm = Swarm()
    with pytest.raises(Refused, match="is a cluster manager"):
        swarm.cluster.remove_node(swarm.nodes[0].id, force=True)
    with pytest.raises(Refused, match="attempting to demote the last manager of the swarm"):
        swarm.set_node(swarm.nodes[0], Role="worker")


def test_a_label_that_is_taken_away_rejects_the_tasks_that_need_it() -> None:
    """The restart supervisor then puts them elsewhere, if it can."""
    swarm = Swarm(spec(replicas=2), nodes=2)
    for node in swarm.nodes:
        swarm.set_node(node, Labels={"ssd": "yes"})
    template = {"Placement": {"Constraints": ["node.labels.ssd == yes"]}}
    swarm.update(spec(replicas=2, template=template))
    swarm.wait(10)
    swarm.forget()
    (task,) = [task for task in swarm.tasks if task.node_id == swarm.nodes[1].id]
    swarm.set_node(swarm.nodes[1], Labels={})
    assert (task.state, task.message, task.error) == (
        "rejected",
        "task rejected by constraint enforcer",
        "assigned node no longer meets constraints",
    )
    swarm.wait(10)
    assert where(swarm) == {"n1"}
    assert (swarm.running["1"], task.state) == (2, "rejected")


# ---- global services ---------------------------------------------------------------------------


def everywhere(tag: str = "1", **more: object) -> dict[str, object]:
    return spec(tag, None, **more)  # type: ignore[arg-type]


def test_a_global_service_has_a_task_on_every_node_and_on_those_that_come() -> None:
    swarm = Swarm(everywhere(), nodes=3)
    assert where(swarm) == {"n1", "n2", "n3"}
    assert {task.slot for task in swarm.tasks} == {None}
    message = "scheduler confirmed task can run on preassigned node"
    late = swarm.cluster.add_node("n4")
    swarm.nodes.append(late)
    seen: set[str] = set()
    swarm.cluster.watch(lambda _: seen.update(task.message for task in swarm.tasks))
    swarm.wait(5)
    assert where(swarm) == {"n1", "n2", "n3", "n4"}
    assert message in seen


def test_a_global_service_is_updated_node_by_node_and_rolled_back() -> None:
    """Probe e14."""
    swarm = Swarm(everywhere(), {"2": dies(1)}, nodes=3)
    swarm.update(everywhere("2", update=config(FailureAction="rollback")))
    swarm.wait_for_state("rollback_completed")
    assert swarm.running == {"1": 3}
    assert {task.node_id for task in swarm.current} == {node.id for node in swarm.nodes}
    assert 1 <= len({task.node_id for task in swarm.tasks if tag_of(task) == "2"}) <= 2


def test_a_global_service_goes_where_its_constraints_allow() -> None:
    swarm = Swarm(everywhere(), nodes=2)
    only = {"Placement": {"Constraints": ["node.hostname == n1"]}}
    swarm.update(everywhere(template=only))
    swarm.wait(10)
    assert where(swarm) == {"n1"}
    swarm.update(everywhere())
    swarm.wait(10)
    assert where(swarm) == {"n1", "n2"}


def test_a_global_service_leaves_a_drained_node_and_comes_back() -> None:
    swarm = Swarm(everywhere(), nodes=2)
    swarm.set_node(swarm.nodes[1], Availability="drain")
    swarm.wait(10)
    assert where(swarm) == {"n1"}
    assert len(swarm.current) == 1
    swarm.set_node(swarm.nodes[1], Availability="active")
    swarm.wait(10)
    assert where(swarm) == {"n1", "n2"}


def test_on_a_paused_node_nothing_is_updated_until_it_is_active_again() -> None:
    """Then its task is replaced at once, outside of any update."""
    swarm = Swarm(everywhere(), nodes=2)
    swarm.set_node(swarm.nodes[1], Availability="pause")
    swarm.update(everywhere("2"))
    swarm.wait_for_state("completed")
    assert swarm.running == {"1": 1, "2": 1}
    swarm.set_node(swarm.nodes[1], Availability="active")
    swarm.wait(10)
    assert swarm.running == {"2": 2}
    assert swarm.states == ["updating", "completed"]


def test_a_task_that_dies_on_a_paused_node_is_not_replaced() -> None:
    swarm = Swarm(everywhere(), {"1": dies(40)}, nodes=2)
    swarm.set_node(swarm.nodes[1], Availability="pause")
    swarm.wait(30)
    here, there = (
        [task for task in swarm.tasks if task.node_id == node.id] for node in swarm.nodes
    )
    assert (len(here), len(there)) == (2, 1)
    assert (there[0].state, there[0].desired_state) == ("failed", "shutdown")


def test_a_node_that_cannot_take_a_global_task_says_so_without_ceremony() -> None:
    """Its task is pending; the reason stands there bare."""
    resources = {"Resources": {"Reservations": {"NanoCPUs": 3 * 10**9}}}
    swarm = Swarm(everywhere(template=resources), nodes=1)
    assert swarm.tasks[0].error == "insufficient resources on 1 node"


def test_a_global_service_forgets_a_node_that_is_removed() -> None:
    swarm = Swarm(everywhere(), nodes=2)
    swarm.cluster.remove_node(swarm.nodes[1].id, force=True)
    swarm.wait(5)
    assert len(swarm.tasks) == 1
