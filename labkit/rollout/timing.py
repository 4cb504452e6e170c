"""How long the steps of a real engine take. Pure.

Each is a range in nanoseconds, from which the model draws. Measured on Docker Engine
20.10.24, one node, two cores, a small image (the specification's Appendix A, and the
recordings that the tests of the conformance suite make).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

MS = 10**6
SECOND = 10**9

#: The least and the most that something takes.
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each step takes, as ranges in nanoseconds."""

    #: A write to a service reaches the orchestrator.
    reconcile: Range = (1 * MS, 8 * MS)
    #: The scheduler collects what is pending (swarmkit's scheduler.go: 50 ms).
    schedule: Range = (50 * MS, 110 * MS)
    #: A change of what is desired reaches the node (the dispatcher's batches of 100 ms).
    dispatch: Range = (40 * MS, 140 * MS)
    #: A node takes a task on.
    accept: Range = (2 * MS, 10 * MS)
    #: The container is made; pulling an image that is there costs nothing.
    prepare: Range = (60 * MS, 140 * MS)
    #: From starting to running, without a healthcheck.
    start: Range = (250 * MS, 600 * MS)
    #: From the end of a process to the manager's knowing it.
    report: Range = (100 * MS, 300 * MS)
    #: A container that was told to stop is taken down after its process has ended.
    teardown: Range = (900 * MS, 1300 * MS)
    #: A task that shares an overlay network leaves it first (controller.go).
    leave_network: Range = (2 * SECOND, 2 * SECOND)
    #: The task reaper collects what has become too much (task_reaper.go).
    reap: Range = (250 * MS, 250 * MS)
    #: How long the manager waits for an old task to stop (restart.go).
    old_task_timeout: int = 60 * SECOND
    #: What a restart waits where the spec says nothing (defaults/service.go).
    restart_delay: int = 5 * SECOND
    #: What a container is given to stop where the spec says nothing.
    grace: int = 10 * SECOND

    def draw(self, random: Random, length: Range) -> int:
        """Return one of the lengths that a step may take."""
        least, most = length
        return least + int(random.random() * (most - least))


MEASURED = Timing()
