"""The engine as its users make it: what `swarmsim.Engine` is."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Self

from swarmsim.engine import engine
from swarmsim.go.durations import to_nanoseconds
from swarmsim.go.errors import CannotServe
from swarmsim.model import Behaviour, Task
from swarmsim.runtime.acted import Acted
from swarmsim.runtime.port import Host, Runtime

if TYPE_CHECKING:
    import docker

    from swarmsim.doors.inprocess import InProcess

#: What the tasks of an image do, by its name; or of each task, by a function.
Behaviours = Mapping[str, Behaviour] | Callable[[Task], Behaviour]

_START = datetime(2026, 1, 1, tzinfo=UTC)


class Engine(engine.Engine):
    """A Docker engine that manages a swarm, simulated in this process.

    >>> engine = Engine(behaviour={"web:2": Behaviour(exits_after="1s", exit_code=1)})
    >>> service = engine.client().services.create("web:1", name="web")
    >>> engine.advance("5s")
    >>> [task["Status"]["State"] for task in service.tasks()]
    ['running']

    `speed` is how many times as fast as real time its clock runs; at 0 the clock stands still,
    but for `advance`, a millisecond a request, and calls that wait. It begins at `start`: by
    default now, or with a clock that stands still on the first of January 2026, so that the
    same calls with the same `seed` give the same run. The swarm has so many `nodes`; there is
    none if `swarm` is false. Nothing is executed: tasks do what `behaviour` says, and by
    default run until they are stopped. Images are kept in `data`, by default a folder that
    goes away with the engine.
    """

    def __init__(
        self,
        *,
        speed: float = 0,
        seed: int = 0,
        nodes: int = 1,
        swarm: bool = True,
        behaviour: Behaviours | None = None,
        runtime: Callable[[Host], Runtime] | None = None,
        data: Path | None = None,
        start: datetime | None = None,
    ) -> None:
        if data is None:
            data = Path(mkdtemp(prefix="swarmsim-"))
            weakref.finalize(self, shutil.rmtree, data, ignore_errors=True)
        acts = _by_task({} if behaviour is None else behaviour)
        runtime = runtime or (lambda host: Acted(host, acts))
        if start is None and not speed:
            start = _START
        began = None if start is None else int(start.timestamp() * 1e9)
        super().__init__(data, runtime, speed=speed, seed=seed, nodes=nodes, start=began)
        self._door: InProcess | None = None
        self._served = ""
        if swarm:
            self.init_swarm()

    def client(self) -> docker.DockerClient:
        """Return a docker-py client that calls this engine directly, with no socket.

        While the engine is served, it lives on the server's thread, and a client is one of its
        socket.
        """
        if self._served:
            import docker

            return docker.DockerClient(self._served)
        if self._door is None:
            from swarmsim.doors.inprocess import InProcess

            self._door = InProcess(self)
        return self._door.client()

    def advance(self, length: str | float | timedelta) -> None:
        """Let time go by: `"30s"`, a number of seconds, or a `timedelta`."""
        if self._served:
            raise RuntimeError("while an engine is served, its clock is not moved by hand")
        if isinstance(length, int | float):
            length = timedelta(seconds=length)
        with self._door.lock if self._door else nullcontext():
            self.clock.advance(to_nanoseconds(length))
            self.catch_up()

    @contextmanager
    def serve(self, url: str) -> Iterator[str]:
        """Serve on a unix socket, such as `unix:///tmp/d.sock`, until the end of the `with`.

        Yields the URL, for `DOCKER_HOST`. Raises `CannotServe`, also for a clock that stands still.
        """
        from swarmsim.doors.server import in_thread

        if not self.clock.speed:
            raise CannotServe("The clock of an engine that is served has to run: Engine(speed=1).")
        with in_thread(self, Path(url.removeprefix("unix://"))):
            self._served = url
            try:
                yield url
            finally:
                self._served = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _by_task(behaviour: Behaviours) -> Callable[[Task], Behaviour]:
    if callable(behaviour):
        return behaviour
    return lambda task: behaviour.get(task.image, Behaviour())
