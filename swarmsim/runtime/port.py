"""What a runtime needs of the engine whose tasks it runs.

A runtime is what the engine calls a `swarmsim.engine.containers.Processes`: processes of
this machine, or anything else that can start, stop and probe a task. It sees the engine
through `Host` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from swarmsim.engine.allocation import Allocator
from swarmsim.engine.blobs import Blob
from swarmsim.engine.containers import Containers
from swarmsim.engine.networks import Networks
from swarmsim.images import Images
from swarmsim.model import Cluster


class Host(Protocol):
    """The engine, as a runtime sees it."""

    #: The folder of the engine's own files.
    data: Path
    cluster: Cluster
    containers: Containers
    images: Images
    networks: Networks
    allocator: Allocator

    @property
    def configs(self) -> Mapping[str, Blob]:
        """Configs by id."""

    @property
    def secrets(self) -> Mapping[str, Blob]:
        """Secrets by id."""

    @property
    def now(self) -> int:
        """The engine's time, in ns since 1970."""

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""

    def exited(self, task_id: str, code: int) -> None:
        """Report that a task's process has ended."""

    def healthy(self, task_id: str) -> None:
        """Report that a task's health probe has succeeded."""

    def unhealthy(self, task_id: str) -> None:
        """Report that a task's health probe has failed too often."""
