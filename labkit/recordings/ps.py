"""Rows and tables as the docker command line prints them. Pure.

`docker service ps`, `docker stack ps`, `docker stack services` and `docker stack ls`,
byte for byte: the same columns, order, wording and padding. Read from docker/cli 28
(task/print.go, task/formatter.go, service/formatter.go, formatter/displayutils.go) and
compared with it on a real engine by `tests/recordings/test_ps.py`.

The one difference: a line break or a tab in an engine's error text is shown as a space,
so that a task stays one row.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from labkit.recordings.values import Task, image_of
from swarmsim.go import durations, references

TASK_HEADER = ("ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS")
SERVICE_HEADER = ("ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS")
STACK_HEADER = ("NAME", "SERVICES")

_SHORT_ID = 12
_ERROR_COLUMNS = 30
_LEAST_COLUMN = 10
_GAP = 3
_LINEAGE = " \\_ "
_DIGITS = re.compile(r"([0-9]+)")
_CLEAN_HISTORY = re.compile(r"Shutdown.*Shutdown")
_ONE_LINE = str.maketrans("\n\r\t\v\f", "     ")


class Row(NamedTuple):
    """One task as `docker service ps` shows it. Text, ready to be shown."""

    id: str
    #: `dc_worker.1`, or ` \\_ dc_worker.1` for an older task of the same slot.
    name: str
    image: str
    node: str
    desired_state: str
    #: The state and its age: `Running 5 seconds ago`.
    current_state: str
    #: The engine's error in double quotes, cut to 30 columns; `""` without one.
    error: str
    ports: str


def rows(
    tasks: Iterable[Task],
    names: Mapping[str, str] | str,
    now: datetime,
    *,
    no_trunc: bool = False,
) -> list[Row]:
    """Return the rows that `docker service ps` prints for these tasks, in its order.

    `names` is the name of the service, or the name of each service's id; a service that
    is gone goes by its id. `no_trunc` is docker's `--no-trunc`.
    """
    named = [(_task_name(task, names), task) for task in tasks]
    named.sort(key=lambda each: each[1].created_at, reverse=True)
    named.sort(key=lambda each: natural_key(each[0]))
    shown = []
    previous = None
    for name, task in named:
        label = _LINEAGE + name if name == previous else name
        shown.append(_row(task, label, now, no_trunc=no_trunc))
        previous = name
    return shown


def without_clean_history(shown: Iterable[Row]) -> list[Row]:
    """Return the rows that `grep -v Shutdown.*Shutdown` keeps.

    grep sees the printed line and knows nothing of columns: it drops the tasks that were
    to be shut down and did so cleanly, and would drop any other line that says
    "Shutdown" twice. Failed and rejected tasks stay.
    """
    return [row for row in shown if not _CLEAN_HISTORY.search(" ".join(row))]


def service_row(service: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what `docker stack services` shows of a service that was listed with its status."""
    spec = service["Spec"]
    return (
        service["ID"][:_SHORT_ID],
        spec["Name"],
        _mode(spec),
        _replicas(spec, service.get("ServiceStatus") or {}),
        references.without_digest(image_of(spec)),
        _mesh_ports(service.get("Endpoint", {}).get("Ports") or ()),
    )


