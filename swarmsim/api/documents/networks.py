"""Networks as lists and `docker network inspect` show them, and as tasks do."""

import ipaddress
from hashlib import sha256

from swarmsim.api.documents import CONSTANTS, Json, meta
from swarmsim.engine.engine import Engine
from swarmsim.engine.networks import Network
from swarmsim.go.times import stamp

#: Of the one machine that all nodes are on.
_HOST = "127.0.0.1"


def network_json(engine: Engine, network: Network, *, detailed: bool = True) -> Json:
    """A network, as `GET /networks/{id}` shows it; a list does not say who is attached."""
    endpoints = _endpoints(engine, network) if detailed else {}
    is_here = network.scope == "local" or (detailed and is_known_here(engine, network))
    is_double = network.predefined and network.scope == "swarm"
    given = network.given or {}
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
            "Driver": "" if is_double else given.get("Driver") or "default",
            "Options": given.get("Options") if network.scope == "local" else None,
            "Config": _address_configs(network),
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": network.ingress,
        "Containers": endpoints if is_here else None,
        "Options": None if is_double else network.options,
        "Labels": (network.labels or {}) if is_here else network.labels,
    }
    if network.scope == "swarm" and is_here:
        shown["Peers"] = [{"Name": engine.id[:12], "IP": _HOST}]
    return shown


def _endpoints(engine: Engine, network: Network) -> Json:
    found = {
        it.id: _endpoint(it.name, it.id, engine.addresses_of(it.task).get(network.id, ""))
        for it in engine.containers.attached(network)
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
        shown["IPAMOptions"]["Configs"] = _address_configs(network)
    return shown


def _addresses_asked(network: Network) -> Json:
    given = network.given or {}
    asked: Json = {"Driver": {"Name": given.get("Driver") or "default"}}
    if given.get("Config") and network.subnet:
        asked["Configs"] = _address_configs(network)
    return asked


def _address_configs(network: Network) -> list[Json]:
    if not network.subnet:
        return []
    return [{"Subnet": str(network.subnet), "Gateway": network.gateway}]
