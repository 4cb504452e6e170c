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
`ensure` may have been killed halfway, and anybody may tear parts of it down, so each of
these looks at what is really there.
"""

import json
import re
import shlex
import sys
import zlib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from labkit.base import settings
from labkit.base.errors import LabError
from labkit.engines.private.programs import found, run, succeeds

#: What this module and the engine need, and the packages that have it on Debian.
PROGRAMS = {"ip": "iproute2", "iptables": "iptables", "nsenter": "util-linux"}
#: How many networks `10.231.n.0/30` there are.
_NETWORKS = 256
#: A rule of the chain, and the machine's routes, with addresses as numbers in its byte order.
_FORWARDED = re.compile(r"--dport (\d+) .*--to-destination (\S+)")
_ROUTES = Path("/proc/net/route")
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

    def ensure(self, pid: int = 0, before: IPv4Address | None = None) -> IPv4Address:
        """Make the namespace, its cable and its rules; what is there already stays.

        The namespace is that of the process `pid`, if one is named. Returns the address at
        which the machine reaches what is in it: the one `before`, if that is free.
        """
        self._ensure_namespace(pid)
        address = self._address() or self._lay_cable(before)
        _switch_on(_FORWARDING)
        # packets from 127.0.0.1 may leave by the cable, on their way to a published port
        _switch_on(Path(f"/proc/sys/net/ipv4/conf/{self.name}/route_localnet"))
        if not succeeds(*_iptables("nat", "-L", self._chain, "-n")):
            run(*_iptables("nat", "-N", self._chain))
        for table, chain, rule in self._missing_rules(address):
            # first, because an engine may have closed the chain to what it does not know
            run(*_iptables(table, "-I", chain, *rule))
        return address.ip + 1

    def is_whole(self, pid: int) -> bool:
        """Whether all is there that a process in the namespace needs."""
        address = self._address() if self._is_namespace_of(pid) else None
        return address is not None and not any(self._missing_rules(address))

    def forwarded(self) -> set[int]:
        """Return the ports of `localhost` that lead into the namespace, by its cable of now."""
        try:
            rules = _FORWARDED.findall(run(*_iptables("nat", "-S", self._chain)))
        except LabError:  # there is no such chain
            return set()
        routes = (line.split() for line in _ROUTES.read_text(encoding="ascii").splitlines())
        mine = {
            int(route[1], 16).to_bytes(4, sys.byteorder)
            for route in routes
            if route[0] == self.name
        }
        return {int(port) for port, inside in rules if (IPv4Address(inside) - 2).packed in mine}

    def forward(self, ports: Iterable[int]) -> None:
        """Let these ports of `localhost`, and no others, lead into the namespace."""
        inside = self.ensure()
        run(*_iptables("nat", "-F", self._chain))
        for port in sorted(ports):
            rule = ["-p", "tcp", "--dport", str(port), "-j", "DNAT", "--to-destination"]
            run(*_iptables("nat", "-A", self._chain, *rule, str(inside)))

    def remove(self) -> None:
        """Take the namespace, the cable and the rules away, whatever is left of them."""
        self._remove_rules()
        for command in ("-F", "-X"):
            succeeds(*_iptables("nat", command, self._chain))
        succeeds("ip", "link", "del", self.name)
        if self._file.exists():
            run("ip", "netns", "del", self.name)

    @property
    def _file(self) -> Path:
        return Path("/run/netns", self.name)

    def _ensure_namespace(self, pid: int) -> None:
        if pid and self._is_namespace_of(pid):
            return
        if not pid and succeeds(*self.enter, "true"):
            return
        if self._file.exists():  # a file that leads nowhere, or to another namespace
            run("ip", "netns", "del", self.name)
        run("ip", "netns", *(["attach", self.name, str(pid)] if pid else ["add", self.name]))

    def _is_namespace_of(self, pid: int) -> bool:
        try:
            return self._file.samefile(f"/proc/{pid}/ns/net")
        except OSError:
            return False

    def _lay_cable(self, before: IPv4Address | None = None) -> IPv4Interface:
        """Connect the namespace with the machine; returns the machine's end.

        What is left of a cable before goes, with its rules.
        """
        self._remove_rules()
        succeeds("ip", "link", "del", self.name)
        within = ["ip", "-n", self.name]
        succeeds(*within, "link", "del", "eth0")
        shown = json.loads(run("ip", "-j", "-4", "route", "show"))
        routes = [IPv4Network(each["dst"]) for each in shown if each["dst"] != "default"]
        outside, inside = free_network(self.name, routes, before).hosts()
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
        ours = str(address.network)
        established = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
        return [
            ("nat", "POSTROUTING", ["-s", ours, "!", "-o", self.name, "-j", "MASQUERADE"]),
            ("nat", "POSTROUTING", ["-s", "127.0.0.0/8", "-o", self.name, "-j", "MASQUERADE"]),
            ("nat", "OUTPUT", ["-d", "127.0.0.0/8", "-j", self._chain]),
            ("filter", "FORWARD", ["-i", self.name, "-j", "ACCEPT"]),
            ("filter", "FORWARD", ["-o", self.name, *established, "-j", "ACCEPT"]),
        ]

    def _missing_rules(self, address: IPv4Interface) -> Iterator[tuple[str, str, list[str]]]:
        for table, chain, rule in self._rules(address):
            if not succeeds(*_iptables(table, "-C", chain, *rule)):
                yield table, chain, rule

    def _remove_rules(self) -> None:
        """Remove the machine's rules that name the cable or the chain, of any address."""
        for table in ("nat", "filter"):
            for line in run(*_iptables(table, "-S")).splitlines():
                words = shlex.split(line)
                if (
                    words[0] == "-A"
                    and words[1] != self._chain
                    and {self.name, self._chain} & {*words}
                ):
                    succeeds(*_iptables(table, "-D", *words[1:]))

    def _address(self) -> IPv4Interface | None:
        """Return the machine's end of the cable, or `None` where that is not whole.

        The route in the namespace is what is laid last, and goes with anything before it.
        """
        if not Path("/sys/class/net", self.name).exists():
            return None
        (link,) = json.loads(run("ip", "-j", "-4", "addr", "show", "dev", self.name)) or [{}]
        found = [f"{end['local']}/{end['prefixlen']}" for end in link.get("addr_info", [])]
        if not found or "UP" not in link["flags"]:
            return None
        address = IPv4Interface(found[0])
        try:
            routes = json.loads(run("ip", "-n", self.name, "-j", "route", "show", "default"))
        except LabError:  # its name leads nowhere
            return None
        return address if str(address.ip) in {each.get("gateway") for each in routes} else None


