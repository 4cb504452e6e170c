"""Names and addresses for the tasks' Python, in files that `shim` reads.

    networks/<network id>/<name>     the addresses of a name in a network, one a line
    addresses/<address>              the folder with the ports of the task that has it
    addresses/<address>/backends     of a virtual address: the addresses it stands for
    <task's folder>/task             the task's own: hostname, addresses, networks
    <task's folder>/ports/tcp-80     where its port 80 is on this machine: `127.0.0.1 40123`

As in Docker, a task has its names from when it runs (with a healthcheck: is healthy) until
it is told to stop.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarmsim.model import Task
from swarmsim.runtime.port import Host
from swarmsim.runtime.processes.place.folders import SYSTEM, Folder


@dataclass(frozen=True, slots=True)
class Attachments:
    """A task's addresses and names in its networks."""

    hostname: str
    #: By network id: the task's address in it, and the virtual address of its service.
    addresses: Mapping[str, str]
    virtual: Mapping[str, str]
    #: A network's id, a name, and the address that it leads to there.
    names: tuple[tuple[str, str, str], ...]


def attachments(task: Task, hostname: str, engine: Host) -> Attachments:
    """Return a task's addresses and names in its networks."""
    addresses = {
        network: _bare(address)
        for network, address in engine.allocator.addresses_of(task.id).items()
        if address and network in engine.networks and not engine.networks[network].ingress
    }
    virtual = {
        network: _bare(address)
        for network, address in engine.allocator.vips_of(task.service_id).items()
        if network in addresses
    }
    aliases = _aliases(task.spec)
    names: list[tuple[str, str, str]] = []
    for network, address in addresses.items():
        of_service = (task.service_name, *aliases.get(network, ()))
        of_tasks = (f"tasks.{name}" for name in of_service)
        own = dict.fromkeys((hostname, task.container_id[:12]))
        names += [(network, name, virtual.get(network, address)) for name in of_service]
        names += [(network, name, address) for name in (*of_tasks, *own)]
    return Attachments(hostname, addresses, virtual, tuple(names))


def _aliases(spec: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        str(each.get("Target")): tuple(each.get("Aliases") or ())
        for each in spec.get("Networks") or ()
    }


def _bare(address: str) -> str:
    return address.partition("/")[0]


class Names:
    """All names of an engine, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._networks = folder / "networks"
        self._addresses = folder / "addresses"
        self._addresses.mkdir(parents=True)
        #: By network and name: addresses, with how many tasks or services have each.
        self._known: dict[tuple[str, str], list[str]] = {}
        self._backends: dict[str, list[str]] = {}

    def settle(self, folder: Folder, attachments: Attachments) -> None:
        """Write the task's own file, and link its addresses to its ports."""
        lines = [f"hostname {attachments.hostname}", f"root {folder.root}"]
        lines += [f"addresses {self._addresses}", f"system {' '.join(sorted(SYSTEM))}"]
        for network, address in attachments.addresses.items():
            lines += [f"address {address}", f"network {self._networks / network}"]
            link = self._addresses / address
            _clear(link)  # it may have been a virtual address of a service that is gone
            link.symlink_to(folder.ports)
        (folder.path / "task").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def leave(self, attachments: Attachments) -> None:
        """Remove the addresses of a task."""
        for address in attachments.addresses.values():
            _clear(self._addresses / address)

    def add(self, attachments: Attachments) -> None:
        """Add a task's names."""
        self._change(attachments, list.append)

    def discard(self, attachments: Attachments) -> None:
        """Remove a task's names."""
        self._change(attachments, list.remove)

    def _change(self, attachments: Attachments, change: Callable[[list[str], str], None]) -> None:
        for network, name, address in attachments.names:
            known = self._known.setdefault((network, name), [])
            change(known, address)
            self._write(network, name, known)
        for network, virtual in attachments.virtual.items():
            change(self._backends.setdefault(virtual, []), attachments.addresses[network])
            self._write_backends(virtual)

    def _write(self, network: str, name: str, addresses: list[str]) -> None:
        folder = self._networks / network
        folder.mkdir(parents=True, exist_ok=True)
        _write_lines(folder / name.lower(), addresses)

    def _write_backends(self, virtual: str) -> None:
        folder = self._addresses / virtual
        if folder.is_symlink():
            _clear(folder)
        folder.mkdir(exist_ok=True)  # and stays without backends: connections are refused there
        _write_lines(folder / "backends", self._backends[virtual])


def port_of(folder: Folder, port: int) -> tuple[str, int] | None:
    """Return where a TCP port of a task is on this machine, or `None` without a listener."""
    try:
        host, _, real = (folder.ports / f"tcp-{port}").read_text().partition(" ")
    except OSError:
        return None
    return host, int(real)


def _clear(path: Path) -> None:
    """Remove the file or folder of an address; addresses are reused."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_lines(path: Path, lines: list[str]) -> None:
    """Write a file in one step; without lines, remove it."""
    if not lines:
        path.unlink(missing_ok=True)
        return
    new = path.with_name(f".{path.name}.new")
    distinct = dict.fromkeys(lines)
    new.write_text("".join(f"{line}\n" for line in distinct), encoding="utf-8")
    new.replace(path)
