"""What all tasks of an engine share: names, published ports, a folder, clocks, the keeper."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

from swarmsim.runtime.port import Host
from swarmsim.runtime.processes.place.names import Names
from swarmsim.runtime.processes.publishing import Publisher
from swarmsim.runtime.processes.spawning import Keeper

_PREFIX = "swarmsim-tasks-"
#: A path that no shell takes for anything else.
_PLAIN = re.compile(r"[\w./+-]+")


class World:
    """One engine's surroundings of its tasks."""

    def __init__(self, engine: Host, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        #: Real seconds, unlike the engine's time.
        self.monotonic = monotonic
        self.folder, self._lock = _new_folder(engine.data)
        self.names = Names(self.folder / "names")
        self.publisher = Publisher()
        self.keeper = Keeper()

    @property
    def now(self) -> int:
        """The engine's time."""
        return self.engine.now

    def call_after(self, length: int, act: Callable[[], None]) -> None:
        """Call a function after so many nanoseconds of the engine's time."""
        cluster = self.engine.cluster
        cluster.call_at(cluster.now + length, act)

    def soon(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function from the event loop, outside of the cluster's own steps."""
        asyncio.get_running_loop().call_soon(function, *arguments)

    def close(self) -> None:
        """Close and delete everything."""
        self.publisher.close()
        self.keeper.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _new_folder(data: Path) -> tuple[Path, IO[str]]:
    """Make a folder that is this engine's alone; delete those of engines that were killed.

    An engine holds a lock on its folder, which ends with its process. Paths of the folder
    get into commands, shells' ones too, so it is made elsewhere if its name would have to
    be quoted there.
    """
    place = data if _PLAIN.fullmatch(str(data)) else Path(gettempdir())
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=_PREFIX, dir=place))
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock
