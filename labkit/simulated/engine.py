"""The engine: cluster, images, processes, networks, configs, secrets, events, and its clock.

Routes find everything here. Nothing in the cluster moves by itself: whoever wants to look
or to change something first lets it catch up with the clock (`Engine.catch_up`), which the
server does before each request, a timer whenever something is due, and a report of a process
(`exited`, `healthy`, `unhealthy`) before it is taken. Reports come from the event loop, never
from within a method of the driver, which the cluster calls while it catches up.

    engine.cluster      labkit.rollout.Cluster: services, tasks, nodes
    engine.images       labkit.simulated.images.Images(data): what was built, tagged, pushed
    engine.processes    labkit.simulated.processes.Processes(engine): the cluster's driver, and
                        awaiting(), logs(task_id) (see `logs`), close()
    engine.networks, engine.configs, engine.secrets    by id
    engine.events       what happened, for those who follow and those who ask later
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from labkit.rollout import Cluster
from labkit.simulated.clock import Clock
from labkit.simulated.images import Images
from labkit.simulated.processes import Processes

_log = logging.getLogger(__name__)

#: Seconds between two looks at the processes while an answer from one is awaited.
_LOOK = 0.02
#: Seconds between two looks when nothing is due: enough for the clock not to fall asleep.
_REST = 1.0


class Engine:
    """A simulated engine. `start` is called in the event loop that it shall live in."""

    #: The engine whose behaviour it shows.
    version = "20.10.24"

    def __init__(self, data: Path, *, speed: float = 1, seed: int = 0) -> None:
        self.data = data
        self.clock = Clock(speed)
        self.images = Images(data)
        self.processes = Processes(self)
        self.cluster = Cluster(self.clock.now, seed=seed, driver=self.processes)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def now(self) -> int:
        """The engine's time: the cluster's, in ns since 1970."""
        return self.clock.now

    def catch_up(self) -> None:
        """Let everything happen that is due by now, and wake again when the next thing is.

        At more than the wall's speed the cluster stops where a process begins whose fate
        is not known yet: from there on its time is real.
        """
        pause = self.processes.awaiting if self.clock.speed > 1 else None
        try:
            self.cluster.run_until(self.clock.read(), pause)
        except Exception:
            _log.exception("the cluster at %d", self.cluster.now)
        self.clock.set(self.cluster.now, real_time=self.processes.awaiting())
        self._wake_when_due()

    def exited(self, task_id: str, code: int) -> None:
        """A task's process has ended by itself, or after a signal."""
        self.catch_up()
        self.cluster.container_exited(task_id, code)
        self.catch_up()

    def healthy(self, task_id: str) -> None:
        """A task's first health probe has succeeded."""
        self.catch_up()
        self.cluster.container_healthy(task_id)
        self.catch_up()

    def unhealthy(self, task_id: str) -> None:
        """So many probes in a row have failed that Docker calls the container unhealthy."""
        self.catch_up()
        self.cluster.container_unhealthy(task_id)
        self.catch_up()

    def start(self) -> None:
        """Begin to live."""
        self.catch_up()

    def stop(self) -> None:
        """End all processes; nothing happens any more."""
        if self._timer is not None:
            self._timer.cancel()
        self.processes.close()

    def _wake_when_due(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.cluster.next_due()
        seconds = _REST if due is None else min(_REST, self.clock.seconds_until(due))
        if self.processes.awaiting():
            seconds = min(seconds, _LOOK)
        self._timer = asyncio.get_running_loop().call_later(seconds, self.catch_up)
