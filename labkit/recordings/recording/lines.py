"""A recording as JSON Lines: the lines of its file, written and read.

The first line is the header, every other line one change, written as it happens, so that a
killed process loses at most a torn last line.

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
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from labkit.base.errors import RecordingProblem
from labkit.recordings.recording.changes import KINDS, Change, Header, ServiceSeen, TaskSeen
from labkit.recordings.values import (
    Availability,
    Node,
    Provenance,
    RollbackConfig,
    Service,
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

#: Raised whenever an older reader would misread a newer file.
SCHEMA = 1
#: Nothing that a swarm does is from another time, and views draw seconds around it.
_YEARS = range(1970, 9000)
#: What reading a line may raise that a recorder did not write.
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,  # the last hour of the year 9999, moved to UTC
    RecursionError,  # a thousand brackets
)


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


def read_header(path: Path, line: bytes) -> Header:
    """Return the header in the first line of a file. Raises `RecordingProblem` if it has none."""
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
    except UNREADABLE:
        raise RecordingProblem(
            f"a recording at {path}.",
            "a file whose first line is not a recording's header." if line else "an empty file.",
            "give the path of a file that `labkit record -o FILE` wrote.",
        ) from None


def change_from(row: dict[str, Any]) -> Change | None:
    """Return the change that a line holds; `None` for a kind this reader does not know."""
    at = _time(row["at"])
    match row["kind"]:
        case TaskSeen.kind:
            return TaskSeen(at, _read_fields(Task, row))
        case ServiceSeen.kind:
            return ServiceSeen(at, _read_fields(Service, {"update_status": None} | row))
        case kind:
            return _read_fields(KINDS[kind], row) if kind in KINDS else None


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
