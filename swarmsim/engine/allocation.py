"""The swarm's allocator: published ports, virtual IPs, and the addresses of tasks.

From swarmkit's `manager/allocator`. A service with ports or networks is written once more a
moment after it was made, with the ports that it was given: clients see that as another
version of it and as another event.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from swarmsim.engine.networks import Network, Networks
from swarmsim.model import Cluster, Service, Spec, StoreEvent, Task
from swarmsim.model.plan import attachments

_FIRST_PORT = 30000
_LAST_PORT = 32767
#: Nanoseconds between the writing of a service and that of what it was given.
_PAUSE = 2_000_000


class Allocator:
    """Allocates ports, VIPs and task addresses. `written` is called with services it writes."""

    def __init__(
        self, cluster: Cluster, networks: Networks, written: Callable[[Service], None]
    ) -> None:
        self._cluster = cluster
        self._networks = networks
        self._written = written
        self._next_port = _FIRST_PORT
        #: By service, then by network.
        self._vips: dict[str, dict[str, str]] = {}
        #: By task: networks and its address in them, `""` where none was left.
        self._addresses: dict[str, dict[str, str]] = {}

    def watch(self, change: StoreEvent) -> None:
        """Allocate for a service or task that is new, and free what one had that is gone."""
        about = change.object
        if isinstance(about, Service):
            self._service_changed(about, change)
        elif isinstance(about, Task):
            if change.action == "create":
                self._addresses[about.id] = dict(self._taken(wanted(about, self._networks)))
            elif change.action == "remove":
                self._free(self._addresses.pop(about.id, {}))
            elif about.ended:
                self._free(self._addresses.get(about.id, {}))

    def has_all_networks(self, task: Task) -> bool:
        """Whether all networks of a task exist; without, it stays `new`."""
        return all(it["Target"] in self._networks for it in attachments(task.spec))

    def addresses_of(self, task_id: str) -> Mapping[str, str]:
        """A task's address, with prefix, by network id. One that ended keeps showing its last."""
        return self._addresses.get(task_id, {})

    def vips_of(self, service_id: str) -> Mapping[str, str]:
        """A service's virtual IPs, with prefix, by network id."""
        return self._vips.get(service_id, {})

    def _service_changed(self, service: Service, change: StoreEvent) -> None:
        if change.action == "remove":
            self._free(self._vips.pop(service.id, {}))
            return
        if change.action == "create":
            service.endpoint = {"Spec": {}}
        elif change.before is None or _asked(change.before.spec) == _asked(service.spec):
            return
        endpoint = self._endpoint(service)
        if endpoint != service.endpoint:
            self._cluster.call_at(self._cluster.now + _PAUSE, self._write, service, endpoint)

    def _write(self, service: Service, endpoint: Spec) -> None:
        if service.id not in self._cluster.services:
            return
        service.endpoint = endpoint
        service.version = self._cluster.bump()
        service.updated_at = self._cluster.now
        self._written(service)

    def _endpoint(self, service: Service) -> Spec:
        spec = service.spec.get("EndpointSpec") or {}
        ports = [self._published(service, port) for port in spec.get("Ports") or []]
        vips = self._virtual(service, spec)
        if not ports and not vips and service.endpoint == {"Spec": {}}:
            return service.endpoint  # a service that never had any has an empty endpoint
        asked = service.spec.get("EndpointSpec") is not None
        endpoint: Spec = {"Spec": {"Mode": "vip", **spec} if asked else {}}
        if ports:
            endpoint["Ports"] = ports
        if vips:
            endpoint["VirtualIPs"] = [
                {"NetworkID": network, **({"Addr": address} if address else {})}
                for network, address in vips.items()
            ]
        return endpoint

    def _published(self, service: Service, port: Spec) -> Spec:
        if port.get("PublishedPort") or port["PublishMode"] != "ingress":
            return port
        for old in service.endpoint.get("Ports") or []:
            if {**old, "PublishedPort": 0} == {**port, "PublishedPort": 0}:
                return {**port, "PublishedPort": old["PublishedPort"]}
        return {**port, "PublishedPort": self._free_port()}

    def _free_port(self) -> int:
        taken = {
            port.get("PublishedPort")
            for service in self._cluster.services.values()
            for port in service.endpoint.get("Ports") or []
        }
        count = _LAST_PORT - _FIRST_PORT + 1
        for _ in range(count):
            port = self._next_port
            self._next_port = _FIRST_PORT + (port + 1 - _FIRST_PORT) % count
            if port not in taken:
                return port
        raise LookupError("no port is left to publish a service on")

    def _virtual(self, service: Service, spec: Spec) -> Mapping[str, str]:
        is_vip = spec.get("Mode", "vip") == "vip"
        networks = _networks(service.spec, spec, self._networks) if is_vip else []
        old = self._vips.get(service.id, {})
        kept = {network.id: old[network.id] for network in networks if network.id in old}
        self._free({network: old[network] for network in old.keys() - kept.keys()})
        new = dict(self._taken([network for network in networks if network.id not in kept]))
        self._vips[service.id] = {
            network.id: {**kept, **new}[network.id]
            for network in networks
            if {**kept, **new}[network.id] or network.predefined  # which has no addresses
        }
        return self._vips[service.id]

    def _taken(self, networks: list[Network]) -> Iterator[tuple[str, str]]:
        for network in networks:
            try:
                yield network.id, network.take_address() if network.subnet else ""
            except LookupError:
                yield network.id, ""

    def _free(self, addresses: Mapping[str, str]) -> None:
        for network_id, address in addresses.items():
            if network := self._networks.get(network_id):
                network.free_address(address)


def wanted(task: Task, networks: Networks) -> list[Network]:
    """The networks that a task is attached to, the ingress network first."""
    return _networks({"TaskTemplate": task.spec}, task.endpoint_spec or {}, networks)


def publishes(endpoint: Spec, mode: str) -> bool:
    """Whether a port is published through the ingress network, or on the host."""
    return any(port["PublishMode"] == mode for port in endpoint.get("Ports") or [])


def _networks(spec: Spec, endpoint: Spec, networks: Networks) -> list[Network]:
    found = [networks[it["Target"]] for it in attachments(spec) if it["Target"] in networks]
    if publishes(endpoint, "ingress"):
        found = [it for it in networks.values() if it.ingress] + found
    return found


def _asked(spec: Spec) -> tuple[Any, Any]:
    """The part of a service's spec that the allocator looks at."""
    endpoint = spec.get("EndpointSpec") or {}
    return attachments(spec), endpoint.get("Ports") and endpoint
