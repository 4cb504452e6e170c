"""Swarm's rules as a pure, clocked model: what a swarm will do, without one.

`Cluster` is the whole of it; what its containers do, a `Driver` says. swarmkit's parts have
modules of their own: `orchestrator` (as many tasks as wanted), `updater`, `restarts`,
`scheduler`, `agent` (what nodes do), `reaper` (history), over one `store` and `agenda`.
"""

from __future__ import annotations

from labkit.rollout.cluster import Cluster
from labkit.rollout.driver import Behaviour, Driver, Reports, Scripted
from labkit.rollout.objects import Before, Change, Node, Refused, Service, Spec, Task, UpdateStatus
from labkit.rollout.timing import MEASURED, SECOND, Timing

__all__ = [
    "MEASURED",
    "SECOND",
    "Before",
    "Behaviour",
    "Change",
    "Cluster",
    "Driver",
    "Node",
    "Refused",
    "Reports",
    "Scripted",
    "Service",
    "Spec",
    "Task",
    "Timing",
    "UpdateStatus",
]
