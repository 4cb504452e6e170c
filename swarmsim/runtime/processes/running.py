"""One task's process and what belongs to it; and what all tasks of an engine share."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from swarmsim.model import Task
from swarmsim.runtime.kinds import Life
from swarmsim.runtime.logs import Log
from swarmsim.runtime.plan import Plan
from swarmsim.runtime.port import Host
from swarmsim.runtime.probing import Health
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.names import Attachments, Names
from swarmsim.runtime.processes.publishing import Publisher


class Process(Protocol):
    """What runs, or acts as if it did (`Acting`)."""

    @property
    def pid(self) -> int:
        """Its number; 0 for one that only acts."""

    def send(self, number: int) -> None:
        """Send a signal, as to the first process of a container."""

    def kill(self) -> None:
        """End it, and all that it has started."""

    def wait(self) -> None:
        """Wait for the end of a process that was killed; nothing is reported of it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a process is started with, and whom it tells: both on the event loop."""

    words: list[str]
    cwd: Path
    env: Mapping[str, str]
    #: Takes whether it is standard error, and what is written.
    write: Callable[[bool, bytes], None]
    #: Takes the code that it ended with.
    ended: Callable[[int], None]


class System(Protocol):
    """What has the processes: this machine (`machine`), or this Python (`turns`)."""

    #: The engine's alone.
    folder: Path

    @property
    def publisher(self) -> Publisher:
        """What publishes ports."""

    def spawn(self, launch: Launch) -> Process:
        """Start a process. Raises `OSError` as the system says it."""

    def close(self) -> None:
        """Close and delete everything."""


class World:
    """What all tasks of an engine share: names, clocks, the system that runs them."""

    def __init__(
        self, engine: Host, system: System, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine = engine
        #: Real seconds, unlike the engine's time.
        self.monotonic = monotonic
        self.system = system
        self.names = Names(system.folder / "names")

    def call_after(self, length: int, act: Callable[[], None]) -> None:
        """Call a function after so many nanoseconds of the engine's time."""
        cluster = self.engine.cluster
        cluster.call_at(cluster.now + length, act)

    def soon(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function from the event loop, outside of the cluster's own steps."""
        asyncio.get_running_loop().call_soon(function, *arguments)


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
