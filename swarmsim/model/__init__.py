"""Swarm's rules as a pure, clocked model: what a swarm will do, without one.

`Cluster` is the whole of it; what its containers do, a `Driver` says. swarmkit's parts have
modules of their own, which know of each other only what is in the one `store`:

    store                      what the manager keeps, and the clock
    orchestrator, global_orchestrator    as many tasks as wanted: replicated services, global ones
    updater, dirty             which service is updated, how, and which of its tasks
    restarts, reaper           what takes the place of a task that ended; what is kept of it
    scheduler, node_info, spreading, constraints    which node takes a task
    dispatcher, agent          what goes to the nodes and back; what nodes do
    timing                     how long things take
"""

from swarmsim.model.cluster import Cluster
from swarmsim.model.nodes.driver import Behaviour, Driver, Scripted
from swarmsim.model.nodes.timing import MEASURED, SECOND, Timing
from swarmsim.model.objects import (
    Node,
    Refused,
    Service,
    Spec,
    StoreEvent,
    Task,
    UpdateStatus,
)

__all__ = [
    "MEASURED",
    "SECOND",
    "Behaviour",
    "Cluster",
    "Driver",
    "Node",
    "Refused",
    "Scripted",
    "Service",
    "Spec",
    "StoreEvent",
    "Task",
    "Timing",
    "UpdateStatus",
]
