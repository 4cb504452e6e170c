"""How an update that goes well goes from slot to slot."""

from itertools import pairwise
from typing import Any

from tests.conformance.engines import seconds
from tests.conformance.play import BRIDGED, NEW, OLD, Play, config, restart
from tests.conformance.scenario import scenario
from tests.conformance.watching import TaskSeen


def ran(task: TaskSeen) -> float:
    assert task.ran_at is not None, task
    return task.ran_at


@scenario(lasts=16, ahead=True)
def one_slot_at_a_time_without_an_update_config(play: Play) -> None:
    """Every slot is replaced once, and `completed` comes 5 s after the last replica runs."""
    play.running(replicas=3)
    play.update(NEW)

    status = play.ends("completed")
    new = play.on(NEW)
    assert sorted(task.slot or 0 for task in new) == [1, 2, 3]
    assert all(later.created >= ran(earlier) for earlier, later in pairwise(new))
    assert status.completed is not None
    play.took("monitored", status.completed - max(map(ran, new)), about=5)
    old = play.on(OLD)
    for stopping, starting in zip(sorted(old, key=lambda task: task.ended_at), new, strict=True):
        assert stopping.slot == starting.slot
        assert ran(starting) > stopping.ended_at, "stop-first: the old task ends first"
    # of the three, for a busy machine may hold one up
    play.took("the quickest slot", min(ran(task) - task.created for task in new), 1.0, late=8)


@scenario(lasts=20)
def workers_do_not_wait_for_each_other(play: Play) -> None:
    """With a parallelism of two, the third slot's turn comes when the first worker is free."""
    slow = "stop after 2.2*slot"  # by more than a busy machine is late
    play.running(slow, replicas=4, UpdateConfig=config(parallelism=2, monitor=1))
    play.update(NEW)

    play.ends("completed")
    new = play.on(NEW)
    free = sorted(map(ran, new))
    for turn, task in enumerate(new[2:]):
        play.took(f"turn {turn + 3}", task.created - free[turn], about=0, late=2)
    for task in new:
        in_hand = [each for each in new if each.created <= task.created < ran(each)]
        assert len(in_hand) <= 2
    assert new[2].created < max(ran(new[0]), ran(new[1])), "no batch ends before the next"


@scenario(lasts=14)
def a_delay_as_long_as_the_monitor_makes_the_tail_longer(play: Play) -> None:
    """After the last replica: the delay, and then the delay and a second more."""
    play.running(replicas=2, UpdateConfig=config(delay=2, monitor=2))
    play.update(NEW)

    status = play.ends("completed")
    first, second = play.on(NEW)
    play.took("between two slots", second.created - ran(first), about=2)
    assert status.completed is not None
    play.took("tail", status.completed - ran(second), about=5)


@scenario(lasts=10)
def a_delay_shorter_than_the_monitor_comes_before_it(play: Play) -> None:
    """After the last replica: the delay, and then the monitor window."""
    play.running(UpdateConfig=config(delay=1, monitor=3))
    play.update(NEW)

    status = play.ends("completed")
    assert status.completed is not None
    play.took("tail", status.completed - ran(play.on(NEW)[0]), about=4)


