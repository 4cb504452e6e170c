"""Networks: those of the swarm with their addresses, and those of the machine.

The swarm hands out a subnet of 24 bits and a VXLAN id for each overlay network, an address
for each task and each virtual IP. Nothing is sent over them: how processes reach each other is
up to the runtime, which takes the addresses from here.
"""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

#: The address pools of a swarm, and of the networks that Docker makes on a machine; and how
#: many bits of an address are a subnet's.
_POOL = ("10.0.0.0/8", 24)
_LOCAL_POOL = ("172.16.0.0/12", 16)
#: Docker begins with the one after it.
_UNUSED = ipaddress.ip_network("172.16.0.0/16")
_FIRST_VXLAN_ID = 4096
#: The option in which the overlay driver notes the VXLAN ids of a network.
VXLAN_IDS = "com.docker.network.driver.overlay.vxlanid_list"

Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True, kw_only=True)
class Network:
    """A network. `given` is the `IPAM` that its creator asked for."""

    id: str
    name: str
    driver: str
    scope: str
    created_at: int
    updated_at: int
    version: int = 0
    subnet: Subnet | None = None
    gateway: str = ""
    #: As they were given, and with what the driver adds.
    options_given: dict[str, str] | None = None
    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] | None = None
    given: dict[str, Any] | None = None
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    ipv6: bool = False
    #: One that always exists and cannot be removed.
    predefined: bool = False
    #: Removed from the swarm, while containers on this machine are still attached.
    removed: bool = False
    #: The addresses that are taken; of them, that of each node's load balancer, by the node's id.
    taken: set[str] = field(default_factory=set)
    balancers: dict[str, str] = field(default_factory=dict)
    _last: int = 1

    @property
    def in_swarm(self) -> bool:
        """Whether services can use it."""
        return self.scope == "swarm" and not self.removed

    @property
    def is_everywhere(self) -> bool:
        """Whether every node has it, and not only those with a task that is attached."""
        return self.ingress or self.predefined or self.scope == "local"

    def take_address(self) -> str:
        """Take a free address; returns it with its prefix, such as `10.0.1.3/24`.

        Addresses are taken in turn, so one that was just freed is not reused at once.
        """
        assert self.subnet is not None, f"network {self.name} has no addresses"
        hosts = self.subnet.num_addresses - 2
        for _ in range(hosts):
            self._last = self._last % hosts + 1
            address = str(self.subnet[self._last])
            if address not in self.taken and address != self.gateway:
                self.taken.add(address)
                return f"{address}/{self.subnet.prefixlen}"
        raise LookupError(f"network {self.name} has no address left")

    def balance(self, node_id: str) -> None:
        """Take an address for the load balancer of a node, which it gets with the network."""
        if self.subnet and node_id not in self.balancers:
            with suppress(LookupError):  # none is left
                self.balancers[node_id] = self.take_address()

    def free_address(self, address: str) -> None:
        """Free an address."""
        self.taken.discard(address.partition("/")[0])


class Networks(dict[str, Network]):
    """All networks by id."""

    def named(self, name: str) -> list[Network]:
        """The networks with a name; a local one may share it with one of the swarm."""
        return [network for network in self.values() if network.name == name]

    def make(
        self,
        driver: str,
        network_id: str,
        name: str,
        now: int,
        asked: dict[str, Any] | None = None,
        *,
        version: int = 0,
    ) -> Network:
        """Make a network, of what the body of `POST /networks/create` asks for.

        Those of the driver `overlay` are the swarm's; others are this machine's alone, and
        services cannot use them.
        """
        asked, in_swarm = asked or {}, driver == "overlay"
        config = ((asked.get("IPAM") or {}).get("Config") or [{}])[0]
        subnet = _subnet(config.get("Subnet")) or self.free_subnet(local=not in_swarm)
        labels, options = asked.get("Labels"), dict(asked.get("Options") or {})
        if in_swarm:
            options[VXLAN_IDS] = options.get(VXLAN_IDS) or self.free_vxlan_id()
        self[network_id] = Network(
            id=network_id,
            name=name,
            driver=driver,
            scope="swarm" if in_swarm else "local",
            created_at=now,
            updated_at=now,
            version=version,
            subnet=subnet,
            gateway=config.get("Gateway") or str(subnet[1]),
            options_given=asked.get("Options"),
            options=options,
            labels=labels if in_swarm else labels or {},
            given=asked.get("IPAM"),
            internal=asked.get("Internal", False),
            attachable=asked.get("Attachable", False),
            ingress=in_swarm and asked.get("Ingress", False),
            ipv6=asked.get("EnableIPv6", False),
        )
        return self[network_id]

    def free_subnet(self, *, local: bool = False) -> Subnet:
        """A subnet of the pool that no network has."""
        pool, bits = _LOCAL_POOL if local else _POOL
        taken = [it.subnet for it in self.values() if isinstance(it.subnet, ipaddress.IPv4Network)]
        for subnet in ipaddress.IPv4Network(pool).subnets(new_prefix=bits):
            if subnet != _UNUSED and not any(subnet.overlaps(other) for other in taken):
                return subnet
        raise LookupError("could not find an available, non-overlapping IPv4 address pool")

    def free_vxlan_id(self) -> str:
        """The id of a VXLAN that no overlay network has."""
        taken = {network.options.get(VXLAN_IDS) for network in self.values()}
        number = _FIRST_VXLAN_ID
        while str(number) in taken:
            number += 1
        return str(number)


def _subnet(text: str | None) -> Subnet | None:
    return ipaddress.ip_network(text, strict=False) if text else None
