"""How long the steps of a real engine take. Pure.

Measured on Docker Engine 20.10.24 with a single node on a machine of two cores, by polling
the API every 15 ms and reading the engine's own times (`Status.Timestamp`, `UpdatedAt`):
some 50 tasks made and stopped, one and two at a time, a third of them on an overlay network;
their containers ran Python. Most of what a step takes are swarmkit's fixed waits, which are
fields of their own; the ranges are what is left. Ten containers that start at the same moment
take a second longer, and half a second to stop; that is left out, and so is the time in which
a node makes an overlay network for the first task on it (0.6 s).
"""

from dataclasses import dataclass

from swarmsim.go import defaults

MS = 10**6
SECOND = 10**9

#: The least and the most that something takes, in nanoseconds.
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each step takes, in nanoseconds: a length, or a range from which one is drawn."""

    #: A write to a service, or the end of a task, reaches the orchestrator.
    reconcile: Range = (MS, 3 * MS)
    #: The allocator has what a task needs, and the scheduler may look at it.
    allocate: Range = (MS, 3 * MS)
    #: The scheduler waits for a pause in what is written to the store, but not for ever
    #: (scheduler.go: commitDebounceGap, maxLatency).
    schedule_gap: int = 50 * MS
    schedule_at_latest: int = SECOND
    schedule: Range = (MS, 6 * MS)
    #: What is new for a node is sent after a pause (dispatcher.go: batchingWaitTime).
    dispatch_gap: int = 100 * MS
    dispatch: Range = (2 * MS, 9 * MS)
    #: What nodes report is written in this rhythm (dispatcher.go: maxBatchInterval).
    report_period: int = 100 * MS
    #: A node says that it is alive (dispatcher.go: DefaultHeartBeatPeriod and -Epsilon), and is
    #: called down when it has not for so many times that (defaultGracePeriodMultiplier).
    heartbeat: Range = (4500 * MS, 5500 * MS)
    grace_periods: int = 3
    #: The engine of a dead node starts again; a node that was cut off tries to connect again
    #: after this time at most (agent.go: maxSessionFailureBackoff).
    boot: Range = (3 * SECOND, 6 * SECOND)
    reconnect: int = 8 * SECOND
    #: A node takes a task on.
    accept: Range = (MS, 4 * MS)
    #: The container is made from an image that is there, or found not to be.
    prepare: Range = (15 * MS, 50 * MS)
    #: From starting to running, without a healthcheck; and how much longer beside others.
    start: Range = (250 * MS, 420 * MS)
    start_beside: Range = (150 * MS, 280 * MS)
    #: From the end of a process to its node's knowing it.
    notice: Range = (15 * MS, 50 * MS)
    #: An agent that is told to stop a task that it waits for tries again a second later
    #: (agent/task.go: ErrTaskRetry); only then it begins to stop the container.
    retry: int = SECOND
    #: A task that shares an overlay network leaves it first (controller.go:
    #: defaultGossipConvergeDelay).
    leave_network: int = 2 * SECOND
    #: From the end of a process that was told to stop to its task's being shut down.
    teardown: Range = (120 * MS, 240 * MS)
    #: The task reaper collects what has become too much (task_reaper.go).
    reap: int = 250 * MS
    #: How long the manager waits for an old task to stop (restart.go).
    old_task_timeout: int = 60 * SECOND
    #: What a restart waits where the spec says nothing (defaults/service.go).
    restart_delay: int = defaults.RESTART_DELAY
    #: What a container is given to stop where the spec says nothing.
    grace: int = defaults.STOP_GRACE_PERIOD
    #: After this time the tasks of a node that is down are given up (dispatcher.go).
    node_down_period: int = 24 * 3600 * SECOND


MEASURED = Timing()
