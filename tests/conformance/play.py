"""What a scenario can do: with one service of its own, on one engine, against the clock.

Times are in the engine's seconds, and so are waits: on a simulated engine that runs ten
times as fast, they are over ten times as soon.
"""

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.conformance.engines import REPOSITORY, Answer, Engine, Ran, seconds
from tests.conformance.watching import Status, TaskSeen, Watcher

T = TypeVar("T")

#: On every service of the suite; its value is that of one run.
LABEL = "labkit.conformance"
#: Two behaviours that are alike but for their image.
OLD, NEW = "print old", "print new"
#: The part of a TaskTemplate that leaves a task the network that Docker gives it by itself.
BRIDGED: dict[str, Any] = {"Networks": []}
#: Crashes as soon as it has started.
BROKEN = "exit 1 after 0"
#: Clocks of the engine and of this machine, and looks, may be apart by so much.
EARLY = 0.35

_ID = re.compile(r"\b[a-z0-9]{25}\b")


@dataclass(frozen=True)
class Took:
    """A time that a scenario measured, in seconds, and how much later another may be."""

    seconds: float
    late: float


@dataclass
class Transcript:
    """What is compared between two engines."""

    statuses: list[str] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    slots: list[list[str]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Took] = field(default_factory=dict)


class Play:
    """One scenario on one engine."""

    def __init__(self, engine: Engine, watcher: Watcher, run: str, name: str) -> None:
        self.engine = engine
        self._watcher = watcher
        #: What the label `LABEL` of its service has to be.
        self.run = run
        #: The name of its service: not another's on this engine, and as long on any.
        self.name = name.replace("_", "-")[:60].rstrip("-")
        self.id = ""
        self.transcript = Transcript()
        self._chance: set[str] = set()

    # ---- doing ---------------------------------------------------------------------

    def create(self, act: str = OLD, *, replicas: int = 1, **given: Any) -> None:
        """Create the service; `given` is as in `changed`."""
        spec: dict[str, Any] = {
            "Name": self.name,
            "Labels": {LABEL: self.run},
            "TaskTemplate": {
                "ContainerSpec": {"Env": ["SLOT={{.Task.Slot}}"]},
                # or half of the processor time of a start would go into the container's network
                "Networks": [{"Target": "host"}],
            },
            "Mode": {"Replicated": {"Replicas": replicas}},
        }
        given.setdefault("image", self.engine.image(act))
        changed(spec, **given)
        answer = self.engine.call("POST", "/services/create", spec)
        assert answer.status == 201, answer
        self.id = answer.body["ID"]

    def running(self, act: str = OLD, *, replicas: int = 1, **given: Any) -> None:
        """Create the service, and wait until all replicas run."""
        self.create(act, replicas=replicas, **given)
        self.until(
            lambda: (
                sum(task.running for task in self.tasks) == replicas
                and self.counts[-1] == (replicas, replicas)
            ),
            f"{replicas} replicas",
        )

    def update(self, act: str | None = None, **given: Any) -> None:
        """Post the service's spec back with a change: another image, and what `changed` takes."""
        if act is not None:
            given["image"] = self.engine.image(act)
        answer = self.post(lambda spec: changed(spec, **given))
        assert answer.status == 200, answer

    def rollback(self) -> Answer:
        """Ask for the previous spec."""
        return self.post(lambda _: None, rollback="previous")

    def post(self, change: Callable[[dict[str, Any]], None], **params: Any) -> Answer:
        """Post the spec with a change; again, if the engine itself has written in between."""
        while True:
            service = self.service
            spec = copy.deepcopy(service["Spec"])
            change(spec)
            answer = self.engine.call(
                "POST",
                f"/services/{self.id}/update",
                spec,
                version=str(service["Version"]["Index"]),
                **params,
            )
            if "out of sequence" not in answer.message:
                return answer

    def remove(self) -> None:
        """Remove the service, if it is there."""
        self.engine.call("DELETE", f"/services/{self.id or self.name}")

    def docker(self, *words: str, **environment: str) -> Ran:
        """Run a docker command on this engine."""
        return self.engine.docker(*words, **environment)

    def counted(self) -> dict[str, Any]:
        """Return the part of a ContainerSpec that lets the actor count the tasks of a slot."""
        return {"Mounts": [{"Type": "volume", "Source": self.name, "Target": "/actor/state"}]}

    @property
    def port(self) -> int:
        """A port of this machine that no other engine's scenarios take."""
        return {"real": 28917, "simulated": 28918, "fast": 28919}[self.engine.name]

    # ---- seeing --------------------------------------------------------------------

    @property
    def service(self) -> dict[str, Any]:
        """The service as the engine has it now."""
        return dict(self.engine.get(f"/services/{self.id}"))

    @property
    def now(self) -> float:
        """The engine's time at the last look."""
        return self._watcher.now

    @property
    def status(self) -> Status:
        """The update status at the last look."""
        return self._watcher.statuses[self.id][-1]

    @property
    def events(self) -> list[dict[str, str]]:
        """What the events of the service said; the action is under an empty key."""
        return list(self._watcher.events.get(self.id, ()))

    @property
    def states(self) -> list[str]:
        """Every state that the update status ever had, by the events: none is missed there."""
        key = "updatestate.new"
        return [event[key] for event in self.events if key in event]

    @property
    def counts(self) -> list[tuple[int, int]]:
        """Every pair of running and desired tasks that `service ls` would have shown."""
        return list(self._watcher.counts[self.id])

    @property
    def tasks(self) -> list[TaskSeen]:
        """All tasks of the service that were ever seen, oldest first."""
        seen = list(self._watcher.tasks.values())
        mine = (task for task in seen if task.raw["ServiceID"] == self.id)
        return sorted(mine, key=lambda task: task.created)

    def by_slot(self) -> dict[int | None, list[TaskSeen]]:
        """The tasks of each slot, oldest first."""
        slots: dict[int | None, list[TaskSeen]] = {}
        for task in self.tasks:
            slots.setdefault(task.slot, []).append(task)
        return slots

    def on(self, act: str) -> list[TaskSeen]:
        """All tasks that had the image of this behaviour, oldest first; or that very image."""
        image = act if ":" in act and act.startswith(REPOSITORY) else self.engine.image(act)
        return [task for task in self.tasks if task.image == image]

    def on_by_slot(self, act: str) -> list[list[TaskSeen]]:
        """The tasks with this image, a list for each slot that ever had one."""
        image = self.engine.image(act)
        slots = ([t for t in tasks if t.image == image] for tasks in self.by_slot().values())
        return [tasks for tasks in slots if tasks]

    def slots_on(self, act: str) -> int:
        """The number of slots in which there ever was a task with this image."""
        return len(self.on_by_slot(act))

    def describe(self) -> str:
        """What was seen, for a failure."""
        statuses = self._watcher.statuses.get(self.id, [])
        lines = [f"{each.at:.2f} {each.state or 'none'}: {each.message}" for each in statuses]
        for task in self.tasks:
            went = " ".join(
                f"{sight.desired[:3]}/{sight.state}@{sight.since:.2f}" for sight in task.sights
            )
            gone = f" gone@{task.gone_at:.2f}" if task.gone_at else ""
            lines.append(f"{task.slot} {tag(task.image)} {task.last.error} {went}{gone}")
        return "\n".join([*lines, f"now {self.now:.2f}"])

    # ---- waiting -------------------------------------------------------------------

    def visible(self, number: float) -> float:
        """Return so many of this machine's seconds in the engine's: looks are no faster than it.

        A state that has to be seen before it passes lasts so long, however fast the clock runs.
        """
        return number * self.engine.speed

    def until(self, condition: Callable[[], T], what: str, within: float = 90) -> T:
        """Wait until something is so; `within` so many seconds, or the scenario has failed."""
        return self._watcher.until(condition, what, within, self.describe)

    def ends(self, state: str) -> Status:
        """Wait until the status and an event say that the update is at this state."""
        status = self.until(lambda: self.status if self.status.state == state else None, state, 120)
        self.until(lambda: state in self.states, f"an event of {state}")
        return status

    def watch(self, number: float) -> None:
        """Go on looking for so many seconds, for what must not happen."""
        begun = self.engine.now()
        self.until(lambda: self.now - begun >= number, f"{number} s to pass", number + 30)

    # ---- telling -------------------------------------------------------------------

    def tell(self, what: str, value: Any) -> None:
        """Put something into the transcript; ids and the name of the run are evened out."""
        self.transcript.told[self.even(what)] = self.even(value)

    def leave_out(self, *what: str) -> None:
        """Leave out a part of the transcript that differs from run to run on the same engine."""
        self._chance.update(what)

    def took(self, what: str, number: float, about: float, late: float = 1.0) -> None:
        """Put a time into the transcript, and require it: `about` so long, or that much later."""
        assert about - EARLY <= number <= about + late, (
            f"{what} took {number:.2f} s and not {about} to {about + late}\n{self.describe()}"
        )
        self.transcript.times[what] = Took(number, late + EARLY)

    def even(self, value: Any) -> Any:
        """Return what does not differ from run to run."""
        if isinstance(value, str):
            for word, what in (
                (self.name.partition("-")[0], "<run>"),
                (self.run, "<run>"),
                (str(self.port), "<port>"),
            ):
                value = value.replace(word, what)
            return _ID.sub("<id>", value)
        if isinstance(value, dict):
            return {key: self.even(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.even(each) for each in value]
        return value

    def settle(self) -> None:
        """Wait until all tasks that are to stop have stopped."""
        self.until(
            lambda: not any(t.stopping for t in self.tasks), "what is to stop to have stopped"
        )

    def finish(self) -> Transcript:
        """Return the transcript, with what was seen of the update and of each slot."""
        self.settle()
        told = [status for status in self._watcher.statuses.get(self.id, []) if status.state]
        lines = [self.even(f"{status.state}: {status.message}") for status in told]
        self.transcript.statuses = lines
        self.transcript.events = self.even(self.events)
        self.transcript.slots = sorted(lineage(tasks) for tasks in self.by_slot().values())
        for what in self._chance:
            setattr(self.transcript, what, [])
        return self.transcript


def changed(
    spec: dict[str, Any],
    *,
    image: str | None = None,
    replicas: int | None = None,
    container: dict[str, Any] | None = None,
    task: dict[str, Any] | None = None,
    env: Sequence[str] = (),
    **top: Any,
) -> None:
    """Change a spec in place: its image and replicas, more of its environment, and keys of it.

    `container` goes into the ContainerSpec, `task` into the TaskTemplate, and all else,
    such as `UpdateConfig`, into the spec itself.
    """
    template = spec["TaskTemplate"]
    template["ContainerSpec"] |= container or {}
    template["ContainerSpec"].setdefault("Env", []).extend(env)
    if image:
        template["ContainerSpec"]["Image"] = image
    template |= task or {}
    if replicas is not None:
        spec["Mode"]["Replicated"]["Replicas"] = replicas
    spec |= top


def config(
    *,
    parallelism: int | None = 1,
    delay: float | None = None,
    monitor: float | None = None,
    action: str | None = None,
    ratio: float | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    """Return an UpdateConfig or RollbackConfig; what is `None` is not in it."""
    given = {
        "Parallelism": parallelism,
        "Delay": None if delay is None else seconds(delay),
        "Monitor": None if monitor is None else seconds(monitor),
        "FailureAction": action,
        "MaxFailureRatio": ratio,
        "Order": order,
    }
    return {key: value for key, value in given.items() if value is not None}


def restart(condition: str = "any", delay: float = 0, **more: int) -> dict[str, Any]:
    """Return the part of a TaskTemplate that says how tasks are restarted."""
    return {"RestartPolicy": {"Condition": condition, "Delay": seconds(delay), **more}}


def health(retries: int = 1, interval: float = 1) -> dict[str, Any]:
    """Return the part of a ContainerSpec that makes the engine ask the actor for its health."""
    return {
        "Healthcheck": {
            "Test": ["CMD", "python", "actor.py", "probe"],
            "Interval": seconds(interval),
            "Timeout": seconds(5),
            "Retries": retries,
        }
    }


def tag(image: str) -> str:
    """Return an image's tag."""
    return image.rpartition(":")[2]


def lineage(tasks: Sequence[TaskSeen]) -> list[str]:
    """Return what became of a slot's tasks, oldest first, as far as two engines must agree.

    How often a crash loop has gone round, and where in it the last task is, is chance; and
    whether a task that never started was made before it was known not to be needed.
    """
    lines: list[str] = []
    for task in tasks:
        if task.last.state == "shutdown" and task.started_at is None:
            continue
        if task.last.desired == "remove" or (task.gone_at and not task.ended):
            lines.append(f"{tag(task.image)}: removed")
            continue
        error = f" ({task.last.error})" if task.last.error else ""
        state = task.last.state if task.ended or task.running else "on its way"
        line = f"{tag(task.image)}: {state}{error}"
        same_image = bool(lines) and lines[-1].startswith(f"{tag(task.image)}: ")
        if line in lines[-1:] or (same_image and not task.ended):
            continue
        lines.append(line)
    return lines
