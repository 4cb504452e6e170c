"""A recording: everything that was seen of one service, in the order it was seen. Pure.

Swarm forgets: it keeps five tasks a slot, and none of a service that was removed. A
recording keeps them all. It is a list of changes, built by comparing snapshots, and it
is all that views, checks and frames need; no engine is asked again.

`changes` has the kinds of change; `lines` the form of its file, JSON Lines, which other
programs may read; `files` the file itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from labkit.recordings.recording.changes import (
    Back,
    Change,
    Ended,
    Gap,
    Header,
    Marked,
    NodesSeen,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.recording.files import MANY, Tail, create, lines_of
from labkit.recordings.recording.lines import (
    UNREADABLE,
    change_from,
    change_line,
    header_line,
    read_header,
)
from labkit.recordings.values import Node, Service, Snapshot, Task, UpdateStatus
from swarmsim.go.states import UpdateState

C = TypeVar("C")

#: Tags that are counted apart, each in every step; more, which no swarm has, count as one.
MOST_TAGS, OTHERS = 50, "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One task in one state, from when it was seen there to when it was seen to leave."""

    slot: int | None
    task: str
    tag: str
    node: str
    state: str
    desired_state: str
    start: datetime
    #: `None` while it lasts, and for good in a state that ends a task.
    end: datetime | None
    error: str
    #: Its node was down, and it had not ended.
    lost: bool = False


