"""What a view shows, and what of it changed since the last time. Pure.

A `ViewState` applies the changes of a recording, one after another, and gives them as JSON:
`full()` is all that a page needs to draw it, `delta()` only what changed since the last
delta. An update costs as much as what changed, not as much as the service is large.

Each `at` is in ms since the recording began (`origin`); `n` is a small number that names
a task. What is said of many tasks is said once, and goes by its place in `tags`, `images`,
`nodes` or `kinds`. In a delta the keys marked with + hold only what is new, the others all
of what changed.

| key         | what                                                                     |
|-------------|--------------------------------------------------------------------------|
| `service`   | its name; and `engine`, the engine in words                              |
| `badge`     | null on a Docker engine; else a word such as `simulated`, and what it    |
|             | means                                                                    |
| `origin`    | when the recording began, in ms since 1970                               |
| `tags`      | `[tag, colour, pattern]` in the order in which the tags were first seen  |
| `past`      | the places in `tags` of those that only tasks had that had ended before  |
| `steps` +   | `[at, [running replicas of each tag]]`; a later one of the same `at` wins|
| `images`    | `[image, tag]`; `nodes`: names                                           |
| `kinds`     | `[state, desired state, stage]`; the stage as in `stages`                |
| `tasks` +   | `[n, id, group, created, image, node, ports, cause, before]`: `group` is |
|             | the slot, or the node of a global task; `cause` is why it exists         |
|             | (`tracker.Cause`), `before` whose place it took. An entry for a known    |
|             | task replaces the earlier one                                            |
| `moves` +   | `[n, at, kind, since, error, exit code, message]`: what task n was seen  |
|             | to do; `since` is the engine's own time of the state. The last three are |
|             | left out when empty; the message is that of a task that was given up     |
| `gone` +    | `[n, at]`: tasks that the manager no longer lists                        |
| `dropped` + | tasks that are kept no longer                                            |
| `status`    | `state`, `sentence`, Docker's `message`, `wanted` replicas, `config`     |
| `phases`    | `[at, state, message, meaning, name, colour, pattern]`: the update       |
|             | status over time; what its band is called, and how it looks              |
| `settling`  | null, or `delay` and `monitor`: when these last two waits will be over   |
| `windows` + | `[n, from, delay until, monitor until]` of each task the updater made    |
| `budget`    | null, or the failures of the last update: see `_budget`                  |
| `rollback_budget` | the same of the rollback that followed it, or null                 |
| `marks`     | `[at, label]`: the marks that somebody put                               |
| `speed` +   | `[at, hashes a second or null]`                                          |
| `gaps`      | `[from, to or null, reason]`: when nothing was recorded, and why          |
| `focus`     | null, or `[from, to or null]`: what the time axis shows at first: the    |
|             | latest events; it goes on while `to` is null                             |
| `end`       | null, or `at`, `why`, `died`                                             |

Every text in it has been through `words.plain`.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from labkit.recordings import ps
from labkit.recordings.recording import MOST_TAGS, OTHERS
from labkit.recordings.recording.changes import (
    Back,
    Change,
    Ended,
    Gap,
    HashesSeen,
    Header,
    Marked,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.speed import Speed
from labkit.recordings.update import phases
from labkit.recordings.update.tracker import Budget, UpdateTracker, group_of
from labkit.recordings.values import Service, Task, UpdateConfig
from labkit.views.state.focus import Focus
from labkit.views.state.looks import band_of, looks_of
from labkit.views.state.sentences import badge_of, budget_words
from labkit.views.state.stages import stage
from labkit.views.state.words import plain
from swarmsim.go import references
from swarmsim.go.states import SETTLED_UPDATE_STATES

#: How many changes of a recording a view shows at most, the last ones, and how many of these may be
#: about something other than tasks and hashes. A service that crashes all night makes 100,000.
MOST_CHANGES = 10_000, 500
#: Steps, and points of the speed, that are kept; the oldest go first. A crash loop makes
#: two steps a second, the web page is asked once a second.
MOST_POINTS = 5000
#: Tasks that are kept after the manager has forgotten them; the oldest go first.
MOST_FORGOTTEN = 2000
_MS = timedelta(milliseconds=1)
#: Images, nodes and states that are told apart; a poll that brings a new one brings all.
MOST_NAMES = 500
#: Uncounted deaths that are listed one by one.
MOST_UNCOUNTED = 50

#: No update state; what the ribbon shows of a service that is gone.
_REMOVED = ("removed", "", "The service was removed.")

#: Update states in which the swarm does nothing by itself.
_AT_REST = SETTLED_UPDATE_STATES | {"", _REMOVED[0]}

_NOTHING = "Nothing has been recorded yet."

Json = dict[str, Any]
_Value = TypeVar("_Value", bound=Hashable)
#: Keys of which the last so many are kept, and those of which a delta holds only what is new.
_KEPT = ("steps", "windows", "speed")
_LISTS = (*_KEPT, "tasks", "moves", "gone", "dropped")


class ViewState:
    """A recording as its view shows it."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._origin = header.started
        self._current: Service | None = None
        self._updater = UpdateTracker()
        self._speed = Speed(header.started)
        self._numbers: dict[str, int] = {}
        self._tasks: dict[str, Task] = {}
        self._entries: dict[int, list[Any]] = {}
        self._moves: dict[int, list[list[Any]]] = {}
        self._listed: set[str] = set()
        self._forgotten: deque[str] = deque()
        self._gone: dict[int, int] = {}
        self._next_number = 0
        self._tags: dict[str, int] = {}
        self._past: set[str] = set()
        self._images: dict[tuple[str, int], int] = {}
        self._nodes: dict[str, int] = {}
        self._kinds: dict[tuple[str, str, str], int] = {}
        self._running: dict[str, tuple[str, datetime]] = {}
        #: Since when an update goes on that keeps the image, and the running tasks that it made.
        self._renewing: datetime | None = None
        self._renewed: set[str] = set()
        self._alive: set[str] = set()
        self._leaving: set[str] = set()
        self._lost: dict[str, Task] = {}
        self._counts: Counter[str] = Counter()
        self._kept = {key: deque[list[Any]](maxlen=MOST_POINTS) for key in _KEPT}
        self._phases: list[list[Any]] = []
        self._marks: list[tuple[int, str]] = []
        self._gaps: list[list[Any]] = []
        self._focus = Focus()
        self._end: Json | None = None
        self._new: dict[str, list[Any]] = {key: [] for key in _LISTS}
        self._sent: Json = {}

    # ---- applying changes ------------------------------------------------------------

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply further changes of the recording, in its order."""
        for change in changes:
            self._updater.apply(change)
            match change:
                case TaskSeen(at=at, task=task):
                    self._apply_task(at, task)
                case TaskForgotten(at=at, id=task_id):
                    self._forget(at, task_id)
                case ServiceSeen(at=at, service=service):
                    self._apply_service(at, service)
                case ServiceRemoved(at=at):
                    self._current = None
                    self._phase(at, *_REMOVED)
                case HashesSeen():
                    points = self._speed.take(change)
                    self._add(
                        "speed", [[self._ms(at), rate and round(rate, 2)] for at, rate in points]
                    )
                case Marked(of=of, label=label):
                    self._happened(of)
                    self._marks = sorted([*self._marks, (self._ms(of), plain(label))])
                case Ended(at=at, why=why):
                    self.end(at, why)
                case Gap() | Back():
                    self._apply_silence(change)
        self._apply_windows()

    def _apply_silence(self, change: Gap | Back) -> None:
        """Note that the engine stopped answering, or answers again."""
        self._happened(change.at)
        if self._gaps and (isinstance(change, Back) or self._gaps[-1][1] is None):
            self._gaps[-1] = [self._gaps[-1][0], self._ms(change.at), self._gaps[-1][2]]
        if isinstance(change, Gap):
            self._gaps.append([self._ms(change.at), None, plain(change.reason)])

    @property
    def _going(self) -> bool:
        """Whether an update is going on, or the engine does not say."""
        updating = bool(self._phases) and self._phases[-1][1] not in _AT_REST
        return updating or (bool(self._gaps) and self._gaps[-1][1] is None)

    def _happened(self, at: datetime) -> None:
        self._focus.note(self._ms(at), going=self._going)

    def table(self, now: datetime) -> list[tuple[Task, ps.Row]]:
        """Return the tasks that the manager lists, and their rows in `docker service ps`."""
        tasks = {task_id[:12]: self._tasks[task_id] for task_id in self._listed}
        shown = ps.rows(tasks.values(), self._header.service, now)
        return [(tasks[row.id], row) for row in shown]

    def end(self, at: datetime, why: str, *, died: bool = False) -> None:
        """Say that nothing more will come: why, and whether the recorder died of it."""
        self._end = {"at": self._ms(at), "why": plain(why), "died": died}

    def _apply_task(self, at: datetime, task: Task) -> None:
        if task.id not in self._numbers:
            self._numbers[task.id] = self._next_number
            self._moves[self._next_number] = []
            self._next_number += 1
        self._note_tag(at, task)
        self._tasks[task.id] = task
        self._listed.add(task.id)
        if self._gone.pop(self._numbers[task.id], None) is not None:
            self._entries.pop(self._numbers[task.id])  # it is listed again, so the delta has it
        self._enter(task)
        self._move(at, task)
        self._count(task)
        self._step(at)

    def _note_tag(self, at: datetime, task: Task) -> None:
        over, tag = task.ended and not self._ms(at), self._tag(task)
        if over and tag not in self._tags:
            self._past.add(tag)
        elif not over:
            self._past.discard(tag)
        self._tags.setdefault(tag, len(self._tags))

    def _tag(self, task: Task) -> str:
        return task.tag if task.tag in self._tags or len(self._tags) < MOST_TAGS else OTHERS

    def _enter(self, task: Task) -> None:
        number = self._numbers[task.id]
        entry = self._entry(number, task)
        if self._entries.get(number) != entry:
            self._entries[number] = entry
            self._new["tasks"].append(entry)

    def _entry(self, number: int, task: Task) -> list[Any]:
        before = self._updater.before(task.id)
        tag = self._tags[self._tag(task)]
        image = plain(references.without_digest(task.image)), tag
        return [
            number,
            task.id,
            group_of(task),
            self._signed_ms(task.created_at),
            _place(self._images, image, (OTHERS, tag)),
            _place(self._nodes, plain(task.node or task.node_id), OTHERS),
            plain(task.ports),
            self._updater.cause(task.id),
            self._numbers.get(before) if before else None,
        ]

    def _move(self, at: datetime, task: Task) -> None:
        number = self._numbers[task.id]
        kind = task.state, task.desired_state, stage(task)
        others = OTHERS, OTHERS, kind[-1]
        what: list[Any] = [_place(self._kinds, kind, others), self._signed_ms(task.status_at)]
        given_up = [plain(task.message)] if task.state == "orphaned" else []
        if task.error or task.exit_code or given_up:
            what += [plain(task.error), task.exit_code, *given_up]
        moves = self._moves[number]
        if not moves or moves[-1][2:] != what:
            moves.append([number, self._ms(at), *what])
            if self._ms(at):  # the first poll shows what had happened before
                self._happened(at)
            self._new["moves"].append(moves[-1])

    def _count(self, task: Task) -> None:
        self._count_out(task.id)
        if task.lost:
            self._lost[task.id] = task
        elif not task.ended:
            self._alive.add(task.id)
        if phases.leaving(task):
            self._leaving.add(task.id)
        if task.running:
            tag = self._tag(task)
            self._running[task.id] = tag, task.created_at
            self._counts[tag] += 1
            if self._is_renewed(task.id):
                self._renewed.add(task.id)

    def _count_out(self, task_id: str) -> None:
        self._alive.discard(task_id)
        self._leaving.discard(task_id)
        self._renewed.discard(task_id)
        self._lost.pop(task_id, None)
        ran = self._running.pop(task_id, None)
        if ran is not None:
            self._counts[ran[0]] -= 1

    def _forget(self, at: datetime, task_id: str) -> None:
        self._count_out(task_id)
        self._step(at)
        if task_id not in self._listed:
            return
        self._listed.discard(task_id)
        self._gone[self._numbers[task_id]] = self._ms(at)
        self._new["gone"].append([self._numbers[task_id], self._ms(at)])
        self._forgotten.append(task_id)
        if len(self._forgotten) > MOST_FORGOTTEN:
            self._drop(self._forgotten.popleft())

    def _drop(self, task_id: str) -> None:
        if task_id in self._listed:  # the manager listed it again
            return
        number = self._numbers.pop(task_id, None)
        if number is None:
            return
        for kept in (self._entries, self._moves, self._gone):
            del kept[number]
        del self._tasks[task_id]
        self._new["dropped"].append(number)

    def _apply_service(self, at: datetime, service: Service) -> None:
        status = service.update_status
        state, message = (status.state, status.message) if status else ("", "")
        before = self._current.update_status if self._current else None
        if not self._phases or (status and status.key) != (before and before.key):
            if phases.overtaken(before, status):
                self._phases[-1][3] += f" {phases.meaning('overtaken')}"
            known = state or ("changed" if self._phases else "")
            meaning = phases.meaning(known, plain(service.tag))
            self._phase(at, state, plain(message), meaning)
        self._current = service
        self._renewing = phases.renewing(service)
        self._renewed = set(filter(self._is_renewed, self._running))

    def _is_renewed(self, task_id: str) -> bool:
        if self._current is None or self._renewing is None:
            return False
        tag, made = self._running[task_id]
        return tag == self._current.tag and made >= self._renewing

    def _phase(self, at: datetime, state: str, message: str, meaning: str) -> None:
        if self._phases or state not in _AT_REST:
            self._happened(at)
        band = band_of(state, first=not self._phases)
        self._phases.append([self._ms(at), state, message, meaning, *band])

    def _step(self, at: datetime) -> None:
        counts = [self._counts[tag] for tag in self._tags]
        steps = self._kept["steps"]
        moment, before = steps[-1] if steps else (None, [])
        if steps and before + [0] * (len(counts) - len(before)) == counts:
            return
        if moment == self._ms(at):
            steps.pop()
            if self._new["steps"]:
                self._new["steps"].pop()
        self._add("steps", [[self._ms(at), counts]])

    def _apply_windows(self) -> None:
        for task_id in self._updater.explained_anew():
            if task_id in self._tasks:
                self._enter(self._tasks[task_id])
        windows = [
            [self._numbers[window.task], *map(self._ms, (window.start, *window.until))]
            for window in self._updater.new_windows()
            if window.task in self._numbers
        ]
        self._add("windows", windows)

    def _add(self, key: str, new: list[list[Any]]) -> None:
        self._kept[key].extend(new)
        self._new[key] += new

    # ---- giving it as JSON ---------------------------------------------------------

    def delta(self) -> Json:
        """Return what changed since the last call; an empty `dict` if nothing did."""
        delta: Json = {key: new for key, new in self._new.items() if new}
        self._new = {key: [] for key in _LISTS}
        sent, self._sent = self._sent, self._small()
        return delta | {k: new for k, new in self._sent.items() if k not in sent or sent[k] != new}

    def full(self) -> Json:
        """Return everything as of the last `delta()`, for a page that has nothing yet.

        What was applied since then is in the next delta: call `delta()` first.
        """
        return {
            "service": plain(self._header.service),
            "engine": plain(self._header.engine),
            "badge": badge_of(self._header.provenance),
            "origin": round(self._origin.timestamp() * 1000),
            "tasks": list(self._entries.values()),
            "moves": [move for moves in self._moves.values() for move in moves],
            "gone": [list(each) for each in self._gone.items()],
            **{key: list(kept) for key, kept in self._kept.items()},
            **self._sent,
        }

    def _small(self) -> Json:
        """Return what is small enough to be sent in full whenever it changes."""
        looks = looks_of(self._tags).items()
        settling = self._updater.settling()
        budgets = list(self._updater.budgets())
        return {
            "tags": [[plain(tag, 60), *look] for tag, look in looks],
            "past": [self._tags[tag] for tag in sorted(self._past)],
            "images": [list(image) for image in self._images],
            "nodes": list(self._nodes),
            "kinds": [list(kind) for kind in self._kinds],
            "status": self._status(),
            "phases": list(self._phases),
            "settling": settling
            and {"delay": self._ms(settling.delay), "monitor": self._ms(settling.monitor)},
            "budget": self._budget(budgets[0]) if budgets else None,
            "rollback_budget": self._budget(budgets[1]) if len(budgets) > 1 else None,
            "marks": [list(mark) for mark in self._marks],
            "gaps": list(self._gaps),
            "focus": self._focus.shown(going=self._going),
            "end": self._end,
        }

    def _status(self) -> Json:
        service = self._current
        status = service.update_status if service else None
        counts = phases.Counts(
            running=self._running_now,
            leaving=len(self._leaving),
            left=len(self._alive),
            lost=tuple(self._lost.values()),
            nodes=self._updater.nodes,
        )
        back = status is not None and status.state.startswith("rollback")
        config = service and (service.rollback_config if back else service.update_config)
        return {
            "state": status.state if status else "",
            "sentence": plain(phases.sentence(service, counts)) if self._phases else _NOTHING,
            "message": plain(status.message) if status else "",
            "wanted": service.replicas if service else None,
            "config": config and _config(config),
        }

    @property
    def _running_now(self) -> int:
        if self._current is None:
            return 0
        return len(self._renewed) if self._renewing else self._counts[self._current.tag]

    def _budget(self, budget: Budget) -> Json:
        """Return how many new tasks failed, and how many may before `action` is taken.

        `missed` ended and were not counted (`uncounted` has the first of them); `watched`
        is false if Swarm does not count; `words` say all that in sentences.
        """
        status = self._current and self._current.update_status
        missed = [self._numbers[each] for each in budget.missed if each in self._numbers]
        return {
            "of": budget.of,
            "title": "Failures of the rollback" if budget.of == "rollback" else "Failures",
            "words": budget_words(budget, status.state if status else ""),
            "failures": budget.failures,
            "tolerated": budget.tolerated,
            "action": budget.config.failure_action,
            "ratio": budget.config.max_failure_ratio,
            "missed": len(budget.missed),
            "uncounted": missed[:MOST_UNCOUNTED],
            "watched": budget.watched,
        }

    def _ms(self, at: datetime) -> int:
        """Return a time in ms since the recording began; its first poll came just before."""
        return max(0, self._signed_ms(at))

    def _signed_ms(self, at: datetime) -> int:
        return round((at - self._origin) / _MS)


def _place(known: dict[_Value, int], value: _Value, others: _Value) -> int:
    """Return the place of a value in a list of all different ones, or of those too many."""
    found = value if value in known or len(known) < MOST_NAMES else others
    return known.setdefault(found, len(known))


def _config(config: UpdateConfig) -> Json:
    lengths = {"delay_ms": round(config.delay / _MS), "monitor_ms": round(config.monitor / _MS)}
    names = ("parallelism", "failure_action", "max_failure_ratio", "order")
    return {name: getattr(config, name) for name in names} | lengths
