"""A node dies, is cut off, drained, paused or removed in mid-update: the same on both engines.

On three real nodes (`make test-nodes`) that takes minutes, on three simulated ones seconds.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from labkit.api import up
from labkit.base import settings
from labkit.engines import nodes
from labkit.engines.private.private import PrivateEngine
from labkit.recordings.update.phases import described
from tests.engines.disturbed import NEW, OLD, REPLICAS, Play, played
from tests.engines.test_nodes import home, three  # noqa: F401 - fixtures
from tests.simulated import simulated_swarm

#: The first of them makes the three real nodes, which takes one to four minutes by itself.
pytestmark = pytest.mark.timeout(600)
WHOLE = 2 * REPLICAS
#: Three heartbeat periods from the last one that came (13.5 to 16.5 s), which was up to one ago.
NOTICED = (timedelta(seconds=8), timedelta(seconds=18))


@pytest.fixture(
    params=["simulated", pytest.param("real", marks=[pytest.mark.engine, pytest.mark.nodes])]
)
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    if request.param == "simulated":
        with simulated_swarm(speed=20, nodes=3) as swarm, played(swarm, "node-2") as found:
            yield found
        return
    swarm = request.getfixturevalue("three")
    swarm.post(f"/images/{OLD}/tag", repo=NEW.partition(":")[0], tag=NEW.partition(":")[2])
    # an earlier row that failed may have left any of them in any state
    nodes.start(swarm, 3)
    nodes.share(swarm)
    nodes.join(swarm)
    with played(swarm, "node-2") as found:
        yield found


@pytest.mark.parametrize(
    ("availability", "says"),
    [
        ("drain", "gets no new tasks, and Swarm replaces those it has on other nodes."),
        ("pause", "keeps its tasks, and gets no new ones."),
    ],
)
def test_an_update_goes_on_around_a_node_that_takes_no_task(play, availability, says):
    began = play.look().at
    play.disturb(availability)
    last = play.until(lambda look: look.settled, "both updates to be over")
    on_it = [task for task in last.tasks if task.node == play.node and task.running]
    told = [described(recording) for recording in play.recordings.values()]

    # a new task that drain ends within its monitor window is a failure like any other
    assert last.states <= {"completed", "rollback_completed"}
    assert last.states == {"completed"} or availability == "drain"
    assert not on_it or availability == "pause"
    assert all(each.endswith(says) and play.node in each for each in told)
    # a task of the update's may have come in between
    assert ("moved" in play.causes_after(began)) == (availability == "drain")


def test_an_update_goes_on_when_a_drained_node_takes_tasks_again(play: Play) -> None:
    play.disturb("drain")
    emptied = play.until(
        lambda look: not any(task.node == play.node and task.running for task in look.tasks),
        "the node to be empty",
    )
    play.disturb("active")
    last = play.until(lambda look: look.settled, "both updates to be over")

    assert emptied.states <= {"updating", "completed", "rollback_started", "rollback_completed"}
    assert last.states <= {"completed", "rollback_completed"}
    assert not any("drained" in described(each) for each in play.recordings.values())


@pytest.mark.parametrize("deed", ["kill", "cut"])
def test_an_update_gets_past_a_node_that_is_lost_or_waits_for_it(play: Play, deed: str) -> None:
    """Whether it waits is chance: whether it made a task there that never came to run."""
    began = play.disturb(deed)
    play.until(lambda _: play.is_down, f"{play.node} to be called down")
    assert NOTICED[0] < play.changed_at - began < NOTICED[1]
    lost = play.until(lambda look: any(task.lost for task in look.tasks), "its tasks to be lost")
    assert {task.node for task in lost.tasks if task.lost} == {play.node}
    last = play.until(
        lambda look: look.running == WHOLE and look.waits(play.node), "the update to end or wait"
    )
    assert last.states <= {"updating", "completed"}, "nothing has failed that Swarm knows of"
    play.disturb("start")
    ended = play.until(
        lambda look: look.settled and not any(task.lost for task in look.tasks), "all to be well"
    )
    assert ended.states <= {"completed", "rollback_completed"}
    assert ended.states == {"completed"} or "updating" in last.states, "it waited for the failure"


@pytest.mark.parametrize("deed", ["kill", "cut"])
def test_a_node_that_is_back_at_once_is_never_called_down(play: Play, deed: str) -> None:
    began = play.disturb(deed)
    at_once = play.disturb("start") - began < NOTICED[0]  # or the machine was too busy for it
    last = play.until(lambda look: look.settled, "both updates to be over")

    assert not play.is_down
    # what ran on a node that was killed has failed; a new task may have, in its monitor window
    assert last.states <= {"completed", "rollback_completed"}
    assert last.states == {"completed"} or deed == "kill" or not at_once, last


@pytest.mark.parametrize("before", ["", "kill"])
def test_the_tasks_of_a_node_that_is_removed_are_replaced(play: Play, before: str) -> None:
    """Of one that is down as well, even if an update waits for one of them."""
    gone = {task.id for task in play.look().tasks if task.node == play.node and task.running}
    if before:
        play.disturb(before)
        play.until(lambda _: play.is_down, f"{play.node} to be called down")
    play.disturb("remove")
    last = play.until(lambda look: look.settled, "both updates to be over")
    found = [task for task in last.tasks if task.id in gone]

    assert last.states <= {"completed", "rollback_completed"}
    # one may have been told to stop before, and have done so
    assert {task.state for task in found} - {"shutdown"} == {"orphaned"}
    assert {task.message for task in found if task.state == "orphaned"} == {
        "Task belonged to a node that has been deleted"
    }


def test_two_updates_go_on_when_their_manager_and_its_nodes_are_back(play: Play) -> None:
    """What ran on them has ended, and what the manager was about to do is worked out anew."""
    ran = {task.id for task in play.look().tasks if task.running}
    if play.swarm.provenance != "engine":
        play.swarm.post("/swarmsim/restart")
    else:
        PrivateEngine(settings.state_dir() / "engine").stop()
        up.up(nodes=3, with_stack=False)
    last = play.until(lambda look: look.settled, "both updates to be over", 180)

    assert last.states <= {"completed", "rollback_completed"}
    assert not ran & {task.id for task in last.tasks if task.running}
