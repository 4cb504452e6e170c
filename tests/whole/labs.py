"""A lab of its own on the simulated engine: a home, ports, a clock that hurries."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from labkit import engines
from labkit.engines import ports
from labkit.swarm.client import Swarm

#: How many times as fast as real time its clock runs.
SPEED = 20


@contextmanager
def home(folder: Path, speed: float = SPEED) -> Iterator[Path]:
    """Be a learner whose lab is in this folder; whatever engine is started there is removed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in learner_simulated(folder, speed).items():
            patch.setenv(name, value)
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "LABKIT_DOCKER_ID"):
            patch.delenv(name)
        try:
            yield folder
        finally:
            engines.simulated().remove()


def learner_simulated(folder: Path, speed: float = SPEED) -> dict[str, str]:
    """Return what makes somebody a learner with a simulated engine in this folder."""
    own = {
        "DOCKER_CONFIG": str(folder / "docker"),
        "LABKIT_HOME": str(folder),
        "LABKIT_ENGINE": "simulated",
        "LABKIT_SPEED": f"{speed:g}",
        "LABKIT_STACK": "dc",
        "LABKIT_DOCKER_ID": "lab",
    }
    nothing = dict.fromkeys(("DOCKER_HOST", "DOCKER_CONTEXT"), "")
    return nothing | own | _own_ports()


def learner_here() -> dict[str, str]:
    """Return what makes another process the learner that this one is (`home`)."""
    return {name: os.environ.get(name, "") for name in learner_simulated(Path())}


def as_cell(learner: Mapping[str, str]) -> str:
    """Return the code that makes a kernel a learner's before it imports labkit."""
    return f"import os\nos.environ |= {learner}\n"


def learner_on(swarm: Swarm, name: str) -> dict[str, str]:
    """Return what makes somebody a learner of their own on an engine, but for the home."""
    own = {"DOCKER_HOST": swarm.url, "LABKIT_STACK": name, "LABKIT_DOCKER_ID": name}
    return own | _own_ports()


def _own_ports() -> dict[str, str]:
    found = map(str, free_ports(len(ports.WANTED)))
    return dict(zip(ports.WANTED, found, strict=True))


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as held:
        finders = [held.enter_context(socket.socket()) for _ in range(count)]
        for finder in finders:
            finder.bind(("127.0.0.1", 0))
        return [int(finder.getsockname()[1]) for finder in finders]
