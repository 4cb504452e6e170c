"""A recording: everything that was seen of one service, in the order it was seen. Pure.

Swarm forgets: it keeps five tasks a slot, and none of a service that was removed. A
recording keeps them all. It is a list of changes, built by comparing snapshots, and it
is all that views, checks and frames need; no engine is asked again.

On disk it is JSON Lines. The first line is the header, every other line one change,
written as it happens, so that a killed process loses at most a torn last line.

| `kind`      | fields                                                                    |
|-------------|---------------------------------------------------------------------------|
| `recording` | `schema`, `service`, `service_id`, `engine`, `started`, and               |
|             | `provenance`: `engine` (also where it is missing), `simulated`, `acted`   |
|             | (simulated, and no code of images ran), or `predicted`                    |
| `task`      | `at`, `id`, `slot`, `tag`, `image`, `node`, `state`, `desired_state`,     |
|             | `status_at`, `created_at`, `message`, `error`, `exit_code`, `ports`,      |
|             | `lost` (its node is down; never true in files before that was recorded)   |
| `forgotten` | `at`, `id`: the manager no longer lists that task                         |
| `service`   | `at`, `id`, `name`, `version`, `tag`, `image`, `replicas`,                |
|             | `update_config`, `rollback_config`, `previous_image`, `update_status`     |
|             | (`state`, `message`, `started_at`, `completed_at`, or null)               |
| `removed`   | `at`: the service is gone; its last tasks may still be stopping           |
| `nodes`     | `at`, `nodes`: all that the swarm has, each with `id`, `name`, `state`    |
|             | and `availability` (`active`, `pause` or `drain`); old files have none    |
| `gap`       | `at`, `reason`: the engine does not answer from here on                   |
| `back`      | `at`: the engine answers again                                            |
| `hashes`    | `at`, `hashes`, `now`: the counter on the web page of dockercoins, and    |
|             | that page's own clock in seconds since 1970                               |
| `mark`      | `at`, `of`, `label`: what somebody wrote on the time axis at the moment   |
|             | `of`; `at` is when it was written, and may come after the end             |
| `ended`     | `at`, `why`: the recorder stopped                                         |

Times are RFC 3339 in UTC. `at` is when labkit saw the change, by the clock of the
machine that records, or by the simulated engine's where that has one of its own;
`status_at` and `created_at` are the engine's. Where one of those clocks was set meanwhile,
or the two differ, its times are moved to fit (`labkit.recordings.recorder.timeline`).
A reader passes over kinds and fields that it does not know.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from io import FileIO
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self, TypeVar, get_args, get_type_hints

from labkit.base.errors import BadValue, RecordingProblem, refused
from labkit.recordings.values import (
    Availability,
    Node,
    Provenance,
    RollbackConfig,
    Service,
    Snapshot,
    Task,
    UpdateConfig,
    UpdateStatus,
    instant,
)
from swarmsim.go import durations
from swarmsim.go.states import UpdateState

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
C = TypeVar("C")

#: Raised whenever an older reader would misread a newer file.
SCHEMA = 1
#: Bytes; a longer first line is that of another file.
_LONGEST_HEADER = 100_000
#: Bytes; a longer line is none that a recorder wrote, and is not held in memory.
_LONGEST_LINE = 10_000_000
#: Nothing that a swarm does is from another time, and views draw seconds around it.
_YEARS = range(1970, 9000)
#: Tags that are counted apart, each in every step; more, which no swarm has, count as one.
MOST_TAGS, OTHERS = 50, "others"
#: What reading a line may raise that a recorder did not write.
_UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,  # the last hour of the year 9999, moved to UTC
    RecursionError,  # a thousand brackets
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a recording is of, and when it began."""

    service: str
    service_id: str
    #: The engine in words, such as `Docker Engine 20.10.24 (API 1.41)`.
    engine: str
    started: datetime
    #: Whether it was seen on a Docker engine, on a simulated one, or is a prediction.
    provenance: Provenance = "engine"


@dataclass(frozen=True, slots=True)
class _Seen:
    """Something that was seen of the service."""

    #: When; that of a mark is when it was made, which may be after the recording's end.
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskSeen(_Seen):
    """A task that is new, or differs from what was last seen of it."""

    kind: ClassVar[str] = "task"
    task: Task


@dataclass(frozen=True, slots=True)
class TaskForgotten(_Seen):
    """A task that the manager no longer lists."""

    kind: ClassVar[str] = "forgotten"
    id: str


