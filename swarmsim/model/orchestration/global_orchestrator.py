"""The global orchestrator: one task of a service on every node that may have one. Pure.

After swarmkit's manager/orchestrator/global/global.go.
"""

from swarmsim.model import states
from swarmsim.model.objects import Node, Service, Task
from swarmsim.model.orchestration.dirty import DirtyCheck
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.orchestration.updater import Updaters
from swarmsim.model.plan import constraints, replicas
from swarmsim.model.scheduling.constraints import satisfied
from swarmsim.model.store import Store


class GlobalOrchestrator:
    """Keeps global services on all nodes."""

    def __init__(self, store: Store, restarts: Restarts, updaters: Updaters) -> None:
        self._store = store
        self._restarts = restarts
        self._updaters = updaters

    def reconcile(self, service: Service) -> None:
        """Fill the nodes of a service, and give those that are filled to the updater."""
        wanted = constraints(service.template)
        slots = []
        for node in list(self._store.nodes.values()):
            tasks = self._updatable(service, node)
            if not _takes_part(node) or not satisfied(wanted, node):
                self._shut_down(tasks)
            elif node.availability == "pause":
                continue
            elif tasks:
                slots.append(tasks)
            else:
                self._store.create_task(service, node.id, states.RUNNING)
        if slots:
            self._updaters.update(service, slots)

    def node_changed(self, node: Node) -> None:
        """Empty a node that is drained or down; fill one that takes part again.

        Outdated tasks there are replaced at once: this is not a rolling update.
        """
        if not _takes_part(node):
            self._shut_down(self._tasks_on(node))
            return
        if node.availability == "pause":
            return
        for service in list(self._store.services.values()):
            if replicas(service) is not None or not satisfied(constraints(service.template), node):
                continue
            is_dirty = DirtyCheck(self._store, service).task
            tasks = self._updatable(service, node)
            clean = [task for task in tasks if not is_dirty(task)]
            if not clean:
                self._store.create_task(service, node.id, states.RUNNING)
            self._shut_down([task for task in tasks if task not in clean[:1]])

    def node_left(self, node: Node) -> None:
        """Forget the tasks of a node that is gone: they have no other place."""
        for task in self._tasks_on(node):
            self._store.delete_task(task)

    def restart(self, task: Task) -> None:
        """Replace a task that has ended, if its node still takes part."""
        node = self._store.nodes.get(task.node_id)
        service = self._store.services.get(task.service_id)
        if node is None or service is None or not _takes_part(node):
            return
        if node.availability == "pause" or not satisfied(constraints(service.template), node):
            self._store.set_desired(task, states.SHUTDOWN)
        else:
            self._restarts.restart(task)

    def _updatable(self, service: Service, node: Node) -> list[Task]:
        tasks = self._store.places[service.id].get(node.id, [])
        return self._restarts.updatable(service, tasks)

    def _tasks_on(self, node: Node) -> list[Task]:
        services = self._store.services
        return [
            task
            for task in self._store.tasks_on(node.id)
            if task.slot is None and task.service_id in services
        ]

    def _shut_down(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._store.set_desired(task, states.SHUTDOWN)


def _takes_part(node: Node) -> bool:
    return node.state == "ready" and node.availability != "drain"
