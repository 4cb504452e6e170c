"""`docker service logs`, `docker logs`: output of containers, with eight bytes before each line.

A header of eight bytes says which stream a line was written to and how long it is; there is
none if the container has a terminal.
"""

import struct
from urllib.parse import quote_plus

from swarmsim.api import versions
from swarmsim.api.http import Call, Routes
from swarmsim.api.log_reader import LogQuery, Reader
from swarmsim.api.routes.containers import find_container
from swarmsim.api.routes.swarm.services import find_service, find_task
from swarmsim.go.errors import ApiError
from swarmsim.go.times import fixed_stamp, moment
from swarmsim.model import Task
from swarmsim.runtime.logs import Line

routes = Routes()

_STREAM_NUMBERS = {"stdout": 1, "stderr": 2}


@routes.get("/services/{id}/logs")
async def of_service(call: Call) -> None:
    """`docker service logs`, of all the service's tasks that have a container."""
    streams = _streams(call)
    service = find_service(call.engine, call.path["id"])
    tasks = call.engine.cluster.tasks_of(service.id)
    tty = bool(service.template["ContainerSpec"].get("TTY"))
    await _send(call, Reader(call.engine, _query(call, streams), tasks, service.id), tty=tty)


@routes.get("/tasks/{id}/logs")
async def of_task(call: Call) -> None:
    """`docker service logs` of one task."""
    streams = _streams(call)
    task = find_task(call.engine, call.path["id"])
    tty = bool(task.container.get("TTY"))
    await _send(call, Reader(call.engine, _query(call, streams), [task]), tty=tty)


@routes.get("/containers/{id}/logs")
async def of_container(call: Call) -> None:
    """`docker logs`. A bad `tail` means everything."""
    streams = _streams(call, status=400)
    task = find_container(call.engine, call.path["id"]).task
    if (task.spec.get("LogDriver") or {}).get("Name") == "none":
        raise ApiError(501, "configured logging driver does not support reading")
    since = moment(call.query.get("since", "")) or 0
    until = moment(call.query.get("until", "")) or None
    text = call.query.get("tail", "")
    tail = int(text) if text.isdecimal() else None
    query = LogQuery(streams, call.flag("follow"), since, until, tail)
    tty = bool(task.container.get("TTY"))
    await _send(call, Reader(call.engine, query, [task]), tty=tty, names_swarm=False)


def _streams(call: Call, status: int = 500) -> frozenset[str]:
    streams = frozenset(name for name in _STREAM_NUMBERS if call.flag(name))
    if not streams:
        raise ApiError(status, "Bad parameters: you must choose at least one stream")
    return streams


def _query(call: Call, streams: frozenset[str]) -> LogQuery:
    """What is asked of the logs of a service or a task, which know no `until`."""
    since = moment(call.query.get("since", ""), "could not parse since timestamp: ") or 0
    text, tail = call.query.get("tail", ""), None
    if text not in {"", "all"}:
        if not text.removeprefix("-").isdecimal():
            raise ApiError(500, 'tail value must be a positive integer or "all"')
        tail = int(text)
        if tail < 0:
            raise ApiError(500, "negative tail values not supported")
    return LogQuery(streams, call.flag("follow"), since, tail=tail)


async def _send(call: Call, reader: Reader, *, tty: bool, names_swarm: bool = True) -> None:
    await call.stream(versions.type_of_logs(call.version, tty=tty))
    while True:
        for task, line in reader.read():
            await call.write(_framed(call, task, line, tty=tty, names_swarm=names_swarm))
        if reader.ended:
            return
        await call.wait()


def _framed(call: Call, task: Task, line: Line, *, tty: bool, names_swarm: bool) -> bytes:
    data = line.data
    if call.flag("details"):
        ids = {"node": task.node_id, "service": task.service_id, "task": task.id}
        details = [f"com.docker.swarm.{what}.id={quote_plus(it)}" for what, it in ids.items()]
        data = (",".join(details) if names_swarm else "").encode() + b" " + data
    if call.flag("timestamps"):
        data = fixed_stamp(line.at).encode() + b" " + data
    if tty:
        return data
    return struct.pack(">BxxxI", _STREAM_NUMBERS[line.stream], len(data)) + data
