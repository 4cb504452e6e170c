"""The orchestrators: as many tasks as a service asks for, each in its place. Pure.

After swarmkit's manager/orchestrator/replicated and .../global. Whatever happens to a
service, they compare what there is with what its spec wants; what differs is given to the
updater, what is missing is made, what is too much is removed.
"""

from __future__ import annotations

from labkit.rollout import states
from labkit.rollout.constraints import satisfied
from labkit.rollout.objects import Node, Service, Task
from labkit.rollout.plan import replicas
from labkit.rollout.restarts import Restarts
from labkit.rollout.store import Store
from labkit.rollout.updater import Updaters

Slots = list[list[Task]]
#: The restart supervisor and the updater hear of a failure at the same moment, and either
#: may come first. The share of failures of which the updater acts first is a guess: on a
#: real engine it was seen twice in some thirty rollbacks.
_UPDATER_FIRST = 0.07


class Orchestrator:
    """Keeps every service at what its spec asks for."""

    def __init__(self, store: Store, restarts: Restarts, updaters: Updaters) -> None:
        self._store = store
        self._restarts = restarts
        self._updaters = updaters
        self._to_reconcile: set[str] = set()
        store.on_service.append(self._changed)
        store.on_observed.insert(0, self._observed)

    # ---- what happens ---------------------------------------------------------------

    def removed(self, service: Service) -> None:
        """Take down all tasks of a service that was removed."""
        self._updaters.cancel(service.id)
        self._restarts.forget(service)
        for task in list(self._store.tasks_of(service.id)):
            self._store.set_desired(task, states.REMOVE)

    def node_changed(self, node: Node) -> None:
        """Move the tasks of a node that is down or drained, and fill a node that is back."""
        if node.state == "down" or node.availability == "drain":
            for task in [each for each in self._store.tasks.values() if each.node_id == node.id]:
                self._give_up(task, node)
        for service in self._store.services.values():
            if replicas(service) is None:
                self._changed(service)

    def _give_up(self, task: Task, node: Node) -> None:
        if node.state == "down":
            self._store.stopped_waiting(task)
        if task.desired > states.RUNNING:
            return
        if task.slot is None:  # a global task has no other place to go to
            self._store.set_desired(task, states.SHUTDOWN)
        else:
            self._restarts.restart(task)

    def _changed(self, service: Service) -> None:
        if service.id not in self._to_reconcile:
            self._to_reconcile.add(service.id)
            self._store.after(self._store.timing.reconcile, self._reconcile, service)

    def _observed(self, task: Task) -> None:
        if task.ended and task.desired <= states.RUNNING:
            if self._store.random.random() < _UPDATER_FIRST:
                self._store.after(self._store.timing.reconcile, self._restart, task)
            else:
                self._restart(task)

    def _restart(self, task: Task) -> None:
        if task.desired <= states.RUNNING and task.id in self._store.tasks:
            self._restarts.restart(task)

    # ---- what there is and what is wanted -------------------------------------------

    def _reconcile(self, service: Service) -> None:
        self._to_reconcile.discard(service.id)
        if service.id not in self._store.services:
            return
        wanted = replicas(service)
        if wanted is None:
            self._reconcile_global(service)
        else:
            self._reconcile_replicated(service, wanted)

    def _reconcile_replicated(self, service: Service, wanted: int) -> None:
        slots, dead = self._slots(service)
        keep = slots
        if wanted < len(slots):
            in_order = self._last_to_go_first(slots)
            keep = in_order[:wanted]
            for tasks in in_order[wanted:]:
                for task in tasks:
                    self._store.set_desired(task, states.REMOVE)
        for tasks in dead:
            for task in tasks:
                self._store.delete_task(task)
        self._updaters.update(service, keep)
        self._add(service, wanted - len(slots))

    def _slots(self, service: Service) -> tuple[Slots, Slots]:
        """Return the tasks of each slot that is filled, and those of slots that are dead."""
        filled, dead = [], []
        for tasks in self._store.places[service.id].values():
            updatable = self._restarts.updatable(service, tasks)
            if updatable:
                filled.append(updatable)
            else:
                dead.append(list(tasks))
        return filled, dead

    def _add(self, service: Service, count: int) -> None:
        """Fill the lowest numbers that are free, at once and with the present spec."""
        places = self._store.places[service.id]
        slot = 0
        for _ in range(count):
            slot += 1
            while slot in places:
                slot += 1
            self._store.create_task(service, slot, states.RUNNING)

    def _last_to_go_first(self, slots: Slots) -> Slots:
        """Sort slots: those that run before others, then spread over nodes, then by number."""
        by_state = sorted(slots, key=lambda tasks: (not _runs(tasks), tasks[0].slot))
        on_node: dict[str, int] = {}
        ranked = []
        for tasks in by_state:
            node = tasks[0].node_id
            rank = on_node.get(node, 0)
            on_node[node] = rank + 1
            ranked.append((not _runs(tasks), rank, tasks))
        return [tasks for *_, tasks in sorted(ranked, key=lambda each: each[:2])]

    def _reconcile_global(self, service: Service) -> None:
        constraints = (service.template.get("Placement") or {}).get("Constraints") or ()
        places = self._store.places[service.id]
        slots: Slots = []
        for node in list(self._store.nodes.values()):
            tasks = places.get(node.id, [])
            if node.availability == "drain" or not satisfied(constraints, node):
                for task in list(tasks):
                    self._store.set_desired(task, states.SHUTDOWN)
                continue
            updatable = self._restarts.updatable(service, tasks)
            if updatable:
                slots.append(updatable)
            elif node.available:
                self._store.create_task(service, node.id, states.RUNNING)
        self._updaters.update(service, slots)


def _runs(tasks: list[Task]) -> bool:
    return any(task.observed == states.RUNNING for task in tasks)
