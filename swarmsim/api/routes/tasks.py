"""Tasks: `docker service ps`, `docker node ps`, `docker stack ps`."""

from __future__ import annotations

from swarmsim.api.asking import filters_of, find
from swarmsim.api.documents.objects import task_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.routes.nodes import find_node
from swarmsim.api.routes.services import find_service
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.states import TASK_STATES
from swarmsim.model import Task

routes = Routes()

_KEYS = ("name", "id", "label", "service", "node", "desired-state", "_up-to-date", "runtime")


def find_task(engine: Engine, term: str) -> Task:
    """The task that a client means by an id, a name such as `web.1.ID`, or how an id begins."""
    engine.manager()
    return find(engine.cluster.tasks, term, "task", lambda task: task.name)


@routes.get("/tasks")
async def listed(call: Call) -> Answer:
    """A list of tasks, sorted by id."""
    filters = filters_of(call, *_KEYS)
    engine = call.engine
    engine.manager()
    services = {find_service(engine, term).id for term in filters.get("service")}
    nodes = {find_node(engine, term).id for term in filters.get("node")}
    _check_desired_states(filters)
    found = [
        task
        for task in _candidates(engine, services)
        if (not nodes or task.node_id in nodes) and _matches(engine, task, filters)
    ]
    found.sort(key=lambda task: task.id)
    return Answer([task_json(task, engine.allocator, engine.networks) for task in found])


def _candidates(engine: Engine, services: set[str]) -> list[Task]:
    if services:
        return [task for service in services for task in engine.cluster.tasks_of(service)]
    return list(engine.cluster.tasks.values())


def _check_desired_states(filters: Filters) -> None:
    for wanted in filters.get("desired-state"):
        if wanted and wanted.lower() not in TASK_STATES:
            raise ApiError(500, f"Invalid desired-state filter: '{wanted}'")


def _matches(engine: Engine, task: Task, filters: Filters) -> bool:
    return (
        filters.prefix("name", task.name)
        and filters.prefix("id", task.id)
        and filters.swarm_labels("label", task.service_labels)
        and filters.word("desired-state", task.desired_state)
        and (not filters.get("runtime") or bool({"container", ""} & {*filters.get("runtime")}))
        and (not filters.get("_up-to-date") or engine.cluster.up_to_date(task))
    )


@routes.get("/tasks/{id}")
async def inspect(call: Call) -> Answer:
    """One task."""
    engine = call.engine
    task = find_task(engine, call.path["id"])
    return Answer(task_json(task, engine.allocator, engine.networks))
