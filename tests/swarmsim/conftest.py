"""A simulated engine on a socket, in a thread of its own, whose processes are acted."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest

from swarmsim.engine.engine import Engine
from swarmsim.server.serving import serving
from tests.swarmsim.acted import Acted
from tests.swarmsim.raw import Raw


@dataclass
class Served:
    """An engine that answers."""

    engine: Engine
    path: Path
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    @property
    def raw(self) -> Raw:
        """A client that sends whatever it is told."""
        return Raw(self.path)

    def connection(self) -> socket.socket:
        """A bare connection."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(self.path))
        return client


def serve(speed: float = 50, nodes: int = 1, *, swarm: bool = True) -> Iterator[Served]:
    """Run an engine in a thread until the test is over."""
    ready = threading.Event()
    found: list[Served] = []
    stop: list[asyncio.Event] = []

    async def live(folder: Path) -> None:
        stop.append(asyncio.Event())
        engine = Engine(folder, Acted, speed=speed, nodes=nodes)
        if swarm:
            engine.init_swarm()
        with serving(engine, folder / "s") as server:
            found.append(Served(engine, folder / "s", asyncio.get_running_loop()))
            ready.set()
            await stop[0].wait()
            await server.stop()

    # a socket's path must be short, and pytest's own folders are not
    with TemporaryDirectory() as folder:
        thread = threading.Thread(target=asyncio.run, args=(live(Path(folder)),))
        thread.start()
        try:
            assert ready.wait(10), "the engine did not start"
            yield found[0]
        finally:
            found[0].loop.call_soon_threadsafe(stop[0].set)
            thread.join(10)


@pytest.fixture
def served() -> Iterator[Served]:
    """A fast engine with one node, which is the manager of a swarm."""
    yield from serve()


@pytest.fixture
def alone() -> Iterator[Served]:
    """An engine outside of any swarm."""
    yield from serve(swarm=False)


@pytest.fixture
def raw(served: Served) -> Raw:
    return served.raw


@pytest.fixture
def client(served: Served) -> Iterator[docker.DockerClient]:
    """docker-py, connected."""
    connected = docker.DockerClient(base_url=served.url)
    yield connected
    connected.close()
