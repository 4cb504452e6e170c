"""A lab of its own on the simulated engine: a home, ports, a clock that hurries."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from labkit import engines
from labkit.engines import ports

#: How many times as fast as real time its clock runs.
SPEED = 20


@contextmanager
def home(folder: Path, speed: float = SPEED) -> Iterator[Path]:
    """Be a learner whose lab is in this folder; whatever engine is started there is removed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "LABKIT_DOCKER_ID", "LABKIT_PYTHON_IMAGE"):
            patch.delenv(name, raising=False)
        patch.setenv("DOCKER_CONFIG", str(folder / "docker"))
        patch.setenv("LABKIT_HOME", str(folder))
        patch.setenv("LABKIT_ENGINE", "simulated")
        patch.setenv("LABKIT_SPEED", f"{speed:g}")
        patch.setenv("LABKIT_STACK", "dc")
        for variable, port in zip(ports.WANTED, free_ports(len(ports.WANTED)), strict=True):
            patch.setenv(variable, str(port))
        try:
            yield folder
        finally:
            engines.simulated().remove()


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as held:
        finders = [held.enter_context(socket.socket()) for _ in range(count)]
        for finder in finders:
            finder.bind(("127.0.0.1", 0))
        return [int(finder.getsockname()[1]) for finder in finders]
