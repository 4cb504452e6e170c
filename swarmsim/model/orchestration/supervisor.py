"""The update supervisor: which service is being updated, and by which updater. Pure.

After `Supervisor` in swarmkit's manager/orchestrator/update/updater.go.
"""

from __future__ import annotations

from swarmsim.model.objects import Service, Task
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.orchestration.updater import Updater
from swarmsim.model.store import Store


class Updaters:
    """At most one updater for each service."""

    def __init__(self, store: Store, restarts: Restarts) -> None:
        self._store = store
        self._restarts = restarts
        self._running: dict[str, Updater] = {}
        store.on_ended.append(self._ended)

    def update(self, service: Service, slots: list[list[Task]]) -> None:
        """Bring these slots to the service's spec, unless that is being done already.

        An updater that works towards another spec is cancelled.
        """
        running = self._running.get(service.id)
        if running:
            if running.goal.spec is service.spec or running.goal.spec == service.spec:
                return
            running.cancel()
        updater = Updater(self._store, self._restarts, service, self._done)
        self._running[service.id] = updater
        updater.run(slots)

    def cancel(self, service_id: str) -> None:
        """Stop updating a service that was removed."""
        if updater := self._running.pop(service_id, None):
            updater.cancel()

    def running(self, service_id: str) -> Updater | None:
        """Return the updater of a service, if it has one now."""
        return self._running.get(service_id)

    def _done(self, updater: Updater) -> None:
        if self._running.get(updater.service.id) is updater:
            del self._running[updater.service.id]

    def _ended(self, tasks: list[Task]) -> None:
        for task in tasks:
            if updater := self._running.get(task.service_id):
                updater.ended(task)
