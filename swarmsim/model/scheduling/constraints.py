"""Placement constraints, as swarmkit reads them, and what it does when a node changes. Pure.

After swarmkit's manager/constraint/constraint.go and orchestrator/constraintenforcer, which
rejects the tasks that may no longer be there, so that the orchestrator puts others elsewhere.
"""

from collections.abc import Iterable

from swarmsim.model import states
from swarmsim.model.objects import Node, Task
from swarmsim.model.plan import constraints, reservations
from swarmsim.model.store import Store

_NODE_LABEL = "node.labels."
_ENGINE_LABEL = "engine.labels."


def satisfied(wanted: Iterable[str], node: Node) -> bool:
    """Whether a node meets every constraint, such as `node.role == manager`."""
    return all(_holds(each, node) for each in wanted)


def label(descriptor: str, node: Node) -> str | None:
    """Return a label of a node, named as in `node.labels.zone`; `None` if it is not a label.

    A label that the node has not counts as empty.
    """
    lowered = descriptor.casefold()
    if lowered.startswith(_NODE_LABEL) and len(descriptor) > len(_NODE_LABEL):
        return str((node.spec.get("Labels") or {}).get(descriptor[len(_NODE_LABEL) :], ""))
    if lowered.startswith(_ENGINE_LABEL) and len(descriptor) > len(_ENGINE_LABEL):
        return str(node.engine_labels.get(descriptor[len(_ENGINE_LABEL) :], ""))
    return None


def _holds(constraint: str, node: Node) -> bool:
    wants_equal = "==" in constraint
    key, _, value = constraint.partition("==" if wants_equal else "!=")
    key, value = key.strip(), value.strip()
    found = _value(key, node)
    # what swarmkit does not know is not met, whatever the operator
    return found is not None and (found.casefold() == value.casefold()) is wants_equal


def _value(key: str, node: Node) -> str | None:
    known = {
        "node.id": node.id,
        "node.hostname": node.hostname,
        "node.role": node.role,
        "node.platform.os": node.os,
        "node.platform.arch": node.architecture,
    }
    lowered = key.casefold()
    return known[lowered] if lowered in known else label(key, node)


# ---- on a node that was changed --------------------------------------------------

_MESSAGE = "task rejected by constraint enforcer"
_ERROR = "assigned node no longer meets constraints"


def enforce(store: Store, node: Node) -> None:
    """Reject the tasks of a node that it has no longer what it takes for."""
    if node.availability != "active":
        return
    cpus, memory = node.nano_cpus, node.memory
    for task in store.tasks_on(node.id):
        if task.desired > states.COMPLETE or task.observed >= states.COMPLETE:
            continue
        needed_cpus, needed_memory = reservations(task.spec)
        fits = needed_cpus <= cpus and needed_memory <= memory
        if not fits or not _may_be_there(store, task, node):
            store.observe(task, states.REJECTED, _MESSAGE, _ERROR)
            continue
        cpus -= needed_cpus
        memory -= needed_memory


def _may_be_there(store: Store, task: Task, node: Node) -> bool:
    """Whether a node meets the constraints of the service as it is now."""
    service = store.services.get(task.service_id)
    return satisfied(constraints(service.template if service else task.spec), node)
