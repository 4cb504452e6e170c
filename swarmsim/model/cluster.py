"""A swarm in a box: services, tasks and nodes that obey Swarm's rules by a clock. Pure.

Nothing here asks for the time, draws from anything but its own seed, or waits: the caller
moves the clock with `run_until`, and all that is due by then happens, in order. The same
calls with the same seed give the same run.
"""

from collections.abc import Iterable

from swarmsim.model import states
from swarmsim.model.nodes.agent import Agents
from swarmsim.model.nodes.dispatcher import Dispatcher
from swarmsim.model.nodes.driver import Driver, Scripted
from swarmsim.model.nodes.timing import MEASURED, Timing
from swarmsim.model.objects import (
    Node,
    Refused,
    Service,
    Spec,
    Task,
    UpdateStatus,
)
from swarmsim.model.orchestration.dirty import DirtyCheck
from swarmsim.model.orchestration.orchestrator import Orchestrator
from swarmsim.model.orchestration.reaper import Reaper
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.orchestration.updater import Updater, Updaters
from swarmsim.model.scheduling.constraints import enforce
from swarmsim.model.scheduling.scheduler import Scheduler
from swarmsim.model.store import Store

_GIBIBYTE = 2**30


class Cluster(Store):
    """A swarm and its clock: what it keeps, and what it does. Times are nanoseconds since 1970.

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
        super().__init__(now, seed, timing)
        driver = driver or Scripted()
        if isinstance(driver, Scripted):
            driver.attach(self.container_exited, self.container_health, self.after)
        self._agents = Agents(self, driver)
        self._start_manager()

    def _start_manager(self) -> None:
        self._restarts = Restarts(self)
        self._updaters = Updaters(self, self._restarts)
        self._orchestrator = Orchestrator(self, self._restarts, self._updaters)
        self._scheduler = Scheduler(self)
        self._agents.connect(Dispatcher(self))
        self._reaper = Reaper(self)

    def up_to_date(self, task: Task) -> bool:
        """Whether a task is what its service's present spec would make."""
        service = self.services.get(task.service_id)
        return service is not None and not DirtyCheck(self, service).task(task)

    def updater(self, service_id: str) -> Updater | None:
        """Return the updater that works on a service now, if one does."""
        return self._updaters.running(service_id)

    # ---- services ------------------------------------------------------------------

    def create_service(self, spec: Spec) -> Service:
        """Make a service from a spec in the form in which the engine stores it.

        Raises `Refused` for a job: the model knows replicated and global services.
        """
        if _mode(spec).endswith("Job"):
            message = "jobs are not simulated: use a replicated or global service"
            raise Refused("Unimplemented", message)
        service = Service(self.new_id(), self.bump(), self.now, self.now, spec)
        self.keep_service(service)
        return service

    def update_service(
        self, service_id: str, version: int, spec: Spec | None, *, rollback: bool = False
    ) -> Service:
        """Replace a service's spec, or swap it with the previous one.

        `version` is the service's as the caller last saw it. Raises `Refused` as swarmkit's
        controlapi does: for another mode, another name, no previous spec, a stale version.
        """
        service = self.services[service_id]
        if spec is not None:
            _require_same(service, spec)
        if rollback and service.previous_spec is None:
            message = f"service {service_id} does not have a previous spec"
            raise Refused("FailedPrecondition", message)
        if version != service.version:
            raise Refused("Unknown", "update out of sequence")
        before = service.snapshot()
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
        self.write_service(service, before)
        return service

    def remove_service(self, service_id: str) -> None:
        """Remove a service; its tasks are stopped, and then forgotten."""
        service = self.services[service_id]
        self.delete_service(service)
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
        role = "manager" if manager else "worker"
        spec: Spec = {"Labels": {}, "Role": role, "Availability": "active"}
        node = Node(self.new_id(), self.bump(), self.now, self.now, hostname, spec)
        node.nano_cpus, node.memory = nano_cpus, memory
        self.keep_node(node)
        self._node_changed(node)
        return node

    def update_node(self, node_id: str, version: int, spec: Spec) -> Node:
        """Replace a node's spec: its labels, role and availability. Raises `Refused`."""
        node = self.nodes[node_id]
        _require_a_manager(node, spec, self.nodes.values())
        if version != node.version:
            raise Refused("Unknown", "update out of sequence")
        node.spec = spec
        self.write_node(node)
        self._node_changed(node)
        return node

    def set_node_state(self, node_id: str, state: str) -> None:
        """Take a node down, or bring it back (`ready`)."""
        node = self.nodes[node_id]
        was, was_reached = node.state, node.reached
        node.state = "down" if state == "down" else "ready"
        if node.state == "ready":
            node.silent = node.dead = False
        self.write_node(node)
        self._node_changed(node)
        if node.reached and not was_reached:
            self._agents.node_is_back(node)
        elif node.state == "down" and was == "ready":
            since = node.down_since = self.now
            period = self.timing.node_down_period
            self.after(period, self._orphan, node, since)

    def kill_node(self, node_id: str) -> None:
        """Let a node die with all that runs on it; the manager notices after a while."""
        node = self.nodes[node_id]
        if not node.dead:
            self.cut_node(node_id)
            node.dead = True
            self._agents.node_died(node)

    def cut_node(self, node_id: str) -> None:
        """Cut a node off from the manager, which notices after a while; its tasks go on.

        The manager calls it down when heartbeats have not come for three periods. It may be
        any part of a period since the last one came, and it sends tasks there meanwhile.
        """
        node = self.nodes[node_id]
        if not node.silent:
            node.silent, node.silent_since = True, self.now
            period = self.draw(self.timing.heartbeat)
            left = self.timing.grace_periods * period - self.draw((0, period))
            self.after(left, self._end_silence, node, self.now, "down")

    def start_node(self, node_id: str) -> None:
        """Start a dead node again, or end its being cut off; it takes a moment to come back."""
        node = self.nodes[node_id]
        if node.silent:
            # a connection that was interrupted for a moment goes on about as soon
            longest = min(self.now - node.silent_since, self.timing.reconnect)
            length = self.timing.boot if node.dead else (0, longest)
            self.after(length, self._end_silence, node, node.silent_since, "ready")

    def restart(self) -> None:
        """Restart the manager and all nodes at once: what runs there dies.

        The manager knows what is stored, and not what it was about to do: updates go on with
        the slots that are left, without the failures that were counted before.
        """
        for node in self.nodes.values():
            self.kill_node(node.id)
        parts = (Restarts, Updater, Orchestrator, Scheduler, Dispatcher, Reaper)
        self.call_off(*parts)
        self.forget_listeners()
        self._start_manager()
        for node in self.nodes.values():
            self._node_changed(node)
            self.start_node(node.id)
        tasks = list(self.tasks.values())
        for task in tasks:
            self._scheduler.found(task)
            self._reaper.found(task)
        self._orchestrator.found(tasks)

    def _end_silence(self, node: Node, since: int, state: str) -> None:
        if node.id in self.nodes and node.silent and node.silent_since == since:
            self.set_node_state(node.id, state)

    def remove_node(self, node_id: str, *, force: bool = False) -> None:
        """Remove a node. Raises `Refused` for a manager, or one that is up."""
        node = self.nodes[node_id]
        _require_removable(node, force=force)
        for task in self.tasks_on(node_id):
            if task.observed < states.COMPLETE:
                message = "Task belonged to a node that has been deleted"
                self.observe(task, states.ORPHANED, message)
        self.delete_node(node)
        self._scheduler.node_left(node)
        self._orchestrator.node_left(node)
        self._agents.node_left(node)

    def _node_changed(self, node: Node) -> None:
        self._scheduler.node_changed(node)
        enforce(self, node)
        self._orchestrator.node_changed(node)

    def _orphan(self, node: Node, since: int) -> None:
        """Give up the tasks of a node that has been down for too long (dispatcher.go)."""
        if node.id in self.nodes and node.state == "down" and node.down_since == since:
            for task in self.tasks_on(node.id):
                if states.ASSIGNED <= task.observed <= states.RUNNING:
                    self.observe(task, states.ORPHANED)

    # ---- what the driver reports ----------------------------------------------------

    def container_exited(self, task_id: str, code: int) -> None:
        """The process of a task has ended; a task that is not known any more is ignored."""
        self._agents.exited(task_id, code)

    def container_health(self, task_id: str, health: str) -> None:
        """A task is `healthy`, or `unhealthy`: its probe has failed as often as it may."""
        self._agents.health(task_id, health)


# ---- what a manager refuses (swarmkit's manager/controlapi) ---------------------------


def _require_same(service: Service, spec: Spec) -> None:
    """Raise `Refused` for what an update cannot change."""
    if _mode(spec) != _mode(service.spec):
        raise Refused("Unimplemented", "service mode change is not allowed")
    if spec.get("Name", "") != service.spec.get("Name", ""):
        raise Refused("Unimplemented", "renaming services is not supported")


def _require_a_manager(node: Node, spec: Spec, nodes: Iterable[Node]) -> None:
    """Raise `Refused` if a new spec of a node would leave the swarm without a manager."""
    is_demoted = node.role == "manager" and spec.get("Role") == "worker"
    if is_demoted and sum(each.role == "manager" for each in nodes) == 1:
        message = "attempting to demote the last manager of the swarm"
        raise Refused("FailedPrecondition", message)


def _require_removable(node: Node, *, force: bool) -> None:
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
