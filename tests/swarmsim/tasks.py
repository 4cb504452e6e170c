"""An engine in this process whose tasks are real processes, and what tests ask of it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from swarmsim.doors.loop import Timer
from swarmsim.engine.engine import Engine
from swarmsim.go import references
from swarmsim.images import Image
from swarmsim.images.build import building, dockerfile
from swarmsim.model import Service, Task
from swarmsim.runtime.processes import Processes

T = TypeVar("T")

PYTHON = "FROM python:3\nWORKDIR /app\nCOPY . .\n"
#: Runs until it is told to stop, and stops at once.
WELL_BEHAVED = (
    "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "print('ready', flush=True)\nwhile True: time.sleep(60)\n"
)


class Lab:
    """An engine that is the manager of a swarm of one node; it lives while a test waits."""

    def __init__(self, folder: Path, runner: asyncio.Runner, engine: Engine) -> None:
        self.engine = engine
        self._folder = folder
        self._runner = runner

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the engine's loop."""
        return self._runner.run(coroutine)

    def inside(self, function: Callable[[], T]) -> T:
        """Call something on the engine's loop."""

        async def call() -> T:
            return function()

        return self.run(call())

    def image(self, name: str, program: str, more: str = 'CMD ["python", "main.py"]\n') -> Image:
        """Build an image whose `main.py` is this program."""
        return self.build(name, {"main.py": program}, PYTHON + more)

    def build(self, name: str, files: dict[str, str], text: str) -> Image:
        """Build an image from files."""
        context = self._folder / name.replace("/", "_").replace(":", "_")
        for path, content in files.items():
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            (context / path).write_text(content)
        options = building.Options(tags=(references.read(name),))
        images = self.engine.images
        file = dockerfile.read(text)
        build = building.Build(images, file, context, options, lambda: self.engine.now)
        said = list(build.messages())
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

        def create() -> Service:
            self.engine.catch_up()
            service = self.engine.cluster.create_service(spec)
            self.engine.catch_up()
            return service

        return self.inside(create)

    def network(self, name: str) -> str:
        """Create an overlay network; return its id."""
        cluster = self.engine.cluster
        network_id = cluster.new_id()
        make = self.engine.networks.make
        make("overlay", network_id, name, cluster.now, version=cluster.bump())
        return network_id

    def tasks(self, service: Service) -> list[Task]:
        """The service's tasks, oldest first."""
        return sorted(self.engine.cluster.tasks_of(service.id), key=lambda task: task.created_at)

    def log(self, task: Task) -> str:
        """What a task has written."""
        log = self.engine.runtime.logs(task.id)
        return b"".join(line.data for line in log.lines()).decode() if log else ""

    def state(self, service: Service, wanted: str, seconds: float = 20) -> Task:
        """Wait until the service's only task is in a state; return it."""

        def there() -> Task | None:
            return next((task for task in self.tasks(service) if task.state == wanted), None)

        return self.until(there, f"{service.name} to be {wanted}", seconds)

    def end(self, service: Service) -> Task:
        """Wait until a task of the service has ended, in whatever state; return it."""
        ended = lambda: next((task for task in self.tasks(service) if task.ended), None)  # noqa: E731
        return self.until(ended, f"the end of {service.name}")

    def until(self, condition: Callable[[], T | None], what: str, seconds: float = 20) -> T:
        """Wait for a condition while the engine lives."""

        async def wait() -> T:
            deadline = time.monotonic() + seconds
            while True:
                self.engine.catch_up()
                if value := condition():
                    return value
                assert time.monotonic() < deadline, f"{what}: {self._seen()}"
                await asyncio.sleep(0.02)

        return self.run(wait())

    def _seen(self) -> list[tuple[str, str, str]]:
        tasks = self.engine.cluster.tasks.values()
        return [(task.state, task.error, self.log(task)[-300:]) for task in tasks]


@contextmanager
def lab(folder: Path, speed: float = 20, **options: Any) -> Iterator[Lab]:
    """Run an engine until the end of the `with`."""
    with asyncio.Runner() as runner:
        engine = Engine(folder / "engine", partial(Processes, **options), speed=speed)
        engine.init_swarm()
        it = Lab(folder, runner, engine)
        timer = Timer(engine)
        it.inside(timer.start)
        try:
            yield it
        finally:
            timer.stop()
            it.inside(engine.close)
