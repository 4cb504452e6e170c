"""A swarm for tests that need an engine, and not a real one: simulated, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labkit.swarm.client import Swarm
from swarmsim import Engine


@contextmanager
def simulated_swarm(speed: float = 100, **options: Any) -> Iterator[Swarm]:
    """Yield a manager of a simulated swarm: no Docker, no server, no processes.

    `options` are those of `swarmsim.Engine`, such as `nodes=3`, or `behaviour={"web:2":
    Behaviour(exits_after="1s", exit_code=1)}`. Images need not be built.
    """
    with Engine(speed=speed, **options) as engine:
        yield Swarm(engine.client(), "unix://in-process")