@dataclass(frozen=True, slots=True)
class ServiceSeen(_Seen):
    """The service, when anything about it changed."""

    kind: ClassVar[str] = "service"
    service: Service


@dataclass(frozen=True, slots=True)
class ServiceRemoved(_Seen):
    """The service is gone."""

    kind: ClassVar[str] = "removed"


@dataclass(frozen=True, slots=True)
class NodesSeen(_Seen):
    """The nodes of the swarm, when anything about one of them changed."""

    kind: ClassVar[str] = "nodes"
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Gap(_Seen):
    """From here on the engine did not answer, so nothing is known."""

    kind: ClassVar[str] = "gap"
    reason: str


@dataclass(frozen=True, slots=True)
class Back(_Seen):
    """The engine answers again; what changed meanwhile follows."""

    kind: ClassVar[str] = "back"


@dataclass(frozen=True, slots=True)
class HashesSeen(_Seen):
    """How many hashes dockercoins had made, as its web page says."""

    kind: ClassVar[str] = "hashes"
    hashes: int
    #: The web page's own clock when it read the counter, in seconds since 1970.
    now: float

    def __post_init__(self) -> None:
        """Refuse an invalid count or time."""
        if type(self.hashes) is not int:
            raise BadValue(f"hashes is a whole number, not {self.hashes!r}")
        if not isinstance(self.now, int | float) or not math.isfinite(self.now):
            raise BadValue(f"now is a number of seconds, not {self.now!r}")


@dataclass(frozen=True, slots=True)
class Marked(_Seen):
    """A label that somebody put on the time axis."""

    kind: ClassVar[str] = "mark"
    #: The moment that it is about.
    of: datetime
    label: str

    def __post_init__(self) -> None:
        """Refuse a label with nothing in it, and a moment that may be anywhere on earth."""
        if not isinstance(self.label, str) or not self.label.strip():
            raise BadValue(f"the label of a mark is some words of text, not {self.label!r}")
        if not isinstance(self.of, datetime) or self.of.tzinfo is None:
            raise BadValue(f"a mark is of a time with a time zone, not of {self.of!r}")


@dataclass(frozen=True, slots=True)
class Ended(_Seen):
    """The recorder stopped, and why."""

    kind: ClassVar[str] = "ended"
    why: str


Change = (
    TaskSeen
    | TaskForgotten
    | ServiceSeen
    | ServiceRemoved
    | NodesSeen
    | Gap
    | Back
    | HashesSeen
    | Marked
    | Ended
)
_KINDS: dict[str, type[Change]] = {each.kind: each for each in get_args(Change)}
#: What the changes of a long recording are about, nearly all of them.
_MANY = (TaskSeen.kind, TaskForgotten.kind, HashesSeen.kind)
#: How many bytes the changes may have, on average, that are read of a long recording.
_MEAN = 1000
#: What a line that is only looked at tells: its kind, and a task's id. Within a text JSON has
#: a backslash before each quotation mark, so these are keys wherever they stand.
_KIND, _ID = (re.compile(rb'"%b"\s*:\s*"([^"\\]*)"' % key) for key in (b"kind", b"id"))


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
        events = [n for n, change in enumerate(self.changes) if change.kind not in _MANY]
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
        lines = _lines_of(path)
        recording = cls(header=_read_header(path, next(lines, b"")))
        if latest:
            return recording.with_latest(lines, *latest)
        for line in lines:
            recording.read(line)
        return recording

    def with_latest(self, lines: Iterable[bytes], most: int, most_events: int) -> Self:
        """Return the recording with the latest of some lines of its file, as `load` has it."""
        tail = _Tail(most, most_events)
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
            return _change_from(json.loads(line.decode("utf-8", "replace")))
        except _UNREADABLE:
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


