"""The ports that dockercoins publishes, and others when those are taken.

The lesson's are 8000 for the web page, 8001 for rng and 8002 for hasher. Another stack
on the engine, or any program on the machine, may have them already; Swarm would then
leave the tasks pending, with the reason where a learner seldom looks.
"""

import os
import select
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

from labkit.swarm.client import Swarm

#: The variables of the compose file, and the lesson's port for each.
WANTED = {"LABKIT_WEBUI_PORT": 8000, "LABKIT_RNG_PORT": 8001, "LABKIT_HASHER_PORT": 8002}
_LAST = 65_535


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
