"""Tasks that only act: each does what a `Behaviour` says, on the engine's clock.

Nothing is executed. An image need not exist: one that is not in the store counts as pulled.
A task with a healthcheck, its image's or its service's, is healthy at its first probe unless
its behaviour says otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from swarmsim.images.removing import User
from swarmsim.model import Behaviour, Scripted, Task
from swarmsim.runtime import plan
from swarmsim.runtime.logs import Log
from swarmsim.runtime.plan import Healthcheck
from swarmsim.runtime.port import Host

_FIRST_PID = 1000


@dataclass(slots=True)
class _Acting:
    """A task from its pull until it is removed."""

    task: Task
    image_id: str
    check: Healthcheck | None
    log: Log = field(default_factory=Log)
    health: str = "starting"
    started: bool = False


class Acted(Scripted):
    """A runtime for `Engine(data, Acted)`; `behaviour` says what each task does."""

    acts = True
    sleep_after: float | None = None

    def __init__(
        self, host: Host, behaviour: Callable[[Task], Behaviour] = lambda _: Behaviour()
    ) -> None:
        super().__init__(behaviour)
        self._host = host
        self._tasks: dict[str, _Acting] = {}
        self._pids = count(_FIRST_PID)
        self.attach(self.container_exited, self.container_health, self._after)

    # ---- what the cluster calls ------------------------------------------------------

    def pull(self, task: Task) -> str:
        """Return the error that the behaviour has for the image, or `""`."""
        error = super().pull(task)
        if not error:
            image = self._host.images.get(task.image)
            image_id, config = (image.id, image.config) if image else ("", {})
            check = plan.make(task, image_id, config, None).healthcheck
            self._tasks[task.id] = _Acting(task, image_id, check)
        return error

    def has_healthcheck(self, task: Task) -> bool:
        """Whether a task counts as running only once it is healthy."""
        return super().has_healthcheck(task) or self._tasks[task.id].check is not None

    def start(self, task: Task) -> str:
        """Write what the behaviour writes, and schedule what it does."""
        it = self._tasks[task.id]
        if error := super().start(task):
            return error
        task.pid, it.started = next(self._pids), True
        it.log.write(self._host.now, "stdout", self._of[task.id].stdout.encode())
        it.log.write(self._host.now, "stderr", self._of[task.id].stderr.encode())
        self._host.notify()
        if it.check is not None and not super().has_healthcheck(task):
            self._after(it.check.interval, self.container_health, task.id, "healthy")
        return ""

    def remove(self, task: Task) -> None:
        """Remove a task and what it has written."""
        super().remove(task)
        self._tasks.pop(task.id, None)

    # ---- what the script reports -----------------------------------------------------

    def container_exited(self, task_id: str, code: int) -> None:
        """Report that a task has ended."""
        it = self._tasks.get(task_id)
        if it is not None and it.started and not it.log.closed:
            it.task.pid = 0
            it.log.close(self._host.now)
            self._host.notify()
            self._host.exited(task_id, code)

    def container_health(self, task_id: str, health: str) -> None:
        """Report that a task is healthy, or unhealthy."""
        it = self._tasks.get(task_id)
        if it is not None and it.started and not it.log.closed:
            it.health = health
            self._host.has_health(task_id, health)

    # ---- what the engine asks --------------------------------------------------------

    def unkept(self, _: Mapping[str, Any]) -> str:
        """Return `""`: a task on paper takes what it is given."""
        return ""

    def awaiting(self) -> bool:
        """Return false: it is never open what a task will do."""
        return False

    def used(self) -> AbstractContextManager[None]:
        """Do nothing: a task on paper does not sleep."""
        return nullcontext()

    def signal(self, task_id: str, number: int) -> None:  # noqa: ARG002  all of them end it
        """End the task as the stop signal does."""
        if it := self._tasks.get(task_id):
            self.stop(it.task)

    def logs(self, task_id: str) -> Log | None:
        """What a task has written; `None` if it was never started."""
        it = self._tasks.get(task_id)
        return it.log if it is not None and it.started else None

    def health(self, task_id: str) -> dict[str, Any] | None:
        """What `docker inspect` shows as `State.Health`."""
        it = self._tasks.get(task_id)
        if it is None or not self.has_healthcheck(it.task):
            return None
        return {"Status": it.health, "FailingStreak": 0, "Log": []}

    def users_of(self, image_id: str) -> Iterator[User]:
        """The containers that were made from an image."""
        for it in self._tasks.values():
            if it.image_id == image_id and it.task.container_id:
                yield User(it.task.container_id, it.started and not it.log.closed)

    def close(self) -> None:
        """Do nothing: there are no processes."""

    def _after(self, length: int, function: Callable[..., None], *arguments: object) -> None:
        self._host.cluster.call_at(self._host.now + length, function, *arguments)
