"""A swarm in a box: services, tasks and nodes that obey Swarm's rules by a clock. Pure.

Nothing here asks for the time, draws from anything but its own seed, or waits: the caller
moves the clock with `run_until`, and all that is due by then happens, in order. The same
calls with the same seed give the same run.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmsim.model import states
from swarmsim.model.agenda import Function
from swarmsim.model.nodes.agent import Agents
from swarmsim.model.nodes.dispatcher import Dispatcher
from swarmsim.model.nodes.driver import Driver, Scripted
from swarmsim.model.nodes.timing import MEASURED, Timing
from swarmsim.model.objects import (
    Before,
    Node,
    Refused,
    Service,
    Spec,
    StoreEvent,
    Task,
    UpdateStatus,
)
from swarmsim.model.orchestration.dirty import DirtyCheck
from swarmsim.model.orchestration.enforcer import enforce
from swarmsim.model.orchestration.orchestrator import Orchestrator
from swarmsim.model.orchestration.reaper import Reaper
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.orchestration.supervisor import Updaters
from swarmsim.model.orchestration.updater import Updater
from swarmsim.model.refusals import (
    require_a_manager,
    require_no_job,
    require_removable,
    require_same,
)
from swarmsim.model.scheduling.scheduler import Scheduler
from swarmsim.model.store import Store

_GIBIBYTE = 2**30


class Cluster:
    """A swarm and its clock. Times are nanoseconds since 1970.

    >>> cluster = Cluster(now=0)
    >>> node = cluster.add_node("lab", manager=True)
    >>> service = cluster.create_service({"Name": "web", "Mode": {"Replicated": {"Replicas": 2}}})
    >>> cluster.run_until(5 * 10**9)
    >>> sorted(task.state for task in cluster.tasks_of(service.id))
    ['running', 'running']
    """

    def __init__(
        self, now: int, *, seed: int = 0, timing: Timing = MEASURED, driver: Driver | None = None
    ) -> None:
        self._store = store = Store(now, seed, timing)
        driver = driver or Scripted()
        if isinstance(driver, Scripted):
            driver.attach(self, store.after)
        self._restarts = Restarts(store)
        self._updaters = Updaters(store, self._restarts)
        self._orchestrator = Orchestrator(store, self._restarts, self._updaters)
        self._scheduler = Scheduler(store)
        self._agents = Agents(store, driver, Dispatcher(store))
        self._reaper = Reaper(store)

    # ---- the clock -----------------------------------------------------------------

    @property
    def now(self) -> int:
        """The cluster's time."""
        return self._store.now

    def run_until(self, at: int, pause: Callable[[], bool] | None = None) -> None:
        """Let everything happen that is due until a moment, and make that moment now.

        With `pause`, this stops early, at the time of the last event, once it says so.
        """
        self._store.agenda.run_until(at, pause)

    def next_due(self) -> int | None:
        """Return when something will happen next by itself; `None` if nothing will."""
        return self._store.agenda.next_due()

    def call_at(self, at: int, function: Function, *arguments: object) -> None:
        """Call a function at a moment of the cluster's clock."""
        self._store.agenda.at(at, function, *arguments)

    # ---- what there is -------------------------------------------------------------

    @property
    def index(self) -> int:
        """The version that was given out last."""
        return self._store.index

    @property
    def services(self) -> dict[str, Service]:
        """All services, by id."""
        return self._store.services

    @property
    def tasks(self) -> dict[str, Task]:
        """All tasks that the manager still knows, by id."""
        return self._store.tasks

    @property
    def nodes(self) -> dict[str, Node]:
        """All nodes, by id."""
        return self._store.nodes

    @property
    def history_limit(self) -> int:
        """How many tasks of a place are kept, the present one included; negative keeps all."""
        return self._reaper.limit

    @history_limit.setter
    def history_limit(self, limit: int) -> None:
        self._reaper.limit = limit

    def tasks_of(self, service_id: str) -> list[Task]:
        """Return all tasks of a service that the manager still knows."""
        return list(self._store.tasks_of(service_id))

    def up_to_date(self, task: Task) -> bool:
        """Whether a task is what its service's present spec would make."""
        service = self._store.services.get(task.service_id)
        return service is not None and not DirtyCheck(self._store, service).task(task)

    def updater(self, service_id: str) -> Updater | None:
        """Return the updater that works on a service now, if one does."""
        return self._updaters.running(service_id)

    def bump(self) -> int:
        """Return a new version, for an object that is kept elsewhere."""
        return self._store.bump()

    def new_id(self) -> str:
        """Return a new id, for an object that is kept elsewhere."""
        return self._store.new_id()

    def watch(self, callback: Callable[[StoreEvent], None]) -> None:
        """Call a function for every write to the store."""
        self._store.watchers.append(callback)

    # ---- services ------------------------------------------------------------------

    def create_service(self, spec: Spec) -> Service:
        """Make a service from a spec in the form in which the engine stores it.

        Raises `Refused` for a job: the model knows replicated and global services.
        """
        require_no_job(spec)
        store = self._store
        service = Service(store.new_id(), store.bump(), store.now, store.now, spec)
        store.add_service(service)
        return service

    def update_service(
        self, service_id: str, version: int, spec: Spec | None, *, rollback: bool = False
    ) -> Service:
        """Replace a service's spec, or swap it with the previous one.

        `version` is the service's as the caller last saw it. Raises `Refused` as swarmkit's
        controlapi does: for another mode, another name, no previous spec, a stale version.
        """
        service = self._store.services[service_id]
        if spec is not None:
            require_same(service, spec)
        if rollback and service.previous_spec is None:
            message = f"service {service_id} does not have a previous spec"
            raise Refused("FailedPrecondition", message)
        if version != service.version:
            raise Refused("Unknown", "update out of sequence")
        before = Before(service.spec, service.update_status)
        previous, previous_version = service.spec, service.spec_version
        if rollback:
            assert service.previous_spec is not None, "it was refused above"
            service.spec, service.spec_version = (
                service.previous_spec,
                service.previous_spec_version,
            )
            service.update_status = UpdateStatus(
                "rollback_started", "manually requested rollback", self.now
            )
        else:
            assert spec is not None, "there is nothing to update to"
            service.spec, service.spec_version = spec, version
            service.update_status = None
        service.previous_spec, service.previous_spec_version = previous, previous_version
        self._store.write_service(service, before)
        return service

    def remove_service(self, service_id: str) -> None:
        """Remove a service; its tasks are stopped, and then forgotten."""
        service = self._store.services[service_id]
        self._store.delete_service(service)
        self._orchestrator.removed(service)

    # ---- nodes ---------------------------------------------------------------------

    def add_node(
        self,
        hostname: str,
        *,
        manager: bool = False,
        nano_cpus: int = 2 * 10**9,
        memory: int = 8 * _GIBIBYTE,
    ) -> Node:
        """Add a node."""
        store = self._store
        role = "manager" if manager else "worker"
        spec: Spec = {"Labels": {}, "Role": role, "Availability": "active"}
        node = Node(store.new_id(), store.bump(), store.now, store.now, hostname, spec)
        node.nano_cpus, node.memory = nano_cpus, memory
        store.add_node(node)
        self._node_changed(node)
        return node

    def update_node(self, node_id: str, version: int, spec: Spec) -> Node:
        """Replace a node's spec: its labels, role and availability. Raises `Refused`."""
        node = self._store.nodes[node_id]
        require_a_manager(node, spec, self.nodes.values())
        if version != node.version:
            raise Refused("Unknown", "update out of sequence")
        node.spec = spec
        self._store.write_node(node)
        self._node_changed(node)
        return node

    def set_node_state(self, node_id: str, state: str) -> None:
        """Take a node down, or bring it back (`ready`)."""
        node = self._store.nodes[node_id]
        was, node.state = node.state, "down" if state == "down" else "ready"
        self._store.write_node(node)
        self._node_changed(node)
        if node.state == "ready" and was == "down":
            self._agents.node_is_back(node)
        elif node.state == "down" and was == "ready":
            since = node.down_since = self.now
            period = self._store.timing.node_down_period
            self._store.after(period, self._orphan, node, since)

    def remove_node(self, node_id: str, *, force: bool = False) -> None:
        """Remove a node. Raises `Refused` for a manager, or one that is up."""
        node = self._store.nodes[node_id]
        require_removable(node, force=force)
        for task in self._store.tasks_on(node_id):
            if task.observed < states.COMPLETE:
                message = "Task belonged to a node that has been deleted"
                self._store.observe(task, states.ORPHANED, message)
        self._store.delete_node(node)
        self._scheduler.node_left(node)
        self._orchestrator.node_left(node)
        self._agents.node_left(node)

    def _node_changed(self, node: Node) -> None:
        self._scheduler.node_changed(node)
        enforce(self._store, node)
        self._orchestrator.node_changed(node)

    def _orphan(self, node: Node, since: int) -> None:
        """Give up the tasks of a node that has been down for too long (dispatcher.go)."""
        if node.id in self.nodes and node.state == "down" and node.down_since == since:
            for task in self._store.tasks_on(node.id):
                if states.ASSIGNED <= task.observed <= states.RUNNING:
                    self._store.observe(task, states.ORPHANED)

    # ---- what the driver reports ----------------------------------------------------

    def container_exited(self, task_id: str, code: int) -> None:
        """The process of a task has ended; a task that is not known any more is ignored."""
        self._agents.exited(task_id, code)

    def container_healthy(self, task_id: str) -> None:
        """A task's health probe has succeeded."""
        self._agents.healthy(task_id)

    def container_unhealthy(self, task_id: str) -> None:
        """A task's health probe has failed as often as it may."""
        self._agents.unhealthy(task_id)
