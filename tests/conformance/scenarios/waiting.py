"""Tasks that wait: for a node, for their health."""

from typing import Any

from tests.conformance.engines import seconds
from tests.conformance.play import NEW, Play, config, health, restart
from tests.conformance.scenario import scenario
from tests.conformance.watching import Sight, TaskSeen

_CONFIG = config(monitor=1)
#: Seconds that probes may take on a busy machine: fewer than the 30 from one to the next, if
#: the service's interval were not obeyed.
_SLOW_PROBES = 20


@scenario(lasts=14)
def an_update_waits_for_ever_for_a_task_that_cannot_be_placed(play: Play) -> None:
    """One replica is missing until the service is updated again."""
    play.running(replicas=2, UpdateConfig=_CONFIG)
    play.update(NEW, task={"Placement": {"Constraints": ["node.labels.nowhere==yes"]}})
    waiting = play.until(
        lambda: next((task for task in play.on(NEW) if task.last.error), None), "a task that waits"
    )
    play.until(lambda: play.counts[-1] == (1, 2), "the old task to have stopped")
    play.watch(3)
    assert play.status.state == "updating"
    assert play.counts[-1] == (1, 2)
    assert len(play.on(NEW)) == 1
    last = _told(play, waiting, "waits")
    assert last.error == "no suitable node (scheduling constraints not satisfied on 1 node)"
    play.update(task={"Placement": {}})

    play.ends("completed")


def _waits(play: Play, why: str, replicas: int = 1, **given: Any) -> None:
    play.create(replicas=replicas, **given)
    waiting = play.until(
        lambda: next((task for task in play.tasks if task.last.error), None), "a task that waits"
    )
    last = _told(play, waiting, "waits")
    assert (last.state, last.error) == ("pending", f"no suitable node ({why})")
    play.leave_out("slots")


def _told(play: Play, task: TaskSeen, what: str = "task") -> Sight:
    """Have it compared what was seen last of a task, and return that."""
    last = task.last
    play.tell(what, [last.desired, last.state, last.message, last.error])
    return last


@scenario(lasts=2)
def a_task_waits_for_processors(play: Play) -> None:
    """What is reserved must be free."""
    reserved = {"Reservations": {"NanoCPUs": seconds(1000)}}
    _waits(play, "insufficient resources on 1 node", task={"Resources": reserved})


@scenario(lasts=2)
def a_task_waits_for_a_node_that_may_take_it(play: Play) -> None:
    """No more replicas than allowed on each node."""
    placement = {"Placement": {"MaxReplicas": 1}}
    _waits(play, "max replicas per node limit exceed", 2, task=placement)


@scenario(lasts=2)
def a_task_waits_for_a_platform(play: Play) -> None:
    """An image for another machine."""
    other = {"Platforms": [{"OS": "linux", "Architecture": "s390x"}]}
    _waits(play, "unsupported platform on 1 node", task={"Placement": other})


@scenario(lasts=3)
def a_task_waits_for_its_port(play: Play) -> None:
    """A port of the host can be had once."""
    port = {"PublishMode": "host", "TargetPort": 80, "PublishedPort": play.port + 3}
    ports = [{**port, "Protocol": "tcp"}]
    _waits(play, "host-mode port already in use on 1 node", 2, EndpointSpec={"Ports": ports})


@scenario(lasts=12, ahead=True)
def a_health_check_holds_a_task_back(play: Play) -> None:
    """It is `starting` until it is healthy, and the update waits for it."""
    play.running(UpdateConfig=_CONFIG)
    play.update("healthy after 3", container=health(retries=50))

    status = play.ends("completed")
    new = play.tasks[-1]
    play.took("starting", new.held("starting"), about=2.8, late=_SLOW_PROBES)
    assert new.ran_at is not None
    assert status.completed is not None
    play.took("monitored", status.completed - new.ran_at, about=1)


def _unhealthy(play: Play, act: str, monitor: float = 30) -> TaskSeen:
    """Update a service to what has a health check that fails; return the new task."""
    play.running(task=restart(delay=20), UpdateConfig=config(parallelism=None, monitor=monitor))
    play.update(act, container=health(retries=3))

    play.ends("paused")
    return play.tasks[1]


@scenario(lasts=18)
def a_task_that_turns_unhealthy_has_failed(play: Play) -> None:
    """It is told to stop, and its error says why."""
    last = _told(play, _unhealthy(play, "unhealthy after 6; stop after 0 with 4"))
    assert last.error == "task: non-zero exit (4): dockerexec: unhealthy container"


@scenario(lasts=18)
def an_unhealthy_task_that_ends_well_is_complete(play: Play) -> None:
    """It has no error then; it counts as a failure all the same."""
    last = _told(play, _unhealthy(play, "unhealthy after 6"))
    assert (last.state, last.message, last.error) == ("complete", "finished", "")


@scenario(lasts=14)
def a_task_that_never_becomes_healthy_never_runs(play: Play) -> None:
    """After its retries it is stopped, without having been `running`."""
    task = _unhealthy(play, "healthy after 1000; stop after 0 with 4", monitor=2)
    assert task.ran_at is None
    play.took("starting", task.held("starting"), about=3, late=_SLOW_PROBES)
    _told(play, task)
