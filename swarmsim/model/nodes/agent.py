"""The agents: what the nodes do with the tasks that they are given. Pure.

After swarmkit's agent (task.go, exec/controller.go) and moby's
daemon/cluster/executor/container: a task goes from assigned to running step by step; it
ends when its process does, or when the manager wants it to. An agent knows what it was told
and what it did; the manager hears of that later (see `dispatcher`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from swarmsim.model import states
from swarmsim.model.nodes.dispatcher import Dispatcher, Status
from swarmsim.model.nodes.driver import Driver
from swarmsim.model.nodes.timing import Range
from swarmsim.model.objects import Node, Task
from swarmsim.model.plan import grace, is_networked
from swarmsim.model.store import Store

_UNHEALTHY = "dockerexec: unhealthy container"
#: What the engine gives as the exit code of a container that ended with its machine.
_DIED = 255
#: What the engine gives as the exit code of a container while it stops it.
_STOPPING = -1


@dataclass(slots=True, eq=False)
class _Held:
    """A task in the hands of its node."""

    task: Task
    state: int = states.ASSIGNED
    message: str = ""
    error: str = ""
    status_at: int = 0
    exit_code: int | None = None
    #: What was desired of it when the node last heard.
    desired: int = states.READY
    #: The container is being made or started, which nothing interrupts.
    is_busy: bool = False
    started: bool = False
    exited: bool = False
    #: The container is being stopped: by the manager's will, or because it is unhealthy.
    stopping: bool = False
    unhealthy: bool = False
    #: The manager has forgotten the task; only its container is left.
    dropped: bool = False

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.started and not self.exited

    @property
    def told_to_stop(self) -> bool:
        """Whether the node has heard that it shall end."""
        return self.desired > states.RUNNING


class Agents:
    """The agents of all nodes; what really runs is the driver's."""

    _dispatcher: Dispatcher

    def __init__(self, store: Store, driver: Driver) -> None:
        self._store = store
        self._driver = driver
        self._held: dict[str, _Held] = {}
        self._starting: set[_Held] = set()

    def connect(self, dispatcher: Dispatcher) -> None:
        """Hear from the manager, and report to it, through its dispatcher."""
        self._dispatcher = dispatcher
        dispatcher.deliver = self._receive
        self._store.on_deleted.append(self._drop)

    # ---- what the driver reports ---------------------------------------------------

    def exited(self, task_id: str, code: int) -> None:
        """The process of a task has ended."""
        held = self._held.get(task_id)
        if held is None or not held.is_up:
            return
        held.exited, held.exit_code = True, code
        if held.dropped:
            self._forget(held)
        elif not held.told_to_stop:
            self._later(self._store.timing.notice, self._ended, held)
        elif held.stopping:
            self._later(self._store.timing.teardown, self._shut_down, held)

    def health(self, task_id: str, health: str) -> None:
        """A healthy task runs; an unhealthy one is stopped by its agent, and has failed."""
        held = self._held.get(task_id)
        if held is None or not held.is_up or held.told_to_stop or held.stopping:
            return
        if health == "unhealthy":
            held.unhealthy = True
            self._stop(held)
        elif held.state == states.STARTING:
            self._report(held, states.RUNNING, "started")

    # ---- what happens to nodes --------------------------------------------------------

    def node_died(self, node: Node) -> None:
        """End what runs on a node; its engine knows which when it starts again."""
        for held in self._on(node):
            if held.is_up:
                error = f"task: non-zero exit ({_DIED})"
                # a new one, which nothing that is planned for the old one reaches
                found = _Held(held.task, states.FAILED, held.message, error, 0, _DIED)
                found.desired, found.started, found.exited = held.desired, True, True
                self._held[held.task.id] = found
                self._driver.kill(held.task)
            elif not held.exited and held.state <= states.RUNNING:
                self._forget(held)

    def node_is_back(self, node: Node) -> None:
        """A node that was silent or down says what it did, and hears what it missed."""
        for held in self._on(node):
            if held.message:
                held.status_at = held.status_at or self._store.now
                self._notify(held)
        for task in self._store.tasks_on(node.id):
            self._dispatcher.send(task)

    def node_left(self, node: Node) -> None:
        """Forget what runs on a node that was removed."""
        for held in self._on(node):
            self._forget(held)

    def _on(self, node: Node) -> list[_Held]:
        return [held for held in self._held.values() if held.task.node_id == node.id]

    # ---- on the way up -------------------------------------------------------------

    def _receive(self, task: Task) -> None:
        """Take a task for the first time, or hear that something else is desired of it."""
        held = self._held.get(task.id)
        if held is None:
            if task.ended:
                return
            held = self._held[task.id] = _Held(task)
            held.desired = task.desired
            if held.told_to_stop:
                self._stop(held)
            else:
                self._accept(held)
            return
        told_before, held.desired = held.told_to_stop, task.desired
        if held.told_to_stop:
            if not told_before and held.state <= states.RUNNING:
                self._end(held)
        elif held.state == states.READY and not held.is_busy:
            self._start(held)

    def _accept(self, held: _Held) -> None:
        self._report(held, states.ACCEPTED, "accepted")
        held.is_busy = True
        self._later(self._store.timing.accept, self._prepare, held)

    def _prepare(self, held: _Held) -> None:
        if held.dropped or held.told_to_stop:
            held.is_busy = False
            self._drop_or_stop(held)
            return
        self._report(held, states.PREPARING, "preparing")
        error = self._driver.pull(held.task)
        self._later(self._store.timing.prepare, self._prepared, held, error)

    def _prepared(self, held: _Held, error: str) -> None:
        held.is_busy = False
        if held.dropped:
            self._forget(held)
        elif error:
            self._report(held, states.REJECTED, error=error)
        else:
            held.task.container_id = f"{self._store.random.getrandbits(256):064x}"
            self._report(held, states.READY, "prepared")
            if held.told_to_stop:
                self._stop(held)
            elif held.desired == states.RUNNING:
                held.is_busy = True
                self._later(self._store.timing.accept, self._start, held)

    def _start(self, held: _Held) -> None:
        if held.dropped or held.told_to_stop:
            held.is_busy = False
            self._drop_or_stop(held)
            return
        held.exit_code = 0  # of a container that has not ended, in the engine's words
        self._report(held, states.STARTING, "starting")
        held.is_busy = True
        self._starting.add(held)
        self._later(self._store.timing.start, self._start_beside, held)

    def _start_beside(self, held: _Held) -> None:
        node = held.task.node_id
        if any(it is not held and it.task.node_id == node for it in self._starting):
            self._later(self._store.timing.start_beside, self._started, held)
        else:
            self._started(held)

    def _started(self, held: _Held) -> None:
        held.is_busy = False
        self._starting.discard(held)
        if held.dropped:
            self._forget(held)
            return
        has_healthcheck = self._driver.has_healthcheck(held.task)
        held.started = True  # before it is: its process may end at once
        error = self._driver.start(held.task)
        if error:
            held.started, held.exit_code = False, _code_of(error)
            self._report(held, states.FAILED, error=error)
            return
        if not has_healthcheck:
            self._report(held, states.RUNNING, "started")
        if held.told_to_stop:
            self._stop(held)

    # ---- on the way down -----------------------------------------------------------

    def _end(self, held: _Held) -> None:
        """Stop a task: at once if there is nothing to wait for.

        The agent waits for the end of a task that runs, and for a first `healthy`; told to
        stop, it breaks that off, says so, and goes on a second later.
        """
        if held.is_busy or held.exited:
            return  # it is stopped when that is done; it has just ended by itself
        if held.started:
            held.exit_code = _STOPPING if held.state == states.RUNNING else held.exit_code
            self._report(held, held.state)
            self._later(self._store.timing.retry, self._stop, held)
        else:
            self._stop(held)

    def _stop(self, held: _Held) -> None:
        """Stop a container: leave its networks, ask it to end, and end it."""
        if held.stopping:
            return
        held.stopping = True
        if is_networked(held.task):
            self._later(self._store.timing.leave_network, self._ask, held)
        else:
            self._ask(held)

    def _ask(self, held: _Held) -> None:
        if held.is_up:
            self._later(grace(held.task.spec, self._store.timing.grace), self._kill, held)
            self._driver.stop(held.task)
        elif held.dropped:
            self._forget(held)
        elif held.told_to_stop:
            self._shut_down(held)

    def _kill(self, held: _Held) -> None:
        if held.is_up:
            self._driver.kill(held.task)

    def _shut_down(self, held: _Held) -> None:
        self._report(held, states.SHUTDOWN, "shutdown")

    def _ended(self, held: _Held) -> None:
        """A process has ended that the manager did not want to end."""
        if held.exit_code == 0:
            self._report(held, states.COMPLETE, "finished")
            return
        because = f": {_UNHEALTHY}" if held.unhealthy else ""
        error = f"task: non-zero exit ({held.exit_code}){because}"
        self._report(held, states.FAILED, error=error)

    def _drop_or_stop(self, held: _Held) -> None:
        if held.dropped:
            self._forget(held)
        else:
            self._stop(held)

    def _drop(self, task: Task) -> None:
        """End what runs for a task that the manager has deleted."""
        held = self._held.get(task.id)
        if held is None:
            return
        held.dropped = True
        if held.is_up:
            self._stop(held)
        elif not held.is_busy:
            self._forget(held)

    def _later(
        self, length: Range | int, step: Callable[..., None], held: _Held, *more: str
    ) -> None:
        """Take a step after a time, unless the node has forgotten the task by then."""

        def take() -> None:
            if self._held.get(held.task.id) is held:
                step(held, *more)

        self._store.after(length, take)

    def _forget(self, held: _Held) -> None:
        self._starting.discard(held)
        if self._held.pop(held.task.id, None) and held.state >= states.PREPARING:
            self._driver.remove(held.task)

    # ---- what is told --------------------------------------------------------------

    def _report(self, held: _Held, state: int, message: str = "", error: str = "") -> None:
        """Note a task's new state; without a new message the old one stays."""
        held.state, held.error = state, error
        held.message = message or held.message
        held.status_at = self._store.now
        self._notify(held)

    def _notify(self, held: _Held) -> None:
        node = self._store.nodes.get(held.task.node_id)
        if node is not None and node.reached and not held.dropped:
            status = Status(held.state, held.message, held.error, held.status_at, held.exit_code)
            self._dispatcher.report(held.task, status)


def _code_of(error: str) -> int:
    """Return the exit code that the engine gives a container that could not be started.

    As in a shell: not found, not permitted, something else (moby's daemon/start.go).
    """
    if "executable file not found" in error or "no such file or directory" in error:
        return 127
    return 126 if "permission denied" in error else 128