@dataclass(slots=True)
class Recording:
    """Everything that was seen of one service.

    Made live by a recorder (`observe`), or read from a file (`load`).
    """

    header: Header
    changes: list[Change] = field(default_factory=list)
    #: The service as last seen; `None` once it has been removed.
    service: Service | None = None
    #: The last that was seen of every task, those that Swarm has forgotten included.
    tasks: dict[str, Task] = field(default_factory=dict)
    #: The ids of the tasks that the manager still lists, in the order in which they were seen.
    listed: dict[str, None] = field(default_factory=dict)
    #: The nodes as last seen; none in a file from before they were recorded.
    nodes: tuple[Node, ...] = ()
    #: Lines of the file that could not be read, each a write that was cut short.
    torn_lines: int = 0
    #: How many earlier changes are left out (`latest`).
    left_out: int = 0

    # ---- making it -----------------------------------------------------------------

    def observe(self, snapshot: Snapshot) -> list[Change]:
        """Compare a snapshot with what was last seen; add the differences and return them."""
        changes: list[Change] = []
        if snapshot.service != self.service:
            seen = snapshot.service
            if seen and self.service and (passed := _passed_unseen(self.service, seen)):
                changes.append(ServiceSeen(snapshot.at, passed))
            changes.append(ServiceSeen(snapshot.at, seen) if seen else ServiceRemoved(snapshot.at))
        if snapshot.nodes and snapshot.nodes != self.nodes:  # before the tasks that had to move
            changes.append(NodesSeen(snapshot.at, snapshot.nodes))
        different = (task for task in snapshot.tasks if self._differs(task))
        in_order = sorted(different, key=lambda task: (task.slot or 0, task.created_at, task.id))
        changes += [TaskSeen(snapshot.at, task) for task in in_order]
        gone = self.listed.keys() - {task.id for task in snapshot.tasks}
        changes += [TaskForgotten(snapshot.at, task_id) for task_id in sorted(gone)]
        self.add_all(changes)
        return changes

    def add_all(self, changes: Iterable[Change]) -> Self:
        """Add changes in their order, and return the recording with them."""
        for change in changes:
            self.add(change)
        return self

    def add(self, change: Change) -> None:
        """Add one change and bring the latest picture up to date with it."""
        self.changes.append(change)
        match change:
            case TaskSeen(task=task):
                self.tasks[task.id] = task
                self.listed[task.id] = None
            case TaskForgotten(id=task_id):
                self.listed.pop(task_id, None)
            case ServiceSeen(service=service):
                self.service = service
            case ServiceRemoved():
                self.service = None
            case NodesSeen(nodes=nodes):
                self.nodes = nodes

    def _differs(self, task: Task) -> bool:
        return task.id not in self.listed or self.tasks[task.id] != task

    # ---- reading it ----------------------------------------------------------------

    @property
    def current(self) -> tuple[Task, ...]:
        """The tasks that the manager still lists, as last seen; of a slot, older ones first."""
        return tuple(self.tasks[task_id] for task_id in tuple(self.listed))

    @property
    def last_at(self) -> datetime:
        """When the last change was seen; the start, if there was none. Marks are not seen."""
        last = self._last()
        return last.at if last else self.header.started

    @property
    def ended(self) -> Ended | None:
        """Why and when the recorder stopped, or `None` while it runs (or was killed)."""
        last = self._last()
        return last if isinstance(last, Ended) else None

    def of(self, kind: type[C]) -> list[C]:
        """Return the changes of one kind, in order."""
        return [change for change in self.changes if isinstance(change, kind)]

    def latest(self, most: int, most_events: int) -> Self:
        """Return the recording, or only its last changes if it has more than `most`.

        At most `most_events` of them are about something other than tasks and hashes. The
        part begins with what was known at that moment: the service, the nodes, and the last
        `most` of the tasks that the manager listed. Of such a part nothing more is left out.
        """
        if self.left_out:
            return self
        events = [n for n, change in enumerate(self.changes) if change.kind not in MANY]
        start = max(0, len(self.changes) - most, *(n + 1 for n in events[:-most_events][-1:]))
        if not start:
            return self
        before = type(self)(self.header).add_all(self.changes[:start])
        part = before.at_its_end(before.last_at, most).add_all(self.changes[start:])
        part.torn_lines, part.left_out = self.torn_lines, start
        return part

    def at_its_end(self, at: datetime, most: int) -> Self:
        """Return a recording that begins where this one ends, with its last `most` tasks."""
        part = type(self)(replace(self.header, started=at))
        if self.service:
            part.add(ServiceSeen(at, self.service))
        if self.nodes:
            part.add(NodesSeen(at, self.nodes))
        return part.add_all(TaskSeen(at, task) for task in self.current[-most:])

    def _last(self) -> Change | None:
        """Return the last change that is not a mark: marks may be made after the end."""
        seen = (change for change in reversed(self.changes) if not isinstance(change, Marked))
        return next(seen, None)

    def running_by_tag(self) -> list[tuple[datetime, Counter[str]]]:
        """Return the running replicas by tag as steps: each holds until the next one.

        A tag that was ever seen running is in every later step, with 0 when none runs. Tags
        after the first `MOST_TAGS` are counted together, as `OTHERS`.
        """
        steps: list[tuple[datetime, Counter[str]]] = []
        running: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for change in self.changes:
            match change:
                case TaskSeen(task=task):
                    tag = task.tag if task.running else ""
                    if tag and tag not in counts and len(counts) >= MOST_TAGS:
                        tag = OTHERS
                    before = running.pop(task.id, "")
                    if tag:
                        running[task.id] = tag
                case TaskForgotten(id=task_id):
                    tag, before = "", running.pop(task_id, "")
                case _:
                    continue
            if before:
                counts[before] -= 1
            if tag:
                counts[tag] += 1
            if steps and steps[-1][0] == change.at:
                steps.pop()
            if not steps or steps[-1][1] != counts or len(steps[-1][1]) != len(counts):
                steps.append((change.at, counts.copy()))
        return steps

    def spans(self) -> list[Span]:
        """Return what every task did: one span a task and state, in order of their starts."""
        done: list[Span] = []
        open_spans: dict[str, tuple[datetime, Task]] = {}
        for change in self.changes:
            match change:
                case TaskSeen(at=at, task=task):
                    before = open_spans.get(task.id)
                    if before and _where(before[1]) == _where(task):
                        open_spans[task.id] = (before[0], task)
                        continue
                    if before:
                        done.append(_span(*before, at))
                    open_spans[task.id] = (at, task)
                case TaskForgotten(at=at, id=task_id) if task_id in open_spans:
                    start, task = open_spans.pop(task_id)
                    done.append(_span(start, task, None if task.ended else at))
        done += [_span(start, task, None) for start, task in open_spans.values()]
        return sorted(done, key=lambda span: (span.start, span.slot or 0, span.task))

    def update_states(self) -> list[tuple[datetime, UpdateStatus | None]]:
        """Return the service's update status over time, one entry a change of its state."""
        states: list[tuple[datetime, UpdateStatus | None]] = []
        for change in self.of(ServiceSeen):
            status = change.service.update_status
            last = states[-1][1] if states else None
            if not states or (status and status.state) != (last and last.state):
                states.append((change.at, status))
        return states

    def gaps(self) -> list[tuple[datetime, datetime | None, str]]:
        """Return when nothing was known: start, end (`None` if it never ended), reason."""
        found: list[tuple[datetime, datetime | None, str]] = []
        for change in self.changes:
            if isinstance(change, Gap | Back) and found and found[-1][1] is None:
                found[-1] = (found[-1][0], change.at, found[-1][2])
            if isinstance(change, Gap):  # right after another one if the reason has changed
                found.append((change.at, None, change.reason))
        return found

    def marks(self) -> list[tuple[datetime, str]]:
        """Return the marks on the time axis, the moment and the label of each, in its order."""
        return sorted(((c.of, c.label) for c in self.of(Marked)), key=lambda mark: mark[0])

    # ---- the file ------------------------------------------------------------------

    @classmethod
    def load(cls, path: Path | str, latest: tuple[int, int] | None = None) -> Self:
        """Read a recording, as far as it goes.

        With `latest`, what is `latest(*latest)` of it, or less where lines are very long. What is
        left out is only looked at, so a broken line may go unnoticed there, or be one of the last.
        Raises `RecordingProblem` for a file that is not a recording, or of a newer schema.
        """
        path = Path(path)
        lines = lines_of(path)
        recording = cls(header=read_header(path, next(lines, b"")))
        if latest:
            return recording.with_latest(lines, *latest)
        for line in lines:
            recording.read(line)
        return recording

    def with_latest(self, lines: Iterable[bytes], most: int, most_events: int) -> Self:
        """Return the recording with the latest of some lines of its file, as `load` has it."""
        tail = Tail(most, most_events)
        for line in lines:
            self.torn_lines += not tail.add(line)
        for line in tail.before:
            self.read(line)
        last = self._change(tail.last) if tail.last else None
        at = last.at if last else self.header.started
        part = self.at_its_end(at, most) if tail.left_out else self
        part.torn_lines, part.left_out = self.torn_lines, tail.left_out
        for line in tail.lines:
            part.read(line)
        return part

    def read(self, line: bytes) -> None:
        """Add what a line of the file holds; one that cannot be read counts as torn."""
        if change := self._change(line):
            self.add(change)

    def _change(self, line: bytes) -> Change | None:
        try:
            return change_from(json.loads(line.decode("utf-8", "replace")))
        except UNREADABLE:
            self.torn_lines += 1
            return None

    def save(self, path: Path | str) -> None:
        """Write the whole recording to a new file. Raises `RecordingProblem`, as `create`."""
        with create(Path(path)) as file:
            file.writelines(line.encode() for line in self.lines())

    def lines(self) -> Iterator[str]:
        """Return the lines of the file, each with its line end."""
        yield header_line(self.header)
        for change in self.changes:
            yield change_line(change)


#: The state from which alone Swarm comes to another (swarmkit, manager/orchestrator/update).
_FROM: dict[UpdateState, UpdateState] = {
    "completed": "updating",
    "paused": "updating",
    "rollback_completed": "rollback_started",
    "rollback_paused": "rollback_started",
}


def _passed_unseen(before: Service, seen: Service) -> Service | None:
    """Return a service in the state that its update had between two polls, if it had one.

    A rollback that finds its slots clean is over within a millisecond. What Swarm said in
    that state is not known, so its message is empty.
    """
    was, status = before.update_status, seen.update_status
    if not status or status.state not in _FROM or (was and was.key == status.key):
        return None
    passed = replace(status, state=_FROM[status.state], message="", completed_at=None)
    return None if was and was.key == passed.key else replace(seen, update_status=passed)


def _where(task: Task) -> tuple[object, ...]:
    return task.state, task.desired_state, task.lost


def _span(start: datetime, task: Task, end: datetime | None) -> Span:
    same = ("slot", "tag", "node", "state", "desired_state", "error", "lost")
    return Span(task=task.id, start=start, end=end, **{name: getattr(task, name) for name in same})
