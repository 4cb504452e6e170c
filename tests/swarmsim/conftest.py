"""A simulated engine on a socket, in a thread of its own, whose processes are acted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest

from swarmsim import Engine
from tests.swarmsim.acted import behaviour
from tests.swarmsim.raw import Raw


@dataclass
class Served:
    """An engine that answers."""

    engine: Engine
    path: Path

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
    # a socket's path must be short, and pytest's own folders are not
    with TemporaryDirectory() as folder:
        engine = Engine(behaviour=behaviour, speed=speed, nodes=nodes, swarm=swarm)
        path = Path(folder) / "s"
        with engine.serve(f"unix://{path}"):
            yield Served(engine, path)


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
