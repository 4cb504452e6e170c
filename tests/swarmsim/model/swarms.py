"""A swarm in the model, a service on it that is up, and what has happened to it since."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from swarmsim.model import (
    SECOND,
    Behaviour,
    Cluster,
    Node,
    Scripted,
    Service,
    Spec,
    StoreEvent,
    Task,
)

#: What the tasks of each image tag do; a function is asked for each task.
Behaviours = Mapping[str, Behaviour | Callable[[Task], Behaviour]]

GOOD = Behaviour()
#: A process that does not listen to the stop signal.
STUBBORN = Behaviour(stops_after=None)
#: Some odd moment: the model's rhythms do not begin at zero.
_START = 1_234_567_890


def dies(after: float, code: int = 1) -> Behaviour:
    """A process that ends by itself so many seconds after its start."""
    return Behaviour(exits_after=timedelta(seconds=after), exit_code=code)


def healthy(after: float) -> Behaviour:
    """A process whose health probe succeeds after so many seconds."""
    return Behaviour(healthy_after=timedelta(seconds=after))


def missing(tag: str) -> Behaviour:
    """An image that cannot be had."""
    return Behaviour(pull_error=f"No such image: web:{tag}")


def spec(
    tag: str = "1",
    replicas: int | None = 3,
    *,
    update: Spec | None = None,
    rollback: Spec | None = None,
    restart: Spec | None = None,
    template: Spec | None = None,
    **more: Any,
) -> Spec:
    """A service's spec as the engine stores it; `replicas=None` makes it a global one."""
    task: Spec = {"ContainerSpec": {"Image": f"web:{tag}"}, **(template or {})}
    if restart is not None:
        task["RestartPolicy"] = restart
    mode: Spec = {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}}
    made: Spec = {"Name": "web", "Labels": {}, "TaskTemplate": task, "Mode": mode, **more}
    if update is not None:
        made["UpdateConfig"] = update
    if rollback is not None:
        made["RollbackConfig"] = rollback
    return made


def config(**given: Any) -> Spec:
    """An update or rollback config; durations in seconds, parallelism 1 unless given."""
    for name in ("Delay", "Monitor"):
        if name in given:
            given[name] = round(given[name] * SECOND)
    return {"Parallelism": 1, **given}


def tag_of(task: Task) -> str:
    """The tag of the image that a task runs."""
    return task.image.partition(":")[2]


class Told(Scripted):
    """A scripted driver that remembers which containers it was told to stop, and to forget."""

    def __init__(self, behaviour: Callable[[Task], Behaviour]) -> None:
        super().__init__(behaviour)
        self.stopped: list[str] = []
        self.removed: list[str] = []

    def stop(self, task: Task) -> None:
        """Have the process end, if it does."""
        self.stopped.append(task.id)
        super().stop(task)

    def remove(self, task: Task) -> None:
        """Forget it."""
        self.removed.append(task.id)
        super().remove(task)


class Swarm:
    """A cluster with a service; `statuses` and the like tell what happened since it was up."""

    def __init__(
        self,
        first: Spec | None = None,
        behaviours: Behaviours | None = None,
        *,
        seed: int = 0,
        nodes: int = 1,
        settle: float = 30,
    ) -> None:
        self._behaviours = behaviours or {}
        self.driver = Told(self._behaviour)
        self.cluster = Cluster(_START, seed=seed, driver=self.driver)
        self.nodes = [self.cluster.add_node(f"n{n}", manager=n == 1) for n in range(1, nodes + 1)]
        self.t0 = _START
        #: (seconds, state, message) of the update status; `None` for none.
        self.statuses: list[tuple[float, str | None, str]] = []
        #: (seconds, task, tag, state, desired state) of each write to a task.
        self.writes: list[tuple[float, Task, str, str]] = []
        self._status: object = None
        self.cluster.watch(self._changed)
        self.service: Service = self.cluster.create_service(first or spec())
        self.wait(settle)
        self.forget()

    def forget(self) -> None:
        """Begin anew: what has happened so far is of no interest."""
        self.t0 = self.cluster.now
        self.statuses, self.writes = [], []

    def _behaviour(self, task: Task) -> Behaviour:
        found = self._behaviours.get(tag_of(task), GOOD)
        return found(task) if callable(found) else found

    def _changed(self, change: StoreEvent) -> None:
        changed = change.object
        if isinstance(changed, Task) and change.action != "remove":
            self.writes.append((self.now, changed, changed.state, changed.desired_state))
        elif isinstance(changed, Service) and changed.update_status is not self._status:
            self._status = status = changed.update_status
            told = (None, "") if status is None else (status.state, status.message)
            self.statuses.append((self.now, *told))

    # ---- what is done ----------------------------------------------------------------

    def update(self, wanted: Spec) -> None:
        """Update the service, as the API does."""
        self.cluster.update_service(self.service.id, self.service.version, wanted)

    def rollback(self) -> None:
        """Roll the service back by hand."""
        self.cluster.update_service(self.service.id, self.service.version, None, rollback=True)

    def set_node(self, node: Node, **changes: Any) -> None:
        """Change a node's spec: Availability, Labels."""
        self.cluster.update_node(node.id, node.version, {**node.spec, **changes})

    def wait(self, seconds: float) -> None:
        """Let so much time go by."""
        self.cluster.run_until(self.cluster.now + round(seconds * SECOND))

    def wait_for(self, is_so: Callable[[], bool], at_most: float = 600) -> float:
        """Let time go by until something is so; return when that was, in seconds."""
        if not is_so():
            self.cluster.run_until(self.cluster.now + round(at_most * SECOND), is_so)
        assert is_so(), f"not so within {at_most} s"
        return self.now

    def wait_for_state(self, *wanted: str) -> float:
        """Let time go by until the update is in one of these states."""
        return self.wait_for(lambda: self.state in wanted)

    # ---- what there is -----------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the service was up."""
        return (self.cluster.now - self.t0) / SECOND

    @property
    def state(self) -> str | None:
        """The state of the update, if there is one."""
        status = self.service.update_status
        return status.state if status else None

    @property
    def message(self) -> str:
        """What the manager says of the update."""
        status = self.service.update_status
        return status.message if status else ""

    @property
    def states(self) -> list[str | None]:
        """The states that the update has been in."""
        return [state for _, state, _ in self.statuses]

    @property
    def tasks(self) -> list[Task]:
        """All tasks, the newest last."""
        found = self.cluster.tasks_of(self.service.id)
        return sorted(found, key=lambda task: (task.created_at, task.slot or 0))

    def slot(self, number: int) -> list[Task]:
        """The tasks of a slot, the newest last."""
        return [task for task in self.tasks if task.slot == number]

    @property
    def current(self) -> list[Task]:
        """The tasks that shall run, or run already."""
        return [task for task in self.tasks if task.desired_state in ("ready", "running")]

    @property
    def running(self) -> Counter[str]:
        """How many tasks run, by tag."""
        return Counter(tag_of(task) for task in self.tasks if task.state == "running")

    def touched(self, tag: str) -> set[int | None]:
        """The slots in which a task of a tag was made."""
        return {task.slot for _, task, _, _ in self.writes if tag_of(task) == tag}

    def times(self, tag: str, state: str) -> list[float]:
        """When tasks of a tag were first seen in a state."""
        seen: dict[str, float] = {}
        for at, task, found, _ in self.writes:
            if tag_of(task) == tag and found == state:
                seen.setdefault(task.id, at)
        return list(seen.values())

    def made(self, tag: str) -> list[float]:
        """When tasks of a tag were made."""
        return self.times(tag, "new")
