"""The constraint enforcer: a node that was changed loses what may not be there. Pure.

After swarmkit's manager/orchestrator/constraintenforcer: the tasks are rejected, so that
the orchestrator puts others elsewhere.
"""

from swarmsim.model import states
from swarmsim.model.objects import Node, Task
from swarmsim.model.plan import constraints, reservations
from swarmsim.model.scheduling.constraints import satisfied
from swarmsim.model.store import Store

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
