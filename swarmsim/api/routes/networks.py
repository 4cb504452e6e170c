"""Networks: `docker network create`, `ls`, `inspect`, `rm`."""

import ipaddress

from swarmsim.api.asking import body_of, filters_of, find, go_bool
from swarmsim.api.documents import Json
from swarmsim.api.documents.networks import is_known_here, network_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.specs import validation
from swarmsim.engine.engine import Engine
from swarmsim.engine.networks import Network
from swarmsim.go.errors import ApiError, rpc
from swarmsim.go.filters import Filters
from swarmsim.model.plan import attachments

routes = Routes()

_KEYS = ("driver", "id", "label", "name", "scope", "idOrName")
_BUILT_IN = {"bridge", "host", "none", "ingress"}
_DRIVERS = {"", "bridge", "overlay"}
_WORDS = ("{1} {0} not found", "{1} {0} is ambiguous ({2} matches found based on {3})")
_KEEPS_INGRESS = "a simulated engine keeps the ingress network that it has"


@routes.get("/networks")
async def listed(call: Call) -> Answer:
    """`docker network ls`: those of the swarm first."""
    filters = filters_of(call, *_KEYS, also=("dangling", "type"))
    engine = call.engine
    found = [it for it in visible(engine) if _matches(engine, it, filters)]
    found.sort(key=lambda it: (it.scope != "swarm" or it.removed, it.id))
    return Answer([network_json(engine, it, detailed=False) for it in found])


def visible(engine: Engine) -> list[Network]:
    """All networks but the doubles in the swarm of those that a machine has."""
    return [it for it in engine.networks.values() if not (it.predefined and it.scope == "swarm")]


def _matches(engine: Engine, network: Network, filters: Filters) -> bool:
    named = filters.pattern if is_known_here(engine, network) else filters.exact
    return (
        filters.exact("driver", network.driver)
        and named("name", network.name)
        and filters.pattern("id", network.id)
        and filters.has_labels("label", network.labels or {})
        and filters.exact("scope", network.scope)
    )


@routes.get("/networks/{id}")
async def inspect(call: Call) -> Answer:
    """`docker network inspect`."""
    if go_bool(call, "verbose"):
        raise ApiError(501, "a simulated engine does not say which services are in a network")
    network = _meant(call.engine, call.path["id"], call.query.get("scope", ""))
    return Answer(network_json(call.engine, network))


def _meant(engine: Engine, term: str, scope: str = "") -> Network:
    there = engine.networks.values() if scope == "swarm" else visible(engine)
    known = {it.id: it for it in there if not scope or it.scope == scope}
    return find(known, term, "network", lambda it: it.name, _WORDS)


@routes.post("/networks/create")
async def create(call: Call) -> Answer:
    """`docker network create`."""
    asked = await body_of(call, "types.NetworkCreateRequest")
    engine = call.engine
    name = asked.get("Name", "")
    others = engine.networks.named(name)
    if others and (any(it.in_swarm for it in others) or asked.get("CheckDuplicate")):
        raise ApiError(409, f"network with name {name} already exists")
    if name == "default" or (name in _BUILT_IN and others):
        raise ApiError(403, f"operation is not permitted on predefined {name} network ")
    warning = f"Network with name {name} (id : {others[0].id}) already exists" if others else ""
    network = _made(engine, asked)
    return Answer({"Id": network.id, "Warning": warning}, 201)


def _made(engine: Engine, asked: Json) -> Network:
    driver = asked.get("Driver") or ""
    if driver in ("host", "null"):
        raise ApiError(403, f'only one instance of "{driver}" network is allowed')
    if driver not in _DRIVERS:
        raise ApiError(404, f'plugin "{driver}" not found')
    if not asked.get("Name"):
        raise ApiError(500, "invalid name: ")
    if driver == "overlay" and asked.get("Scope") == "local":
        raise ApiError(403, "cannot downgrade network scope for overlay networks")
    if asked.get("Ingress"):
        raise ApiError(501, _KEEPS_INGRESS)
    _check_addresses(asked)
    if driver != "overlay":
        network_id = engine.new_hex_id()
        network = engine.networks.make("bridge", network_id, asked["Name"], engine.now, asked)
        _say(engine, network, "create")
        return network
    engine.manager()
    validation.check_name(asked["Name"])
    cluster = engine.cluster
    network_id, version = cluster.new_id(), cluster.bump()
    make = engine.networks.make
    network = make("overlay", network_id, asked["Name"], engine.now, asked, version=version)
    for action in ("create", "update"):  # the second with its addresses
        engine.publish("network", action, network.id, {"name": network.name}, "swarm")
    return network


def _check_addresses(asked: Json) -> None:
    given = asked.get("IPAM") or {}
    configs = given.get("Config") or []
    if given.get("Options") or any(it.get("IPRange") for it in configs):
        raise ApiError(501, "a simulated engine takes addresses from all of a subnet, in turn")
    for config in configs:
        address = config.get("Subnet", "")
        try:
            ipaddress.ip_network(address if "/" in address else "", strict=False)
        except ValueError:
            message = f"Invalid subnet {address} : invalid CIDR address: {address}"
            raise ApiError(500, message) from None


def _say(engine: Engine, network: Network, action: str) -> None:
    attributes = {"name": network.name, "type": network.driver}
    engine.publish("network", action, network.id, attributes, "local")


@routes.delete("/networks/{id}")
async def remove(call: Call) -> Answer:
    """`docker network rm`."""
    engine = call.engine
    network = _meant(engine, call.path["id"])
    if network.scope == "local":
        if network.predefined:
            message = f"{network.name} is a pre-defined network and cannot be removed"
            raise ApiError(403, message)
        del engine.networks[network.id]
        _say(engine, network, "destroy")
        return Answer(status=204)
    if network.ingress:
        raise ApiError(501, _KEEPS_INGRESS)
    if network.removed:  # only this machine still knows it
        raise ApiError(500, f"network {call.path['id']} not found")
    _check_unused(engine, network)
    engine.remove_network(network)
    engine.publish("network", "remove", network.id, {"name": network.name}, "swarm")
    return Answer(status=204)


def _check_unused(engine: Engine, network: Network) -> None:
    """Refuse to remove what a service refers to, or what a task that shall run is attached to."""
    for service in engine.cluster.services.values():
        if network.id in [it["Target"] for it in attachments(service.spec)]:
            message = f"network {network.id} is in use by service {service.id}"
            raise rpc("FailedPrecondition", message)
    for task in engine.cluster.tasks.values():
        wanted = task.desired_state in {"ready", "running"} and not task.ended
        if wanted and network.id in engine.allocator.addresses_of(task.id):
            message = f"network {network.id} is in use by task {task.id}"
            raise rpc("FailedPrecondition", message)
