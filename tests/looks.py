"""Recordings that are written as text: what was seen, and at which second.

Each look has only what it sees anew; what it does not name is as it was.

>>> recorded({
...     0: ["service 1.0", "1.0-1..2"],
...     1: ["service 1.1 updating", "1.0-1 told shutdown", "1.1-1 ready told ready"],
...     3: ["1.0-1 shutdown", "1.1-1 running"],
... })

A service has its tag and, if it was updated, the state of that, the seconds at which that had
`begun` and `ended`, and after a colon Docker's message; or there is `no service`.

A task goes by its tag and slot (`1.0-1`, or `1.0-1..5` for five of them), with another id before
`=`. It runs, or is in the state that is named; it is told to run or else to shut down, or what
`told` says. It was `made`, and is in its state `since`, the second that is named, or that at which
it was first seen so; what is there at the first look, long before that. `forgotten 1.0-1` is
listed no more. `drained node-1` is a node that was drained; a task there has that `node_id`.

Other fields stand beside the text: `{"is": "1.1-1 failed", "exit_code": 1}`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labkit.recordings.recording import Recording
from labkit.recordings.values import Node, Service, Snapshot, Task
from tests import values
from tests.values import at

#: What is seen anew, by second.
Looks = Mapping[Any, list[Any]]

_TASKS = re.compile(r"(?:([\w-]+)=)?([\w.]+)-(\d+)(?:\.\.(\d+))?")
_STATUS = {"begun": "started_at", "ended": "completed_at"}
_TASK = {"made": "created_at", "since": "status_at"}


def recorded(looks: Looks, **service: Any) -> Recording:
    """Return a recording of some looks; `service` has fields that the service always has."""
    return values.recording(*snapshots(looks, **service))


def snapshots(looks: Looks, **service: Any) -> list[Snapshot]:
    """Return what each look saw, in their order."""
    seen = _Seen(service)
    return [seen.look(second, looks[second]) for second in sorted(looks)]


class _Seen:
    """What is there, as far as it was seen."""

    def __init__(self, always: dict[str, Any]) -> None:
        self._always = always
        self._service: Service | None = None
        self._tasks: dict[str, Task] = {}
        self._nodes: tuple[Node, ...] = ()
        self._first = True

    def look(self, second: float, anew: list[Any]) -> Snapshot:
        for each in anew:
            text, fields = (each["is"], each) if isinstance(each, dict) else (each, {})
            fields = {key: value for key, value in fields.items() if key != "is"}
            kind, _, rest = text.partition(" ")
            if text == "no service":
                self._service = None
            elif kind == "drained":
                self._nodes = (Node(id=rest, name=rest, availability="drain"),)
            elif kind == "service":
                self._service = self._asked(rest, fields)
            elif kind == "forgotten":
                for name, _, _ in _named(rest):
                    del self._tasks[name]
            else:
                for name, tag, slot in _named(kind):
                    state, said = _words(rest, _TASK)
                    self._see(
                        name, values.task(slot, tag, state or "running"), said | fields, second
                    )
        self._first = False
        tasks = tuple(self._tasks.values())
        return Snapshot(at=at(second), service=self._service, tasks=tasks, nodes=self._nodes)

    def _asked(self, text: str, fields: dict[str, Any]) -> Service:
        text, _, message = text.partition(": ")
        tag, _, rest = text.partition(" ")
        state, times = _words(rest, _STATUS)
        status = values.status(state, message=message, **times) if state else None
        return values.service(tag, **self._always | {"update_status": status} | fields)

    def _see(self, name: str, task: Task, said: dict[str, Any], second: float) -> None:
        known = self._tasks.get(name)
        made, since = (at(-60), at(-50)) if self._first else (at(second), at(second))
        made = known.created_at if known else made
        if known and known.state == task.state:
            since = known.status_at
        elif not known:
            since = said.get("created_at", since)
        times = {"created_at": made, "status_at": since}
        self._tasks[name] = replace(task, **{"id": name} | times | said)


def _named(text: str) -> Iterator[tuple[str, str, int]]:
    """The id, the tag and the slot of each task that a text names."""
    found = _TASKS.fullmatch(text)
    assert found, f"{text!r} names no task"
    name, tag, first, last = found.groups()
    for slot in range(int(first), int(last or first) + 1):
        yield name or f"{tag}-{slot}", tag, slot


def _words(text: str, times: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The state that a text names, if any, and the fields that it names."""
    state, fields = "", dict[str, Any]()
    words = iter(text.split())
    for word in words:
        if word in times:
            fields[times[word]] = at(float(next(words)))
        elif word == "told":
            fields["desired_state"] = next(words)
        else:
            assert not state, f"{text!r} has two states"
            state = word
    return state, fields
