"""Which node a task goes to, and what is said when none will do."""

from collections import Counter
from typing import Any

import pytest

from swarmsim.model import SECOND, Cluster, Task, states
from tests.claims import each_claim
from tests.swarmsim.model.swarms import Swarm, dies, spec

UNMET = "scheduling constraints not satisfied"
PORTS = {"Ports": [{"PublishedPort": 8080, "TargetPort": 80, "PublishMode": "host"}]}


def reserved(cpus: float) -> dict[str, Any]:
    return {"Resources": {"Reservations": {"NanoCPUs": round(cpus * 1e9)}}}


def placed(**placement: Any) -> dict[str, Any]:
    return {"Placement": placement}


def waiting(swarm: Swarm) -> list[str]:
    return [task.error for task in swarm.tasks if task.state == "pending"]


def on_nodes(swarm: Swarm) -> dict[str, int]:
    names = {node.id: node.hostname for node in swarm.nodes}
    return dict(Counter(names[task.node_id] for task in swarm.current if task.node_id))


# ---- why not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "nodes", "why"),
    [
        (placed(Constraints=["node.role == worker"]), 1, f"{UNMET} on 1 node"),
        (placed(Constraints=["node.labels.a == b"]), 2, f"{UNMET} on 2 nodes"),
        (reserved(3), 1, "insufficient resources on 1 node"),
        (placed(Platforms=[{"Architecture": "s390x"}]), 2, "unsupported platform on 2 nodes"),
    ],
)
def test_a_task_that_no_node_can_take_says_why(template: dict[str, Any], nodes: int, why: str):
    swarm = Swarm(spec(replicas=1, template=template), nodes=nodes)
    (task,) = swarm.tasks
    assert (task.state, task.message) == ("pending", "pending task scheduling")
    assert task.error == f"no suitable node ({why})"


def test_several_reasons_are_given_the_most_frequent_first() -> None:
    swarm = Swarm(nodes=4)
    first, *others = swarm.nodes
    for node in others[:2]:
        swarm.set_node(node, Availability="pause")
    swarm.set_node(first, Labels={"ssd": "yes"})
    wanted = placed(Constraints=["node.labels.ssd == yes"]) | reserved(9)
    swarm.update(spec("2", template=wanted))
    swarm.wait(1)
    assert waiting(swarm) == [
        "no suitable node (2 nodes not available for new tasks; insufficient resources on 2 nodes)"
    ]


def test_without_nodes_there_is_nothing_to_say() -> None:
    swarm = Swarm(spec(replicas=1), nodes=0)
    assert waiting(swarm) == ["no suitable node"]


def test_a_task_without_a_node_goes_as_soon_as_there_is_one() -> None:
    swarm = Swarm(spec(replicas=1), nodes=0)
    swarm.cluster.add_node("late")
    assert swarm.wait_for(lambda: swarm.running["1"] == 1) < 1
    assert swarm.tasks[0].error == ""


def test_a_port_of_the_node_can_be_taken_once() -> None:
    swarm = Swarm(spec(replicas=3, EndpointSpec=PORTS), nodes=2)
    assert swarm.running["1"] == 2
    assert waiting(swarm) == ["no suitable node (host-mode port already in use on 2 nodes)"]


def test_a_port_is_free_again_when_its_task_has_ended() -> None:
    """So stop-first works on one node, and start-first waits for ever."""
    swarm = Swarm(spec(replicas=1, EndpointSpec=PORTS))
    swarm.update(spec("2", 1, EndpointSpec=PORTS))
    swarm.wait_for_state("completed")
    swarm.update(spec("3", 1, EndpointSpec=PORTS, update={"Order": "start-first"}))
    swarm.wait(600)
    assert (swarm.state, swarm.running) == ("updating", {"2": 1})
    assert waiting(swarm) == ["no suitable node (host-mode port already in use on 1 node)"]


def test_so_many_replicas_of_a_service_fit_on_a_node() -> None:
    swarm = Swarm(spec(replicas=5, template=placed(MaxReplicas=2)), nodes=2)
    assert on_nodes(swarm) == {"n1": 2, "n2": 2}
    assert waiting(swarm) == ["no suitable node (max replicas per node limit exceed)"]


def test_a_task_that_is_told_to_stop_makes_room_among_the_replicas_at_once() -> None:
    """But not for what it has reserved: that is free when it has ended."""
    swarm = Swarm(spec(replicas=1, template=placed(MaxReplicas=1)))
    swarm.update(spec("2", 1, template=placed(MaxReplicas=1)))
    swarm.wait(0.2)
    assert swarm.tasks[-1].node_id
    swarm = Swarm(spec(replicas=1, template=reserved(2)))
    swarm.update(spec("2", 1, template=reserved(2)))
    swarm.wait(0.2)
    assert waiting(swarm) == ["no suitable node (insufficient resources on 1 node)"]
    swarm.wait_for_state("completed")


