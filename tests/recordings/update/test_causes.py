"""Why a task exists, as worked out from outside, against what the model of Swarm knows.

A node is disturbed, or tasks end by themselves, in the midst of an update of six slots.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import TaskForgotten
from labkit.recordings.update.prediction import _ChangeCollector, _service
from labkit.recordings.update.tracker import Cause, UpdateTracker
from labkit.recordings.values import Node, Snapshot
from labkit.recordings.values import Task as SeenTask
from swarmsim.model import Task
from swarmsim.model.orchestration.updater import Updater
from tests.played import CRASHES, RUNS, Played

#: How long the manager takes to hear that a task has ended, at most.
HEARD = timedelta(seconds=0.2)


class OnThree(Played):
    """A service on three nodes that is polled, and what the updater has made of it."""

    def __init__(self, seed: int) -> None:
        super().__init__(replicas=6, seed=seed)
        self.nodes = [self.cluster.add_node(name) for name in ("node-2", "node-3")]
        self.update(force=True, parallelism=0, seconds=60)
        self._told = _ChangeCollector(self.cluster, self._service)
        self.polled = Recording(self._told.recording.header)
        self._last: dict[str, tuple[int, SeenTask]] = {}

    def poll(self, seconds: float) -> None:
        for _ in range(round(seconds * 5)):
            self.wait(0.2)
            there = [
                Node(id=n.id, name=n.hostname, state=n.state, availability=n.availability)  # type: ignore[arg-type]
                for n in self.cluster.nodes.values()
            ]
            down = {node.id for node in there if node.state == "down"}
            tasks = map(self._seen, self.cluster.tasks_of(self._service.id))
            lost = (
                replace(t, lost=True) if t.node_id in down and not t.ended else t for t in tasks
            )
            now, service = self.now, _service(self._service)
            self.polled.observe(
                Snapshot(at=now, service=service, tasks=tuple(lost), nodes=tuple(there))
            )

    def _seen(self, task: Task) -> SeenTask:
        """What an API shows of a task; most have not changed since they were polled last."""
        version, seen = self._last.get(task.id, (0, None))
        if seen is None or version != task.version:
            seen = self._told._task(task)
            self._last[task.id] = task.version, seen
        return seen

    def disturb(self, deed: str, number: int) -> None:
        node, cluster = self.nodes[number % 2], self.cluster
        if deed == "end":
            running = [task for task in cluster.tasks.values() if task.state == "running"]
            for task in running[::3]:
                cluster.container_exited(task.id, number % 2)
        elif deed == "drain":
            cluster.update_node(node.id, node.version, {**node.spec, "Availability": deed})
        elif deed == "remove":
            cluster.remove_node(node.id, force=True)
        else:
            getattr(cluster, f"{deed}_node")(node.id)

    def follow(self) -> dict[str, Cause]:
        """Why each task is there, also of those that the manager has forgotten."""
        tracker, causes = UpdateTracker(), dict[str, Cause]()
        for change in self.polled.changes:
            if isinstance(change, TaskForgotten):
                causes[change.id] = tracker.cause(change.id)
            tracker.apply(change)
        return {each: tracker.cause(each) for each in self.polled.tasks} | causes


@contextmanager
def made_by_updaters() -> Iterator[set[str]]:
    """Collect the ids of the tasks that an updater makes.

    Those of a slot whose task has just ended are left out: the updater had not heard of that,
    and nobody can tell from outside.
    """
    made: set[str] = set()
    create = Updater._create

    def collecting(self: Updater, old: Task) -> Task:
        new = create(self, old)
        made.add(new.id)
        return new

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Updater, "_create", collecting)
        yield made


@pytest.mark.parametrize("action", ["pause", "continue", "rollback"])
@pytest.mark.parametrize(
    ("deed", "cause"),
    [
        ("drain", "moved"),
        ("kill", "moved"),
        ("cut", "moved"),
        ("remove", "moved"),
        ("end", "restart"),
    ],
)
def test_what_the_restart_supervisor_makes_in_mid_update_is_not_said_to_be_the_update_s(
    deed: str, cause: Cause, action: str
) -> None:
    seen = set()
    for seed in range(4):
        play = OnThree(seed)
        with made_by_updaters() as made:
            play.poll(1)
            does = CRASHES if seed % 4 == 3 else RUNS
            play.update("1.1", does, seconds=0, parallelism=seed % 3, failure_action=action)
            play.poll(2 + seed % 3)
            play.disturb(deed, seed)
            play.poll(35)
        causes = play.follow()
        said = {each for each, why in causes.items() if why in ("update", "rollback")}
        unclear = {each for each in made - said if near_an_end(play.polled, each)}
        assert said == made - unclear, seed
        seen |= set(causes.values())
    assert cause in seen


def near_an_end(recording: Recording, made: str) -> bool:
    """Whether another task of the slot had ended a moment before this one was made."""
    new = recording.tasks[made]
    others = (task for task in recording.tasks.values() if task.slot == new.slot and task.ended)
    return any(timedelta() <= new.created_at - each.status_at < HEARD for each in others)