def write(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table as docker pads it: columns of at least ten, three blanks between.

    The last column is not padded: where it is empty, the line ends in the blanks before it. The
    text has no line break at its end.
    """
    cells = [header, *lines]
    widths = [
        max(_LEAST_COLUMN, *(_columns(line[i]) + _GAP for line in cells))
        for i in range(len(header) - 1)
    ]
    return "\n".join(
        "".join(
            cell + " " * (width - _columns(cell))
            for cell, width in zip(line[:-1], widths, strict=True)
        )
        + line[-1]
        for line in cells
    )


def natural_key(name: str) -> list[tuple[int, int, int] | tuple[int, str]]:
    """Return a key that sorts as docker does: `web.2` before `web.10`.

    Runs of digits count as numbers and come before other characters; of two equal
    numbers the one with fewer leading zeros comes first (github.com/fvbommel/sortorder).
    That last rule is why this is not natsort, for which `web1` and `web01` are equal.
    """
    key: list[tuple[int, int, int] | tuple[int, str]] = []
    for part in _DIGITS.split(name):
        if part.isdecimal() and part.isascii():
            key.append((0, int(part), len(part)))
        else:
            key.extend((1, character) for character in part)
    return key


def age(length: timedelta) -> str:
    """Return a length of time as `docker service ps` has it, in lower case."""
    return durations.in_words(length.total_seconds()).lower()


def _task_name(task: Task, names: Mapping[str, str] | str) -> str:
    service = names if isinstance(names, str) else names.get(task.service_id, task.service_id)
    return f"{service}.{task.slot or task.node_id}"


def _row(task: Task, name: str, now: datetime, *, no_trunc: bool) -> Row:
    error = task.error.translate(_ONE_LINE)
    if not no_trunc:
        error = _cut(error, _ERROR_COLUMNS)
    return Row(
        id=task.id if no_trunc else task.id[:_SHORT_ID],
        name=name,
        image=task.image if no_trunc else references.without_digest(task.image),
        node=task.node or task.node_id,
        desired_state=task.desired_state.capitalize(),
        current_state=f"{task.state.capitalize()} {age(now - task.status_at)} ago",
        error=f'"{error}"' if error else "",
        ports=task.ports,
    )


def _cut(text: str, columns: int) -> str:
    if _columns(text) <= columns:
        return text
    kept = text
    while _columns(kept) > columns - 1:
        kept = kept[:-1]
    return kept + "…"


def _columns(text: str) -> int:
    """Return how many columns a terminal needs for a text; East Asian letters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _mode(spec: Mapping[str, Any]) -> str:
    names = {
        "Global": "global",
        "Replicated": "replicated",
        "ReplicatedJob": "replicated job",
        "GlobalJob": "global job",
    }
    return next((names[mode] for mode in names if mode in spec.get("Mode", {})), "")


def _replicas(spec: Mapping[str, Any], status: Mapping[str, int]) -> str:
    running, desired = status.get("RunningTasks", 0), status.get("DesiredTasks", 0)
    completed = status.get("CompletedTasks", 0)
    counts = f"{running}/{desired}"
    mode = spec.get("Mode", {})
    if "ReplicatedJob" in mode:
        total = mode["ReplicatedJob"].get("TotalCompletions", 1)
        return f"{counts} ({completed}/{total} completed)"
    if "GlobalJob" in mode:
        return f"{counts} ({completed}/{desired + completed} completed)"
    most = spec.get("TaskTemplate", {}).get("Placement", {}).get("MaxReplicas", 0)
    return f"{counts} (max {most} per node)" if most and "Replicated" in mode else counts


@dataclass(slots=True)
class _Span:
    published: tuple[int, int]
    target: tuple[int, int]
    protocol: str

    def takes(self, published: int, target: int, protocol: str) -> bool:
        """Whether the next port goes on where this span ends."""
        spread = self.target[0] != self.target[1]
        return (
            protocol == self.protocol
            and published - self.published[1] <= 1
            and 0 <= target - self.target[1] <= 1
            and not (spread and target <= self.target[1])
        )

    def __str__(self) -> str:
        return f"*:{_ends(self.published)}->{_ends(self.target)}/{self.protocol}"


def _mesh_ports(ports: Iterable[Mapping[str, Any]]) -> str:
    """Return the ports of the routing mesh as docker draws them together."""
    spans: list[_Span] = []
    for port in sorted(ports, key=lambda each: (each["Protocol"], each.get("PublishedPort", 0))):
        if port.get("PublishMode") != "ingress":
            continue
        published, target, protocol = port["PublishedPort"], port["TargetPort"], port["Protocol"]
        if spans and spans[-1].takes(published, target, protocol):
            spans[-1].published = (spans[-1].published[0], published)
            spans[-1].target = (spans[-1].target[0], target)
        else:
            spans.append(_Span((published, published), (target, target), protocol))
    return ", ".join(map(str, spans))


def _ends(span: tuple[int, int]) -> str:
    return f"{span[0]}-{span[1]}" if span[1] > span[0] else str(span[0])
