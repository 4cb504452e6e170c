"""What Swarm's updater does, as far as it can be seen from outside. Pure.

The engine says that a service is being updated, and no more: not which slots, not which
failures it counts, not when it will call the update completed. All of that follows from
what is seen of the tasks, by the rules of swarmkit's manager/orchestrator/update/updater.go:

* The updater makes one new task in each slot whose task differs from the spec. What the
  restart supervisor makes there afterwards does not count.
* A task that it made *failed* if it ended, whatever the exit code, before it ever ran or
  within the monitor window after it began to run. Each slot counts at most once.
* The action is taken when failures over slots is strictly greater than the ratio, as
  32-bit floating point numbers; the slots are those being updated, not the replicas.
* Once a worker has the last slot, failures are not looked at until every worker
  is done, its last delay included. A task whose window is over by then is not counted.

From outside a slot is taken to be updated if its newest task has another image than the
spec; if no slot has (`--force`, a changed environment), all are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from labkit.recordings.recording.changes import (
    Change,
    NodesSeen,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.update.phases import completes_after
from labkit.recordings.values import Node, Service, Task, UpdateConfig
from swarmsim.model.orchestration.budget import tolerated

#: Why a task exists: it was there when the recording began; the service was created or
#: scaled up; the updater made it; the restart supervisor put it in a dead task's place, or in
#: that of one whose node was drained, went down, or was removed.
Cause = Literal["there", "create", "update", "rollback", "restart", "moved"]
#: What `docker service ps` gives one name: a slot, or the node of a global task.
Group = int | str

_SECOND = timedelta(seconds=1)


def group_of(task: Task) -> Group:
    """Return the slot of a task, or the id of its node if it is a global service's."""
    return task.slot if task.slot is not None else task.node_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many new tasks have failed, of how many that may."""

    of: Literal["update", "rollback"]
    failures: int
    #: The tasks that ended and were not counted: too late, or not looked at in time.
    missed: tuple[str, ...]
    #: How many slots are being updated.
    slots: int
    config: UpdateConfig

    @property
    def tolerated(self) -> int:
        """How many failures do not yet trigger the action; one more does."""
        return tolerated(self.slots, self.config.max_failure_ratio)

    @property
    def watched(self) -> bool:
        """Whether failures are looked at; with `continue` Swarm does not."""
        return self.config.failure_action != "continue"


@dataclass(frozen=True, slots=True)
class Window:
    """What follows the start of a task that the updater made."""

    task: str
    start: datetime
    #: Until the first the worker that updated the slot takes no other (the delay); until
    #: the second the task's death counts as a failure (the monitor window).
    until: tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Settling:
    """Every slot has its new task; what the updater still waits for."""

    #: The last worker's delay ends.
    delay: datetime
    #: The monitor window ends, and the update is completed.
    monitor: datetime


@dataclass(slots=True)
class _TrackedUpdate:
    """One update, or one rollback, from its start to its end."""

    of: Literal["update", "rollback"]
    key: tuple[str, datetime | None]
    #: When it was first seen; what else that poll saw was there when it began.
    seen_at: datetime
    image: str
    config: UpdateConfig
    #: The slots that have, or had, another image than the spec; and whether one ever had.
    differing: set[Group] = field(default_factory=set)
    slots_differ: bool = False
    #: Those that had its image when it began, and are updated if no slot differs.
    alike: set[Group] = field(default_factory=set)
    #: The task that the updater made in each slot.
    made: dict[Group, str] = field(default_factory=dict)
    #: Slots that the restart supervisor filled with a task that is as the spec wants it.
    filled: set[Group] = field(default_factory=set)
    #: The engine's own time at which each of them was first seen running.
    ran: dict[str, datetime] = field(default_factory=dict)
    #: Those that ended: when, by the engine's own time.
    died: dict[str, datetime] = field(default_factory=dict)
    #: Those that ran or ended, so that their worker went on; and when the last one did.
    settled: set[str] = field(default_factory=set)
    last_made: datetime | None = None
    last_settled: datetime | None = None
    #: The same by the recorder's clock, which the time axis uses.
    last_seen_settled: datetime | None = None
    ended_at: datetime | None = None

    @property
    def slots(self) -> set[Group]:
        """The slots that it is about."""
        return self.differing if self.slots_differ else self.alike

    @property
    def to_make(self) -> int:
        """In how many slots the updater makes a task; the others were filled for it."""
        return len(self.slots) - len(self.slots & self.filled)


class UpdateTracker:
    """Follows a recording, change by change."""

    def __init__(self) -> None:
        #: The nodes of the swarm as last seen.
        self.nodes: tuple[Node, ...] = ()
        self._first_at: datetime | None = None
        self._newest: dict[Group, Task] = {}
        self._group: dict[str, Group] = {}
        self._causes: dict[str, Cause] = {}
        self._before: dict[str, str | None] = {}
        #: When the task before it ended by itself, of each task that took the place of one.
        self._unprompted: dict[str, datetime] = {}
        self._run: _TrackedUpdate | None = None
        self._update: _TrackedUpdate | None = None
        self._windows: list[Window] = []
        self._explained: set[str] = set()

    # ---- taking changes ------------------------------------------------------------

    def apply(self, change: Change) -> None:
        """Take the next change of the recording."""
        if self._first_at is None and isinstance(change, TaskSeen | ServiceSeen):
            self._first_at = change.at
        match change:
            case TaskSeen(at=at, task=task):
                self._apply_task(at, task)
            case TaskForgotten(id=task_id):
                self._leave(task_id)
                self._causes.pop(task_id, None)
                self._before.pop(task_id, None)
                self._unprompted.pop(task_id, None)
            case ServiceSeen(at=at, service=service):
                self._apply_service(at, service)
            case NodesSeen(nodes=nodes):
                self.nodes = nodes
            case ServiceRemoved(at=at) if self._run:
                self._finish(self._run, at, "")

    def _apply_task(self, at: datetime, task: Task) -> None:
        group, run = group_of(task), self._run
        met = self._group.get(task.id) != group
        if met:
            self._meet(at, task, group)
        newest = self._newest.get(group)
        if newest is None or newest.created_at <= task.created_at:
            if task.desired_state == "remove":
                self._close(group)
                return
            self._newest[group] = task
        added = met and self._causes[task.id] == "create"  # with the update, not by it
        if run and at == run.seen_at and not added:
            self._consider(run, group)
        for run in (self._update, self._run):
            if run and run.made.get(group) == task.id:
                self._follow(run, at, task)

    def _close(self, group: Group) -> None:
        """Forget a slot that was scaled away, which no update is about."""
        self._newest.pop(group, None)
        if self._run and self._run.ended_at is None:
            self._run.differing.discard(group)
            self._run.alike.discard(group)

    def _meet(self, at: datetime, task: Task, group: Group) -> None:
        self._leave(task.id)  # a global task has got its node
        before = self._newest.get(group)
        if before and before.created_at > task.created_at:  # history, seen after its heir
            before = None
        self._group[task.id] = group
        self._before[task.id] = before.id if before else None
        prompted = before is None or before.state == "shutdown" or not before.ended
        if before and not prompted and before.status_at <= task.created_at:
            self._unprompted[task.id] = before.status_at
        self._causes[task.id] = self._cause(at, task, group, before)

    def _leave(self, task_id: str) -> None:
        group = self._group.pop(task_id, None)
        newest = None if group is None else self._newest.get(group)
        if group is not None and newest and newest.id == task_id:
            del self._newest[group]

    def _cause(self, at: datetime, task: Task, group: Group, before: Task | None) -> Cause:
        if at == self._first_at:
            return "there"
        run, moved = self._run, before is not None and self._left(before)
        if run and group not in run.made and task.image == run.image:
            if moved or self._refills(run, task):
                run.filled.add(group)
            elif run.ended_at is None and group in run.slots:
                self._adopt(run, group, task)
                return run.of
        return "moved" if moved else "restart" if before else "create"

    def _left(self, task: Task) -> bool:
        drained = {node.id for node in self.nodes if node.availability == "drain"}
        return task.lost or task.state == "orphaned" or task.node_id in drained

    def _refills(self, run: _TrackedUpdate, task: Task) -> bool:
        """Whether the task before it ended by itself during a run.

        Then the restart supervisor has replaced it, and the updater passes over the slot
        (updater.go, updateTask). A slot that was dead before is updated like any other.
        """
        died, started = self._unprompted.get(task.id), run.key[1]
        return died is not None and started is not None and died >= started

    def _apply_service(self, at: datetime, service: Service) -> None:
        status, run = service.update_status, self._run
        if run and run.ended_at is None and (status is None or status.key != run.key):
            self._finish(run, at, status.message if status else "")
        if status is None or status.state not in ("updating", "rollback_started"):
            return
        if run and run.key == status.key:
            return
        self._forget_history(service)
        back = status.state == "rollback_started"
        self._run = _TrackedUpdate(
            of="rollback" if back else "update",
            key=status.key,
            seen_at=at,
            image=service.image,
            config=service.rollback_config if back else service.update_config,
        )
        by_itself = back and run and run.of == "update" and run.key[1] == status.started_at
        self._update = run if by_itself else None
        if self._update:  # its tasks may have been seen before it, and then no slot differs
            self._run.slots_differ = self._update.image != service.image
        for group in tuple(self._newest):
            self._consider(self._run, group)

    def _forget_history(self, service: Service) -> None:
        """Forget the slots that were scaled away before, whose dead tasks the manager keeps.

        A slot whose last task will not be restarted looks the same and is updated, but
        then fewer slots are left than there are replicas.
        """
        newest = self._newest.items()
        dead = [slot for slot, task in newest if task.ended and task.desired_state == "shutdown"]
        if service.replicas is not None and len(newest) - len(dead) >= service.replicas:
            for slot in dead:
                del self._newest[slot]

    def _consider(self, run: _TrackedUpdate, group: Group) -> None:
        """Decide whether a slot is one of those that a run that has just begun is about.

        Its newest task may be one that the updater made before it was seen to begin.
        """
        task, started = self._newest[group], run.key[1]
        earlier = self._update.made.get(group) if self._update else None
        if task.image != run.image:
            run.differing.add(group)
            run.slots_differ = True
        elif (
            started
            and task.created_at >= started
            and task.id != earlier
            and self._causes[task.id] not in ("create", "moved")
            and group not in run.filled
            and not self._refills(run, task)
        ):
            self._causes[task.id] = run.of
            self._explained.add(task.id)
            self._adopt(run, group, task)
            if task.running or task.ended:
                self._follow(run, run.seen_at, task)
        else:
            run.differing.discard(group)
            run.alike.add(group)

    def _adopt(self, run: _TrackedUpdate, group: Group, task: Task) -> None:
        run.differing.add(group)
        run.alike.add(group)
        run.made[group] = task.id
        run.last_made = max(run.last_made or task.created_at, task.created_at)

    def _follow(self, run: _TrackedUpdate, at: datetime, task: Task) -> None:
        """Note that a task of the updater's runs, or has ended."""
        if run.ended_at is not None and at > run.ended_at:
            return
        if task.running and task.id not in run.ran:
            run.ran[task.id] = task.status_at
            until = (at + run.config.delay, at + run.config.monitor)
            self._windows.append(Window(task.id, at, until))
        if task.ended:
            run.died.setdefault(task.id, task.status_at)
        if (task.running or task.ended) and task.id not in run.settled:
            run.settled.add(task.id)
            run.last_settled = max(run.last_settled or task.status_at, task.status_at)
            run.last_seen_settled = at

    def _finish(self, run: _TrackedUpdate, at: datetime, message: str) -> None:
        """End a run; the failure that the message names counts, also if it was not seen yet."""
        run.ended_at = at
        task_id = message.rpartition(" of task ")[2]
        if task_id in run.made.values():
            run.died.setdefault(task_id, run.ran.get(task_id, at))

    # ---- what there is to know -----------------------------------------------------

    def cause(self, task_id: str) -> Cause:
        """Return why a task exists."""
        return self._causes.get(task_id, "there")

    def before(self, task_id: str) -> str | None:
        """Return the id of the task whose place it took, or `None`."""
        return self._before.get(task_id)

    def new_windows(self) -> list[Window]:
        """Return the windows that began since the last call, one for each updated slot that ran."""
        new, self._windows = self._windows, []
        return new

    def explained_anew(self) -> set[str]:
        """Return the ids of tasks whose cause has turned out to be another since the last call."""
        anew, self._explained = self._explained, set()
        return anew

    def budgets(self) -> Iterator[Budget]:
        """Return the budget of the last update, then that of its rollback, as far as there are."""
        for run in (self._update, self._run):
            if run and run.slots:
                missed = tuple(task_id for task_id in run.died if not self._counts(run, task_id))
                yield Budget(
                    of=run.of,
                    failures=len(run.died) - len(missed),
                    missed=missed,
                    slots=len(run.slots),
                    config=run.config,
                )

    def settling(self) -> Settling | None:
        """Return when the update will be completed, once every slot has its new task."""
        run = self._run
        if run is None or run.ended_at is not None or run.last_seen_settled is None:
            return None
        if len(run.settled) < run.to_make:
            return None
        last = run.last_seen_settled
        return Settling(last + run.config.delay, last + completes_after(run.config))

    def _counts(self, run: _TrackedUpdate, task_id: str) -> bool:
        """Whether the end of a task that the updater made counts as a failure."""
        if run.config.failure_action == "continue":
            return False
        ran, died = run.ran.get(task_id), run.died[task_id]
        if ran is None:
            return True
        looked_at, monitor = died, run.config.monitor
        handed_out = len(run.made) >= run.to_make
        if handed_out and run.last_made and died > run.last_made:
            if len(run.settled) >= run.to_make and run.last_settled:
                looked_at = max(died, run.last_settled + run.config.delay)
            if run.config.delay >= monitor:
                monitor = run.config.delay + _SECOND
        return looked_at - ran <= monitor
