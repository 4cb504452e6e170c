"""Networks as lists and `docker network inspect` show them, and as tasks do."""

import ipaddress
from hashlib import sha256

from swarmsim.api.documents import CONSTANTS, Json, meta
from swarmsim.engine.containers import Container
from swarmsim.engine.engine import Engine
from swarmsim.engine.networks import Network
from swarmsim.go.times import stamp

#: Of the one machine that all nodes are on.
_HOST = "127.0.0.1"
#: The index of the first service with a load balancer (libnetwork, service_common.go).
_FIRST_INDEX = 256


def network_json(
    engine: Engine, network: Network, *, detailed: bool = True, verbose: bool = False
) -> Json:
    """A network, as `GET /networks/{id}` shows it; a list does not say who is attached.

    With `verbose`, services are shown, too.
    """
    present = list(engine.containers.attached(network)) if detailed else []
    is_here = network.scope == "local" or (detailed and is_known_here(engine, network))
    is_double = network.predefined and network.scope == "swarm"
    shown = {
        **CONSTANTS["network"],
        "Name": network.name,
        "Id": network.id,
        "Created": stamp(network.created_at),
        "Scope": network.scope,
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": network.ipv6,
        "IPAM": {
            "Driver": "" if is_double else (network.given or {}).get("Driver") or "default",
            "Options": _address_options(network),
            "Config": _address_configs(network, "IPRange"),
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": network.ingress,
        "Containers": _endpoints(engine, network, present) if is_here else None,
        "Options": None if is_double else network.options,
        "Labels": (network.labels or {}) if is_here else network.labels,
    }
    if network.scope == "swarm" and is_here:
        shown["Peers"] = [{"Name": engine.id[:12], "IP": _HOST}]
        if verbose and (services := _services(engine, network, present)):
            shown["Services"] = services
    return shown


def _services(engine: Engine, network: Network, present: list[Container]) -> Json:
    """The services that have a container here, as `docker network inspect --verbose` shows them."""
    endpoints, found = _endpoints(engine, network, present), dict[str, Json]()
    if network.ingress and (own := endpoints.get("ingress-sbox")):
        found[""] = _service("", [], 0) | {"Tasks": [_task(own)]}
    indices = {service: n for n, service in enumerate(engine.cluster.services, _FIRST_INDEX)}
    for it in present:
        if (service := engine.cluster.services.get(it.task.service_id)) is None:
            continue
        vip = engine.allocator.vips_of(service.id).get(network.id, "")
        ports = (service.endpoint.get("Ports") or []) if network.ingress else []
        shown = _service(vip, ports, indices[service.id])
        found.setdefault(service.name, shown)["Tasks"].append(_task(endpoints[it.id]))
    return found


def _service(vip: str, ports: list[Json], index: int) -> Json:
    return {
        "VIP": vip.partition("/")[0] or "<nil>",
        "Ports": [
            f"Target: {port['TargetPort']}, Publish: {port['PublishedPort']}"
            for port in ports
            if port["PublishMode"] == "ingress"
        ],
        "LocalLBIndex": index,
        "Tasks": [],
    }


def _task(endpoint: Json) -> Json:
    return {
        "Name": endpoint["Name"],
        "EndpointID": endpoint["EndpointID"],
        "EndpointIP": endpoint["IPv4Address"].partition("/")[0],
        "Info": {"Host IP": _HOST},
    }


def _address_options(network: Network) -> Json | None:
    """The options for addresses; the swarm's driver adds one of its own to them."""
    asked = (network.given or {}).get("Options")
    if network.scope != "swarm":
        return asked
    return {**asked, "com.docker.network.ipam.serial": "true"} if asked else None


def _endpoints(engine: Engine, network: Network, present: list[Container]) -> Json:
    found = {
        it.id: _endpoint(it.name, it.id, engine.addresses_of(it.task).get(network.id, ""))
        for it in present
    }
    if engine.swarm and (address := network.balancers.get(engine.swarm.node_id)):
        name = "ingress-sbox" if network.ingress else f"lb-{network.name}"
        endpoint_id = sha256(f"{network.id} {engine.id}".encode()).hexdigest()
        found[name] = _endpoint(f"{network.name}-endpoint", endpoint_id, address)
    return found


def _endpoint(name: str, own_id: str, address: str) -> Json:
    return {
        "Name": name,
        "EndpointID": own_id[::-1],
        "MacAddress": mac_address(address),
        "IPv4Address": address,
        "IPv6Address": "",
    }


def is_known_here(engine: Engine, network: Network) -> bool:
    """Whether this machine has a copy: a network of the swarm gets here with its first task."""
    return network.scope == "local" or network.ingress or engine.containers.is_used(network)


def mac_address(address: str) -> str:
    """The hardware address that Docker makes of an address such as `10.0.1.3/24`."""
    if not address:
        return ""
    digits = ipaddress.ip_interface(address).ip.packed[-4:]
    return ":".join(["02", "42", *(f"{byte:02x}" for byte in digits)])


def swarm_network_json(network: Network) -> Json:
    """A network as tasks show it, which is not as `GET /networks` does."""
    spec: Json = {"Name": network.name, "Labels": network.labels or {}}
    spec["DriverConfiguration"] = {} if network.ingress else {"Name": network.driver}
    if network.options_given:
        spec["DriverConfiguration"]["Options"] = network.options_given
    for key, value in (("Internal", network.internal), ("Attachable", network.attachable)):
        if value:
            spec[key] = True
    if network.ingress:
        spec |= {"Ingress": True, "IPAMOptions": {"Driver": {}}}
    elif network.given is not None:  # what is not asked for is not in the spec
        spec["IPAMOptions"] = _addresses_asked(network)
    spec["Scope"] = "swarm"
    shown: Json = {
        **meta(network),
        "Spec": spec,
        "DriverState": {"Name": network.driver, "Options": network.options},
        "IPAMOptions": {"Driver": {"Name": "default"}},
    }
    if network.predefined:  # its driver is every machine's own, and gives no addresses
        shown |= {"DriverState": {"Name": network.driver}, "IPAMOptions": {"Driver": {}}}
    if network.subnet:
        shown["IPAMOptions"]["Configs"] = _address_configs(network, "Range")
    return shown


def _addresses_asked(network: Network) -> Json:
    given = network.given or {}
    asked: Json = {"Driver": {"Name": given.get("Driver") or "default"}}
    if given.get("Config") and network.subnet:
        asked["Configs"] = _address_configs(network, "Range")
    return asked


def _address_configs(network: Network, name_of_part: str) -> list[Json]:
    if not network.subnet:
        return []
    part = {name_of_part: str(network.part)} if network.part else {}
    return [{"Subnet": str(network.subnet), **part, "Gateway": network.gateway}]
