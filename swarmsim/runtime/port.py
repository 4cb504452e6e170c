"""The port between an engine and what runs its tasks.

A `Runtime` starts, stops and probes tasks: as processes of this machine, or only on paper.
It sees the engine through `Host` alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from swarmsim.engine.allocation import Allocator
from swarmsim.engine.networks import Network, Networks
from swarmsim.engine.swarm import Blob
from swarmsim.images import Images
from swarmsim.images.removing import User
from swarmsim.model import Cluster, Driver, Spec, Task
from swarmsim.runtime.logs import Log


class Runtime(Driver, Protocol):
    """What runs the tasks: the cluster's driver, and what the engine asks of it besides."""

    #: Whether tasks only act, and no code of their images runs.
    acts: bool
    #: Seconds after which tasks that nobody looks at sleep; `None` for never.
    sleep_after: float | None

    def unkept(self, spec: Mapping[str, Any]) -> str:
        """What of a service's spec it does not keep, as a sentence; `""` if it keeps everything."""

    def awaiting(self) -> bool:
        """Whether it is open what some process will do: then the engine runs in real time."""

    def used(self) -> AbstractContextManager[None]:
        """Keep tasks going meanwhile: what they do is about to be seen, or changed."""

    def signal(self, task_id: str, number: int) -> None:
        """Send a signal to a task's process, as `docker kill --signal` does."""

    def logs(self, task_id: str) -> Log | None:
        """What a task's process has written; `None` if it never had one."""

    def health(self, task_id: str) -> dict[str, Any] | None:
        """What `docker inspect` shows as `State.Health`; `None` without a healthcheck."""

    def users_of(self, image_id: str) -> Iterator[User]:
        """The containers that were made from an image."""

    def close(self) -> None:
        """End all processes."""


class Host(Protocol):
    """The engine, as a runtime and what keeps its containers see it."""

    #: The folder of the engine's own files.
    data: Path
    cluster: Cluster
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
        """Move the cluster to the present."""

    def notify(self) -> None:
        """Report that a task has written something."""

    def exited(self, task_id: str, code: int) -> None:
        """Report that a task's process has ended."""

    def probed(self, task_id: str, command: tuple[str, ...]) -> Callable[[int], None]:
        """Report that a health probe begins; returns what to call with its exit code."""

    def has_health(self, task_id: str, health: str) -> None:
        """Report that a task is `healthy`, or that its probe has failed too often: `unhealthy`."""

    def publish(
        self, kind: str, action: str, about: str, attributes: Mapping[str, str], scope: str
    ) -> None:
        """Publish an event about an object."""

    def new_hex_id(self) -> str:
        """Return a new id."""

    def image_config(self, name: str) -> Mapping[str, Any]:
        """An image's `Config`; nothing if the image is missing."""

    def is_here(self, task: Task) -> bool:
        """Whether a task is on the node that answers."""

    def networks_of(self, task: Task) -> list[Network]:
        """The networks that a task is attached to."""

    def mounts_of(self, task: Task) -> list[Spec]:
        """What a task's container has mounted, as the API has it; its volumes are made now.

        Raises `ApiError` for what Docker does not mount.
        """
