"""An engine in this process whose tasks are real processes, and what tests ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from swarmsim.engine import networks
from swarmsim.engine.engine import Engine
from swarmsim.images import Image, names
from swarmsim.images.build import building, dockerfile
from swarmsim.model import Service, Task
from swarmsim.runtime.processes import Processes
from swarmsim.server import Timer

T = TypeVar("T")

PYTHON = "FROM python:3\nWORKDIR /app\nCOPY . .\n"
#: Runs until it is told to stop, and stops at once.
WELL_BEHAVED = (
    "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "print('ready', flush=True)\nwhile True: time.sleep(60)\n"
)


class Lab:
    """An engine that is the manager of a swarm of one node."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self._folder = folder

    def image(self, name: str, program: str, more: str = 'CMD ["python", "main.py"]\n') -> Image:
        """Build an image whose `main.py` is this program."""
        return self.build(name, {"main.py": program}, PYTHON + more)

    def build(self, name: str, files: dict[str, str], text: str) -> Image:
        """Build an image from files."""
        context = self._folder / name.replace("/", "_").replace(":", "_")
        for path, content in files.items():
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            (context / path).write_text(content)
        options = building.Options(tags=(names.tagged(names.parse(name)),))
        images = self.engine.images
        said = list(
            building.build(images, dockerfile.read(text), context, options, lambda: self.engine.now)
        )
        assert "error" not in said[-1], said[-1]
        return images.find(name)

    def service(self, image: str, name: str = "web", replicas: int = 1, **more: Any) -> Service:
        """Create a service. Capital letters begin a key of ContainerSpec."""
        container = {key: more.pop(key) for key in list(more) if key[0].isupper()}
        spec = {
            "Name": name,
            "Labels": {},
            "Mode": {"Replicated": {"Replicas": replicas}},
            "TaskTemplate": {
                "ContainerSpec": {"Image": image, **container},
                "RestartPolicy": {"Condition": "none"},
                "ForceUpdate": 0,
                **more.pop("template", {}),
            },
            **more.pop("spec", {}),
        }
        assert not more
        self.engine.catch_up()
        service = self.engine.cluster.create_service(spec)
        self.engine.catch_up()
        return service

    def network(self, name: str) -> str:
        """Create an overlay network; return its id."""
        cluster = self.engine.cluster
        network_id = cluster.new_id()
        networks.overlay(self.engine.networks, network_id, name, cluster.now, cluster.bump())
        return network_id

    def tasks(self, service: Service) -> list[Task]:
        """The service's tasks, oldest first."""
        self.engine.catch_up()
        return sorted(self.engine.cluster.tasks_of(service.id), key=lambda task: task.created_at)

    def log(self, task: Task) -> str:
        """What a task has written."""
        log = self.engine.runtime.logs(task.id)
        return b"".join(line.data for line in log.lines()).decode() if log else ""

    async def state(self, service: Service, wanted: str, seconds: float = 20) -> Task:
        """Wait until the service's only task is in a state; return it."""

        def there() -> Task | None:
            return next((task for task in self.tasks(service) if task.state == wanted), None)

        return await self.until(there, f"{service.name} to be {wanted}", seconds)

    async def until(self, condition: Callable[[], T | None], what: str, seconds: float = 20) -> T:
        """Wait for a condition while the engine lives."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (value := condition()):
            assert asyncio.get_running_loop().time() < deadline, f"{what}: {self._seen()}"
            await asyncio.sleep(0.02)
        return value

    def _seen(self) -> list[tuple[str, str, str]]:
        tasks = self.engine.cluster.tasks.values()
        return [(task.state, task.error, self.log(task)[-300:]) for task in tasks]


@asynccontextmanager
async def lab(folder: Path, speed: float = 20, **options: Any) -> AsyncIterator[Lab]:
    """Run an engine until the end of the `with`."""
    engine = Engine(folder / "engine", partial(Processes, **options), speed=speed)
    engine.init_swarm()
    timer = Timer(engine)
    timer.start()
    try:
        yield Lab(engine, folder)
    finally:
        timer.stop()
        engine.stop()
