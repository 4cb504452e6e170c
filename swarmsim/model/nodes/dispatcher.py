"""What goes between the manager and its nodes, in batches. Pure.

After swarmkit's manager/dispatcher: what is new for a node is sent to it once there has been
nothing new for a moment; what nodes report is written to the store in a fixed rhythm, of
each task only the last report. So a task's short states are often never seen, and its
status is up to a tenth of a second older than the store's knowing it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from swarmsim.model import states
from swarmsim.model.objects import Task
from swarmsim.model.store import Store

#: So many changes are sent without waiting for a pause (dispatcher.go).
_MOST_CHANGES = 100


class Status(NamedTuple):
    """What a node reports of a task."""

    state: int
    message: str
    error: str
    #: When it came to be so.
    at: int
    exit_code: int | None


@dataclass(slots=True)
class _Mail:
    """What is to be sent to one node."""

    tasks: dict[str, Task] = field(default_factory=dict)
    changes: int = 0
    last_at: int = 0
    is_planned: bool = False


class Dispatcher:
    """Takes tasks to their nodes, and what nodes report to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Who takes a task that is new to a node, or of which something else is desired.
        self.deliver: Callable[[Task], None]
        self._mail: dict[str, _Mail] = {}
        self._reports: dict[str, tuple[Task, Status]] = {}
        #: The rhythm began when the manager did, at no particular moment.
        self._phase = store.random.randrange(store.timing.report_period)
        store.on_desired.append(lambda task: self._send_if(task.observed >= states.ASSIGNED, task))
        store.on_observed.append(lambda task: self._send_if(task.observed == states.ASSIGNED, task))

    # ---- from the manager to the nodes ----------------------------------------------

    def _send_if(self, is_due: bool, task: Task) -> None:
        if is_due:
            self.send(task)

    def send(self, task: Task) -> None:
        """Send a task to its node, in a batch with whatever else is new for that node."""
        now, gap = self._store.now, self._store.timing.dispatch_gap
        mail = self._mail.setdefault(task.node_id, _Mail())
        mail.tasks[task.id] = task
        mail.changes += 1
        mail.last_at = now
        if mail.changes >= _MOST_CHANGES:
            self._send(mail)
        elif not mail.is_planned:
            mail.is_planned = True
            self._store.call_at(now + gap, self._pause_is_over, mail)

    def _pause_is_over(self, mail: _Mail) -> None:
        until = mail.last_at + self._store.timing.dispatch_gap
        if mail.tasks and until > self._store.now:
            self._store.call_at(until, self._pause_is_over, mail)
            return
        mail.is_planned = False
        if mail.tasks:
            self._send(mail)

    def _send(self, mail: _Mail) -> None:
        self._store.after(self._store.timing.dispatch, self._arrive, mail.tasks)
        mail.tasks, mail.changes = {}, 0

    def _arrive(self, tasks: dict[str, Task]) -> None:
        for task in tasks.values():
            node = self._store.nodes.get(task.node_id)
            if task.id in self._store.tasks and node and node.reached:
                self.deliver(task)

    # ---- from the nodes to the manager ----------------------------------------------

    def report(self, task: Task, status: Status) -> None:
        """Take what a node says of a task."""
        if not self._reports:
            now, period = self._store.now, self._store.timing.report_period
            self._store.call_at(now + period - (now - self._phase) % period, self._write)
        self._reports[task.id] = (task, status)

    def _write(self) -> None:
        store, reports = self._store, self._reports
        self._reports = {}
        with store.batch():
            for task, (state, message, error, at, exit_code) in reports.values():
                if task.id not in store.tasks or state < task.observed:
                    continue
                task.exit_code = exit_code
                if state > states.RUNNING:
                    task.pid = 0
                if state == task.observed:
                    store.note(task, message, error, at)
                else:
                    store.observe(task, state, message, error, at)
