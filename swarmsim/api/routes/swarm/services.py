"""Services and tasks: `docker service create`, `ls`, `inspect`, `update`, `ps` and so on.

What a client sends of a login for the registry is not kept: the engine's own asks for none.
"""

from swarmsim.api.asking import asked, body_of, filters_of, find, go_bool, version
from swarmsim.api.documents.objects import service_json, service_status, task_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.routes.swarm.nodes import find_node
from swarmsim.api.specs import checks, specs, validation
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.states import TASK_STATES
from swarmsim.model import Service, Task

routes = Routes()


def find_service(engine: Engine, term: str) -> Service:
    """The service that a client means by an id, a name, or how an id begins."""
    engine.manager()
    return find(engine.cluster.services, term, "service", lambda service: service.name)


@routes.get("/services")
async def listed(call: Call) -> Answer:
    """`docker service ls`."""
    filters = filters_of(call, "name", "id", "label", "mode", "runtime", status=400)
    with_status = go_bool(call, "status")
    call.engine.manager()
    cluster = call.engine.cluster
    shown = []
    for _, service in sorted(cluster.services.items()):
        if _matches(service, filters):
            status = {"ServiceStatus": service_status(cluster, service)} if with_status else {}
            shown.append({**service_json(service), **status})
    return Answer(shown)


def _matches(service: Service, filters: Filters) -> bool:
    return (
        filters.prefix("name", service.name)
        and filters.prefix("id", service.id)
        and filters.swarm_labels("label", service.spec["Labels"])
        and filters.exact("mode", next(iter(service.spec["Mode"])).lower())
        and filters.exact("runtime", "container")
    )


@routes.post("/services/create")
async def create(call: Call) -> Answer:
    """`docker service create`."""
    parsed = await body_of(call, "swarm.ServiceSpec")
    engine = call.engine
    engine.manager()
    checks.resolve_networks(engine, parsed)
    spec = specs.stored(parsed)
    validation.check(spec)
    checks.no_attachment_to_ingress(engine, spec)
    checks.ports_are_free(engine, spec)
    checks.references_exist(engine, spec)
    checks.name_is_free(engine, spec["Name"])
    service = asked(engine.cluster.create_service, spec)
    unkept = engine.runtime.unkept(spec)
    return Answer({"ID": service.id, "Warnings": [unkept] if unkept else None}, 201)


@routes.get("/services/{id}")
async def inspect(call: Call) -> Answer:
    """`docker service inspect`."""
    defaults = go_bool(call, "insertDefaults")
    return Answer(service_json(find_service(call.engine, call.path["id"]), defaults=defaults))


@routes.post("/services/{id}/update")
async def update(call: Call) -> Answer:
    """`docker service update`, `scale` and `rollback`. What is wrong is said in moby's order."""
    parsed = await body_of(call, "swarm.ServiceSpec")
    of_version = version(call, "service")
    engine = call.engine
    engine.manager()
    checks.resolve_networks(engine, parsed)
    spec = specs.stored(parsed)
    service = find_service(engine, call.path["id"])
    rollback = _wants_rollback(call)
    validation.check(spec)
    checks.no_attachment_to_ingress(engine, spec)
    if spec.get("EndpointSpec") not in (None, service.spec.get("EndpointSpec")):
        checks.ports_are_free(engine, spec, service.id)
    checks.networks_moved(service, spec)
    checks.references_exist(engine, spec)
    asked(engine.cluster.update_service, service.id, of_version, spec, rollback=rollback)
    return Answer({"Warnings": None})


def _wants_rollback(call: Call) -> bool:
    rollback = call.query.get("rollback", "")
    if rollback not in {"", "none", "previous"}:
        raise ApiError(500, f"unrecognized rollback option {rollback}")
    return rollback == "previous"


@routes.delete("/services/{id}")
async def remove(call: Call) -> Answer:
    """`docker service rm`."""
    service = find_service(call.engine, call.path["id"])
    call.engine.cluster.remove_service(service.id)
    return Answer()


# ---- tasks ---------------------------------------------------------------------------

_TASK_KEYS = ("name", "id", "label", "service", "node", "desired-state", "_up-to-date", "runtime")


def find_task(engine: Engine, term: str) -> Task:
    """The task that a client means by an id, a name such as `web.1.ID`, or how an id begins."""
    engine.manager()
    return find(engine.cluster.tasks, term, "task", lambda task: task.name)


@routes.get("/tasks")
async def list_tasks(call: Call) -> Answer:
    """A list of tasks, sorted by id."""
    filters = filters_of(call, *_TASK_KEYS)
    engine = call.engine
    engine.manager()
    services = {find_service(engine, term).id for term in filters.get("service")}
    nodes = {find_node(engine, term).id for term in filters.get("node")}
    for wanted in filters.get("desired-state"):
        if wanted and wanted.lower() not in TASK_STATES:
            raise ApiError(500, f"Invalid desired-state filter: '{wanted}'")
    found = [
        task_json(task, engine.allocator, engine.networks)
        for _, task in sorted(engine.cluster.tasks.items())
        if (not services or task.service_id in services)
        and (not nodes or task.node_id in nodes)
        and _task_matches(engine, task, filters)
    ]
    return Answer(found)


def _task_matches(engine: Engine, task: Task, filters: Filters) -> bool:
    return (
        filters.prefix("name", task.name)
        and filters.prefix("id", task.id)
        and filters.swarm_labels("label", task.service_labels)
        and filters.word("desired-state", task.desired_state)
        and (not filters.get("runtime") or bool({"container", ""} & {*filters.get("runtime")}))
        and (not filters.get("_up-to-date") or engine.cluster.up_to_date(task))
    )


@routes.get("/tasks/{id}")
async def inspect_task(call: Call) -> Answer:
    """One task."""
    engine = call.engine
    task = find_task(engine, call.path["id"])
    return Answer(task_json(task, engine.allocator, engine.networks))
