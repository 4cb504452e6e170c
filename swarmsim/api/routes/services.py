"""Services: `docker service create`, `ls`, `inspect`, `update`, `rollback`, `scale`, `rm`."""

from __future__ import annotations

from functools import partial
from typing import Any

from swarmsim.api.documents.objects import service_json, service_status
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.lookup import find
from swarmsim.api.routes.asking import api_version, asked, go_bool, version
from swarmsim.api.specs import checks, specs, validation
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.model import Service

routes = Routes()

_WITH_STATUS = (1, 41)


def find_service(engine: Engine, term: str) -> Service:
    """The service that a client means by an id, a name, or how an id begins."""
    return find(engine.cluster.services, term, "service", lambda service: service.name)


@routes.get("/services")
async def listed(call: Call) -> Answer:
    """`docker service ls`."""
    filters = Filters.parse(call.query.get("filters", ""), status=400)
    status = api_version(call) >= _WITH_STATUS and go_bool(call, "status")
    call.engine.manager()
    filters.allow("name", "id", "label", "mode", "runtime")
    services = call.engine.cluster.services
    found = [services[key] for key in sorted(services) if _matches(services[key], filters)]
    return Answer([_shown(call.engine, service, status=status) for service in found])


def _matches(service: Service, filters: Filters) -> bool:
    return (
        filters.prefix("name", service.name)
        and filters.prefix("id", service.id)
        and filters.swarm_labels("label", service.spec["Labels"])
        and filters.exact("mode", _mode(service))
        and filters.exact("runtime", "container")
    )


def _mode(service: Service) -> str:
    words = {"Global": "global", "Replicated": "replicated"}
    words |= {"ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}
    return words[next(iter(service.spec["Mode"]))]


def _shown(engine: Engine, service: Service, *, status: bool) -> dict[str, Any]:
    shown = service_json(service)
    if status:
        shown["ServiceStatus"] = service_status(engine.cluster, service)
    return shown


@routes.post("/services/create")
async def create(call: Call) -> Answer:
    """`docker service create`."""
    parsed = specs.parse(await call.json(), api_version(call))
    engine = call.engine
    engine.manager()
    spec = _checked(engine, parsed)
    checks.no_attachment_to_ingress(engine, spec)
    checks.ports_are_free(engine, spec)
    checks.ingress_is_there(engine, spec)
    checks.references_exist(engine, spec)
    checks.name_is_free(engine, spec["Name"])
    service = asked(partial(engine.cluster.create_service, spec))
    return Answer({"ID": service.id}, 201)


def _checked(engine: Engine, parsed: dict[str, Any]) -> dict[str, Any]:
    """The stored form of a spec that is good by itself."""
    checks.resolve_networks(engine, specs.attachments(parsed))
    spec = specs.stored(parsed)
    validation.check(spec)
    return spec


@routes.get("/services/{id}")
async def inspect(call: Call) -> Answer:
    """`docker service inspect`."""
    defaults = go_bool(call, "insertDefaults")
    call.engine.manager()
    return Answer(service_json(find_service(call.engine, call.path["id"]), defaults=defaults))


@routes.post("/services/{id}/update")
async def update(call: Call) -> Answer:
    """`docker service update`, `scale` and `rollback`. What is wrong is said in moby's order."""
    parsed = specs.parse(await call.json(), api_version(call))
    of_version = version(call, "service")
    engine = call.engine
    engine.manager()
    checks.resolve_networks(engine, specs.attachments(parsed))
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
    ask = partial(engine.cluster.update_service, service.id, of_version, spec, rollback=rollback)
    asked(ask)
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
    call.engine.manager()
    service = find_service(call.engine, call.path["id"])
    call.engine.cluster.remove_service(service.id)
    return Answer()
