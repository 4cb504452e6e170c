"""`docker service logs`, `docker logs`: output of containers, with eight bytes before each line.

A header of eight bytes says which stream a line was written to and how long it is; there is
none if the container has a terminal.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote_plus

from swarmsim.api.http import Call, Routes
from swarmsim.api.routes.containers import find_container
from swarmsim.api.routes.services import find_service
from swarmsim.api.routes.tasks import find_task
from swarmsim.engine.log_reader import LogQuery, Reader
from swarmsim.go.errors import ApiError
from swarmsim.go.times import fixed_stamp, moment
from swarmsim.model import Task
from swarmsim.runtime.logs import Line

routes = Routes()

_STREAM_NUMBERS = {"stdout": 1, "stderr": 2}
_NO_STREAM = "Bad parameters: you must choose at least one stream"


def _query(call: Call, *, of_container: bool = False) -> LogQuery:
    streams = frozenset(name for name in ("stdout", "stderr") if call.flag(name))
    if not streams:
        raise ApiError(400 if of_container else 500, _NO_STREAM)
    return LogQuery(
        streams=streams,
        follow=call.flag("follow"),
        timestamps=call.flag("timestamps"),
        details=call.flag("details"),
    )


@routes.get("/services/{id}/logs")
async def of_service(call: Call) -> None:
    """`docker service logs`, of all the service's tasks that have a container."""
    query = _query(call)
    engine = call.engine
    service = find_service(engine, call.path["id"])
    query = _with_limits(call, query)
    tty = bool(service.template["ContainerSpec"].get("TTY"))
    await _send(call, query, engine.cluster.tasks_of(service.id), tty=tty, service=service.id)


@routes.get("/tasks/{id}/logs")
async def of_task(call: Call) -> None:
    """`docker service logs` of one task."""
    query = _query(call)
    task = find_task(call.engine, call.path["id"])
    await _send(call, _with_limits(call, query), [task], tty=bool(task.container.get("TTY")))


@routes.get("/containers/{id}/logs")
async def of_container(call: Call) -> None:
    """`docker logs`."""
    query = _query(call, of_container=True)
    container = find_container(call.engine, call.path["id"])
    query = _with_limits(call, query, lenient=True)
    tty = bool(container.task.container.get("TTY"))
    await _send(call, query, [container.task], tty=tty, names_swarm=False)


def _with_limits(call: Call, query: LogQuery, *, lenient: bool = False) -> LogQuery:
    """Add `since`, `until` and `tail`; of a container's, a bad `tail` means everything."""
    prefix = "" if lenient else "could not parse since timestamp: "
    since = moment(call.query.get("since", ""), prefix)
    until = moment(call.query.get("until", "")) if lenient else None
    tail = _tail(call.query.get("tail", ""), lenient=lenient)
    return replace(query, since=since or 0, until=until or None, tail=tail)


def _tail(text: str, *, lenient: bool) -> int | None:
    if text in {"", "all"}:
        return None
    if not text.removeprefix("-").isdecimal():
        if lenient:
            return None
        raise ApiError(500, 'tail value must be a positive integer or "all"')
    if int(text) < 0:
        if lenient:
            return None
        raise ApiError(500, "negative tail values not supported")
    return int(text)


async def _send(
    call: Call,
    query: LogQuery,
    tasks: list[Task],
    *,
    tty: bool,
    service: str = "",
    names_swarm: bool = True,
) -> None:
    await call.stream("")
    reader = Reader(call.engine, query, tasks, service)
    while True:
        for output in reader.read():
            details = _details(output.task) if names_swarm else {}
            await call.write(_framed(output.line, query, details, tty=tty))
        if reader.ended:
            return
        await call.wait()


def _details(task: Task) -> Mapping[str, str]:
    about = {"node": task.node_id, "service": task.service_id, "task": task.id}
    return {f"com.docker.swarm.{what}.id": value for what, value in about.items()}


def _framed(line: Line, query: LogQuery, details: Mapping[str, str], *, tty: bool) -> bytes:
    data = line.data
    if query.details:
        pairs = [f"{quote_plus(key)}={quote_plus(details[key])}" for key in sorted(details)]
        data = ",".join(pairs).encode() + b" " + data
    if query.timestamps:
        data = fixed_stamp(line.at).encode() + b" " + data
    if tty:
        return data
    return struct.pack(">BxxxI", _STREAM_NUMBERS[line.stream], len(data)) + data
