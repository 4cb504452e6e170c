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
from swarmsim.engine.log_reader import Reader, Wish
from swarmsim.engine.logs import Line
from swarmsim.go.errors import ApiError
from swarmsim.go.times import fixed_stamp, moment
from swarmsim.model import Task

routes = Routes()

_STREAM_NUMBERS = {"stdout": 1, "stderr": 2}
_NO_STREAM = "Bad parameters: you must choose at least one stream"


def _wish(call: Call, *, of_container: bool = False) -> Wish:
    streams = frozenset(name for name in ("stdout", "stderr") if call.flag(name))
    if not streams:
        raise ApiError(400 if of_container else 500, _NO_STREAM)
    return Wish(
        streams=streams,
        follow=call.flag("follow"),
        timestamps=call.flag("timestamps"),
        details=call.flag("details"),
    )


@routes.get("/services/{id}/logs")
async def of_service(call: Call) -> None:
    """`docker service logs`, of all the service's tasks that have a container."""
    wish = _wish(call)
    engine = call.engine
    engine.manager()
    service = find_service(engine, call.path["id"])
    wish = _with_limits(call, wish)
    tty = bool(service.template["ContainerSpec"].get("TTY"))
    await _send(call, wish, engine.cluster.tasks_of(service.id), tty=tty, service=service.id)


@routes.get("/tasks/{id}/logs")
async def of_task(call: Call) -> None:
    """`docker service logs` of one task."""
    wish = _wish(call)
    call.engine.manager()
    task = find_task(call.engine, call.path["id"])
    await _send(call, _with_limits(call, wish), [task], tty=bool(task.container.get("TTY")))


@routes.get("/containers/{id}/logs")
async def of_container(call: Call) -> None:
    """`docker logs`."""
    wish = _wish(call, of_container=True)
    container = find_container(call.engine, call.path["id"])
    wish = _with_limits(call, wish, lenient=True)
    tty = bool(container.task.container.get("TTY"))
    await _send(call, wish, [container.task], tty=tty, names_swarm=False)


def _with_limits(call: Call, wish: Wish, *, lenient: bool = False) -> Wish:
    """Add `since`, `until` and `tail`; of a container's, a bad `tail` means everything."""
    prefix = "" if lenient else "could not parse since timestamp: "
    since = moment(call.query.get("since", ""), prefix)
    until = moment(call.query.get("until", "")) if lenient else None
    tail = _tail(call.query.get("tail", ""), lenient=lenient)
    return replace(wish, since=since or 0, until=until or None, tail=tail)


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
    wish: Wish,
    tasks: list[Task],
    *,
    tty: bool,
    service: str = "",
    names_swarm: bool = True,
) -> None:
    await call.stream("")
    with Reader(call.engine, wish, service) as reader:
        async for output in reader.outputs(tasks):
            details = _details(output.task) if names_swarm else {}
            await call.write(_framed(output.line, wish, details, tty=tty))


def _details(task: Task) -> Mapping[str, str]:
    about = {"node": task.node_id, "service": task.service_id, "task": task.id}
    return {f"com.docker.swarm.{what}.id": value for what, value in about.items()}


def _framed(line: Line, wish: Wish, details: Mapping[str, str], *, tty: bool) -> bytes:
    data = line.data
    if wish.details:
        pairs = [f"{quote_plus(key)}={quote_plus(details[key])}" for key in sorted(details)]
        data = ",".join(pairs).encode() + b" " + data
    if wish.timestamps:
        data = fixed_stamp(line.at).encode() + b" " + data
    if tty:
        return data
    return struct.pack(">BxxxI", _STREAM_NUMBERS[line.stream], len(data)) + data
