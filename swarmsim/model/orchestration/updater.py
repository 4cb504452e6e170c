"""The updater: replaces the tasks of a service by tasks of its new spec. Pure.

After swarmkit's manager/orchestrator/update/updater.go, step by step, its oddities
included; names in parentheses are functions of that file. In Go each worker is a goroutine;
here each is a chain of calls, and what a goroutine would wait for calls the next link.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from swarmsim.go.states import UpdateState
from swarmsim.model import states
from swarmsim.model.nodes.timing import SECOND
from swarmsim.model.objects import Service, Task, UpdateStatus
from swarmsim.model.orchestration.budget import exceeds
from swarmsim.model.orchestration.dirty import DirtyCheck
from swarmsim.model.orchestration.restarts import Restarts
from swarmsim.model.plan import Strategy, strategy
from swarmsim.model.store import Store

#: A place to update, as it was when the updater began: its tasks, with what was desired of each.
Slot = list[tuple[Task, int]]


@dataclass(slots=True, eq=False)
class Updater:
    """One run of the updater over a service's slots."""

    store: Store
    restarts: Restarts
    service: Service
    done: "Callable[[Updater], None]"
    #: The service as it was when the run began: what the run works towards.
    goal: Service = field(init=False)
    config: Strategy = field(init=False, default_factory=lambda: Strategy.read(None))
    #: Slots that no worker has taken yet, in the order in which they will be taken.
    queue: deque[Slot] = field(init=False, default_factory=deque)
    #: How many slots are in a worker's hands, and how many workers there may be.
    busy: int = field(init=False, default=0)
    workers: int = field(init=False, default=0)
    #: Whether this run is a rollback; it stays one, whatever becomes of the status.
    rolls_back: bool = field(init=False, default=False)
    #: How many slots were to be updated when the run began.
    slots: int = field(init=False, default=0)
    #: When each task that this run made was first seen running; `None` until then.
    started: dict[str, int | None] = field(init=False, default_factory=dict)
    failed: set[str] = field(init=False, default_factory=set)
    _monitor: int = field(init=False, default=0)
    #: Failures that are not looked at until all workers are done (`failureTriggersAction`).
    _unseen: list[Task] = field(init=False, default_factory=list)
    _cancelled: bool = field(init=False, default=False)
    #: No more slots are handed out, because of a failure; and whether that ends the run.
    _halted: bool = field(init=False, default=False)
    _stopped: bool = field(init=False, default=False)
    _monitoring: bool = field(init=False, default=False)
    _over: bool = field(init=False, default=False)

    _is_dirty: DirtyCheck = field(init=False)

    def __post_init__(self) -> None:
        """Keep what this run works towards."""
        self.goal = self.service.snapshot()
        self._is_dirty = DirtyCheck(self.store, self.goal)

    # ---- the run -------------------------------------------------------------------

    def run(self, slots: list[list[Task]]) -> None:
        """Do what `Updater.Run` does."""
        status = self.service.update_status
        if status and status.state in ("paused", "rollback_paused"):
            self._finish()
            return
        dirty = [tasks for tasks in slots if self._is_dirty.slot(tasks)]
        if not dirty:
            if status and status.state in ("updating", "rollback_started"):
                self._complete()
            self._finish()
            return
        self.rolls_back = self.goal.rolls_back
        self.config = strategy(self.goal, rollback=self.rolls_back)
        self._monitor = self.config.monitor
        self.slots = len(dirty)
        self.workers = self.config.parallelism or self.slots
        # Go walks a map in any order
        self.store.random.shuffle(dirty)
        self.queue.extend([(task, task.desired) for task in tasks] for tasks in dirty)
        if status is None:
            self._write("updating", "update in progress", self.store.now)
        # the status is written before the first task is touched
        self._hand_out()

    def cancel(self) -> None:
        """Stop at once: slots being replaced are left as they are, for the next updater."""
        self._cancelled = self._over = True
        self.queue.clear()

    def ended(self, task: Task) -> None:
        """Note that a task of the service has ended (`Updater.Run`, its watch of tasks)."""
        if self._over or self.config.failure_action == "continue":
            return
        if self._monitoring or (self.queue and not self._halted):
            self._look_at(task)
        else:
            self._unseen.append(task)

    def _hand_out(self) -> None:
        """Give slots to free workers; when all are done, watch for a monitor window."""
        while self.queue and self.busy < self.workers and not self._halted:
            self.busy += 1
            self._work(self.queue.popleft())
        if not self.busy and (self._halted or not self.queue) and not self._over:
            self._all_handed_out()

    def _all_handed_out(self) -> None:
        if self._stopped:
            self._finish()
            return
        if self._monitoring:
            return
        if self.config.delay >= self._monitor:
            self._monitor = self.config.delay + SECOND
        self._monitoring = True
        self.store.after(self._monitor, self._monitored)
        for task in self._unseen:
            if self._monitoring:
                self._look_at(task)

    def _monitored(self) -> None:
        if self._monitoring and not self._over:
            self._monitoring = False
            self._complete()
            self._finish()

    def _finish(self) -> None:
        self._over = True
        self._monitoring = False
        self.done(self)

    # ---- one slot ------------------------------------------------------------------

    def _work(self, slot: Slot) -> None:
        """Update one slot (`worker`, `updateTask`)."""
        clean = [each for each in slot if not self._is_dirty.task(each[0])]
        existing = next((each for each in clean if each[1] == states.RUNNING), None) or next(
            (each for each in clean if each[1] < states.RUNNING), None
        )
        if existing:
            self._use(existing, [each for each in slot if each is not existing])
        else:
            self._replace(slot)

    def _use(self, existing: tuple[Task, int], others: list[tuple[Task, int]]) -> None:
        """Keep a task that is as it should be, and shut the others down."""
        task, desired = existing
        old = None
        if others:
            old = self._shut_down(others)
            if old is None and any(was <= states.RUNNING for _, was in others):
                self._sleep_delay()
                return
        if desired == states.RUNNING:
            self._sleep_delay()
        else:
            self.restarts.start_later(task, 0, old, then=self._sleep_delay)

    def _replace(self, slot: Slot) -> None:
        first = slot[0][0]
        if self.service.id not in self.store.services:
            self._sleep_delay()
            return
        if self.config.start_first:
            new = self._create(first)
            self.restarts.start_later(new, 0, None)
            self._await(new, slot)
            return
        old = self._shut_down(slot)
        if old is None and any(desired <= states.RUNNING for _, desired in slot):
            # it has ended since, and the restart supervisor has filled the place already
            self._sleep_delay()
            return
        new = self._create(first)
        self.restarts.start_later(new, 0, old, then=lambda: self._await(new, slot))

    def _create(self, old: Task) -> Task:
        new = self.store.create_task(self.goal, old.place, states.READY)
        self.started[new.id] = None
        return new

    def _await(self, new: Task, slot: Slot) -> None:
        """Wait, without end, until the new task runs or has ended."""
        if self._cancelled:
            return

        def came_up() -> None:
            if self._cancelled:
                return
            self.started[new.id] = self.store.now
            if self.config.start_first and new.observed == states.RUNNING:
                self._shut_down(slot)
            self._sleep_delay()

        if new.observed >= states.RUNNING:
            came_up()
        else:
            self.store.when_running(new, came_up)

    def _shut_down(self, tasks: list[tuple[Task, int]]) -> Task | None:
        """Shut old tasks down; return the last that was; one that is down already is not."""
        last = None
        for task, desired in tasks:
            if desired > states.RUNNING:
                continue
            if task.id in self.store.tasks and task.desired <= states.RUNNING:
                self.store.set_desired(task, states.SHUTDOWN)
                last = task
        return last

    def _sleep_delay(self) -> None:
        """A worker sleeps the delay after each slot, the last one included."""
        self.store.after(self.config.delay, self._free)

    def _free(self) -> None:
        if self._cancelled:
            return
        self.busy -= 1
        self._hand_out()

    # ---- failures ------------------------------------------------------------------

    def _look_at(self, task: Task) -> None:
        """Count a failure, and act if it is one too many (`failureTriggersAction`)."""
        if task.id in self.failed or task.id not in self.started:
            return
        started = self.started[task.id]
        if started is not None and self.store.now - started > self._monitor:
            return
        self.failed.add(task.id)
        if exceeds(len(self.failed), self.slots, self.config.max_failure_ratio):
            self._act(task)

    def _act(self, task: Task) -> None:
        because = f"due to failure or early termination of task {task.id}"
        if self.config.failure_action == "pause":
            self._stopped = True
            self._pause(f"update paused {because}")
        elif self.rolls_back:
            # the run is not stopped here, so that a monitor window later it "completes"
            self._pause(f"rollback paused {because}")
        else:
            self._stopped = True
            self._halt()
            self._roll_back(f"update rolled back {because}")
        self._halt()
        self._hand_out()

    def _halt(self) -> None:
        """Hand out no more slots; a failure seen in the monitor window ends that window."""
        if self._over:
            return
        self._halted = True
        self.queue.clear()
        if self._monitoring:
            self._monitoring = False
            if not self._stopped:
                self._complete()
            self._finish()

    # ---- the status ----------------------------------------------------------------

    def _pause(self, message: str) -> None:
        status = self.service.update_status
        if status:  # else the service was changed since this run began
            state: UpdateState = "rollback_paused" if self.service.rolls_back else "paused"
            self._write(state, message, status.started_at)

    def _complete(self) -> None:
        status = self.service.update_status
        if not status or self.service.id not in self.store.services:
            return
        if self.service.rolls_back:
            done = replace(status, state="rollback_completed", message="rollback completed")
        else:
            done = replace(status, state="completed", message="update completed")
        self.store.write_status(self.service, replace(done, completed_at=self.store.now))

    def _roll_back(self, message: str) -> None:
        """Bring back the previous spec (`rollbackUpdate`). Without one, nothing more happens."""
        service, status = self.service, self.service.update_status
        if status is None or service.previous_spec is None:
            return
        before = service.snapshot()
        service.update_status = UpdateStatus("rollback_started", message, status.started_at)
        service.spec, service.spec_version = service.previous_spec, service.previous_spec_version
        service.previous_spec, service.previous_spec_version = None, 0
        self.store.write_service(service, before)

    def _write(self, state: UpdateState, message: str, started_at: int) -> None:
        self.store.write_status(self.service, UpdateStatus(state, message, started_at))


class Updaters:
    """At most one updater for each service (`Supervisor`)."""

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