def test_names_of_platforms_are_alike() -> None:
    for architecture in ("amd64", "x86_64", ""):
        platform = placed(Platforms=[{"Architecture": architecture, "OS": "linux"}])
        assert Swarm(spec(replicas=1, template=platform)).running["1"] == 1


@each_claim(__file__, "constraints", "constraint", "is_met")
def test_constraints_are_read_as_swarmkit_reads_them(constraint: str, *, is_met: bool) -> None:
    swarm = Swarm(spec(replicas=1))
    swarm.set_node(swarm.nodes[0], Labels={"zone": "a"})
    swarm.update(spec("2", 1, template=placed(Constraints=[constraint])))
    swarm.wait(30)
    assert (swarm.running["2"] == 1) is is_met


# ---- where ---------------------------------------------------------------------------------------


def test_tasks_are_spread_over_nodes() -> None:
    assert on_nodes(Swarm(spec(replicas=9), nodes=3)) == {"n1": 3, "n2": 3, "n3": 3}


def test_a_new_node_gets_nothing_until_tasks_are_made() -> None:
    swarm = Swarm(spec(replicas=4), nodes=1)
    swarm.nodes.append(swarm.cluster.add_node("n2"))
    swarm.wait(30)
    assert on_nodes(swarm) == {"n1": 4}
    swarm.update(spec(replicas=8))
    swarm.wait(10)
    assert on_nodes(swarm) == {"n1": 4, "n2": 4}


def test_preferences_come_before_the_number_of_tasks() -> None:
    """Two zones, of which one has three nodes: each zone gets half."""
    swarm = Swarm(spec(replicas=1), nodes=4)
    for node, zone in zip(swarm.nodes, "abbb", strict=True):
        swarm.set_node(node, Labels={"zone": zone})
    by_zone = placed(Preferences=[{"Spread": {"SpreadDescriptor": "node.labels.zone"}}])
    swarm.update(spec("2", 6, template=by_zone))
    swarm.wait_for_state("completed")
    assert on_nodes(swarm) == {"n1": 3, "n2": 1, "n3": 1, "n4": 1}


def test_a_node_on_which_a_service_failed_five_times_of_late_is_taken_last() -> None:
    def fails_on_first(task: Task) -> Any:
        return dies(0.5) if task.node_id == bad else dies(100_000)

    bad = ""
    swarm = Swarm(spec(replicas=2), {"2": fails_on_first}, nodes=2)
    bad = swarm.nodes[0].id
    restart = {"Delay": 0}
    swarm.update(spec("2", 2, restart=restart, update={"FailureAction": "continue"}))
    swarm.wait(60)
    assert on_nodes(swarm) == {"n2": 2}
    failed = [task for _, task, state, _ in swarm.writes if state == "failed"]
    assert len({task.id for task in failed}) == 5


def test_tasks_that_are_made_together_are_placed_together() -> None:
    swarm = Swarm(spec(replicas=20), settle=0)
    swarm.wait(0.07)
    moments = set(swarm.times("1", "assigned"))
    assert len(moments) == 1
    assert {task.state for task in swarm.tasks} == {"assigned"}


def test_while_there_is_much_to_write_the_scheduler_waits_but_not_for_more_than_a_second() -> None:
    swarm = Swarm(spec(replicas=1))
    end = swarm.cluster.now + 3 * SECOND

    def write() -> None:
        swarm.cluster.bump()
        if swarm.cluster.now < end:
            swarm.cluster.call_at(swarm.cluster.now + SECOND // 100, write)

    write()
    swarm.wait(0.5)
    swarm.update(spec(replicas=2))
    assigned = swarm.wait_for(lambda: bool(swarm.times("1", "assigned")))
    assert 0.9 < assigned < 1.1


def test_a_pending_task_that_an_update_replaces_has_one_successor_that_is_placed_once() -> None:
    """Its end lets the successor be scheduled, in the middle of a pass that places that one."""
    cluster = Cluster(0)
    cluster.add_node("lab", manager=True)
    placement = {"MaxReplicas": 2, "Constraints": ["node.labels.x==y"]}
    service = cluster.create_service(spec("1", 1, template={"Placement": placement}))
    cluster.run_until(2 * SECOND)
    for replicas in (1, 2):
        wanted = spec("1", replicas, template={"Placement": {"MaxReplicas": 2}})
        cluster.update_service(service.id, service.version, wanted)
        cluster.run_until(cluster.now + 20 * SECOND)
    running = [each for each in cluster.tasks_of(service.id) if each.observed == states.RUNNING]
    assert len(running) == 2
