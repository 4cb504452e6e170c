"""Two services are updated at once, on three nodes, and something happens to one of the nodes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from labkit.base.errors import NotFound
from labkit.engines import nodes
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Header
from labkit.recordings.update.phases import awaited
from labkit.recordings.update.tracker import Cause, UpdateTracker
from labkit.recordings.values import Service, Task, instant
from labkit.swarm.client import Swarm
from tests.values import spec
from tests.waiting import until

OLD, NEW = (f"lab/dockercoins_worker:{tag}" for tag in ("1.0", "disturbed"))
#: Ends when it is told to, wherever it runs.
_SERVES = "import signal, time; signal.signal(15, lambda *_: exit(0)); time.sleep(1000)"
REPLICAS = 6


@dataclass(frozen=True)
class Look:
    """What there is to see of both services at one moment."""

    at: datetime
    services: tuple[Service, ...]
    tasks: tuple[Task, ...]

    @property
    def running(self) -> int:
        """How many replicas run that are to."""
        return sum(task.running and task.desired_state == "running" for task in self.tasks)

    @property
    def settled(self) -> bool:
        """Whether both updates are over, and all replicas run."""
        over = all(each.update_status and each.update_status.settled for each in self.services)
        return over and self.running == sum(each.replicas or 0 for each in self.services)

    @property
    def states(self) -> set[str]:
        """The states of both updates."""
        return {each.update_status.state for each in self.services if each.update_status}

    def waits(self, node: str) -> bool:
        """Whether each update that is not over waits for a task on this node, which is down."""
        going = [s for s in self.services if s.update_status and not s.update_status.settled]
        lost = [[t for t in self.tasks if t.service_id == s.id and t.lost] for s in going]
        found = [awaited(service, of) for service, of in zip(going, lost, strict=True)]
        return all(task is not None and task.node == node for task in found)


class Play:
    """The two services, one updated a slot at a time, the other two, and a node to disturb."""

    def __init__(self, swarm: Swarm, node: str) -> None:
        self.swarm, self.node = swarm, node
        #: What was seen of each service.
        self.recordings: dict[str, Recording] = {}

    def look(self) -> Look:
        """Return what there is to see now."""
        seen = [self.swarm.snapshot(name) for name in ("one", "two")]
        for name, each in zip(("one", "two"), seen, strict=True):
            header = Header(service=name, service_id="", engine="", started=each.at)
            self.recordings.setdefault(name, Recording(header)).observe(each)
        services = tuple(each.service for each in seen if each.service)
        return Look(seen[-1].at, services, seen[0].tasks + seen[1].tasks)

    def until(self, so: Callable[[Look], bool], what: str, within: float = 90) -> Look:
        """Return the first look at which something is so; `within` is in the engine's seconds."""
        last = first = self.look()

        def found() -> bool:
            nonlocal last
            last = self.look()
            return so(last) or last.at - first.at > timedelta(seconds=within)

        until(found, what, seconds=within + 30, every=0.02 if self.swarm.speed > 1 else 0.3)
        assert so(last), f"waited {within} s for {what}; last seen: {last}"
        return last

    def disturb(self, deed: str) -> datetime:
        """Do something to the node; returns when."""
        found = self.state
        if deed == "remove":
            self.swarm.delete(f"/nodes/{found['ID']}?force=true")
        elif deed in ("drain", "pause", "active"):
            version = str(found["Version"]["Index"])
            wanted = {**found["Spec"], "Availability": deed}
            self.swarm.post(f"/nodes/{found['ID']}/update", wanted, version=version)
        else:
            nodes.disturb(self.swarm, deed, self.node)
        return self.swarm.ask_now()

    def causes_after(self, moment: datetime) -> set[Cause]:
        """Why tasks were made since then in the place of others on the node."""
        found = set()
        for recording in self.recordings.values():
            tracker = UpdateTracker()
            for change in recording.changes:
                tracker.apply(change)
            for task in recording.tasks.values():
                before = recording.tasks.get(tracker.before(task.id) or "")
                if before and before.node == self.node and task.created_at > moment:
                    found.add(tracker.cause(task.id))
        return found

    @property
    def state(self) -> dict[str, Any]:
        """The node, as the API has it."""
        (found,) = [
            each
            for each in self.swarm.get("/nodes")
            if each["Description"]["Hostname"] == self.node
        ]
        return dict(found)

    @property
    def is_down(self) -> bool:
        return self.state["Status"]["State"] == "down"

    @property
    def changed_at(self) -> datetime:
        """When the manager last wrote something of the node."""
        moment = instant(self.state["UpdatedAt"])
        assert moment
        return moment


@contextmanager
def played(swarm: Swarm, node: str, replicas: int = REPLICAS) -> Iterator[Play]:
    """Yield the two services in the midst of their updates; removes them."""
    play = Play(swarm, node)
    if node:
        play.disturb("active")
    try:
        for name in ("one", "two"):
            swarm.post("/services/create", _spec(name, OLD, replicas))
        play.until(lambda look: look.running == 2 * replicas, "all replicas to run")
        for name in ("one", "two"):
            swarm.update_service(name, lambda was: was | _spec(was["Name"], NEW, replicas))

        def begun(look: Look) -> bool:
            return sum(task.image == NEW and task.running for task in look.tasks) > 2

        play.until(begun, "the first new tasks")
        yield play
    finally:
        for name in ("one", "two"):
            with suppress(NotFound):  # where another engine answers now
                swarm.delete(f"/services/{name}")


def _spec(name: str, image: str, replicas: int) -> dict[str, Any]:
    made = spec(name, image, replicas)
    made["TaskTemplate"]["ContainerSpec"]["Command"] = ["python3", "-c", _SERVES]
    made["TaskTemplate"]["RestartPolicy"] = {"Delay": 2 * 10**9}
    made["UpdateConfig"] = {
        "Parallelism": 1 if name == "one" else 2,
        "FailureAction": "rollback",
        "Monitor": 3 * 10**9,
    }
    made["RollbackConfig"] = {"Parallelism": 0, "Monitor": 10**9}
    return made
