"""What a live view shows, and what of it changed since the last time. Pure.

A `Picture` takes the changes of a recording, one after another, and gives them as JSON:
`whole()` is all that a page needs to draw it, `news()` only what changed since the last
news. Rows are worked out again for the slots that something happened in, so that an
update costs as much as what changed, not as much as the service is large.

| key       | what                                                                       |
|-----------|----------------------------------------------------------------------------|
| `service` | its name                                                                   |
| `origin`  | when the recording began, in ms since 1970; each `at` is in ms since then  |
| `tags`    | `[tag, colour, pattern]` in the order in which the tags were first seen    |
| `steps`   | `[at, [running replicas of each tag]]`; a later one of the same `at` wins  |
| `rows`    | `[id, group, created, name, image, node, desired, state, since, error,     |
|           | ports, number of the tag, whole error]`; the page orders them by group,    |
|           | then the newest first, and adds the age (these times are ms since 1970)    |
| `gone`    | in news: the ids of rows that are no longer there                          |
| `status`  | `state`, `sentence`, Docker's `message`, `wanted` replicas                 |
| `marks`   | `[at, update state]`: when the update status changed                       |
| `gaps`    | `[from, to or null, reason]`: when the engine did not answer               |
| `end`     | null, or `at`, `why`, `died`                                               |

Every text in it has been through `words.plain`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from labkit import phases, ps
from labkit.model import Service, Task, UpdateStatus
from labkit.recording import (
    Back,
    Change,
    Ended,
    Gap,
    Header,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.views.looks import LOOKS, looks_of
from labkit.views.words import plain

#: Steps of the chart that are kept; the oldest go first. A crash loop makes two a second.
MOST_STEPS = 5000

Json = dict[str, Any]
#: Rows belong together that `docker service ps` gives one name: a slot, or a global task's node.
Group = int | str


class Picture:
    """A recording as its live view shows it."""

    def __init__(self, header: Header) -> None:
        self._name = header.service
        self._origin = header.started
        self._current: Service | None = None
        self._groups: dict[Group, dict[str, Task]] = {}
        self._group_of: dict[str, Group] = {}
        self._rows: dict[Group, dict[str, list[Any]]] = {}
        self._tags: dict[str, int] = {}
        self._running: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._steps: deque[list[Any]] = deque(maxlen=MOST_STEPS)
        self._marks: list[list[Any]] = []
        self._gaps: list[list[Any]] = []
        self._end: Json | None = None
        self._dirty: set[Group] = set()
        self._new_steps = 0
        self._sent: Json = {}

    # ---- taking changes ------------------------------------------------------------

    def take(self, changes: Iterable[Change]) -> None:
        """Take further changes of the recording, in its order."""
        for change in changes:
            match change:
                case TaskSeen(task=task):
                    self._take_task(task)
                    self._step(change.at)
                case TaskForgotten(id=task_id):
                    self._forget(task_id)
                    self._step(change.at)
                case ServiceSeen(service=service):
                    self._take_service(change.at, service)
                case ServiceRemoved():
                    self._current = None
                case Gap(reason=reason):
                    self._gaps.append([self._ms(change.at), None, plain(reason)])
                case Back() if self._gaps:
                    self._gaps[-1] = [self._gaps[-1][0], self._ms(change.at), self._gaps[-1][2]]
                case Ended(why=why):
                    self.end(change.at, why)

    def end(self, at: datetime, why: str, *, died: bool = False) -> None:
        """Say that nothing more will come: why, and whether the recorder died of it."""
        self._end = {"at": self._ms(at), "why": plain(why), "died": died}

    def _take_task(self, task: Task) -> None:
        group: Group = task.slot if task.slot is not None else task.node_id
        before = self._group_of.get(task.id)
        if before is not None and before != group:  # a global task has got its node
            self._forget(task.id)
        self._group_of[task.id] = group
        self._groups.setdefault(group, {})[task.id] = task
        self._dirty.add(group)
        self._tags.setdefault(task.tag, len(self._tags))
        self._stopped(task.id)
        if task.running:
            self._running[task.id] = task.tag
            self._counts[task.tag] += 1

    def _stopped(self, task_id: str) -> None:
        tag = self._running.pop(task_id, None)
        if tag is not None:
            self._counts[tag] -= 1

    def _forget(self, task_id: str) -> None:
        self._stopped(task_id)
        group = self._group_of.pop(task_id, None)
        if group is not None:
            del self._groups[group][task_id]
            self._dirty.add(group)

    def _take_service(self, at: datetime, service: Service) -> None:
        before = self._current.update_status if self._current else None
        status = service.update_status
        # what was over when the recording began happened at no moment of it
        over = self._current is None and status is not None and status.settled
        # one update may follow another so fast that both are seen in one state
        if status and not over and (before is None or _phase(status) != _phase(before)):
            self._marks.append([self._ms(at), status.state])
        self._current = service

    def _step(self, at: datetime) -> None:
        counts = [self._counts[tag] for tag in self._tags]
        moment, before = self._steps[-1] if self._steps else (None, [])
        if self._steps and before + [0] * (len(counts) - len(before)) == counts:
            return
        if moment == self._ms(at):
            self._steps.pop()
            self._new_steps = max(self._new_steps - 1, 0)
        self._steps.append([self._ms(at), counts])
        self._new_steps = min(self._new_steps + 1, MOST_STEPS)

    # ---- giving it as JSON ---------------------------------------------------------

    def news(self) -> Json:
        """Return what changed since the last call; an empty `dict` if nothing did."""
        rows, gone = self._refresh_rows()
        news: Json = {"rows": rows} if rows else {}
        if gone:
            news["gone"] = gone
        if self._new_steps:
            news["steps"] = list(self._steps)[-self._new_steps :]
            self._new_steps = 0
        small = self._small()
        news |= {
            key: value
            for key, value in small.items()
            if key not in self._sent or self._sent[key] != value
        }
        self._sent = small
        return news

    def whole(self) -> Json:
        """Return everything as of the last `news()`, for a page that has nothing yet."""
        steps = list(self._steps)
        return {
            "service": plain(self._name),
            "origin": self._origin.timestamp() * 1000,
            "steps": steps[: len(steps) - self._new_steps],
            "rows": [row for group in self._rows.values() for row in group.values()],
            **self._sent,
        }

    def _small(self) -> Json:
        """Return what is small enough to be sent whole whenever it changes."""
        looks = looks_of(self._tags)
        return {
            "tags": [
                [plain(tag, 60), LOOKS[looks[tag]].colour, LOOKS[looks[tag]].pattern]
                for tag in self._tags
            ],
            "status": self._status(),
            "marks": list(self._marks),
            "gaps": list(self._gaps),
            "end": self._end,
        }

    def _status(self) -> Json:
        service = self._current
        status = service.update_status if service else None
        tasks = [task for group in self._groups.values() for task in group.values()]
        return {
            "state": status.state if status else "",
            "sentence": plain(phases.describe(service, tasks)),
            "message": plain(status.message) if status else "",
            "wanted": service.replicas if service else None,
        }

    def _refresh_rows(self) -> tuple[list[list[Any]], list[str]]:
        """Work out the rows of the groups in which something happened."""
        changed: list[list[Any]] = []
        gone: list[str] = []
        for group in self._dirty:
            old = self._rows.get(group, {})
            new = {row[0]: row for row in self._rows_of(group)}
            changed += [row for key, row in new.items() if old.get(key) != row]
            gone += [key for key in old if key not in new]
            self._rows[group] = new
        self._dirty.clear()
        return changed, gone

    def _rows_of(self, group: Group) -> list[list[Any]]:
        """Return the rows of one name, as `docker service ps | grep -v …` shows them."""
        tasks = sorted(self._groups[group].values(), key=lambda task: task.created_at, reverse=True)
        shown = []
        for task, row in zip(tasks, ps.rows(tasks, self._name, self._origin), strict=True):
            if not ps.without_clean_history([row]):
                continue
            words = (row.name, row.image, row.node, row.desired_state)
            shown.append(
                [
                    task.id,
                    group,
                    _epoch(task.created_at),
                    *map(plain, words),
                    plain(task.state.capitalize()),
                    _epoch(task.status_at),
                    plain(row.error),
                    plain(row.ports),
                    self._tags[task.tag],
                    plain(task.error),
                ]
            )
        return shown

    def _ms(self, at: datetime) -> int:
        """Return a time in ms since the recording began; its first look came just before."""
        return max(0, round((at - self._origin).total_seconds() * 1000))


def _phase(status: UpdateStatus) -> tuple[str, datetime | None]:
    return status.state, status.started_at


def _epoch(at: datetime) -> int:
    return round(at.timestamp() * 1000)