class _Tail:
    """The last lines of a recording's file, and those before that say what was known then."""

    def __init__(self, most: int, most_events: int) -> None:
        self._most, self._most_events = most, most_events
        self._most_held = _MEAN * (most + 1000)
        self._rows: deque[tuple[bytes, str]] = deque()
        self._events = self._held = self._told = 0
        #: The last line of each task that was listed; and of the service and the nodes, by kind.
        self._tasks: OrderedDict[bytes, bytes] = OrderedDict()
        self._others: dict[str, bytes] = {}
        #: The last of all that is not a mark.
        self.last = b""
        self.left_out = 0

    def add(self, line: bytes) -> bool:
        """Take the next line; return whether it seems to be whole."""
        found = _KIND.search(line)
        if not found or not line.rstrip().endswith(b"}"):
            return False
        if (kind := found[1].decode("utf-8", "replace")) in _KINDS:
            self._rows.append((line, kind))
            self._held += len(line)
            self._events += kind not in _MANY
            while (
                len(self._rows) > self._most
                or self._events > self._most_events
                or self._held > self._most_held
            ):
                self._leave_out(*self._rows.popleft())
        return True

    def _leave_out(self, line: bytes, kind: str) -> None:
        self._events -= kind not in _MANY
        self._held -= len(line)
        self.left_out += 1
        match kind:
            case TaskSeen.kind | TaskForgotten.kind:
                self._leave_out_task(line, listed=kind == TaskSeen.kind)
            case ServiceRemoved.kind:
                self._others.pop(ServiceSeen.kind, None)
            case ServiceSeen.kind | NodesSeen.kind:
                self._others[kind] = line
        if kind != Marked.kind:
            self.last = line

    def _leave_out_task(self, line: bytes, *, listed: bool) -> None:
        if not (found := _ID.search(line)):
            return
        self._told -= len(self._tasks.get(found[1], b""))
        if listed:
            self._tasks[found[1]] = line
            self._told += len(line)
        else:
            self._tasks.pop(found[1], None)
        while self._told > self._most_held:
            self._told -= len(self._tasks.popitem(last=False)[1])

    @property
    def before(self) -> list[bytes]:
        """The lines that say what was known."""
        tasks = islice(reversed(self._tasks.values()), self._most)
        return [*reversed([*tasks]), *self._others.values()]

    @property
    def lines(self) -> list[bytes]:
        """The lines that are not left out."""
        return [line for line, _ in self._rows]


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


def create(path: Path, *, exists: bool = False) -> FileIO:
    """Return a new file for a recording, and make its folders; or one that `exists`.

    Raises `RecordingProblem` where it cannot, or the new one is there: none is replaced.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileIO(path, "r+" if exists else "x")
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        raise RecordingProblem(
            f"to write a recording to {path}.",
            f"{refused(problem)}.",
            "choose the name of a file that does not exist yet, in a folder you may write to.",
        ) from None


def _lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, less the empty ones at its end.

    Raises `RecordingProblem` for a file that cannot be read.
    """
    try:
        with path.open("rb", buffering=1 << 20) as file:
            yield file.readline(_LONGEST_LINE).rstrip(b"\n")
            blank: list[bytes] = []  # no lines, if the file ends with them
            while line := _line_of(file):
                blank.append(line)
                if line != b"\n":
                    yield from blank
                    blank.clear()
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        raise RecordingProblem(
            f"a recording at {path}.",
            f"{refused(problem)}.",
            "give the path of a file that `labkit record -o FILE` wrote.",
        ) from None


def _line_of(file: BinaryIO) -> bytes:
    """Return the next line, or, where it is too long, words that are no change."""
    line = file.readline(_LONGEST_LINE)
    if len(line) < _LONGEST_LINE or line.endswith(b"\n"):
        return line
    while line and not line.endswith(b"\n"):
        line = file.readline(_LONGEST_LINE)
    return b"too long"


def is_at(path: Path) -> bool:
    """Whether a file is a recording, of whatever schema."""
    try:
        with path.open("rb") as file:
            return bool(json.loads(file.readline(_LONGEST_HEADER))["kind"] == "recording")
    except (OSError, *_UNREADABLE):
        return False


def header_line(header: Header) -> str:
    """Return the first line of a recording's file."""
    return _line({"kind": "recording", "schema": SCHEMA, **_fields(header)})


