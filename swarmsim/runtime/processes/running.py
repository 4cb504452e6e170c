"""One task's process and what belongs to it; and what all tasks of an engine share."""

import asyncio
import contextlib
import fcntl
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

from swarmsim.model import Task
from swarmsim.runtime.kinds import Acting, Life
from swarmsim.runtime.logs import Log
from swarmsim.runtime.plan import Plan
from swarmsim.runtime.port import Host
from swarmsim.runtime.probing import Health
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.names import Attachments, Names
from swarmsim.runtime.processes.publishing import Publisher
from swarmsim.runtime.processes.spawning import Keeper, Spawned

_PREFIX = "swarmsim-tasks-"
#: A path that no shell takes for anything else.
_PLAIN = re.compile(r"[\w./+-]+")


class World:
    """What all tasks of an engine share: names, published ports, a folder, clocks, the keeper."""

    def __init__(self, engine: Host, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        #: Real seconds, unlike the engine's time.
        self.monotonic = monotonic
        self.folder, self._lock = _new_folder(engine.data)
        self.names = Names(self.folder / "names")
        self.publisher = Publisher()
        self.keeper = Keeper()

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


#: What runs, or acts as if it did.
Process = Spawned | Acting


def _nothing() -> None:
    """Unpublish nothing."""


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """A task from when it was prepared until it is removed."""

    world: World
    task: Task
    plan: Plan
    life: Life
    #: `None` for one without a process.
    folder: Folder | None
    log: Log = field(default_factory=Log)
    process: Process | None = None
    health: Health | None = None
    attachments: Attachments | None = None
    #: Where its process is started, and with which variables; its probes are, too.
    cwd: Path = Path()
    env: Mapping[str, str] = field(default_factory=dict)
    #: When it was started, on the engine's clock.
    started_at: int = 0
    #: Takes back the ports that were published for it.
    unpublish: Callable[[], None] = _nothing
    #: The task was removed: nothing is reported any more.
    forgotten: bool = False
    _found: bool = False

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and not self.life.ended

    def write(self, is_error: bool, data: bytes) -> None:
        """Take what it writes; on a terminal each line ends at the margin."""
        if self.task.container.get("TTY"):
            data = data.replace(b"\n", b"\r\n")
        self.log.write(self.world.engine.now, "stderr" if is_error else "stdout", data)
        self.world.engine.notify()

    def show(self) -> None:
        """Add its names, by which others find it."""
        if self.attachments and self.folder and not self._found:
            self._found = True
            self.world.names.add(self.attachments)

    def hide(self) -> None:
        """Remove its names."""
        if self.attachments and self._found:
            self._found = False
            self.world.names.discard(self.attachments)

    def stop(self, number: int) -> None:
        """Send it a stop signal. Its health is probed until it has ended."""
        if self.process is None or not self.running:
            return
        self.hide()
        self.life.stop_asked(self.world.monotonic())
        self.process.send(number)

    def kill(self) -> None:
        """Kill it."""
        if self.process is None or not self.running:
            return
        self.hide()
        self.life.killed(self.world.monotonic())
        self.process.kill()

    def tidy(self) -> None:
        """Remove what only a running task needs."""
        self.hide()
        self.task.pid = 0
        self.unpublish()
        self.unpublish = _nothing
        if self.health:
            self.health.stop()
        self.log.close(self.world.engine.now)
        self.world.engine.notify()
        if self.folder:
            if self.attachments:
                self.world.names.leave(self.attachments)
            self.folder.remove()
