"""Making an engine the manager of a swarm, and leaving a swarm that labkit made."""

import time
from ipaddress import IPv4Network

from labkit.base import jobs
from labkit.base.errors import EngineRefused, LabError, NotAManager
from labkit.swarm.client import Swarm

#: The address of the machine itself and not one of its networks': those change when a
#: laptop moves, and a manager that has lost its address has lost its swarm.
_ALONE = "127.0.0.1"
_READY_SECONDS = 30
_POLL_SECONDS = 0.2


def ensure(swarm: Swarm, *, joinable: bool = False) -> bool:
    """Make the engine a swarm of one node unless it is in a swarm; returns whether it was made.

    A `joinable` one can be joined from containers of the engine (`nodes.py`). Waits until
    the manager takes orders, which after a restart takes some seconds. Raises `NotAManager`
    for a worker, and for a swarm that is locked or broken.
    """
    created = _is_alone(swarm) and _init(swarm, _bridge_address(swarm) if joinable else _ALONE)
    deadline = time.monotonic() + _READY_SECONDS
    while problem := _not_ready(swarm):
        if time.monotonic() > deadline or _stays_so(swarm):
            raise problem
        jobs.sleep(_POLL_SECONDS)
    return created


def leave(swarm: Swarm) -> str:
    """Leave the swarm, unless others use it; returns what was done, as a sentence."""
    if _is_alone(swarm):
        return "The swarm that labkit had created was left before."
    others = sorted(service["Spec"]["Name"] for service in swarm.services())
    nodes = len(swarm.get("/nodes"))
    if others:
        return f"The swarm stays, because {', '.join(others)} still runs on it."
    if nodes > 1:
        return f"The swarm stays, because it has {nodes} nodes now."
    swarm.post("/swarm/leave", force="true")
    return "Left the swarm that labkit had created."


def _is_alone(swarm: Swarm) -> bool:
    return bool(swarm.info()["Swarm"]["LocalNodeState"] == "inactive")


def _init(swarm: Swarm, address: str) -> bool:
    try:
        swarm.post("/swarm/init", {"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": address})
    except (EngineRefused, NotAManager) as problem:
        if not _is_alone(swarm):  # another `labkit up` was sooner
            return False
        raise NotAManager(
            "the engine to become a swarm of one node.",
            "it refused.",
            "if another engine of this machine is a swarm, it holds the ports; "
            "use that one, or `labkit up --engine private`.",
            docker_says=problem.docker_says,
        ) from None
    return True


def _bridge_address(swarm: Swarm) -> str:
    """Return the engine's own address on its default bridge, where containers reach it."""
    about = swarm.get("/networks/bridge")["IPAM"]["Config"][0]
    # an engine that chose the network by itself has its first address, and does not say so
    return str(about.get("Gateway") or next(IPv4Network(about["Subnet"]).hosts()))


def _not_ready(swarm: Swarm) -> LabError | None:
    try:
        swarm.require_manager()
        swarm.services()
    except (NotAManager, EngineRefused) as problem:
        return problem
    return None


def _stays_so(swarm: Swarm) -> bool:
    """Whether waiting would not make it a manager: it is locked, or a worker in good order."""
    about = swarm.info()["Swarm"]
    managers = {each["NodeID"] for each in about.get("RemoteManagers") or []}
    state = about["LocalNodeState"]
    return state == "locked" or (state == "active" and about["NodeID"] not in managers)
