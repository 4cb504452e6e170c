"""What an update is doing in words, and when it has settled."""

from datetime import timedelta
from typing import Any

import pytest

from labkit.recordings.update.phases import completes_after, describe, described, settled
from labkit.recordings.values import Node, Task, UpdateConfig
from labkit.views.state.view_state import ViewState
from tests.claims import each_claim
from tests.looks import recorded
from tests.played import CRASHES, Played
from tests.values import at, service, status, task

NEW = (task(1, "1.1"), task(2, "1.1"))


def test_all_replicas_new_and_update_completed_are_two_moments() -> None:
    updating = service("1.1", update_status=status("updating"))
    assert describe(updating, (task(1, "1.1"), task(2))) == "Updating: 1 of 2 replicas run 1.1."
    assert describe(updating, NEW) == (
        "2 of 2 replicas run 1.1. Not completed yet: "
        "that comes 5s after the last replica started (the monitor window)."
    )


def test_of_an_update_that_keeps_the_image_only_new_tasks_are_counted() -> None:
    """As with `--force`: the old tasks run that image, too, and show no progress."""
    forced = {"is": "service 1.0 updating begun 1", "previous_image": service("1.0").image}
    anew = [forced, "1.0-1 shutdown", "anew=1.0-1 made 1.5"]
    recording = recorded({0: ["service 1.0", "1.0-1..2"], 2: anew})
    assert described(recording) == "Updating: 1 of 2 replicas are new, and run 1.0."
    state = ViewState(recording.header)
    state.apply(recording.changes)
    assert state.delta()["status"]["sentence"] == described(recording)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("completed", "Completed: 2 of 2 replicas run 1.1."),
        ("paused", "Paused: 2 of 2 replicas run 1.1. Swarm goes no further until"),
        ("rollback_started", "2 of 2 replicas run 1.1 again. The rollback is not completed yet"),
        ("rollback_completed", "Rolled back: 2 of 2 replicas run 1.1 again."),
        ("rollback_paused", "The rollback is paused: 2 of 2 replicas run 1.1."),
    ],
)
def test_every_update_state_has_its_sentence(state: str, says: str) -> None:
    assert describe(service("1.1", update_status=status(state)), NEW).startswith(says)


def test_a_replica_that_is_still_stopping_keeps_a_rollback_going() -> None:
    stopping = task(3, "bugged", "running", desired_state="shutdown")
    said = describe(service("1.1", update_status=status("rollback_started")), (*NEW, stopping))
    assert said == "Rolling back: 2 of 2 replicas run 1.1 again."


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ([task(2, lost=True)], "node-1 is down; its task is not counted."),
        ([task(2, lost=True), task(3, lost=True)], "node-1 is down; its 2 tasks are not counted."),
        (
            [task(2, "1.1", "starting", lost=True)],
            "node-1 is down; its task is not counted. Swarm waits for task 1.1-2 (slot 2) on "
            "node-1, and has no time limit for that. Start the node again, or remove it "
            "(docker node rm node-1): then the task ends, and counts as a failure. "
            "A new update gets past it as well.",
        ),
        # an updater waits until its task runs, and that one did
        ([task(2, "1.1", lost=True)], "node-1 is down; its task is not counted."),
    ],
)
def test_what_a_node_that_is_down_had_is_not_counted(lost: list[Task], says: str) -> None:
    updating = service("1.1", update_status=status("updating"))
    said = describe(updating, (task(1, "1.1", node="node-2"), *lost))
    assert said == f"Updating: 1 of 2 replicas run 1.1. {says}"
    assert describe(None, lost) == f"The service is removed. {says.partition(' Swarm waits')[0]}"


ACTIVE, PAUSED, DRAINED = ({"availability": each} for each in ("active", "pause", "drain"))
PENDING = (
    "No node takes tasks, so new ones stay pending until one does "
    "(docker node update --availability active a)."
)


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([ACTIVE, ACTIVE], []),
        (
            [DRAINED, ACTIVE],
            ["a is drained: it gets no new tasks, and Swarm replaces those it has on other nodes."],
        ),
        ([PAUSED, ACTIVE], ["a is paused: it keeps its tasks, and gets no new ones."]),
        ([DRAINED], ["a is drained: it gets no new tasks, and Swarm stops those it has.", PENDING]),
        (
            [PAUSED, {"state": "down"}],
            ["a is paused: it keeps its tasks, and gets no new ones.", PENDING],
        ),
    ],
)
def test_what_a_node_that_takes_no_task_does_to_tasks(nodes: list[Any], says: list[str]) -> None:
    there = tuple(Node(id=name, name=name, **has) for name, has in zip("ab", nodes, strict=False))
    said = describe(service(), (task(1),), there)
    assert said == " ".join(["No update is under way: 1 of 2 replicas run 1.0.", *says])
    assert describe(None, (), there) == "The service is removed."


def test_a_removed_service_counts_the_tasks_that_are_still_stopping() -> None:
    assert describe(None, [task(1, desired_state="remove")]).endswith(
        "1 of its tasks are still stopping."
    )
    assert describe(None, []) == "The service is removed."


@pytest.mark.parametrize(
    ("delay", "monitor", "seconds"), [(0, 5, 5), (3, 5, 8), (4, 1, 9), (5, 5, 11)]
)
def test_completed_comes_a_delay_and_a_monitor_window_after_the_last_replica(
    delay: int, monitor: int, seconds: int
) -> None:
    """The four figures were observed on a real engine."""
    config = UpdateConfig(delay=timedelta(seconds=delay), monitor=timedelta(seconds=monitor))
    assert completes_after(config) == timedelta(seconds=seconds)


@each_claim(__file__, "settled", "case")
def test_when_a_recording_has_settled(case: dict[str, Any]) -> None:
    """What is said at a second, of what had been seen by then; `null` while it has not."""
    for second, says in case["settled"].items():
        seen = {when: look for when, look in case["looks"].items() if when <= second}
        assert settled(recorded(seen), at(second)) == says, second


def test_an_update_that_another_one_overtook_says_so() -> None:
    """Swarm calls only the last of them completed; a rollback that it does itself is none."""
    made = Played("1.0")
    for tag in ("1.1", "1.2"):
        made.update(tag, seconds=5)
    made.update("1.3")

    assert settled(made.recording, made.now) == (
        "Another update overtook the one to 1.1 and the one to 1.2. "
        "The update to 1.3 has settled: completed (update completed)."
    )
    back = Played("1.0")
    back.update("bugged", CRASHES, failure_action="rollback")
    said = settled(back.recording, back.now)
    assert said
    assert said.startswith("The update has settled: rollback_completed")
