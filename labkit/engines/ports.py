"""The ports that dockercoins publishes, and others when those are taken.

The lesson's are 8000 for the web page, 8001 for rng and 8002 for hasher. Another stack
on the engine, or any program on the machine, may have them already; Swarm would then
leave the tasks pending, with the reason where a learner seldom looks.
"""

import os
import re
import select
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from labkit.base import echo
from labkit.engines import state
from labkit.swarm.client import Swarm
from labkit.swarm.ownership import NAMESPACE

#: The variables of the compose file, and the lesson's port for each.
WANTED = {"LABKIT_WEBUI_PORT": 8000, "LABKIT_RNG_PORT": 8001, "LABKIT_HASHER_PORT": 8002}
_LAST = 65_535
#: As Swarm says it of a port of its own, Docker of another's, and the simulated engine.
_LOST = re.compile(r"port already in use|already allocated|address already in use")


class Address(str):
    """An address for the learner's browser, or why there is none: in a notebook, a link."""

    __slots__ = ()
    __repr__ = str.__str__

    def _repr_html_(self) -> str | None:
        link = Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>')
        return link.format(self) if self.startswith(("http", "/")) else None


def address(port: int, host: str = "localhost", *, here: bool = True) -> Address:
    """Return where the learner's browser finds a port of this machine, or of a host elsewhere.

    Behind JupyterHub, as on Binder, that is a path of the learner's own server; what comes
    before it is known only where the hub says it (`c.JupyterHub.public_url`).
    """
    own = os.environ.get("JUPYTERHUB_PUBLIC_URL") or os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if own and here and find_spec("jupyter_server_proxy"):
        return Address(f"{own.rstrip('/')}/proxy/{port}/")
    return Address(f"http://{host}:{port}")


def choose(
    before: Mapping[str, int], taken: Callable[[int], bool], env: Mapping[str, str] = os.environ
) -> dict[str, int]:
    """Return a port for each variable of `WANTED`.

    What the learner has set in the environment is taken as it is. Otherwise it is the
    port that was chosen `before`, or the lesson's, or the next one that is not `taken`.
    """
    chosen: dict[str, int] = {}
    for variable, wanted in WANTED.items():
        if env.get(variable, "").isdecimal():
            chosen[variable] = int(env[variable])
            continue
        first = before.get(variable, wanted)
        others = (port for port in range(first, _LAST + 1) if port not in WANTED.values())
        chosen[variable] = next(
            port for port in (first, *others) if port not in chosen.values() and not taken(port)
        )
    return chosen


def choose_for(swarm: Swarm, name: str, reserved: ExitStack) -> bool:
    """Choose the stack's ports, say where they are not the lesson's, and remember them.

    Returns whether there are others in place of those that it has lost.
    """
    here = are_here(swarm)
    gone = lost(swarm, name)
    own = [each for key, each in services(swarm, name).items() if key not in gone]
    mine = {port for service in own for port in of_service(service)}

    def taken(port: int) -> bool:
        if port in mine:
            return False
        # in this order: another `up` lets go of a port when it can be seen that it has it
        if here and not reserve(port, reserved):
            return True
        return port in published(swarm) or (here and in_use(port))

    known = state.read()
    before = known.ports.get(name, {})
    chosen = choose(before, taken)
    if gone and chosen == before:  # as the learner has set them
        return False
    for variable, port in chosen.items():
        if port != (usual := WANTED[variable]):
            asked_for = os.environ.get(variable) == str(port)
            why = f"as {variable} says" if asked_for else f"which is taken ({variable})"
            echo.say(f"Port {port} in place of {usual}, {why}.")
    known.ports[name] = chosen
    state.write(known)
    return True


def are_here(swarm: Swarm) -> bool:
    """Whether the ports that an engine publishes are this machine's."""
    return urlsplit(swarm.url).hostname in (None, "localhost", "127.0.0.1")


def reserve(port: int, held: ExitStack) -> bool:
    """Reserve a port, so that no other `labkit up` on this machine takes it.

    Returns whether it was free. It is kept while `held` is open, and no longer than this
    process lives: what stands for it is the UDP port of the same number.
    """
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        keeper.bind(("127.0.0.1", port))
    except OSError:
        keeper.close()
        return False
    held.enter_context(keeper)
    return True


def published(swarm: Swarm) -> set[int]:
    """Return the ports that services and containers of this engine publish."""
    of_services = {port for service in swarm.services() for port in of_service(service)}
    of_containers = {
        port["PublicPort"]
        for container in swarm.get("/containers/json")
        for port in container.get("Ports") or []
        if port.get("PublicPort")
    }
    return of_services | of_containers


def of_service(service: Mapping[str, Any]) -> list[int]:
    """Return the ports that the spec of a service publishes, in its order."""
    ports = service["Spec"].get("EndpointSpec", {}).get("Ports") or []
    return [port["PublishedPort"] for port in ports if port.get("PublishedPort")]


def in_use(port: int) -> bool:
    """Whether something on this machine has the TCP port, or leads it elsewhere."""
    with closing(socket.socket()) as server, closing(socket.socket()) as caller:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("", port))
            server.listen()
        except OSError:
            return True
        # a rule of another lab's may take the caller away, even to where nothing listens
        caller.settimeout(1)
        arrived = caller.connect_ex(("127.0.0.1", port)) == 0
        return not (arrived and select.select([server], [], [], 1)[0])


def lost(swarm: Swarm, name: str) -> set[str]:
    """Return the services of which no task runs, for want of a port that something else has."""
    tasks = swarm.task_values(label=f"{NAMESPACE}={name}")
    names = {service["ID"]: key for key, service in services(swarm, name).items()}
    lacking = {task.service_id for task in tasks if _LOST.search(task.error)}
    return {
        names[each]
        for each in lacking - {task.service_id for task in tasks if task.running}
        if each in names
    }


def services(swarm: Swarm, name: str) -> dict[str, Any]:
    """Return the services of a stack, as the engine has them, by their names."""
    found = swarm.services(label=f"{NAMESPACE}={name}")
    return {service["Spec"]["Name"]: service for service in found}