def missing() -> list[str]:
    """Return the programs of `PROGRAMS` that this machine lacks."""
    return [program for program in PROGRAMS if not found(program)]


def problem() -> str:
    """Make such a network where it ends with the attempt; return what keeps it from that, or `""`.

    It is in namespaces of its own, so the machine has nothing of it at any time.
    """
    attempt = f"from {__name__} import attempt; attempt()"
    try:
        run(
            *("unshare", "--net", "--mount", "env", f"PYTHONPATH={settings.SOURCE}"),
            *(sys.executable, "-c", attempt),
        )
    except LabError as found:
        return found.found
    return ""


def attempt() -> None:
    """Make a network in the namespaces of this process. Ends it with what keeps it from that."""
    try:
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        Network("labkit-attempt").ensure()
    except LabError as found:
        sys.exit(found.found)


def _iptables(table: str, *words: str) -> list[str]:
    return ["iptables", "-w", "-t", table, *words]


def _switch_on(switch: Path) -> None:
    """Set a setting of the kernel's to 1, unless it is. Raises `LabError`."""
    try:
        if switch.read_text(encoding="ascii").strip() != "1":
            switch.write_text("1", encoding="ascii")
    except OSError as found:
        raise LabError(f"to set {switch} to 1, for the private engine.", f"{found}.") from None


def free_network(
    name: str, routes: Iterable[IPv4Network], before: IPv4Address | None = None
) -> IPv4Network:
    """Return a network of two addresses that no route of this machine covers.

    The search begins with that of the address `before`, or else at a place that depends on
    `name`, so that two labs that start at the same moment do not find the same one. Raises
    `LabError` when all are taken.
    """
    taken = list(routes)
    begin = before.packed[2] if before else zlib.crc32(name.encode()) % _NETWORKS
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
