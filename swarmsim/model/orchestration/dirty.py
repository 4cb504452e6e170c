"""Whether a task differs from what its service's spec would make. Pure.

After swarmkit's manager/orchestrator/task.go (`IsTaskDirty`) and update/updater.go
(`isSlotDirty`).
"""

from swarmsim.model.objects import Service, Task
from swarmsim.model.plan import constraints
from swarmsim.model.scheduling.constraints import satisfied
from swarmsim.model.store import Store


class DirtyCheck:
    """Compares tasks with a service; many tasks share one spec, and each is compared once."""

    def __init__(self, store: Store, service: Service) -> None:
        self._store = store
        self._service = service
        self._known: dict[tuple[int, int], tuple[bool, bool]] = {}

    def slot(self, tasks: list[Task]) -> bool:
        """Whether a place holds several live tasks, or one that differs."""
        return len(tasks) > 1 or any(self.task(task) for task in tasks)

    def task(self, task: Task) -> bool:
        """Whether a task differs in what would need a new one."""
        if task.spec_version == self._service.spec_version:
            return False
        key = (id(task.spec), id(task.endpoint_spec))
        if key not in self._known:
            self._known[key] = self._compare(task)
        is_same, but_for_placement = self._known[key]
        return not (is_same or (but_for_placement and self._may_stay(task)))

    def _compare(self, task: Task) -> tuple[bool, bool]:
        """Return whether a task's spec is the same, and whether only its placement is not.

        For the latter swarmkit does not look at the endpoint.
        """
        endpoint = self._service.spec.get("EndpointSpec")
        old, new = dict(task.spec), dict(self._service.template)
        if old == new:
            return task.endpoint_spec == endpoint, False
        old.pop("Placement", None)
        new.pop("Placement", None)
        return False, old == new

    def _may_stay(self, task: Task) -> bool:
        """Whether a task is where the new constraints allow it to be."""
        node = self._store.nodes.get(task.node_id)
        return node is not None and satisfied(constraints(self._service.template), node)
