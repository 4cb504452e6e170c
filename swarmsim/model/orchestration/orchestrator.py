"""The orchestrators: as many tasks as a service asks for, each in its place. Pure.

After swarmkit's manager/orchestrator/replicated; what is other for global services is in
`global_orchestrator`. Whatever happens to a service, they compare what there is with what its spec
wants; what differs is given to the updater, what is missing is made, what is too much is
removed.
"""

from swarmsim.model import states
from swarmsim.model.objects import Node, Place, Service, Task
from swarmsim.model.orchestration.global_orchestrator import GlobalOrchestrator
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.orchestration.updater import Updaters
from swarmsim.model.plan import replicas
from swarmsim.model.store import Store

Slot = list[Task]
#: The restart supervisor and the updater hear of a failure at the same moment, and either
#: may write first. If the updater rolls back first, the task that failed is replaced by one
#: of the old spec. Its share on a real engine: 16 of 26 rollbacks of a service with one slot
#: on a busy machine, 2 of 30 on an idle one.
_UPDATER_FIRST = 0.5


class Orchestrator:
    """Keeps every service at what its spec asks for."""

    def __init__(self, store: Store, restarts: Restarts, updaters: Updaters) -> None:
        self._store = store
        self._restarts = restarts
        self._updaters = updaters
        self._global_orchestrator = GlobalOrchestrator(store, restarts, updaters)
        #: What is to be done when the orchestrator gets to it.
        self._to_restart: dict[str, Task] = {}
        self._to_reconcile: dict[str, Service] = {}
        self._is_planned = False
        store.on_service.append(self._changed)
        store.on_ended.insert(0, self._ended)
        store.on_deleted.append(self._deleted)

    # ---- what happens ---------------------------------------------------------------

    def found(self, tasks: list[Task]) -> None:
        """Take over what is stored already (replicated/init.go, taskinit/init.go)."""
        for task in tasks:
            if task.ended and task.desired <= states.RUNNING:
                self._to_restart[task.id] = task
            elif task.desired == states.READY:
                self._restarts.found(task)
        for service in self._store.services.values():
            self._to_reconcile[service.id] = service
        self._plan()

    def removed(self, service: Service) -> None:
        """Take down all tasks of a service that was removed, its history too."""
        self._updaters.cancel(service.id)
        self._restarts.forget(service)
        self._to_reconcile.pop(service.id, None)
        for task in self._store.tasks_of(service.id):
            self._store.set_desired(task, states.REMOVE)

    def node_changed(self, node: Node) -> None:
        """Move the tasks of a node that is down or drained; fill one that is back."""
        self._global_orchestrator.node_changed(node)
        if node.state == "down" or node.availability == "drain":
            self._move_away(node)

    def node_left(self, node: Node) -> None:
        """Move the tasks of a node that was removed from the swarm."""
        self._global_orchestrator.node_left(node)
        self._move_away(node)

    def _move_away(self, node: Node) -> None:
        for task in self._store.tasks_on(node.id):
            if task.desired <= states.RUNNING and task.slot is not None:
                self._to_restart[task.id] = task
        self._plan()

    def _changed(self, service: Service) -> None:
        self._to_reconcile[service.id] = service
        self._plan()

    def _ended(self, tasks: list[Task]) -> None:
        early = [task for task in tasks if task.desired <= states.RUNNING]
        if not early:
            return
        self._to_restart.update((task.id, task) for task in early)
        is_watched = any(self._updaters.running(task.service_id) for task in early)
        if is_watched and self._store.random.random() >= _UPDATER_FIRST:
            self._restart_all()
        else:
            self._plan()

    def _deleted(self, task: Task) -> None:
        service = self._store.services.get(task.service_id)
        if service and task.slot is not None and task.desired <= states.RUNNING:
            self._changed(service)
        self._restarts.cancel(task)

    def _plan(self) -> None:
        if not self._is_planned and (self._to_restart or self._to_reconcile):
            self._is_planned = True
            self._store.after(self._store.timing.reconcile, self._tick)

    def _tick(self) -> None:
        """Do what is to be done, tasks before services (replicated.go)."""
        self._is_planned = False
        self._restart_all()
        services, self._to_reconcile = self._to_reconcile, {}
        for service in services.values():
            if service.id in self._store.services:
                self._reconcile(service)

    def _restart_all(self) -> None:
        tasks, self._to_restart = self._to_restart, {}
        for task in tasks.values():
            if task.id not in self._store.tasks or task.desired > states.RUNNING:
                continue
            if task.slot is None:
                self._global_orchestrator.restart(task)
            else:
                self._restarts.restart(task)

    # ---- what there is and what is wanted -------------------------------------------

    def _reconcile(self, service: Service) -> None:
        wanted = replicas(service)
        if wanted is None:
            self._global_orchestrator.reconcile(service)
            return
        filled, dead = self._slots(service)
        if wanted < len(filled):
            in_order = _order_for_scale_down(list(filled.values()))
            self._updaters.update(service, in_order[:wanted])
            self._delete(dead)
            for tasks in in_order[wanted:]:
                for task in tasks:
                    self._store.set_desired(task, states.REMOVE)
            return
        self._updaters.update(service, list(filled.values()))
        for slot in _lowest_missing(wanted - len(filled), filled):
            dead.pop(slot, None)  # it is alive again, and keeps its history
            self._store.create_task(service, slot, states.RUNNING)
        self._delete(dead)

    def _slots(self, service: Service) -> tuple[dict[Place, Slot], dict[Place, Slot]]:
        """Return the tasks of each slot that is filled, and those of slots that are dead."""
        filled, dead = {}, {}
        for place, tasks in self._store.places[service.id].items():
            if updatable := self._restarts.updatable(service, tasks):
                filled[place] = updatable
            else:
                dead[place] = list(tasks)
        return filled, dead

    def _delete(self, slots: dict[Place, Slot]) -> None:
        for tasks in slots.values():
            for task in tasks:
                self._store.delete_task(task)


def _lowest_missing(count: int, filled: dict[Place, Slot]) -> list[int]:
    missing: list[int] = []
    slot = 0
    while len(missing) < count:
        slot += 1
        if slot not in filled:
            missing.append(slot)
    return missing


def _order_for_scale_down(slots: list[Slot]) -> list[Slot]:
    """Sort slots by how many copies of the service are on their node before them.

    Counted are those that run before the others, then low numbers before high ones; slots
    with several tasks, or with one that has no node yet, come last (replicated/slot.go).
    """
    in_order = sorted(slots, key=lambda tasks: (not _runs(tasks), tasks[0].slot))
    on_node: dict[str, int] = {}
    ranked: list[tuple[float, Slot]] = []
    for tasks in in_order:
        node_id = tasks[0].node_id
        rank = float("inf")
        if len(tasks) == 1 and node_id:
            rank = on_node[node_id] = on_node.get(node_id, 0) + 1
        ranked.append((rank, tasks))
    return [tasks for _, tasks in sorted(ranked, key=lambda each: each[0])]


def _runs(tasks: Slot) -> bool:
    return any(task.observed == states.RUNNING for task in tasks)
