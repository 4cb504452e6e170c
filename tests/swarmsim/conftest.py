"""Simulated engines whose processes are acted: in this process, and on a socket."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
import pytest

from swarmsim import Engine
from tests.swarmsim.acted import behaviour
from tests.swarmsim.raw import Raw


@dataclass
class Served:
    """An engine that answers on a socket."""

    engine: Engine
    path: Path
    raw: Raw

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def connection(self) -> socket.socket:
        """A bare connection."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(self.path))
        return client


def serve(speed: float = 50) -> Iterator[Served]:
    """Run an engine in a thread until the test is over."""
    # a socket's path must be short, and pytest's own folders are not
    with TemporaryDirectory() as folder, Engine(behaviour=behaviour, speed=speed) as engine:
        path = Path(folder) / "s"
        with engine.serve(f"unix://{path}"), closing(engine.client()) as client:
            yield Served(engine, path, Raw(client))


@pytest.fixture
def served() -> Iterator[Served]:
    """A fast engine with one node, which is the manager of a swarm."""
    yield from serve()


def in_process(patch: pytest.MonkeyPatch, **options: Any) -> Iterator[Engine]:
    """Make an engine in this process, whose clock stands still but while a test waits."""
    with Engine(behaviour=behaviour, **options) as engine:
        patch.setattr(time, "sleep", engine.advance)
        yield engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine with one node, which is the manager of a swarm."""
    yield from in_process(monkeypatch)


@pytest.fixture
def client(engine: Engine) -> docker.DockerClient:
    """docker-py, connected."""
    return engine.client()


@pytest.fixture
def raw(client: docker.DockerClient) -> Raw:
    return Raw(client)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Raw]:
    """An engine outside of any swarm."""
    for engine in in_process(monkeypatch, swarm=False):
        yield Raw(engine.client())


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[Raw]:
    """An engine with three nodes."""
    for engine in in_process(monkeypatch, nodes=3):
        yield Raw(engine.client())
