"""More nodes for a swarm, on one machine: containers with a dockerd in each.

    the lab's engine, the manager          172.17.0.1 on its own bridge
      labkit-node-2   its host name: node-2    172.17.0.2, a worker
      labkit-node-3   its host name: node-3    172.17.0.3, a worker

`start` makes them, `share` gives them the lab's images (a node can pull nothing that was
only ever built here, and a task would be rejected there), `join` makes them workers. The
dockerd of each carries a label with its container's name, which the swarm lists, so that
`labkit up` and `labkit down` know them from nodes that are somebody else's.
"""

import contextlib
from collections.abc import Iterator
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labkit.base import echo, settings
from labkit.base.errors import EngineRefused, LabError, NotAManager, NotSettled
from labkit.base.jobs import poll
from labkit.base.rules import words
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images

#: On a node's container: which lab made it. On the dockerd in it: the container's name.
LABEL = "labkit.node"
#: An image with dockerd in it that is used if the engine has it.
OFFICIAL = "docker:dind"
_NAME = "labkit-node-"
#: Where the images that a node is given are unpacked on their way.
_INBOX = "/labkit-images"
#: Images without a name, and what nodes are made of.
_NOT_GIVEN = ("sha256:", baseimage.NODE.repository)
_READY_SECONDS = 60
_POLL_SECONDS = 0.2
_TRANSFER_SECONDS = 300
_STOP_SECONDS = 20
_CHUNK_BYTES = 1 << 20
_LAST_LINES = 15
_MEMBERSHIP = "{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}"
#: What comes of what is done to a node. The length is three of swarmkit's heartbeat periods.
_SILENT = "The manager gives it tasks until it misses its heartbeats, in about 15 s."
_DEEDS = {
    "kill": f"{{name}} is dead, with all that ran on it. {_SILENT}",
    "cut": f"{{name}} is cut off; what runs on it goes on. {_SILENT}",
    "start": "{name} is back.",
}
#: Drop nothing, or all that comes and goes between a node and its manager; once, however often.
_CONNECT = "iptables -D INPUT -i eth0 -j DROP; iptables -D OUTPUT -o eth0 -j DROP; true"
_CUT = f"{_CONNECT}; iptables -I INPUT -i eth0 -j DROP && iptables -I OUTPUT -o eth0 -j DROP"
#: What a node runs, and what the container of every node has.
_SCRIPT, _CONTAINER = (Path(__file__).with_name(f"node.{kind}") for kind in ("sh", "yaml"))


def start(swarm: Swarm, count: int) -> None:
    """Start the node containers that a swarm of `count` nodes needs; says what it does.

    Those of an earlier `up` are started again, and there may be more of them. Raises
    `LabError` where the engine cannot have any, before anything is made.
    """
    there = _containers(swarm)
    others = [node for node in swarm.get("/nodes") if not _container_of(node)]
    wanted = [f"{_NAME}{number}" for number in range(len(others) + 1, count + 1)]
    missing = [name for name in wanted if name not in there]
    if missing:
        _require_reachable(swarm)
        image = _image(swarm)
        for name in missing:
            _make(swarm, name, image)
    _bring_back(swarm, *there, *missing)
    if missing:
        echo.say(f"Nodes: started {', '.join(missing)}, each a container with a dockerd in it.")


def share(swarm: Swarm) -> list[str]:
    """Give each node the images of the lab that it lacks; returns what was done, in sentences."""
    done = []
    for name in _containers(swarm, running=True):
        shown = "{{.Repository}}:{{.Tag}} {{.ID}}"
        listed = _run(swarm, name, "docker", "image", "ls", "--no-trunc", "--format", shown)
        made = images.made_by_labkit(swarm).items()
        there = {(*line.split()[:2],) for line in listed.splitlines()}
        given = sorted(each for each in made - there if not each[0].startswith(_NOT_GIVEN))
        if given:
            _load(swarm, name, [image for image, _ in given])
            what = given[0][0] if len(given) == 1 else f"{len(given)} images"
            done.append(f"{name} was given {what}")
    return done


def join(swarm: Swarm) -> None:
    """Make workers of the nodes that are not in the swarm (any more); wait until all are ready."""
    ours = _containers(swarm)
    if not ours:
        return
    listed = {node["ID"] for node in swarm.get("/nodes")}
    for name in ours:
        about = _membership(swarm, name)
        if about[0] != "inactive" and not listed.intersection(about[1:]):
            # somebody removed it from the swarm, which it does not hear of
            _run(swarm, name, "docker", "swarm", "leave", "--force")
            about = ["inactive"]
        if about[0] == "inactive":
            token = swarm.get("/swarm")["JoinTokens"]["Worker"]
            _run(swarm, name, "docker", "swarm", "join", "--token", token, _address(swarm))
    for name in ours:
        _wait_until_ready(swarm, name)
    count = len(swarm.get("/nodes"))
    echo.say(f"Nodes: {count}. Those that are containers stay until `labkit down`.")


