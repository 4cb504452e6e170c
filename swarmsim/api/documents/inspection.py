"""Containers as `docker ps` and `docker inspect` show them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from swarmsim.api.documents import CONSTANTS, Json
from swarmsim.api.documents.container_config import (
    config,
    exposed_ports,
    host_config,
    network_mode,
    port_name,
)
from swarmsim.api.documents.networks import mac_address
from swarmsim.engine.containers import Container
from swarmsim.engine.networks import Network
from swarmsim.go.durations import in_words
from swarmsim.go.times import NEVER, SECOND, stamp
from swarmsim.runtime import plan

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine


def listing_json(engine: Engine, container: Container) -> Json:
    """A line of `docker ps`."""
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.task.image,
        "ImageID": engine.image_id(container.task.image),
        "Command": shlex.join(_words(engine, container)),
        "Created": container.created_at // SECOND,
        "Mounts": engine.mounts_of(container.task),
        "HostConfig": {"NetworkMode": network_mode(engine, container.task)},
        "Ports": ports(engine, container),
        "Labels": dict(sorted(container.labels.items())),
        "State": container.state,
        "Status": status(container, engine.now),
        "NetworkSettings": {
            "Networks": {
                name: {**endpoint, "Aliases": None, "DNSNames": None}
                for name, endpoint in _networks(engine, container).items()
            }
        },
        "Health": {
            "Status": container.health or "none",
            "FailingStreak": _streak(engine, container),
        },
    }


def _streak(engine: Engine, container: Container) -> int:
    health = engine.runtime.health(container.task.id) or {}
    return int(health.get("FailingStreak", 0))


def status(container: Container, now: int) -> str:
    """What a container does and since when, as `docker ps` says it."""
    if container.running:
        words = {"starting": " (health: starting)", "": ""}
        health = words.get(container.health, f" ({container.health})")
        return f"Up {in_words((now - container.started_at) / SECOND)}{health}"
    if container.finished_at:
        age = in_words((now - container.finished_at) / SECOND)
        return f"Exited ({container.exit_code}) {age} ago"
    return "Created"


def _words(engine: Engine, container: Container) -> list[str]:
    return plan.command(container.spec, engine.image_config(container.task.image))


def ports(engine: Engine, container: Container) -> list[Json]:
    """The ports of a running container: those that it publishes, and those that it exposes."""
    found: list[Json] = []
    for name, bindings in _bound(engine, container).items():
        number, _, kind = name.partition("/")
        inside = {"PrivatePort": int(number), "Type": kind}
        found += [
            {"IP": it["HostIp"], **inside, "PublicPort": int(it["HostPort"] or 0)}
            for it in bindings or ()
        ] or [inside]
    return found


def _bound(engine: Engine, container: Container) -> dict[str, list[Json] | None]:
    """Where on its machine each exposed port is published, for both kinds of addresses."""
    if not container.running or network_mode(engine, container.task) == "host":
        return {}
    exposed = dict.fromkeys(exposed_ports(engine, container))
    published = {
        port_name(port): [
            {"HostIp": address, "HostPort": str(port.get("PublishedPort", ""))}
            for address in ("0.0.0.0", "::")  # noqa: S104  what Docker shows, nothing is bound
        ]
        for port in container.task.ports("host")
    }
    return {**exposed, **published}


def _networks(engine: Engine, container: Container) -> Json:
    return {
        network.name: _endpoint(engine, container, network)
        for network in engine.networks_of(container.task)
    }


def _endpoint(engine: Engine, container: Container, network: Network) -> Json:
    address = engine.addresses_of(container.task)[network.id]
    plain, _, bits = address.partition("/")
    of_machine = network.scope == "local" or network.predefined
    asked = {"IPv4Address": plain} if plain and not of_machine else {}
    here = [it for it in engine.networks.named(network.name) if it.scope == "local"]
    hostname = container.spec.get("Hostname")
    own_names = [container.id[:12], *([hostname] if hostname else [])]
    return {
        **CONSTANTS["endpoint"],
        "IPAMConfig": None if network.scope == "local" else asked,
        "Aliases": None if of_machine else own_names,
        "NetworkID": here[0].id if of_machine else network.id,
        "EndpointID": container.id[::-1] if container.running else "",
        "Gateway": network.gateway if container.address else "",
        "IPAddress": plain,
        "IPPrefixLen": int(bits or 0),
        "MacAddress": mac_address(address),
        "DNSNames": None if of_machine else [container.name, *own_names],
        "GwPriority": 0,
    }


def container_json(engine: Engine, container: Container) -> Json:
    """What `docker inspect` shows of a container."""
    task = container.task
    words = _words(engine, container) or [""]
    return {
        **CONSTANTS["container"],
        "Id": container.id,
        "Created": stamp(container.created_at),
        "Path": words[0],
        "Args": words[1:],
        "State": _state(engine, container),
        "Image": engine.image_id(task.image),
        "Name": f"/{container.name}",
        "HostConfig": host_config(engine, container),
        "Config": config(engine, container),
        "Mounts": engine.mounts_of(task),
        "NetworkSettings": _network_settings(engine, container),
    }


def _state(engine: Engine, container: Container) -> Json:
    shown: Json = {
        **CONSTANTS["State"],
        "Status": container.state,
        "Running": container.running,
        "Pid": container.task.pid if container.running else 0,
        "ExitCode": container.exit_code,
        "Error": container.error,
        "StartedAt": stamp(container.started_at) if container.started_at else NEVER,
        "FinishedAt": stamp(container.finished_at) if container.finished_at else NEVER,
    }
    if health := engine.runtime.health(container.task.id):
        shown["Health"] = health
    return shown


def _network_settings(engine: Engine, container: Container) -> Json:
    found = _networks(engine, container)
    always = CONSTANTS["NetworkSettings"]
    # of the bridge it is also said outside of the list, as when there were no others
    bridge = found.get("bridge") or {}
    return {
        **always,
        **{key: value for key, value in bridge.items() if key in always},
        "Ports": _bound(engine, container),
        "Networks": found,
    }
