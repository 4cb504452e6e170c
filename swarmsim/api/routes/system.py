"""The engine itself: `docker version`, `info`, `events`, `system df`, and what is asked first.

The engine says what it is wherever somebody looks: the operating system in `docker info`,
the platform in `docker version`.
"""

import platform

from swarmsim.api import versions
from swarmsim.api.asking import filters_of
from swarmsim.api.documents import CONSTANTS, Json
from swarmsim.api.documents.inspection import listing_json
from swarmsim.api.documents.objects import swarm_json, usage_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.routes.images import rows
from swarmsim.engine.engine import Engine
from swarmsim.engine.events import FILTERS, Message, included
from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.times import moment, stamp
from swarmsim.images import documents

routes = Routes()

_NEVER_CACHED = (("Cache-Control", "no-cache, no-store, must-revalidate"), ("Pragma", "no-cache"))


@routes.get("/_ping")
@routes.head("/_ping")
async def ping(call: Call) -> Answer:
    """The first thing that every client asks, and takes the version of the API from."""
    body = b"OK" if call.method == "GET" else None
    told = (
        ("Builder-Version", "1"),  # the classic builder
        ("Swarm", "active/manager" if call.engine.swarm else "inactive"),
    )
    kind = "text/plain; charset=utf-8"
    return Answer(body, content_type=kind, headers=(*_NEVER_CACHED, *told))


@routes.get("/version")
async def version(call: Call) -> Answer:
    """`docker version`."""
    both = {
        "ApiVersion": versions.API_VERSION,
        "Arch": documents.architecture(),
        "KernelVersion": platform.release(),
        "MinAPIVersion": versions.MIN_API_VERSION,
        "Os": "linux",
    }
    name, number = call.engine.operating_system, call.engine.version
    engine = {"Name": "Engine", "Version": number, "Details": {**both, "Experimental": "false"}}
    shown = {"Platform": {"Name": name}, "Components": [engine], "Version": number, **both}
    return Answer({**shown, "GitCommit": "", "GoVersion": ""})


@routes.get("/info")
async def info(call: Call) -> Answer:
    """`docker info`. What a kernel can limit is true, or the command line warns of each."""
    engine = call.engine
    running = sum(container.running for container in engine.containers)
    count = len(list(engine.containers))
    shown = {
        **CONSTANTS["info"],
        "ID": engine.id,
        "Containers": count,
        "ContainersRunning": running,
        "ContainersStopped": count - running,
        "Images": len(engine.images.images),
        "NEventsListener": engine.events.followers,
        "SystemTime": stamp(engine.now),
        "KernelVersion": platform.release(),
        "OperatingSystem": engine.operating_system,
        "Architecture": platform.machine(),
        "NCPU": engine.cpus,
        "MemTotal": engine.memory,
        "DockerRootDir": str(engine.data),
        "Name": engine.hostname,
        "Labels": engine.labels,
        "ServerVersion": engine.version,
        "Swarm": _swarm(engine),
    }
    return Answer(shown)


def _swarm(engine: Engine) -> Json:
    swarm = engine.swarm
    if swarm is None:
        return dict(CONSTANTS["info of no swarm"])
    nodes = engine.cluster.nodes.values()
    return {
        "NodeID": swarm.node_id,
        "NodeAddr": swarm.address,
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "Error": "",
        "RemoteManagers": [{"NodeID": swarm.node_id, "Addr": f"{swarm.address}:{swarm.port}"}],
        "Nodes": len(nodes),
        "Managers": sum(node.role == "manager" for node in nodes),
        "Cluster": swarm_json(swarm),
    }


@routes.get("/events")
async def events(call: Call) -> None:
    """Stream messages, one JSON object a line, until `until` or until the client goes away."""
    since, until = moment(call.query.get("since", "")), moment(call.query.get("until", ""))
    if until is not None and until < (since or 0):
        times = [call.query.get(name, "") for name in ("since", "until")]
        sentence = f"`since` time ({times[0]}) cannot be after `until` time ({times[1]})"
        raise ApiError(400, sentence)
    filters = filters_of(call, *FILTERS, also=("daemon", "image", "plugin"))
    engine = call.engine
    await call.stream("application/json")
    with engine.events.follow() as news:
        past = engine.events.kept(since or 0, until) if since is not None or until else []
        for message in past:
            await _write(call, message, filters)
        while True:
            while news and (until is None or news[0]["timeNano"] <= until):
                await _write(call, news.popleft(), filters)
            if until is not None and engine.now >= until:
                return
            await call.wait(until)


async def _write(call: Call, message: Message, filters: Filters) -> None:
    if included(message, filters):
        shown = versions.fitting(versions.ANSWERS, call.route, call.version, message)
        await call.write(gojson.dumps(shown) + b"\n")


#: What `docker system df` counts: its `type`, the list of it, and the new object for it.
_DISK_USAGE = {
    "image": ("Images", "ImageUsage"),
    "container": ("Containers", "ContainerUsage"),
    "volume": ("Volumes", "VolumeUsage"),
    "build-cache": ("BuildCache", "BuildCacheUsage"),
}


@routes.get("/system/df")
async def disk_usage(call: Call) -> Answer:
    """`docker system df`: images, containers, volumes; builds have no cache of their own."""
    engine = call.engine
    wanted = call.queries.get("type", list(_DISK_USAGE))
    for kind in wanted:
        if kind not in _DISK_USAGE:
            raise ApiError(400, f"unknown object type: {kind}")
    lists: Json = {
        "Volumes": [usage_json(engine, it) for it in engine.containers.volumes.values()],
        "BuildCache": [],
        "Images": [row | {"SharedSize": 0} for row in rows(engine, Filters({}))],
        "Containers": [listing_json(engine, it) for it in engine.containers],
    }
    in_use = {
        "Images": [row for row in lists["Images"] if row["Containers"]],
        "Containers": [row for row in lists["Containers"] if row["State"] == "running"],
        "Volumes": [row for row in lists["Volumes"] if row["UsageData"]["RefCount"]],
    }
    verbose = call.flag("verbose")
    shown: Json = {}
    for old, new in map(_DISK_USAGE.__getitem__, wanted):
        found, used = lists[old], in_use.get(old, [])
        size, freed = (sum(map(_size, them)) for them in (found, used))
        counts = {"ActiveCount": len(used), "TotalCount": len(found)}
        counts |= {"TotalSize": size, "Reclaimable": size - freed}
        items = {"Items": found} if verbose else {}
        shown[new] = {key: it for key, it in {**counts, **items}.items() if it}
        shown |= {} if verbose else {old: found}
        shown |= {"LayersSize": size} if old == "Images" and not verbose else {}
    return Answer({**shown, "BuilderSize": 0})


def _size(row: Json) -> int:
    return int(row.get("UsageData", row).get("Size", 0))
