"""Containers: `docker ps`, `inspect`, `kill`, `stop`, `wait`, `rm`. All of them are tasks'."""

from collections.abc import Callable

from swarmsim.api.asking import filters_of, find
from swarmsim.api.documents.inspection import container_json, listing_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.go import gojson, values
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.times import SECOND

routes = Routes()

_KEYS = ("health", "id", "label", "name", "status")
_KEYS_OF_DOCKER = (
    *("ancestor", "before", "exited", "expose", "isolation", "is-task", "network", "publish"),
    *("since", "volume"),
)
_WORDS = ("No such container: {0}", "Multiple IDs found with provided prefix: {0}")
_STATUSES = {"created", "restarting", "running", "removing", "paused", "exited", "dead"}


def find_container(engine: Engine, term: str) -> Container:
    """The container that a client means by an id, a name, or how an id begins."""
    known = engine.containers.by_id()
    return find(known, term.removeprefix("/"), "container", lambda it: it.name, _WORDS)


@routes.get("/containers/json")
async def listed(call: Call) -> Answer:
    """`docker ps`."""
    filters = filters_of(call, *_KEYS, also=_KEYS_OF_DOCKER)
    for status in filters.get("status"):
        if status not in _STATUSES:
            raise ApiError(400, f"Invalid filter 'status={status}'")
    engine = call.engine
    limit = call.query.get("limit", "")
    count = int(limit) if limit.isdecimal() else 0
    every = call.flag("all") or bool(count) or "status" in filters
    found = [
        container
        for container in engine.containers
        if (every or container.running) and _matches(container, filters)
    ]
    return Answer([listing_json(engine, it) for it in found[: count or None]])


def _matches(container: Container, filters: Filters) -> bool:
    return (
        filters.prefix("id", container.id)
        and (
            filters.pattern("name", container.name) or filters.pattern("name", f"/{container.name}")
        )
        and filters.has_labels("label", container.labels)
        and filters.exact("status", container.state)
        and filters.exact("health", container.health or "none")
    )


@routes.get("/containers/{id}/json")
async def inspect(call: Call) -> Answer:
    """`docker inspect`."""
    return Answer(container_json(call.engine, find_container(call.engine, call.path["id"])))


@routes.post("/containers/{id}/kill")
async def kill(call: Call) -> Answer:
    """`docker kill`."""
    text = call.query.get("signal", "") or "SIGKILL"
    number = values.signal_number(text)
    if number is None:
        raise ApiError(400, f"Invalid signal: {text}")
    cannot = f"Cannot kill container: {call.path['id']}"
    try:
        container = find_container(call.engine, call.path["id"])
    except ApiError as problem:
        raise ApiError(problem.status, f"{cannot}: {problem.message}") from None
    if not container.running:
        raise ApiError(409, f"{cannot}: Container {container.id} is not running")
    call.engine.containers.signal(container, number)
    return Answer(status=204)


@routes.post("/containers/{id}/stop")
async def stop(call: Call) -> Answer:
    """`docker stop`: the stop signal, then, after a time, SIGKILL. Swarm starts another task."""
    container = find_container(call.engine, call.path["id"])
    if not container.running:
        return Answer(status=304)
    seconds = call.query.get("t", "")
    patience = int(seconds) if seconds.isdecimal() else 10
    call.engine.containers.stop_by_hand(container)
    await _until(call, lambda: not container.running, seconds=patience)
    if container.running:
        call.engine.containers.signal(container, 9)
        await _until(call, lambda: not container.running)
    return Answer(status=204)


async def _until(call: Call, condition: Callable[[], bool], seconds: float | None = None) -> None:
    """Wait for a condition, or for so many seconds of the engine's time."""
    end = None if seconds is None else call.engine.now + int(seconds * SECOND)
    while not condition() and (end is None or call.engine.now < end):
        await call.wait(end)


@routes.post("/containers/{id}/wait")
async def wait(call: Call) -> None:
    """`docker wait`: the exit code, once there is one."""
    container = find_container(call.engine, call.path["id"])
    await call.stream("application/json")
    await _until(call, lambda: bool(container.finished_at))
    await call.write(gojson.dumps({"Error": None, "StatusCode": container.exit_code}) + b"\n")


@routes.delete("/containers/{id}")
async def remove(call: Call) -> Answer:
    """`docker rm`."""
    container = find_container(call.engine, call.path["id"])
    if container.running and not call.flag("force"):
        message = f"You cannot remove a running container {container.id}."
        advice = "Stop the container before attempting removal or force remove"
        raise ApiError(409, f"{message} {advice}")
    if container.running:
        call.engine.containers.signal(container, 9)
        await _until(call, lambda: not container.running, seconds=10)
    call.engine.containers.drop(container, and_volumes=call.flag("v"))
    return Answer(status=204)
