"""The swarm itself: `docker swarm init`, `leave`, `update`, `join-token`, `unlock-key`."""

import ipaddress
from pathlib import Path
from typing import Any

from swarmsim.api.asking import body_of, version
from swarmsim.api.documents.objects import swarm_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.engine import swarm as membership
from swarmsim.go.errors import ApiError, rpc

routes = Routes()

#: The network interfaces of this machine, where it is a Linux.
_INTERFACES = Path("/sys/class/net")

_EXISTS = (
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and '
    "join another one."
)
_LAST_MANAGER = (
    "You are attempting to leave the swarm on a node that is participating as a manager. "
    "Removing the last manager erases all current state of the swarm. Use `--force` to ignore "
    "this message. "
)
_ONLY_ITSELF = (
    "rpc error: code = Unavailable desc = a simulated engine joins no other swarm: start it "
    "with --nodes to have more nodes"
)
_ROTATIONS = ("rotateWorkerToken", "rotateManagerToken", "rotateManagerUnlockKey")
_NO_SECRETS = (
    "no other node can join a simulated engine, and its store is not encrypted: it neither renews "
    "join tokens nor locks itself (autolock)"
)
_DATA_PATH_PORTS = range(1024, 49152)
_AVAILABILITIES = {"active", "pause", "drain"}


@routes.get("/swarm")
async def inspect(call: Call) -> Answer:
    """What `docker swarm join-token` and `docker swarm update` read."""
    swarm = call.engine.manager()
    return Answer({**swarm_json(swarm), "JoinTokens": swarm.tokens})


@routes.post("/swarm/init")
async def init(call: Call) -> Answer:
    """`docker swarm init`."""
    asked = await body_of(call, "swarm.InitRequest")
    if call.engine.swarm is not None:
        raise ApiError(503, _EXISTS)
    settings = _settings(asked)
    availability = asked.get("Availability") or "active"
    if availability not in _AVAILABILITIES:
        raise ApiError(500, f'invalid Availability: "{availability}"')
    spec = asked.get("Spec") or {}
    return Answer(call.engine.init_swarm(availability, spec=spec, **settings).node_id)


def _settings(asked: dict[str, Any]) -> dict[str, Any]:
    _check_spec(asked.get("Spec") or {})
    if not asked.get("ListenAddr"):
        raise ApiError(400, 'invalid ListenAddr "": invalid empty address')
    _, port = _host_and_port(asked["ListenAddr"], "listen address must be an IP address")
    data_path_port = asked.get("DataPathPort") or 4789
    if data_path_port not in _DATA_PATH_PORTS:
        message = "Datapath port number is not in valid range (1024-49151)"
        raise ApiError(500, f"{message} : {data_path_port}")
    pools = asked.get("DefaultAddrPool")
    advertised = "advertise address must be a non-zero IP address"
    return {
        "address": _host_and_port(asked.get("AdvertiseAddr") or "127.0.0.1", advertised)[0],
        "port": port,
        "data_path_port": data_path_port,
        # a list that is empty, as the docker command line sends it, is shown as it is
        "pool": ["10.0.0.0/8"] if pools is None else pools or None,
        "subnet_size": 24 if pools is None else asked.get("SubnetSize") or 0,
    }


def _host_and_port(address: str, sentence: str) -> tuple[str, int]:
    """Read an address; an interface counts as 127.0.0.1, since no other node joins."""
    host, colon, port = address.rpartition(":")
    host = host if colon else address
    if host in {"lo", "eth0", *(path.name for path in _INTERFACES.glob("*"))}:
        host = "127.0.0.1"
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        message = f"{sentence} or network interface (with optional port number)"
        raise ApiError(400, message) from None
    return host, int(port) if port.isdigit() and colon else membership.PORT


def _check_spec(spec: dict[str, Any]) -> None:
    if spec.get("Name", "default") not in {"", "default"}:
        raise ApiError(400, 'swarm spec must be named "default"')
    if (spec.get("EncryptionConfig") or {}).get("AutoLockManagers"):
        raise ApiError(501, _NO_SECRETS)


@routes.post("/swarm/join")
async def join(call: Call) -> Answer:
    """`docker swarm join`: a simulated engine cannot join another swarm."""
    await body_of(call, "swarm.JoinRequest")
    raise ApiError(503, _ONLY_ITSELF if call.engine.swarm is None else _EXISTS)


@routes.post("/swarm/leave")
async def leave(call: Call) -> Answer:
    """`docker swarm leave`."""
    if call.engine.swarm is None:
        raise ApiError(503, "This node is not part of a swarm")
    if not call.flag("force"):
        raise ApiError(503, _LAST_MANAGER)
    call.engine.leave_swarm()
    return Answer()


@routes.post("/swarm/update")
async def update(call: Call) -> Answer:
    """`docker swarm update`."""
    spec = await body_of(call, "swarm.Spec")
    of_version = version(call, "swarm")
    if any(call.flag(name) for name in _ROTATIONS):
        raise ApiError(501, _NO_SECRETS)
    swarm = call.engine.manager()
    _check_spec(spec)
    if of_version != swarm.version:
        raise rpc("Unknown", "update out of sequence")
    swarm.spec = membership.restated(spec)
    swarm.version, swarm.updated_at = call.engine.cluster.bump(), call.engine.now
    call.engine.cluster.history_limit = swarm.history_limit
    return Answer()


@routes.get("/swarm/unlockkey")
async def unlock_key(call: Call) -> Answer:
    """`docker swarm unlock-key`: there is none."""
    call.engine.manager()
    return Answer({"UnlockKey": ""})
