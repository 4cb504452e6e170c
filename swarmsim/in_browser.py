"""The engine in a browser: in a worker, asked by messages (`posted`).

The programs of its tasks take turns. Where the browser has no second stacks for them (WebKit),
tasks act, and run nothing.

"""

import asyncio
import gc
from pathlib import Path

from swarmsim import Engine
from swarmsim.posted import Posted
from swarmsim.runtime.port import Host, Runtime

#: Seconds between two collections of what nobody needs any more.
_COLLECT_EVERY = 20


def begin(data: Path, speed: float = 1) -> Posted:
    """Start the engine on the event loop that runs; its files go into a folder."""
    from pyodide.ffi import can_run_sync

    if not can_run_sync():
        return Posted(Engine(data=data, speed=speed))
    from swarmsim.runtime.processes import Processes
    from swarmsim.runtime.turns.system import Turns

    system = Turns(data)

    def runtime(host: Host) -> Runtime:
        return Processes(host, system=system)

    gc.disable()  # what collects by itself takes suspended stacks for its own (pyodide#6464)
    asyncio.get_running_loop().call_later(_COLLECT_EVERY, _collect)
    return Posted(Engine(data=data, speed=speed, runtime=runtime), system.publisher)


def _collect() -> None:
    gc.collect()
    asyncio.get_running_loop().call_later(_COLLECT_EVERY, _collect)
