"""What an engine's services and tasks were seen to do, by looking again and again.

Short states can be missed by whoever looks ten times a second, on any engine; the times of
those that were seen are the engine's own (`Status.Timestamp`). A task's desired state has
no time in the API: there, the time of the task's last change (`UpdatedAt`) stands in for it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.conformance.engines import Engine, moment

T = TypeVar("T")

#: The order in which a task goes through its states (swarmkit's api/types.proto).
STATES = (
    *("new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running"),
    *("complete", "shutdown", "failed", "rejected", "remove", "orphaned"),
)
ENDED = set(STATES[STATES.index("complete") :])
#: Seconds between two looks.
EVERY = 0.2


@dataclass(frozen=True)
class Sight:
    """What one look saw of a task."""

    #: The engine's time of the last change of the task that was seen.
    at: float
    desired: str
    state: str
    #: The engine's own time of the state.
    since: float
    message: str
    error: str


@dataclass
class TaskSeen:
    """A task, and all that was seen of it."""

    raw: dict[str, Any]
    sights: list[Sight] = field(default_factory=list)
    #: The engine's time at the last look that saw it.
    seen_at: float = 0.0
    #: The engine's time when it was first missing from the list.
    gone_at: float | None = None

    @property
    def id(self) -> str:
        return str(self.raw["ID"])

    @property
    def slot(self) -> int | None:
        """The number of its slot; a task of a global service has none."""
        return self.raw.get("Slot")

    @property
    def last(self) -> Sight:
        """The last change that was seen."""
        return self.sights[-1]

    @property
    def image(self) -> str:
        return str(self.raw["Spec"]["ContainerSpec"]["Image"])

    @property
    def created(self) -> float:
        return moment(self.raw["CreatedAt"])

    @property
    def exit_code(self) -> int | None:
        """The exit code, of a task that has ended."""
        container = self.raw["Status"].get("ContainerStatus") or {}
        return container.get("ExitCode") if self.ended else None

    @property
    def ended(self) -> bool:
        return self.last.state in ENDED

    @property
    def over(self) -> bool:
        """Whether it has ended, and the engine has taken note of that."""
        return self.ended and self.last.desired not in ("ready", "running")

    @property
    def ended_at(self) -> float:
        """The engine's time of its end."""
        assert self.ended, self
        return self.last.since

    @property
    def running(self) -> bool:
        """Whether it runs and is meant to."""
        return self.last.state == self.last.desired == "running"

    @property
    def ran_at(self) -> float | None:
        """The engine's time at which it was running, if it was seen so."""
        return next((sight.since for sight in self.sights if sight.state == "running"), None)

    @property
    def stopping(self) -> bool:
        """Whether it is meant to stop and has not yet."""
        told = self.last.desired in ("shutdown", "remove")
        return told and not self.ended and self.gone_at is None

    @property
    def started_at(self) -> float | None:
        """The engine's time at which its container was started."""
        begun = ("starting", "running")
        return next((sight.since for sight in self.sights if sight.state in begun), None)

    @property
    def stopped_from(self) -> float | None:
        """The engine's time at which it was first meant to stop, as far as was seen."""
        return next(
            (sight.at for sight in self.sights if sight.desired in ("shutdown", "remove")), None
        )

    def held(self, state: str) -> float:
        """Return for how many seconds it was in a state; 0 if it was never seen in it."""
        since = [sight.since for sight in self.sights if sight.state == state]
        later = [s.since for s in self.sights if STATES.index(s.state) > STATES.index(state)]
        return (later[0] if later else self.seen_at) - since[0] if since else 0.0


@dataclass(frozen=True)
class Status:
    """An update status as one look saw it; all empty if there was none."""

    at: float
    state: str = ""
    message: str = ""
    started: float | None = None
    completed: float | None = None

    @classmethod
    def of(cls, service: dict[str, Any], at: float) -> "Status":
        found = service.get("UpdateStatus") or {}

        def time_of(key: str) -> float | None:
            return moment(found[key]) if found.get(key) else None

        return cls(
            at,
            found.get("State", ""),
            found.get("Message", ""),
            time_of("StartedAt"),
            time_of("CompletedAt"),
        )

    def same(self, other: "Status") -> bool:
        """Whether two looks saw the same status."""
        mine = (self.state, self.message, self.started, self.completed)
        return mine == (other.state, other.message, other.started, other.completed)


