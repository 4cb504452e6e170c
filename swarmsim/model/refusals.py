"""What a manager refuses to do. Pure.

After swarmkit's manager/controlapi (service.go, node.go); what can be told from a request
alone is checked where requests are read.
"""

from __future__ import annotations

from collections.abc import Iterable

from swarmsim.model.objects import Node, Refused, Service, Spec


def require_no_job(spec: Spec) -> None:
    """Raise `Refused` for a job: the model knows replicated and global services."""
    if _mode(spec).endswith("Job"):
        raise Refused("Unimplemented", "jobs are not simulated: use a replicated or global service")


def require_same(service: Service, spec: Spec) -> None:
    """Raise `Refused` for what an update cannot change."""
    if _mode(spec) != _mode(service.spec):
        raise Refused("Unimplemented", "service mode change is not allowed")
    if spec.get("Name", "") != service.spec.get("Name", ""):
        raise Refused("Unimplemented", "renaming services is not supported")


def require_a_manager(node: Node, spec: Spec, nodes: Iterable[Node]) -> None:
    """Raise `Refused` if a new spec of a node would leave the swarm without a manager."""
    is_demoted = node.role == "manager" and spec.get("Role") == "worker"
    if is_demoted and sum(each.role == "manager" for each in nodes) == 1:
        message = "attempting to demote the last manager of the swarm"
        raise Refused("FailedPrecondition", message)


def require_removable(node: Node, *, force: bool) -> None:
    """Raise `Refused` for a node that the swarm cannot forget: a manager, or one that is up."""
    if node.role == "manager":
        message = f"node {node.id} is a cluster manager and is a member of the raft cluster. "
        message += "It must be demoted to worker before removal"
        raise Refused("FailedPrecondition", message)
    if node.state == "ready" and not force:
        message = f"node {node.id} is not down and can't be removed"
        raise Refused("FailedPrecondition", message)


def _mode(spec: Spec) -> str:
    mode = spec.get("Mode") or {}
    return next(
        (name for name in ("Global", "ReplicatedJob", "GlobalJob") if name in mode), "Replicated"
    )
