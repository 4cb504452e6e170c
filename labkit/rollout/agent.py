"""The agents: what the nodes do with the tasks that they are given. Pure.

After swarmkit's agent/exec/controller.go and moby's daemon/cluster/executor/container: a
task goes from assigned to running step by step; it ends when its process does, or when
the manager wants it to.
"""

from __future__ import annotations

from labkit.rollout import states
from labkit.rollout.driver import Driver
from labkit.rollout.objects import Task
from labkit.rollout.plan import grace, leaves_a_network
from labkit.rollout.store import Store

_UNHEALTHY = "dockerexec: unhealthy container"


class Agents:
    """The agents of all nodes; what really runs is the driver's."""

    def __init__(self, store: Store, driver: Driver) -> None:
        self._store = store
        self._driver = driver
        store.on_desired.append(self._told)
        store.on_observed.append(self._assigned)
        store.on_deleted.append(self._forget)

    # ---- what the driver reports ---------------------------------------------------

    def exited(self, task: Task, code: int) -> None:
        """The process of a task has ended."""
        if task.exited or not task.started or task.ended:
            return
        task.exited, task.exit_code = True, code
        if task.stopping:
            self._store.after(self._store.timing.teardown, self._shut_down, task)
        else:
            self._store.after(self._store.timing.report, self._ended_by_itself, task)

    def healthy(self, task: Task) -> None:
        """A task has been found healthy for the first time: it runs."""
        if task.observed == states.STARTING and not (task.exited or task.stopping):
            self._store.observe(task, states.RUNNING, "started")

    def unhealthy(self, task: Task) -> None:
        """A task has been found unhealthy: its agent stops it, and it has failed."""
        if task.started and not (task.unhealthy or task.exited or task.stopping):
            task.unhealthy = True
            self._stop(task)

    # ---- on the way up -------------------------------------------------------------

    def _assigned(self, task: Task) -> None:
        if task.observed == states.ASSIGNED:
            self._store.after(self._store.timing.dispatch, self._accept, task)

    def _accept(self, task: Task) -> None:
        if self._is_mine(task):
            self._store.observe(task, states.ACCEPTED, "accepted")
            self._store.after(self._store.timing.accept, self._prepare, task)

    def _prepare(self, task: Task) -> None:
        if self._is_mine(task):
            self._store.observe(task, states.PREPARING, "preparing")
            error = self._driver.pull(task)
            self._store.after(self._store.timing.prepare, self._prepared, task, error)

    def _prepared(self, task: Task, error: str) -> None:
        if not self._is_mine(task):
            return
        if error:
            self._store.observe(task, states.REJECTED, error=error)
            return
        task.container_id = f"{self._store.random.getrandbits(256):064x}"
        self._store.observe(task, states.READY, "prepared")
        if task.desired == states.RUNNING:
            self._store.after(self._store.timing.accept, self._start, task)

    def _start(self, task: Task) -> None:
        if self._is_mine(task) and task.observed == states.READY:
            self._store.observe(task, states.STARTING, "starting")
            self._store.after(self._store.timing.start, self._started, task)

    def _started(self, task: Task) -> None:
        if not self._is_mine(task) or task.stopping:
            return
        has_healthcheck = self._driver.has_healthcheck(task)
        task.started = True  # before it is: its process may end at once
        error = self._driver.start(task)
        if error:
            task.started = False
            self._store.observe(task, states.FAILED, error=error)
        elif not has_healthcheck:
            self._store.observe(task, states.RUNNING, "started")

    # ---- on the way down -----------------------------------------------------------

    def _told(self, task: Task) -> None:
        """What is desired of a task has changed; its node hears of it a moment later."""
        if task.node_id and task.observed >= states.ASSIGNED and not task.ended:
            self._store.after(self._store.timing.dispatch, self._hear, task)

    def _hear(self, task: Task) -> None:
        if task.ended or not self._is_mine(task):
            return
        if task.desired <= states.RUNNING:
            self._start(task)
        elif not task.stopping:
            task.stopping = True
            if not task.started:
                self._store.observe(task, states.SHUTDOWN, "shutdown")
            elif not (task.exited or task.unhealthy):
                self._stop(task)

    def _stop(self, task: Task) -> None:
        """Stop a container: leave its networks, ask it to end, and end it."""
        leaving = self._store.timing.leave_network
        if leaves_a_network(task.spec, task.endpoint_spec):
            self._store.after(leaving, self._ask, task)
        else:
            self._ask(task)

    def _ask(self, task: Task) -> None:
        if task.exited:
            return
        self._store.after(grace(task.spec, self._store.timing.grace), self._kill, task)
        self._driver.stop(task)

    def _kill(self, task: Task) -> None:
        if not task.exited and task.id in self._store.tasks:
            self._driver.kill(task)

    def _shut_down(self, task: Task) -> None:
        self._store.observe(task, states.SHUTDOWN, "shutdown")

    def _ended_by_itself(self, task: Task) -> None:
        if task.exit_code == 0:
            self._store.observe(task, states.COMPLETE, "finished")
            return
        because = f": {_UNHEALTHY}" if task.unhealthy else ""
        error = f"task: non-zero exit ({task.exit_code}){because}"
        if task.unhealthy and task.observed < states.RUNNING:
            error = _UNHEALTHY
        self._store.observe(task, states.FAILED, error=error)

    def _forget(self, task: Task) -> None:
        if task.observed >= states.PREPARING:
            self._driver.remove(task)

    def _is_mine(self, task: Task) -> bool:
        """Whether a task is still to be dealt with; a node that is down does nothing."""
        node = self._store.nodes.get(task.node_id)
        is_known = task.id in self._store.tasks
        return is_known and not task.ended and node is not None and node.state == "ready"