class Watcher:
    """A thread that looks at all services and tasks with one label, and remembers."""

    def __init__(self, engine: Engine, label: str) -> None:
        self._engine = engine
        self._filters = {"label": {label: True}}
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._looks = 0
        self._events = engine.client.events(decode=True, filters={"type": ["service"]})
        self._threads = [
            threading.Thread(target=target, name=f"look at {engine.name}", daemon=True)
            for target in (self._run, self._follow)
        ]
        #: By service id: what its events said, but for its name.
        self.events: dict[str, list[dict[str, str]]] = {}
        #: The engine's time at the last look.
        self.now = 0.0
        self.tasks: dict[str, TaskSeen] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, list[Status]] = {}
        #: By service id: the running and desired counts of `service ls`, when they changed.
        self.counts: dict[str, list[tuple[int, int]]] = {}
        self.problem: Exception | None = None

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._events.close()
        for thread in self._threads:
            thread.join()

    def until(
        self,
        condition: Callable[[], T],
        what: str,
        within: float,
        describe: Callable[[], str] = str,
    ) -> T:
        """Return the first true value of a condition, asked for after each look from now on.

        `within` is in seconds, the engine's and this machine's: a clock that runs ahead does not
        make processes quicker. Raises `AssertionError` that says what was seen.
        """
        with self._changed:
            first = self._looks + 2  # the one after the look that is under way
            begun = None
            while True:
                self._changed.wait(1)
                if self.problem:
                    raise AssertionError(
                        f"looking ended while waiting for {what}"
                    ) from self.problem
                if self._looks < first:
                    continue
                if value := condition():
                    return value
                begun = begun or (self.now, time.monotonic())
                if min(self.now - begun[0], time.monotonic() - begun[1]) > within:
                    raise AssertionError(f"waited {within} s for {what}\n{describe()}")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                begun = time.monotonic()
                self._look()
                self._stop.wait(max(0.02, begun + EVERY - time.monotonic()))
        except Exception as problem:  # the threads that wait have to hear of it
            with self._changed:
                self.problem = problem
                self._changed.notify_all()

    def _follow(self) -> None:
        for event in self._events:
            attributes = dict(event["Actor"]["Attributes"])
            del attributes["name"]
            with self._changed:
                seen = self.events.setdefault(event["Actor"]["ID"], [])
                seen.append({"": event["Action"], **attributes})

    def _look(self) -> None:
        services = self._engine.call("GET", "/services", filters=self._filters, status="true")
        tasks = self._engine.call("GET", "/tasks", filters=self._filters)
        assert services.status == tasks.status == 200, (services, tasks)
        at = self._engine.time_of(tasks)
        with self._changed:
            self.now = at
            self._looks += 1
            for service in services.body:
                self._see_service(service, at)
            for task in tasks.body:
                self._see_task(task, at)
            listed = {task["ID"] for task in tasks.body}
            for task_id, task in self.tasks.items():
                if task_id not in listed and task.gone_at is None:
                    task.gone_at = at
            self._changed.notify_all()

    def _see_service(self, service: dict[str, Any], at: float) -> None:
        known = service["ID"]
        self.services[known] = service
        status = Status.of(service, at)
        statuses = self.statuses.setdefault(known, [])
        if not statuses or not statuses[-1].same(status):
            statuses.append(status)
        counted = service["ServiceStatus"]
        count = (counted["RunningTasks"], counted["DesiredTasks"])
        counts = self.counts.setdefault(known, [])
        if not counts or counts[-1] != count:
            counts.append(count)

    def _see_task(self, raw: dict[str, Any], at: float) -> None:
        seen = self.tasks.setdefault(raw["ID"], TaskSeen(raw))
        seen.raw, seen.seen_at = raw, at
        status = raw["Status"]
        sight = Sight(
            moment(raw["UpdatedAt"]),
            raw["DesiredState"],
            status["State"],
            moment(status["Timestamp"]),
            status.get("Message", ""),
            status.get("Err", ""),
        )
        last = seen.sights[-1] if seen.sights else None
        if last is None or (last.desired, last.state, last.error) != (
            sight.desired,
            sight.state,
            sight.error,
        ):
            seen.sights.append(sight)
