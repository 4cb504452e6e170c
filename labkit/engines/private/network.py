"""A network namespace for the private engine, joined to the machine by one cable.

Two engines in one namespace harm each other: both want the ports 2377, 7946 and 4789
for their swarms (without 7946 a swarm forms, and its tasks never start), the bridges
`docker0` and `docker_gwbridge`, and the iptables chain `DOCKER`, which each empties
when it starts. In a namespace of its own the private engine has all of these to itself,
and an engine that is started later does not notice it.

    the machine                                  the namespace
    10.231.n.1  labkit-xxxxxx  ── veth pair ──   eth0  10.231.n.2   dockerd, docker0, …

The machine gets five rules of iptables and one chain: two masquerade, two let packets
of the namespace through, and the chain carries the ports that the stack publishes, so
that `localhost:8000` is the web page of dockercoins. `remove` takes all of them away.
"""

import json
import zlib
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from labkit.base.errors import LabError
from labkit.engines.private.programs import found, run, succeeds

#: What this module and the engine need, and the packages that have it on Debian.
PROGRAMS = {"ip": "iproute2", "iptables": "iptables", "nsenter": "util-linux"}
#: How many networks `10.231.n.0/30` there are.
_NETWORKS = 256
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


class Network:
    """The namespace called `name` and its cable. `name` has at most 15 characters."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: The chain with the forwarded ports.
        self._chain = name.upper()

    @property
    def enter(self) -> list[str]:
        """The words that run a program in the namespace.

        `ip netns exec` would do as well, but mounts a `/sys` without cgroups.
        """
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def ensure(self) -> IPv4Address:
        """Make the namespace, its cable and its rules; what is there already stays.

        Returns the address at which the machine reaches what is in the namespace.
        """
        if not Path("/run/netns", self.name).exists():
            run("ip", "netns", "add", self.name)
        address = self._address() or self._lay_cable()
        _FORWARDING.write_text("1")
        # packets from 127.0.0.1 may leave by the cable, on their way to a published port
        Path(f"/proc/sys/net/ipv4/conf/{self.name}/route_localnet").write_text("1")
        succeeds("iptables", "-t", "nat", "-N", self._chain)
        for table, chain, rule in self._rules(address):
            if not succeeds("iptables", "-t", table, "-C", chain, *rule):
                # first, because an engine may have closed the chain to what it does not know
                run("iptables", "-t", table, "-I", chain, *rule)
        return address.ip + 1

    def forward(self, ports: Iterable[int]) -> None:
        """Let these ports of `localhost`, and no others, lead into the namespace."""
        address = self._address() or self._lay_cable()
        run("iptables", "-t", "nat", "-F", self._chain)
        for port in sorted(ports):
            rule = ["-p", "tcp", "--dport", str(port), "-j", "DNAT", "--to-destination"]
            run("iptables", "-t", "nat", "-A", self._chain, *rule, str(address.ip + 1))

    def remove(self) -> None:
        """Take the namespace, the cable and the rules away. May be called twice."""
        if address := self._address():
            for table, chain, rule in self._rules(address):
                succeeds("iptables", "-t", table, "-D", chain, *rule)
            succeeds("iptables", "-t", "nat", "-F", self._chain)
            succeeds("iptables", "-t", "nat", "-X", self._chain)
            run("ip", "link", "del", self.name)
        if Path("/run/netns", self.name).exists():
            run("ip", "netns", "del", self.name)

    def _lay_cable(self) -> IPv4Interface:
        """Connect the namespace with the machine; returns the machine's end."""
        outside, inside = free_network(self.name, _routes()).hosts()
        within = ["ip", "-n", self.name]
        peer = ["type", "veth", "peer", "name", "eth0", "netns", self.name]
        run("ip", "link", "add", self.name, *peer)
        run("ip", "addr", "add", f"{outside}/30", "dev", self.name)
        run("ip", "link", "set", self.name, "up")
        run(*within, "link", "set", "lo", "up")
        run(*within, "addr", "add", f"{inside}/30", "dev", "eth0")
        run(*within, "link", "set", "eth0", "up")
        run(*within, "route", "add", "default", "via", str(outside))
        return IPv4Interface(f"{outside}/30")

    def _rules(self, address: IPv4Interface) -> list[tuple[str, str, list[str]]]:
        """Return the machine's rules, as (table, chain, rule)."""
        ours = str(address.network)
        established = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
        return [
            ("nat", "POSTROUTING", ["-s", ours, "!", "-o", self.name, "-j", "MASQUERADE"]),
            ("nat", "POSTROUTING", ["-s", "127.0.0.0/8", "-o", self.name, "-j", "MASQUERADE"]),
            ("nat", "OUTPUT", ["-d", "127.0.0.0/8", "-j", self._chain]),
            ("filter", "FORWARD", ["-i", self.name, "-j", "ACCEPT"]),
            ("filter", "FORWARD", ["-o", self.name, *established, "-j", "ACCEPT"]),
        ]

    def _address(self) -> IPv4Interface | None:
        """Return the machine's end of the cable, or `None` where there is no cable."""
        if not Path("/sys/class/net", self.name).exists():
            return None
        shown = json.loads(run("ip", "-j", "-4", "addr", "show", "dev", self.name))
        ends = [end for link in shown for end in link.get("addr_info", [])]
        return IPv4Interface(f"{ends[0]['local']}/{ends[0]['prefixlen']}") if ends else None


def missing() -> list[str]:
    """Return the programs of `PROGRAMS` that this machine lacks."""
    return [program for program in PROGRAMS if not found(program)]


def free_network(name: str, routes: Iterable[IPv4Network]) -> IPv4Network:
    """Return a network of two addresses that no route of this machine covers.

    The search begins at a place that depends on `name`, so that two labs that start at
    the same moment do not find the same one. Raises `LabError` when all are taken.
    """
    taken = list(routes)
    begin = zlib.crc32(name.encode()) % _NETWORKS
    for number in range(_NETWORKS):
        third = (begin + number) % _NETWORKS
        network = IPv4Network(f"10.231.{third}.0/30")
        if not any(network.overlaps(each) for each in taken):
            return network
    raise LabError(
        "a free network in 10.231.0.0/16 for the private engine.",
        "this machine has routes to all of it.",
        "use an engine of your own: `labkit up --engine URL`.",
    )


def _routes() -> list[IPv4Network]:
    """Return the networks that this machine has routes to, but for the default route."""
    shown = json.loads(run("ip", "-j", "-4", "route", "show"))
    return [IPv4Network(route["dst"]) for route in shown if route["dst"] != "default"]