@scenario(lasts=18)
def an_update_in_the_middle_of_another_takes_its_place(play: Play) -> None:
    """The first is given up; the second has a start of its own, and the first as previous spec."""
    third = "print third"
    play.running(replicas=2, UpdateConfig=config(delay=300, monitor=1))
    play.update(NEW)
    play.until(lambda: any(task.running for task in play.on(NEW)), "one new replica")
    first = play.status
    play.update(third, UpdateConfig=config(delay=3, monitor=1))

    status = play.ends("completed")
    assert first.started is not None
    assert status.started is not None
    assert status.started > first.started
    assert len(play.on(NEW)) == 1
    assert play.slots_on(third) == 2
    image = play.service["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    play.tell("previous", image)
    assert image == play.engine.image(NEW)
    assert status.completed is not None
    play.took("tail", status.completed - max(map(ran, play.on(third))), about=7)


@scenario(lasts=16, ahead=True)
def start_first_never_has_fewer_replicas(play: Play) -> None:
    """The old task is told to stop when the new one runs: for a while there is one more."""
    slow = "stop after 2"
    play.running(slow, replicas=3, UpdateConfig=config(monitor=1, order="start-first"))
    before = len(play.counts)
    play.update(NEW)

    play.ends("completed")
    play.until(lambda: all(task.ended for task in play.on(slow)), "the old tasks to end")
    counts = play.counts[before - 1 :]
    # how many more, and for how long, is the machine's doing: a slow stop is not waited for
    assert max(running for running, _ in counts) > 3, "service ls shows 4/3"
    assert min(running for running, _ in counts) == 3
    for slot, (old, new) in play.by_slot().items():
        assert old.stopped_from is not None
        assert old.stopped_from > ran(new), f"slot {slot}: the old one stops later"


@scenario(lasts=12)
def all_slots_at_once_with_a_parallelism_of_nought(play: Play) -> None:
    """A config that is there but says nothing has a parallelism of 0, which is no limit."""
    play.running(replicas=3, UpdateConfig={})
    play.update(NEW)

    play.until(lambda: len(play.on(NEW)) == 3, "three new tasks")
    created = [task.created for task in play.on(NEW)]
    play.took("between the first and the last", max(created) - min(created), 0, late=0.5)
    play.ends("completed")


@scenario(lasts=9)
def a_global_service_is_updated_node_by_node_and_back(play: Play) -> None:
    """Its tasks have no slot, and go back to the previous spec as others do."""
    quick = config(monitor=1)
    play.create(Mode={"Global": {}}, UpdateConfig=quick, RollbackConfig=quick)
    nodes = sum(node["Spec"]["Availability"] == "active" for node in play.engine.get("/nodes"))
    play.until(lambda: sum(task.running for task in play.tasks) == nodes, "one on each node")
    play.update(NEW)
    play.ends("completed")
    assert play.rollback().status == 200

    play.ends("rollback_completed")
    assert all("Slot" not in task.raw for task in play.tasks)
    assert all(task.raw["NodeID"] for task in play.tasks)


@scenario(lasts=6)
def a_constraint_that_its_node_meets_replaces_no_task(play: Play) -> None:
    """A changed placement alone makes a task dirty only where it may not stay."""
    play.running()
    play.update(task={"Placement": {"Constraints": ["node.role==manager"]}})

    play.watch(1.5)
    assert play.status.state == ""
    assert len(play.tasks) == 1


@scenario(lasts=5)
def what_makes_a_task_out_of_date(play: Play) -> None:
    """Everything in the task template and the endpoint does, and nothing else.

    The one task cannot be placed, so nothing has to start: a change that makes it dirty
    begins an update, and any other leaves the update status empty.
    """
    nowhere = {"Placement": {"Constraints": ["node.labels.nowhere==yes"]}}
    play.create(task=nowhere | BRIDGED, env=["B=2"])
    play.until(lambda: any(task.last.state == "pending" for task in play.tasks), "a task")
    changes: dict[str, tuple[bool, dict[str, Any]]] = {
        "nothing": (False, {}),
        "a label": (False, {"Labels": {**play.service["Spec"]["Labels"], "other": "1"}}),
        "an update config": (False, {"UpdateConfig": config(parallelism=2)}),
        "a rollback config": (False, {"RollbackConfig": config(parallelism=2)}),
        "an environment variable": (True, {"env": ["A=1"]}),
        "the order of them": (True, {"container": {"Env": ["A=1", "B=2", "SLOT={{.Task.Slot}}"]}}),
        "force": (True, {"task": {"ForceUpdate": 1}}),
        "a default said aloud": (True, {"container": {"StopGracePeriod": seconds(10)}}),
        "a restart policy": (True, {"task": restart("any", 5)}),
        "the same again": (False, {"task": restart("any", 5)}),
        "a label of the container": (True, {"container": {"Labels": {"inner": "1"}}}),
        "an endpoint": (True, {"EndpointSpec": {"Mode": "dnsrr"}}),
        "resources": (True, {"task": {"Resources": {"Limits": {"NanoCPUs": seconds(1)}}}}),
        "more replicas": (False, {"replicas": 2}),
    }
    for what, (dirty, change) in changes.items():
        play.update(**change)
        if dirty:
            play.until(lambda: play.status.state == "updating", f"an update for {what}", 10)
        else:
            play.watch(0.8)
            assert play.status.state == "", f"{what} is no reason for an update"
