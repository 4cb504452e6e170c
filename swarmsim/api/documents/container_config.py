"""What a task's container was made with: `Config` and `HostConfig` of `docker inspect`.

From moby's `daemon/cluster/executor/container/container.go`, which makes them of the task's
spec, and `daemon/commit.go`, which fills in what the image says. As Docker Engine 20.10 shows
them; what the spec leaves empty is in `constants.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from swarmsim.api.documents import CONSTANTS, Json
from swarmsim.engine.containers import Container
from swarmsim.images.documents import new_config
from swarmsim.model import Task
from swarmsim.runtime import plan

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine


class Field(NamedTuple):
    """A field, and where in a task's spec it comes from."""

    name: str
    path: str
    shown: Callable[[Any], Any] = lambda given: given


def _hosts(lines: list[str]) -> list[str]:
    """Lines of `/etc/hosts` as `docker run --add-host` has them: a line's first name only."""
    words = [line.split() for line in lines]
    return [f"{line[1]}:{line[0]}" for line in words if line[1:]]


def _log_config(driver: Json) -> Json:
    return {"Type": driver.get("Name") or "json-file", "Config": driver.get("Options") or {}}


_CONTAINER = "ContainerSpec."
HOST_CONFIG = (
    Field("CapAdd", f"{_CONTAINER}CapabilityAdd"),
    Field("CapDrop", f"{_CONTAINER}CapabilityDrop"),
    Field("Dns", f"{_CONTAINER}DNSConfig.Nameservers"),
    Field("DnsOptions", f"{_CONTAINER}DNSConfig.Options"),
    Field("DnsSearch", f"{_CONTAINER}DNSConfig.Search"),
    Field("ExtraHosts", f"{_CONTAINER}Hosts", _hosts),
    Field("GroupAdd", f"{_CONTAINER}Groups"),
    Field("Init", f"{_CONTAINER}Init"),
    Field("Isolation", f"{_CONTAINER}Isolation"),
    Field("LogConfig", "LogDriver", _log_config),
    Field("Memory", "Resources.Limits.MemoryBytes"),
    Field("MemorySwap", "Resources.Limits.MemoryBytes", lambda memory: 2 * memory),
    Field("MemorySwappiness", "Resources.MemorySwappiness"),
    Field("Mounts", f"{_CONTAINER}Mounts"),
    Field("NanoCpus", "Resources.Limits.NanoCPUs"),
    Field("OomScoreAdj", f"{_CONTAINER}OomScoreAdj"),
    Field("PidsLimit", "Resources.Limits.Pids"),
    Field("ReadonlyRootfs", f"{_CONTAINER}ReadOnly"),
    Field("Sysctls", f"{_CONTAINER}Sysctls"),
    Field("Ulimits", f"{_CONTAINER}Ulimits"),
)
#: Fields of `Config` that the image has under the same name, and what the spec calls them.
_ALSO_OF_THE_IMAGE = {"User": "User", "WorkingDir": "Dir", "StopSignal": "StopSignal"}
_LEFT_OUT_IF_EMPTY = {"ExposedPorts", "Healthcheck", "StopSignal"}


def host_config(engine: Engine, container: Container) -> Json:
    """What the container gets of its host, and what limits it."""
    task = container.task
    spec = {**task.spec, "ContainerSpec": container.spec}
    given = [(field, _at(spec, field.path)) for field in HOST_CONFIG]
    return {
        **CONSTANTS["HostConfig"],
        **{field.name: field.shown(value) for field, value in given if value or value is False},
        "NetworkMode": network_mode(engine, task),
        "PortBindings": {
            port_name(port): [{"HostIp": "", "HostPort": str(port.get("PublishedPort", ""))}]
            for port in task.ports("host")
        },
    }


def _at(spec: Json, path: str) -> Any:
    value: Any = spec
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def network_mode(engine: Engine, task: Task) -> str:
    """`default`, or the network of the machine that the task uses."""
    attached = engine.networks_of(task)
    first = attached[0] if attached else None
    return first.name if first and first.predefined and first.scope == "swarm" else "default"


def port_name(port: Json) -> str:
    """A port, such as `80/tcp`."""
    return f"{port.get('TargetPort', 0)}/{port['Protocol']}"


def exposed_ports(engine: Engine, container: Container) -> Json:
    """The ports that the image exposes, and those that are published on the host."""
    published: Json = {port_name(port): {} for port in container.task.ports("host")}
    return {**(engine.image_config(container.task.image).get("ExposedPorts") or {}), **published}


def config(engine: Engine, container: Container) -> Json:
    """What runs in the container: of the service's spec, or else of the image."""
    task = container.task
    image, spec = engine.image_config(task.image), container.spec
    own_name = engine.hostname if network_mode(engine, task) == "host" else container.id[:12]
    found = new_config(
        Hostname=spec.get("Hostname") or own_name,
        **{
            ours: spec.get(given) or image.get(ours) or ""
            for ours, given in _ALSO_OF_THE_IMAGE.items()
        },
        ExposedPorts=exposed_ports(engine, container),
        Tty=bool(spec.get("TTY")),
        OpenStdin=bool(spec.get("OpenStdin")),
        Env=plan.environment(spec, image) or None,
        Cmd=spec.get("Args") or (None if spec.get("Command") else image.get("Cmd")),
        # what the service's does not say is the image's
        Healthcheck={**(image.get("Healthcheck") or {}), **(spec.get("Healthcheck") or {})},
        Image=task.image,
        Volumes=image.get("Volumes"),
        Entrypoint=spec.get("Command") or image.get("Entrypoint"),
        Labels=dict(sorted(container.labels.items())),
    )
    return {key: value for key, value in found.items() if value or key not in _LEFT_OUT_IF_EMPTY}
