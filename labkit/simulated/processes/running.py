"""One task's process and what belongs to it: folder, log, health, names, ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from labkit.rollout import Task
from labkit.simulated.logs import Log
from labkit.simulated.processes.folders import Folder
from labkit.simulated.processes.kinds import Life
from labkit.simulated.processes.names import Place
from labkit.simulated.processes.plan import Plan
from labkit.simulated.processes.probing import Health


class Process(Protocol):
    """What runs, or acts as if it did."""

    @property
    def pid(self) -> int:
        """Its number; 0 if it only acts."""

    def send(self, number: int) -> None:
        """Send a signal."""

    def kill(self) -> None:
        """End it."""

    def wait(self) -> None:
        """Wait for the end of one that was killed; nobody is told."""


def _nothing() -> None:
    """Take back nothing."""


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """A task from when it was prepared until it is forgotten."""

    task: Task
    plan: Plan
    log: Log
    life: Life
    #: `None` for one that only acts.
    folder: Folder | None
    process: Process | None = None
    health: Health | None = None
    place: Place | None = None
    #: Where its process is started, and with which variables; its probes are, too.
    cwd: Path = Path()
    env: Mapping[str, str] = field(default_factory=dict)
    #: Takes back the ports that were published for it.
    unpublish: Callable[[], None] = _nothing
    #: When it was started, on the engine's clock.
    started_at: int = 0
    #: Whether others find it by its names.
    found: bool = False
    #: Nobody is to be told any more what becomes of it.
    forgotten: bool = False

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and not self.life.ended
