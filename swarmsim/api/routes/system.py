"""The engine itself: `docker version`, `docker info`, `docker system df`, and what is asked first.

The engine says what it is wherever somebody looks: the operating system in `docker info`,
the platform in `docker version`.
"""

from __future__ import annotations

import os
import platform
from collections import Counter
from typing import Any

from swarmsim.api.documents.inspection import listing_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.versions import API_VERSION, MIN_API_VERSION
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.times import stamp
from swarmsim.images import listing

routes = Routes()

Json = dict[str, Any]

_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_NO_COMMIT = {"ID": "", "Expected": ""}
_NO_REGISTRIES = (
    *("AllowNondistributableArtifactsCIDRs", "AllowNondistributableArtifactsHostnames"),
    "Mirrors",
)
_OFFICIAL = {"Secure": True, "Official": True}
_NEVER_CACHED = (("Cache-Control", "no-cache, no-store, must-revalidate"), ("Pragma", "no-cache"))


@routes.get("/_ping")
@routes.head("/_ping")
async def ping(call: Call) -> Answer:
    """The first thing that every client asks, and takes the version of the API from."""
    body = b"OK" if call.method == "GET" else None
    return Answer(body, content_type="text/plain; charset=utf-8", headers=_NEVER_CACHED)


@routes.get("/version")
async def version(call: Call) -> Answer:
    """`docker version`."""
    details = {
        "ApiVersion": API_VERSION,
        "Arch": _GO_ARCHITECTURES.get(platform.machine(), platform.machine()),
        "Experimental": "false",
        "KernelVersion": platform.release(),
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
    }
    engine = {"Name": "Engine", "Version": call.engine.version, "Details": details}
    shown = {
        "Platform": {"Name": call.engine.operating_system},
        "Components": [engine],
        "Version": call.engine.version,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": details["Arch"],
        "KernelVersion": details["KernelVersion"],
    }
    return Answer(shown)


@routes.get("/info")
async def info(call: Call) -> Answer:
    """`docker info`."""
    engine = call.engine
    states = [container.state for container in engine.containers]
    shown = {
        "ID": engine.id,
        "Containers": len(states),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": 0,
        "ContainersStopped": len(states) - states.count("running"),
        "Images": len(engine.images.images),
        "Driver": "simulated",
        "DriverStatus": [["Containers", "processes of this machine, not isolated"]],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "null", "overlay"],
            "Authorization": None,
            "Log": ["json-file"],
        },
        **_LIMITS,
        "NEventsListener": engine.events.followers,
        "SystemTime": stamp(engine.now),
        **_machine(engine),
        "Labels": engine.labels,
        "ExperimentalBuild": False,
        "ServerVersion": engine.version,
        "Runtimes": {"runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": _swarm(engine),
        "LiveRestoreEnabled": False,
        **dict.fromkeys(("Isolation", "InitBinary", "HttpProxy", "HttpsProxy", "NoProxy"), ""),
        **dict.fromkeys(("ContainerdCommit", "RuncCommit", "InitCommit"), _NO_COMMIT),
        "Debug": False,
        "NFd": 0,
        "NGoroutines": 0,
        "SecurityOptions": [],
        "Warnings": None,
    }
    return Answer(shown)


#: What a kernel can limit: true, so that the command line does not warn of each.
_LIMITS: Json = dict.fromkeys(
    (
        *("MemoryLimit", "SwapLimit", "KernelMemory", "KernelMemoryTCP", "CpuCfsPeriod"),
        *("CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit", "IPv4Forwarding"),
        *("BridgeNfIptables", "BridgeNfIp6tables", "OomKillDisable"),
    ),
    True,
)


def _machine(engine: Engine) -> Json:
    return {
        "LoggingDriver": "json-file",
        "CgroupDriver": "none",
        "CgroupVersion": "1",
        "KernelVersion": platform.release(),
        "OperatingSystem": engine.operating_system,
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": platform.machine(),
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            **{key: [] for key in _NO_REGISTRIES},
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {"docker.io": {"Name": "docker.io", "Mirrors": [], **_OFFICIAL}},
        },
        "NCPU": os.cpu_count() or 1,
        "MemTotal": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "GenericResources": None,
        "DockerRootDir": str(engine.data),
        "Name": engine.hostname,
    }


def _swarm(engine: Engine) -> Json:
    swarm = engine.swarm
    if swarm is None:
        outside = {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive"}
        return {**outside, "ControlAvailable": False, "Error": "", "RemoteManagers": None}
    nodes = engine.cluster.nodes.values()
    return {
        "NodeID": swarm.node_id,
        "NodeAddr": swarm.address,
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "Error": "",
        "RemoteManagers": [{"NodeID": swarm.node_id, "Addr": swarm.manager_address}],
        "Nodes": len(nodes),
        "Managers": sum(node.role == "manager" for node in nodes),
        "Cluster": swarm.info(),
    }


@routes.get("/system/df")
async def disk_usage(call: Call) -> Answer:
    """`docker system df`: images and containers; builds have no cache of their own."""
    engine = call.engine
    rows = listing.listed(engine.images, Filters({}))
    used = Counter(engine.image_id(it.task.image) for it in engine.containers)
    for row in rows:
        row |= {"SharedSize": 0, "Containers": used[row["Id"]]}
    shown = {
        "LayersSize": sum(int(row["Size"]) for row in rows),
        "Images": rows,
        "Containers": [listing_json(engine, it) for it in engine.containers],
        "Volumes": [],
        "BuildCache": [],
        "BuilderSize": 0,
    }
    return Answer(shown)


@routes.get("/volumes")
async def volumes(call: Call) -> Answer:
    """`docker volume ls`: there are none."""
    try:
        filters = Filters.parse(call.query.get("filters", ""), status=400)
    except ApiError as problem:
        raise ApiError(400, f"error reading volume filters: {problem.message}") from None
    filters.allow("dangling", "name", "driver", "label")
    return Answer({"Volumes": [], "Warnings": None})


@routes.get("/volumes/{name}")
async def volume(call: Call) -> Answer:
    """`docker volume inspect`: there is none."""
    raise _no_volume(call)


def _no_volume(call: Call) -> ApiError:
    return ApiError(404, f"get {call.path['name']}: no such volume")


@routes.delete("/volumes/{name}")
async def remove_volume(call: Call) -> Answer:
    """`docker volume rm`: there is none, and none to remove."""
    if not call.flag("force"):
        raise _no_volume(call)
    return Answer(status=204)


@routes.post("/volumes/create")
async def create_volume(call: Call) -> Answer:  # noqa: ARG001  as every route
    """`docker volume create`: a limit of the simulated engine."""
    raise ApiError(501, "a simulated engine has no volumes: its tasks keep no files")


@routes.post("/volumes/prune")
async def prune_volumes(call: Call) -> Answer:  # noqa: ARG001  as every route
    """`docker volume prune`."""
    return Answer({"VolumesDeleted": [], "SpaceReclaimed": 0})


@routes.get("/plugins")
async def plugins(call: Call) -> Answer:  # noqa: ARG001  as every route
    """`docker plugin ls`: there are none."""
    return Answer([])


@routes.post("/auth")
async def login(call: Call) -> Answer:
    """`docker login`: the registry of a simulated engine takes everybody."""
    await call.json()
    return Answer({"Status": "Login Succeeded", "IdentityToken": ""})
