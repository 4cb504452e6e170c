"""What stands for real processes where a test is about the API: they act by a script.

The script is the image's name: `acts/fail:1.5s`, say, is a process that fails after 1.5 s of
the engine's time. All else runs until it is stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swarmsim.engine.engine import Engine
from swarmsim.engine.logs import Log
from swarmsim.images.removing import User
from swarmsim.model import SECOND, Task


class Acted:
    """A driver for `Engine(folder, Acted)`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._logs: dict[str, Log] = {}
        self.closed = False

    def awaiting(self) -> bool:
        return False

    def pull(self, task: Task) -> str:
        return f"No such image: {task.image}" if task.image.startswith("missing") else ""

    def has_healthcheck(self, task: Task) -> bool:
        return "Healthcheck" in task.container

    def start(self, task: Task) -> str:
        log = self._logs[task.id] = Log()
        task.pid = 4711
        log.write(self._engine.now, "stdout", f"hello from {task.slot}\n".encode())
        log.write(self._engine.now, "stderr", b"a warning\n")
        if task.image.startswith("acts/fail"):
            length = float(task.image.partition(":")[2].removesuffix("s"))
            self._later(length, self._exit, task.id, 1)
        if self.has_healthcheck(task):
            self._later(1, self._healthy, task.id)
        return ""

    def stop(self, task: Task) -> None:
        if not task.image.startswith("acts/deaf"):
            self._later(0.1, self._exit, task.id, 0)

    def kill(self, task: Task) -> None:
        self._exit(task.id, 137)

    def signal(self, task_id: str, number: int) -> None:
        self._later(0.1, self._exit, task_id, 128 + number)

    def remove(self, task: Task) -> None:
        self._logs.pop(task.id, None)

    def logs(self, task_id: str) -> Log | None:
        return self._logs.get(task_id)

    def health(self, task_id: str) -> dict[str, Any] | None:
        container = self._engine.containers.of_task(task_id)
        return {"Status": container.health} if container and container.health else None

    def users_of(self, _image_id: str) -> Iterator[User]:
        return iter(())

    def close(self) -> None:
        self.closed = True

    def _later(self, seconds: float, function, *arguments) -> None:
        self._engine.cluster.call_at(
            self._engine.now + round(seconds * SECOND), function, *arguments
        )

    def _exit(self, task_id: str, code: int) -> None:
        log = self._logs.get(task_id)
        if log is not None and not log.closed:
            log.close(self._engine.now)
            self._engine.containers.exited(task_id, code)
            self._engine.cluster.container_exited(task_id, code)

    def _healthy(self, task_id: str) -> None:
        self._engine.containers.has_health(task_id, "healthy")
        self._engine.cluster.container_healthy(task_id)
