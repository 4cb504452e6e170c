"""Services: `docker service create`, `ls`, `inspect`, `update`, `rollback`, `scale`, `rm`."""

from __future__ import annotations

from typing import Any

from swarmsim.api.asking import asked, filters_of, find, go_bool, version
from swarmsim.api.documents.objects import service_json, service_status
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.specs import checks, specs, validation
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.shapes import read
from swarmsim.model import Service

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
    parsed = read(await call.json(), "swarm.ServiceSpec")
    engine = call.engine
    engine.manager()
    spec = _checked(engine, parsed)
    checks.no_attachment_to_ingress(engine, spec)
    checks.ports_are_free(engine, spec)
    checks.ingress_is_there(engine, spec)
    checks.references_exist(engine, spec)
    checks.name_is_free(engine, spec["Name"])
    service = asked(engine.cluster.create_service, spec)
    return Answer({"ID": service.id}, 201)


def _checked(engine: Engine, parsed: dict[str, Any]) -> dict[str, Any]:
    """The stored form of a spec that is good by itself."""
    checks.resolve_networks(engine, parsed)
    spec = specs.stored(parsed)
    validation.check(spec)
    return spec


@routes.get("/services/{id}")
async def inspect(call: Call) -> Answer:
    """`docker service inspect`."""
    defaults = go_bool(call, "insertDefaults")
    return Answer(service_json(find_service(call.engine, call.path["id"]), defaults=defaults))


@routes.post("/services/{id}/update")
async def update(call: Call) -> Answer:
    """`docker service update`, `scale` and `rollback`. What is wrong is said in moby's order."""
    parsed = read(await call.json(), "swarm.ServiceSpec")
    of_version = version(call, "service")
    engine = call.engine
    engine.manager()
    checks.resolve_networks(engine, parsed)
    spec = specs.stored(parsed)
    service = find_service(engine, call.path["id"])
    _check_authority(call, service)
    rollback = _wants_rollback(call)
    validation.check(spec)
    checks.no_attachment_to_ingress(engine, spec)
    if spec.get("EndpointSpec") not in (None, service.spec.get("EndpointSpec")):
        checks.ports_are_free(engine, spec, service.id)
    checks.networks_moved(service, spec)
    checks.references_exist(engine, spec)
    asked(engine.cluster.update_service, service.id, of_version, spec, rollback=rollback)
    return Answer({"Warnings": None})


def _check_authority(call: Call, service: Service) -> None:
    """Where the login for the registry is to come from; it is not needed, but it is checked."""
    source = call.query.get("registryAuthFrom", "")
    if call.header("X-Registry-Auth") or source in {"", "spec"}:
        return
    if source != "previous-spec":
        raise ApiError(500, "unsupported registryAuthFrom value")
    if service.previous_spec is None:
        raise ApiError(500, "service does not have a previous spec")


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