def disturb(swarm: Swarm, what: str, name: str) -> str:
    """`kill` a node, `cut` it off, or `start` it again; returns what comes of it, as a sentence.

    One that is started is waited for, until it works. Raises `LabError` if it does not, for
    the manager, and for a node that is not this lab's.
    """
    found = [node for node in swarm.get("/nodes") if node["Description"]["Hostname"] == name]
    workers = [node for node in found if node["Spec"]["Role"] != "manager"]
    if swarm.provenance != "engine" and workers:
        swarm.post(f"/swarmsim/nodes/{workers[0]['ID']}/{what}")
        if what == "start":
            _wait_until_ready(swarm, name)
        return _DEEDS[what].format(name=name)
    ours = _containers(swarm)
    container = next((one for node in workers if (one := _container_of(node)) in ours), "")
    if not container or ours[container]["Labels"][LABEL] != _lab():
        raise LabError(
            f"a node called {name} that this lab made.",
            "it is the manager, or somebody else's." if found else "there is none of that name.",
            "`docker node ls` lists the nodes; `labkit up --nodes 3` makes some.",
        )
    running = ours[container]["State"] == "running"
    match what:
        case "kill" if running:
            swarm.post(f"/containers/{container}/kill")
        case "cut" if running:
            _run(swarm, container, "sh", "-c", _CUT)
        case "start":
            _bring_back(swarm, container)
            _wait_until_ready(swarm, container)
    return _DEEDS[what].format(name=name)


def down(swarm: Swarm) -> None:
    """Remove the nodes that this lab made, with all that they keep; says so."""
    for name, container in _containers(swarm).items():
        if container["Labels"][LABEL] == _lab():
            swarm.post(f"/containers/{name}/stop", t=str(_STOP_SECONDS))
            _discard(swarm, name)
            echo.say(f"Removed the node {name}.")


# ---- making and removing -------------------------------------------------------------


def _make(swarm: Swarm, name: str, image: str) -> None:
    _forget(swarm, name)  # the swarm may still list one whose container somebody removed
    made = _container(name, image)
    try:
        swarm.post("/containers/create", made, name=name)
    except EngineRefused as problem:
        if "CapDrop" not in problem.docker_says:
            raise
        # newer engines refuse to drop what a machine withholds, and leave it out of ALL
        host = {key: value for key, value in made["HostConfig"].items() if key != "CapDrop"}
        swarm.post("/containers/create", made | {"HostConfig": host}, name=name)
    swarm.post(f"/containers/{name}/start")


def _container(name: str, image: str) -> dict[str, Any]:
    environment = {
        "NODE": name,
        "LABEL": LABEL,
        "INBOX": _INBOX,
        "CGROUP": f"{name}-{sha256(_lab().encode()).hexdigest()[:8]}",
        # or it asks a registry for the image of every task, even for one that it has
        "DOCKER_SERVICE_PREFER_OFFLINE_IMAGE": "1",
    }
    return words(_CONTAINER) | {
        "Image": image,
        "Hostname": name.removeprefix("labkit-"),
        "Entrypoint": ["sh", "-c", _SCRIPT.read_text(encoding="utf-8")],
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Labels": {settings.LAB_LABEL: "true", LABEL: _lab()},
    }


def _discard(swarm: Swarm, name: str) -> None:
    swarm.delete(f"/containers/{name}?force=true&v=true")
    _forget(swarm, name)


def _forget(swarm: Swarm, name: str) -> None:
    """Take the nodes that ran in this container from the swarm's list, if it is a swarm still."""
    with contextlib.suppress(NotAManager):
        for node in swarm.get("/nodes"):
            if _container_of(node) == name:
                swarm.delete(f"/nodes/{node['ID']}?force=true")


def _image(swarm: Swarm) -> str:
    made = baseimage.name(baseimage.NODE)
    for image in filter(None, (OFFICIAL, made)):
        if images.has(swarm, image):
            return image
    if reason := baseimage.why_not(swarm.info().get("Architecture", "")):
        raise LabError(
            f"an image with dockerd in it, for the nodes: {OFFICIAL}.",
            f"the engine has none, and none can be made here: {reason}.",
            f"`docker image pull {OFFICIAL}`, or leave out --nodes.",
        )
    echo.say(f"Making {made} from this machine's package source (half a minute) …")
    baseimage.make(swarm.client.api, made, baseimage.NODE)
    return made


# ---- what is there -------------------------------------------------------------------


def _containers(swarm: Swarm, *, running: bool = False) -> dict[str, dict[str, Any]]:
    """Return the containers of nodes that any lab made on this engine, by name."""
    everything = "false" if running else "true"
    listed = swarm.get("/containers/json", filters={"label": [LABEL]}, all=everything)
    by_name = {container["Names"][0].lstrip("/"): container for container in listed}
    return dict(sorted(by_name.items(), key=lambda each: (len(each[0]), each[0])))


def _container_of(node: dict[str, Any]) -> str:
    labels = node.get("Description", {}).get("Engine", {}).get("Labels") or {}
    return str(labels.get(LABEL, ""))


def _lab() -> str:
    """Return what says on a container which lab made it."""
    return str(settings.state_dir().resolve())