def change_line(change: Change) -> str:
    """Return the line of a recording's file for one change."""
    row: dict[str, Any] = {"kind": change.kind, "at": change.at}
    match change:
        case TaskSeen(task=seen) | ServiceSeen(service=seen):
            row |= _fields(seen) | {"tag": seen.tag}
        case _:
            row |= _fields(change)
    return _line(row)


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a value; `asdict` would copy all that is in them."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _line(row: dict[str, Any]) -> str:
    line = json.dumps(row, default=_plain, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        line = json.dumps(row, default=_plain)
    return line + "\n"


def _plain(value: object) -> str | dict[str, Any]:
    """Return what JSON has no form for as text, or as a mapping of its fields."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return durations.to_text(value)
    if is_dataclass(value):
        return _fields(value)
    raise TypeError(f"a recording holds no {type(value).__name__}")


def _read_header(path: Path, line: bytes) -> Header:
    try:
        row = json.loads(line.decode("utf-8-sig", "replace"))
        schema = row["schema"]
        if row["kind"] != "recording" or type(schema) is not int or schema < 1:
            raise ValueError(row)
        if schema > SCHEMA:
            raise RecordingProblem(
                f"a recording of schema {SCHEMA} or older.",
                f"{path} is of schema {schema}, written by a newer labkit.",
                "update labkit, then open it again.",
            )
        if not row["service"]:
            raise ValueError(row)
        return _read_fields(Header, {"service_id": "", "engine": ""} | row)
    except _UNREADABLE:
        raise RecordingProblem(
            f"a recording at {path}.",
            "a file whose first line is not a recording's header." if line else "an empty file.",
            "give the path of a file that `labkit record -o FILE` wrote.",
        ) from None


def _change_from(row: dict[str, Any]) -> Change | None:
    """Return the change that a line holds; `None` for a kind this reader does not know."""
    at = _time(row["at"])
    match row["kind"]:
        case TaskSeen.kind:
            return TaskSeen(at, _read_fields(Task, row))
        case ServiceSeen.kind:
            return ServiceSeen(at, _read_fields(Service, {"update_status": None} | row))
        case kind:
            return _read_fields(_KINDS[kind], row) if kind in _KINDS else None


def _read_fields(kind: type[T], row: dict[str, Any]) -> T:
    """Return a value whose fields stand in a row; newer files may hold more.

    Raises `TypeError` for a number where a text belongs, and the other way round.
    """
    given = {}
    for name, ready, read in _readers(kind):
        if name in row:
            found = row[name]
            given[name] = found if type(found) in ready else read(found)
    return kind(**given)


def _read_often(kind: type[DataclassInstance], row: dict[str, Any]) -> Any:
    """Read a value that many rows repeat, such as the two configs of a service, only once."""
    return _read_again(kind, **{name: row[name] for name, *_ in _readers(kind) if name in row})


@lru_cache(maxsize=256, typed=True)  # typed: `True` is not 1
def _read_again(kind: type[DataclassInstance], **row: Any) -> Any:
    return _read_fields(kind, row)


@cache
def _readers(
    kind: type[DataclassInstance],
) -> list[tuple[str, tuple[type, ...], Callable[[Any], Any]]]:
    """Return for each field its name, the types to take as they are, and a reader for others."""
    annotated = get_type_hints(kind)
    return [(each.name, *_reader(annotated[each.name])) for each in fields(kind)]


def _reader(annotation: object) -> tuple[tuple[type, ...], Callable[[Any], Any]]:
    """Return such types and a reader for an annotation; a call per field would be slow."""
    kind, *or_none = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    ready = (kind,) if kind in (str, int, bool) else ()
    return (*ready, *([NoneType] if or_none else [])), _READERS.get(kind, lambda found: found)


def _only(kind: type, found: Any) -> Any:
    if not isinstance(found, kind):
        raise TypeError(f"{found!r} is not of type {kind.__name__}")
    return found


def _one_of(choices: object, found: Any) -> Any:
    if found not in get_args(choices):
        raise ValueError(f"{found!r} is none of {', '.join(get_args(choices))}")
    return found


@lru_cache(maxsize=4096)  # rows of one poll, or of one task, share times
def _time(text: str) -> datetime:
    found = instant(text)
    if found is None or found.year not in _YEARS:
        raise ValueError(f"{text!r} is not a time")
    return found


#: What reads a field, by its annotation; what is not here is taken as it is.
_READERS: dict[object, Callable[[Any], Any]] = {
    str: partial(_only, str),
    int: partial(_only, int),
    bool: partial(_only, bool),
    datetime: _time,
    Availability: partial(_one_of, Availability),
    Provenance: partial(_one_of, Provenance),
    UpdateState: partial(_one_of, UpdateState),
    tuple[Node, ...]: lambda found: tuple(_read_often(Node, each) for each in found),
    UpdateConfig: partial(_read_often, UpdateConfig),
    RollbackConfig: partial(_read_often, RollbackConfig),
    UpdateStatus: partial(_read_often, UpdateStatus),
}


def _where(task: Task) -> tuple[object, ...]:
    return task.state, task.desired_state, task.lost


def _span(start: datetime, task: Task, end: datetime | None) -> Span:
    same = ("slot", "tag", "node", "state", "desired_state", "error", "lost")
    return Span(task=task.id, start=start, end=end, **{name: getattr(task, name) for name in same})
