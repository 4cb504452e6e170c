"""What swarmkit checks of a service spec against everything else that there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from swarmsim.api.asking import find
from swarmsim.engine.networks import Network
from swarmsim.engine.swarm import Blob
from swarmsim.go.errors import ApiError, rpc
from swarmsim.model import Service, Spec
from swarmsim.model.plan import attachments

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine


def resolve_networks(engine: Engine, spec: Spec) -> None:
    """Put ids in the place of the names of networks; 500 for one that the swarm does not know."""
    in_swarm = {key: network for key, network in engine.networks.items() if network.in_swarm}
    for attachment in attachments(spec):
        target = attachment.get("Target", "")
        attachment["Target"] = _resolved(engine, in_swarm, target).id


def _resolved(engine: Engine, in_swarm: Mapping[str, Network], target: str) -> Network:
    try:
        return find(in_swarm, target, "network", lambda it: it.name, missing=500)
    except ApiError as problem:
        local = [it for it in engine.networks.values() if it.scope == "local"]
        meant = next((it for it in local if target in {it.name, it.id}), None)
        if meant is None:
            raise problem from None
        raise _only_here(meant) from None


def _only_here(network: Network) -> ApiError:
    """The refusal of a network of the machine that has no double in the swarm."""
    if network.predefined:
        message = "could not find the corresponding predefined swarm network"
        return ApiError(404, f"{message}: network {network.name} not found")
    message = (
        f"The network {network.name} cannot be used with services. Only networks scoped to the "
        "swarm can be used, such as those created with the overlay driver."
    )
    return ApiError(403, message)


def no_attachment_to_ingress(engine: Engine, spec: Spec) -> None:
    """Refuse a service that names the network of published ports."""
    for attachment in spec["TaskTemplate"].get("Networks") or []:
        network = engine.networks.get(attachment["Target"])
        if network is not None and network.ingress:
            message = "Service cannot be explicitly attached to the ingress network"
            raise rpc("InvalidArgument", f'{message} "{network.name}"')


def ports_are_free(engine: Engine, spec: Spec, service_id: str = "") -> None:
    """Refuse a port that another service publishes; two may publish one on their hosts."""
    wanted = _published((spec.get("EndpointSpec") or {}).get("Ports"))
    if not wanted:
        return
    for other in engine.cluster.services.values():
        if other.id == service_id:
            continue
        own = other.spec.get("EndpointSpec") or {}
        taken = _published(own.get("Ports")) + _published(other.endpoint.get("Ports"))
        for port, protocol, mode in taken:
            modes = {it[2] for it in wanted if it[:2] == (port, protocol)}
            if mode == "host" and "ingress" in modes:
                raise _in_use(port, other, "a host-published port")
            if mode == "ingress" and modes:
                raise _in_use(port, other, "an ingress port")


def _published(ports: list[Spec] | None) -> list[tuple[int, str, str]]:
    return [
        (port["PublishedPort"], port["Protocol"], port["PublishMode"])
        for port in ports or []
        if port.get("PublishedPort")
    ]


def _in_use(port: int, other: Service, how: str) -> ApiError:
    message = f"port '{port}' is already in use by service '{other.name}' ({other.id}) as {how}"
    return rpc("InvalidArgument", message)


def networks_moved(service: Service, spec: Spec) -> None:
    """Refuse to change networks where services once had them, outside of the task template."""
    old, new = service.spec.get("Networks") or [], spec.get("Networks") or []
    of_tasks = service.template.get("Networks") or []
    if new != old and (spec["TaskTemplate"].get("Networks") or []) == of_tasks:
        message = "networks must be migrated to TaskSpec before being changed"
        raise rpc("Unimplemented", message)


def references_exist(engine: Engine, spec: Spec) -> None:
    """Refuse secrets and configs that are not there under both their id and their name."""
    container = spec["TaskTemplate"]["ContainerSpec"]
    _all_there(container.get("Secrets") or [], engine.secrets, "secret")
    _all_there(container.get("Configs") or [], engine.configs, "config")


def _all_there(references: list[Spec], blobs: Mapping[str, Blob], kind: str) -> None:
    key = kind.title()
    missing = [
        it[f"{key}Name"]
        for it in references
        if it[f"{key}ID"] not in blobs or blobs[it[f"{key}ID"]].name != it[f"{key}Name"]
    ]
    if missing:
        plural = kind if len(missing) == 1 else f"{kind}s"
        raise rpc("InvalidArgument", f"{plural} not found: {', '.join(missing)}")


def name_is_free(engine: Engine, name: str) -> None:
    """Refuse a second service of a name; upper and lower case are the same."""
    taken = {service.name.lower() for service in engine.cluster.services.values()}
    if name.lower() in taken:
        message = f"name conflicts with an existing object: service {name} already exists"
        raise rpc("AlreadyExists", message)
