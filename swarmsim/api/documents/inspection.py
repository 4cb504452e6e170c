"""Containers as `docker ps` and `docker inspect` show them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from swarmsim.api.documents import CONSTANTS, Json
from swarmsim.api.documents.networks import mac_address
from swarmsim.engine.containers import Container
from swarmsim.engine.networks import Network
from swarmsim.go.durations import in_words
from swarmsim.go.times import NEVER, SECOND, stamp
from swarmsim.images.documents import new_config
from swarmsim.model import Task
from swarmsim.runtime import plan

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine


def listing_json(engine: Engine, container: Container) -> Json:
    """A line of `docker ps`."""
    return {
        **CONSTANTS["line of docker ps"],
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.task.image,
        "ImageID": engine.image_id(container.task.image),
        "Command": shlex.join(_words(engine, container)),
        "Created": container.created_at // SECOND,
        "Ports": ports(container) if container.running else [],
        "Labels": dict(sorted(container.labels.items())),
        "State": container.state,
        "Status": status(container, engine.now),
        "NetworkSettings": {
            "Networks": {
                name: {**endpoint, "DNSNames": None}
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


def _created_from(engine: Engine, task: Task) -> Json:
    return plan.container_of(task, engine.cluster.nodes.get(task.node_id))


def _words(engine: Engine, container: Container) -> list[str]:
    config = engine.image_config(container.task.image)
    return plan.command(_created_from(engine, container.task), config)


def ports(container: Container) -> list[Json]:
    """The ports that a container publishes, for both kinds of addresses."""
    return [
        {
            "IP": address,
            "PrivatePort": port.get("TargetPort", 0),
            "PublicPort": port.get("PublishedPort", 0),
            "Type": port["Protocol"],
        }
        for port in container.task.ports("host")
        for address in ("0.0.0.0", "::")  # noqa: S104  what Docker shows, nothing is bound
    ]


def _networks(engine: Engine, container: Container) -> Json:
    return {
        engine.networks[network_id].name: _endpoint(container, engine.networks[network_id], address)
        for network_id, address in engine.addresses_of(container.task).items()
        if network_id in engine.networks
    }


def _endpoint(container: Container, network: Network, address: str) -> Json:
    plain, _, bits = address.partition("/")
    local = network.scope == "local"
    return {
        **CONSTANTS["endpoint"],
        "IPAMConfig": None if local else {"IPv4Address": plain} if plain else {},
        "Aliases": None if local else [container.id[:12]],
        "NetworkID": network.id,
        "EndpointID": container.id[::-1] if container.running else "",
        "Gateway": network.gateway if container.address else "",
        "IPAddress": plain,
        "IPPrefixLen": int(bits or 0),
        "MacAddress": mac_address(address),
        "DNSNames": None if local else [container.name, container.id[:12]],
        "GwPriority": 0,
    }


def container_json(engine: Engine, container: Container) -> Json:
    """What `docker inspect` shows of a container."""
    task = container.task
    config = engine.image_config(task.image)
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
        "HostConfig": _host_config(task),
        "Config": _config(engine, container, config),
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


def _host_config(task: Task) -> Json:
    limits = (task.spec.get("Resources") or {}).get("Limits") or {}
    return {
        **CONSTANTS["HostConfig"],
        "PortBindings": {
            _port_name(port): [{"HostIp": "", "HostPort": str(port.get("PublishedPort", ""))}]
            for port in task.ports("host")
        },
        "ReadonlyRootfs": bool(task.container.get("ReadOnly")),
        "Memory": limits.get("MemoryBytes", 0),
        "NanoCpus": limits.get("NanoCPUs", 0),
        "Init": task.container.get("Init"),
    }


def _port_name(port: Json) -> str:
    return f"{port.get('TargetPort', 0)}/{port['Protocol']}"


def _config(engine: Engine, container: Container, config: Mapping[str, Any]) -> Json:
    task = container.task
    spec = _created_from(engine, task)
    health = spec.get("Healthcheck") or config.get("Healthcheck")
    exposed: Json = {_port_name(port): {} for port in task.ports("host")}
    return new_config(
        Hostname=spec.get("Hostname") or container.id[:12],
        User=spec.get("User") or config.get("User") or "",
        ExposedPorts={**(config.get("ExposedPorts") or {}), **exposed},
        Tty=bool(spec.get("TTY")),
        OpenStdin=bool(spec.get("OpenStdin")),
        Env=plan.environment(spec, config) or None,
        Cmd=spec.get("Args") or (None if spec.get("Command") else config.get("Cmd")),
        **({"Healthcheck": health} if health else {}),
        Image=task.image,
        WorkingDir=spec.get("Dir") or config.get("WorkingDir") or "",
        Entrypoint=spec.get("Command") or config.get("Entrypoint"),
        Labels=dict(sorted(container.labels.items())),
    )


def _network_settings(engine: Engine, container: Container) -> Json:
    bound = {
        _port_name(port): [
            {"HostIp": address, "HostPort": str(port.get("PublishedPort", ""))}
            for address in ("0.0.0.0", "::")  # noqa: S104  what Docker shows, nothing is bound
        ]
        for port in container.task.ports("host")
    }
    found = _networks(engine, container)
    always = CONSTANTS["NetworkSettings"]
    # of the bridge it is also said outside of the list, as when there were no others
    bridge = found.get("bridge") or {}
    return {
        **always,
        **{key: value for key, value in bridge.items() if key in always},
        "Ports": bound if container.running else {},
        "Networks": found,
    }
