"""The engine in a browser: in a worker, asked by messages (`posted`).

The programs of its tasks take turns. Where the browser has no second stacks for them (WebKit),
tasks act as the text of their program says, and run nothing.
"""

import asyncio
import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from swarmsim import Engine
from swarmsim.doors.posted import Posted
from swarmsim.runtime.acted import Acted, reading
from swarmsim.runtime.port import Host, Runtime

if TYPE_CHECKING:
    from swarmsim.runtime.turns.system import Ports

#: Seconds between two collections of what nobody needs any more.
_COLLECT_EVERY = 20


def begin(data: Path, speed: float = 1) -> Posted:
    """Start the engine on the event loop that runs; its files go into a folder."""
    from pyodide.ffi import can_run_sync

    ports, runtime = _programs(data) if can_run_sync() else (None, _acted)
    engine = Engine(data=data, speed=speed, runtime=runtime, swarm=False)
    engine.hostname = "browser"
    engine.init_swarm()
    return Posted(engine, ports)


def _acted(host: Host) -> Runtime:
    return Acted(host, partial(reading.behaviour, host))


def _programs(data: Path) -> "tuple[Ports, Callable[[Host], Runtime]]":
    from swarmsim.runtime.processes import Processes
    from swarmsim.runtime.turns.system import Turns

    gc.disable()  # what collects by itself takes suspended stacks for its own (pyodide#6464)
    asyncio.get_running_loop().call_later(_COLLECT_EVERY, _collect)
    system = Turns(data)
    return system.publisher, lambda host: Processes(host, system=system)


def _collect() -> None:
    gc.collect()
    asyncio.get_running_loop().call_later(_COLLECT_EVERY, _collect)