def _require_reachable(swarm: Swarm) -> None:
    host = urlsplit(f"//{_address(swarm)}").hostname or ""
    if ip_address(host).is_loopback:
        raise LabError(
            "a swarm that a second node can join.",
            f"its manager can only be reached on this machine, at {host}.",
            "`labkit down` leaves a swarm that labkit made; then `labkit up --nodes` makes one "
            "that can be joined. For a swarm of your own: `labkit up --engine private --nodes`.",
        )


def _address(swarm: Swarm) -> str:
    """Return where the manager listens to nodes, such as `172.17.0.1:2377`."""
    about = swarm.info()["Swarm"]
    managers = about.get("RemoteManagers") or []
    return next(str(each["Addr"]) for each in managers if each["NodeID"] == about["NodeID"])


# ---- in a node -----------------------------------------------------------------------


def _bring_back(swarm: Swarm, *names: str) -> None:
    """Start nodes that are stopped, wait for their dockerds, and let them reach the manager."""
    for name in names:
        swarm.post(f"/containers/{name}/start")
    for name in names:
        _wait_for_engine(swarm, name)
        _run(swarm, name, "sh", "-c", _CONNECT)


def _wait_for_engine(swarm: Swarm, name: str) -> None:
    """Wait until the dockerd in a node answers; a node that cannot run is removed."""
    for _ in poll(_READY_SECONDS, _POLL_SECONDS):
        running = swarm.get(f"/containers/{name}/json")["State"]["Running"]
        if not running:
            break
        with contextlib.suppress(LabError):
            _run(swarm, name, "docker", "version", "-f", "{{.Server.Version}}")
            return
    said = swarm.container_logs(name, _LAST_LINES)
    _discard(swarm, name)
    raise LabError(
        f"the dockerd in {name} to answer within {_READY_SECONDS} s.",
        "it does not; the end of its log is below. The node has been removed.",
        "this engine or its kernel may not allow nodes in containers: leave out --nodes.",
        docker_says=said,
    )


def _membership(swarm: Swarm, name: str) -> list[str]:
    """Return a node's own word for its state in a swarm, and its ID there if it has one.

    It is asked again where it says nothing: a busy engine may lose what a program prints.
    """
    for _ in poll(_READY_SECONDS, _POLL_SECONDS):
        if said := _run(swarm, name, "docker", "info", "-f", _MEMBERSHIP).split():
            return said
    return ["error"]


def _wait_until_ready(swarm: Swarm, name: str) -> None:
    """Wait until the swarm has a ready node in this container, or of this name if simulated.

    Raises `NotSettled`.
    """
    for _ in poll(_READY_SECONDS, _POLL_SECONDS):
        ready = (node for node in swarm.get("/nodes") if node["Status"]["State"] == "ready")
        if any(name in (_container_of(node), node["Description"]["Hostname"]) for node in ready):
            return
    raise NotSettled(
        f"{name} to be a ready node of the swarm within {_READY_SECONDS} s.",
        "it is not; the end of its dockerd's log is below.",
        "fix that, or run `labkit down` and then `labkit up` without --nodes.",
        docker_says=swarm.container_logs(name, _LAST_LINES),
    )


def _load(swarm: Swarm, node: str, names: list[str]) -> None:
    """Copy images from the lab's engine into a node.

    As `docker image save … | docker exec -i … docker image load`, but an exec's standard
    input cannot be closed on every kind of connection. What `save` gives is an archive, so
    it is unpacked in the node, and packed again there.
    """
    api = swarm.client.api
    engine = f"{api.base_url}/v{api.api_version}"
    with _said_in_full(f"{node} to take {', '.join(names)}."):
        saved = api.get(
            f"{engine}/images/get",
            params={"names": names},
            stream=True,
            timeout=_TRANSFER_SECONDS,
        )
        with saved:
            saved.raise_for_status()
            api.put(
                f"{engine}/containers/{node}/archive",
                params={"path": _INBOX},
                data=saved.iter_content(_CHUNK_BYTES),
                timeout=_TRANSFER_SECONDS,
            ).raise_for_status()
    _run(swarm, node, "sh", "-c", f"tar -C {_INBOX} -c . | docker image load")
    _run(swarm, node, "sh", "-c", f"rm -r {_INBOX}/*")


def _run(swarm: Swarm, container: str, *words: str) -> str:
    """Run a program in a container and return what it printed. Raises `LabError` if it fails."""
    body = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True}
    started = swarm.post(f"/containers/{container}/exec", body)["Id"]
    expected = f"`{' '.join(words[:3])} …` in {container} to work."
    with _said_in_full(expected):
        said = bytes(swarm.client.api.exec_start(started)).decode(errors="replace").strip()
    status = swarm.get(f"/exec/{started}/json")["ExitCode"]
    if status:
        raise LabError(expected, f"exit status {status}.", docker_says=said)
    return said


@contextlib.contextmanager
def _said_in_full(expected: str) -> Iterator[None]:
    """Turn an error of the SDK's or of its connection into one of labkit's."""
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as problem:
        answer = getattr(problem, "response", None)
        says = answer.text if answer is not None else str(problem)
        raise LabError(expected, "it failed.", docker_says=says) from None
