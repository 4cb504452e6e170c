"""What an engine stores and shows of services, tasks, nodes and networks, field by field.

Each document of the simulated engine is compared with the real engine's, whole; only what is
allotted (ids, times, addresses, versions, what the machine is) is evened out.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.claims import load
from tests.conformance.engines import REPOSITORY, Answer, Engine
from tests.swarmsim.raw import archive_of
from tests.waiting import until

pytestmark = pytest.mark.engine

#: Leaves whose value an engine allots; that they are there is compared, and their type.
ALLOTTED = re.compile(
    r"(ID|Id|Version/Index|CreatedAt|UpdatedAt|StartedAt|Timestamp|Created|LastModified|Subnet"
    r"|Gateway|Addr|PID|Addresses/\d+|vxlanid_list|NanoCPUs|MemoryBytes|Description/Hostname|Architecture"
    r"|EngineVersion|IP|LocalLBIndex|Peers/\d+/Name|Digest|Expiry|TrustRoot|CertIssuer\w*|Manager|Worker)$"
)
_ID = re.compile(r"\b[a-z0-9]{25}\b")

#: Service specs, of tasks that cannot be placed: one with a field of every kind, and odd ones.
SPECS: dict[str, dict[str, Any]] = load(
    Path(__file__)
    .with_name("specs.yaml")
    .read_text(encoding="utf-8")
    .replace("<image>", f"{REPOSITORY}:print-old")
)


#: Task templates of services whose containers are looked at, and requests about volumes.
CONTAINERS: dict[str, dict[str, Any]]
REQUESTS: list[Any]
CONTAINERS, REQUESTS = (
    load(Path(__file__).with_name(f"{file}.yaml").read_text(encoding="utf-8"))
    for file in ("containers", "volumes")
)
#: Of the storage of images, the kernel, the moment (a probe that runs), and files that only a
#: real engine has. Its lists leave out where the volume of an image is.
OF_MACHINE = re.compile(
    r"^/0/0/(Driver$|State/)|^/1/0/(State$|Status$|Mounts/\d+/Source$)|/(GraphDriver|Created"
    r"|ExecIDs|SandboxKey|SandboxID|LogPath|HostsPath|HostnamePath|ResolvConfPath|MacAddress"
    r"|MaskedPaths|ReadonlyPaths)(/|$)"
)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return every leaf of some JSON by its path, so that a difference names its field."""
    if isinstance(value, dict) and value:
        entries: Any = value.items()
    elif isinstance(value, list) and value:
        entries = enumerate(value)
    else:
        allotted = ALLOTTED.search(path) and not isinstance(value, dict | list)
        return {path: f"a {type(value).__name__}" if allotted else value}
    return {
        place: leaf for key, each in entries for place, leaf in flat(each, f"{path}/{key}").items()
    }


def _is_slow(request: list[Any]) -> bool:
    """Whether a real engine takes fifteen seconds, looking for a plugin; it is sent ahead."""
    return {"Driver": "nonsense"}.items() <= dict(*request[2:]).items()


class Documents:
    """What one engine shows."""

    def __init__(self, engine: Engine, exits: ExitStack) -> None:
        self._engine = engine
        self._exits = exits
        self.name = f"d{secrets.token_hex(4)}"
        #: The name of the service that was made last.
        self._last = ""
        #: The ids and names of the services of `CONTAINERS`.
        self._containers: dict[str, tuple[str, str]] = {}
        self._requests = json.loads(json.dumps(REQUESTS).replace("<name>", self.name))
        self._ahead = exits.enter_context(ThreadPoolExecutor()).submit(
            self._ask, *next(filter(_is_slow, self._requests))
        )
        exits.callback(self._remove_volumes)
        self._network = self._make("networks", {"Name": self.name, "Driver": "overlay"}, "Id")

    def _make(self, path: str, body: dict[str, Any], key: str = "ID") -> str:
        answer = self._engine.call("POST", f"/{path}/create", body)
        assert answer.status == 201, answer
        self._exits.callback(self._engine.call, "DELETE", f"/{path}/{answer.body[key]}")
        return str(answer.body[key])

    def even(self, document: Any) -> dict[str, Any]:
        """Return a document's leaves, without names and ids of this engine."""
        leaves = {}
        for path, leaf in flat(document).items():
            if isinstance(leaf, str):
                leaf = _ID.sub("<id>", leaf.replace(self.name, "<name>"))
            if path.endswith("PublishedPort") and leaf >= 30000:
                leaf = "allotted"
            leaves[path.replace(self.name, "<name>")] = leaf
        return leaves

    def service(self, spec: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create a service, and return its id and itself when it has its addresses."""
        name = self._last = f"{self.name}-{secrets.token_hex(4)}"
        body = {"Name": name, **spec}
        for network in body["TaskTemplate"].get("Networks", ()):
            body = {**body, "TaskTemplate": {**body["TaskTemplate"]}}
            target = network["Target"].replace("<network>", self.name)
            body["TaskTemplate"]["Networks"] = [{**network, "Target": target}]
        found = self._make("services", body)

        wanted = []
        if body["TaskTemplate"].get("Networks"):
            wanted.append("VirtualIPs")
        if body.get("EndpointSpec", {}) and body["EndpointSpec"].get("Ports"):
            wanted.append("Ports")

        def allotted() -> dict[str, Any] | None:
            service: dict[str, Any] = self._engine.get(f"/services/{found}")
            return service if all(service["Endpoint"].get(key) for key in wanted) else None

        service = until(allotted, "its addresses and ports")
        service["Spec"]["Name"] = "<service>"
        return found, service

    def spec(self, which: str) -> dict[str, Any]:
        """Return a service as it is stored, and with defaults filled in."""
        found, service = self.service(SPECS[which])
        filled = self._engine.get(f"/services/{found}", insertDefaults="true")["Spec"]
        del filled["Name"]
        return self.even({"stored": service, "filled": filled})

    def updated(self) -> dict[str, Any]:
        """Return a service after an update, with what it was before."""
        found, service = self.service(SPECS["little"])
        body = self._engine.get(f"/services/{found}")["Spec"]
        body["Labels"] = {"a": "b"}
        body["TaskTemplate"]["ForceUpdate"] = 1
        version = str(self._engine.get(f"/services/{found}")["Version"]["Index"])
        path = f"/services/{found}/update"
        assert self._engine.call("POST", path, body, version=version).status == 200
        service = until(
            lambda: (got := self._engine.get(f"/services/{found}")).get("UpdateStatus") and got,
            "the update to begin",
        )
        service["Spec"]["Name"] = service["PreviousSpec"]["Name"] = "<service>"
        return self.even(service)

    def task(self, spec: dict[str, Any], state: str) -> dict[str, Any]:
        """Return the one task of a service when it has come to a state."""
        found, _ = self.service(spec)
        filters = {"service": [found]}

        def there() -> dict[str, Any] | None:
            tasks = self._engine.get("/tasks", filters=filters)
            return tasks[0] if tasks and come(tasks[0]) else None

        def come(task: dict[str, Any]) -> bool:
            told = state == "failed" and task["DesiredState"] == "running"  # and soon shutdown
            unsaid = state == "pending" and not task["Status"].get("Err")  # and soon why
            return task["Status"]["State"] == state and not told and not unsaid

        return self.even(until(there, f"a task that is {state}", 90))

    def running_task(self) -> dict[str, Any]:
        """Return a task that runs, on a network and with a port of the host."""
        spec = {
            "TaskTemplate": {
                "ContainerSpec": {"Image": self._engine.image("print old"), "Env": ["A=1"]},
                "Networks": [{"Target": "<network>"}],
            },
            "EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishMode": "ingress"}]},
        }
        task = self.task(spec, "running")
        # how the network of the mesh was asked for is this engine's own history
        own = re.compile(r"/NetworksAttachments/0/Network/Spec/(DriverConfiguration|IPAMOptions)")
        return {path: leaf for path, leaf in task.items() if not own.match(path)}

    def pending_task(self) -> dict[str, Any]:
        """Return a task that cannot be placed."""
        return self.task({**SPECS["rich"], "EndpointSpec": {"Mode": "vip"}}, "pending")

    def failed_task(self) -> dict[str, Any]:
        """Return a task that ended by itself."""
        image = self._engine.image("exit 3 after 0")
        policy = {"Condition": "none"}
        container = {"ContainerSpec": {"Image": image}, "RestartPolicy": policy}
        return self.task({"TaskTemplate": container}, "failed")

    def container(self, which: str) -> dict[str, Any]:
        """Return what was made for a task, in `docker inspect` and in `docker ps`."""
        if not self._containers:  # all at once, as each takes seconds to start
            self._containers = {name: self._service_of(CONTAINERS[name]) for name in CONTAINERS}
        found, name = self._containers[which]
        task = until(lambda: self._ended_up(found), "a task that runs, or that failed", 90)[-1]
        label = f"com.docker.swarm.task.id={task['ID']}"
        listed = self._engine.get("/containers/json", all="1", filters={"label": [label]})
        shown = [self._engine.get(f"/containers/{it['Id']}/json") for it in listed]
        for config in [it["Config"] for it in shown]:  # what the base image says is not compared
            config["Env"] = [it for it in config["Env"] if it[:4] not in {"PATH", "LANG"}]
        for labels in [*(it["Config"]["Labels"] for it in shown), *(it["Labels"] for it in listed)]:
            labels.pop("labkit.lab", None)
        for it in (*shown, *listed):  # of no order
            it["Mounts"].sort(key=lambda mount: mount["Destination"])
            it.get("Ports", []).sort(key=str)
        ids = {name: "<service>"} | {it["Id"]: "<container>" for it in shown}
        ids |= {it["Id"][:12]: "<short>" for it in shown}
        became = [task["Status"]["State"], task["Status"].get("Err")]
        return self._evened([shown, listed, became], **ids)

    def _service_of(self, template: dict[str, Any]) -> tuple[str, str]:
        template = json.loads(json.dumps(template).replace("<name>", self.name))
        image = self._image(template.pop("Dockerfile", ""))
        template.setdefault("ContainerSpec", {})["Image"] = image
        endpoint = template.pop("EndpointSpec", {})
        found, _ = self.service({"TaskTemplate": template, "EndpointSpec": endpoint})
        return found, self._last

    def _image(self, more: str) -> str:
        """Return an image that prints, with more lines in its Dockerfile if there are any."""
        image = self._engine.image("print old")
        if not more:
            return image
        files = {"Dockerfile": f"FROM {image}\n{more}".encode()}
        made = self._engine.call("POST", "/build", raw=archive_of(files), t=f"{REPOSITORY}:more")
        assert made.status == 200, made
        return f"{REPOSITORY}:more"

    def _ended_up(self, service: str) -> list[dict[str, Any]]:
        tasks = self._engine.get("/tasks", filters={"service": [service]})
        return [it for it in tasks if it["Status"]["State"] == "running" or it["Status"].get("Err")]

    def _evened(self, shown: Any, **words: str) -> dict[str, Any]:
        """Return what was shown without ids and addresses, and without what is the machine's."""
        text = json.dumps(shown)
        words[self._engine.get("/info")["DockerRootDir"]] = "<kept>"
        for name, word in words.items():
            text = text.replace(name, word)
        for pattern, word in ((r"\b[0-9a-f]{64}\b", "<hash>"), (r"\b(10|172)(\.\d+){3}\b", "<ip>")):
            text = re.sub(pattern, word, text)
        leaves = self.even(json.loads(text))
        return {path: leaf for path, leaf in leaves.items() if not OF_MACHINE.search(path)}

    def volumes(self) -> dict[str, Any]:
        """Return what is answered to requests about volumes, while a container has one mounted."""
        self.container("volumes")
        answers = []
        for each in self._requests:
            answer = self._ahead.result() if _is_slow(each) else self._ask(*each)
            answers.append([*each, answer.status, answer.body])
        return self._evened(answers)

    def _ask(self, method: str, path: str, *more: Any) -> Answer:
        filters = {"filters": more[0]} if (more and method == "GET") or "prune" in path else {}
        return self._engine.call(method, path, *([] if filters else more), **filters)

    def load_balancers(self) -> dict[str, Any]:
        """Return networks that have a container, and what else is attached."""
        for which in ("a network", "ports"):
            self.container(which)
        found = {}
        for name in (self.name, "ingress"):
            network = found[name] = self._engine.get(f"/networks/{name}")
            attached = network["Containers"].items()
            network["Containers"] = {key: it for key, it in attached if len(key) != 64}
        return self._evened(found)

    def _remove_volumes(self) -> None:
        for volume in self._engine.get("/volumes", filters={"name": [self.name]})["Volumes"]:
            until(partial(self._is_removed, volume["Name"]), "a volume that nothing mounts")

    def _is_removed(self, volume: str) -> bool:
        return self._engine.call("DELETE", f"/volumes/{volume}").status != 409

    def network(self) -> dict[str, Any]:
        """Return a network, as it is listed."""
        (network,) = self._engine.get("/networks", filters={"name": [self.name]})
        return self.even(network)

    def blob(self, kind: str) -> dict[str, Any]:
        """Return a config or a secret."""
        labels = {"a": "b"}
        found = self._make(kind, {"Name": self.name, "Data": "YQ==", "Labels": labels})
        return self.even(self._engine.get(f"/{kind}/{found}"))

    def configs(self) -> dict[str, Any]:
        """Return a config, with its data."""
        return self.blob("configs")

    def secrets(self) -> dict[str, Any]:
        """Return a secret, without its data."""
        return self.blob("secrets")

    def node(self) -> dict[str, Any]:
        """Return the node, but for the plugins and labels of its engine."""
        (node,) = self._engine.get("/nodes")
        for key in ("Plugins", "Labels"):
            node["Description"]["Engine"].pop(key, None)
        return self.even(node)

    def swarm(self) -> dict[str, Any]:
        """Return the swarm, and what `info` says of it."""
        cluster = self._engine.get("/swarm")
        cluster.pop("JoinTokens")
        info = self._engine.get("/info")["Swarm"]
        # `docker swarm update` and its like may have left other values there
        own = re.compile(r"/Spec/(Raft|Dispatcher|CAConfig|Orchestration|TaskDefaults)")
        leaves = self.even({"swarm": cluster, "info": info})
        return {path: leaf for path, leaf in leaves.items() if not own.search(path)}


@pytest.fixture(scope="module")
def both(real: Engine, simulated: Engine) -> Iterator[tuple[Documents, Documents]]:
    """The two engines."""
    if real.get("/version")["ApiVersion"] != "1.41":
        pytest.skip("documents are those of API 1.41")
    with ExitStack() as exits:
        yield Documents(real, exits), Documents(simulated, exits)


def compare(both: tuple[Documents, Documents], show: Callable[[Documents], dict[str, Any]]) -> None:
    """Require that both show the same."""
    real, simulated = map(show, both)
    assert len(real) > 2
    apart = [
        f"{path}: {real.get(path, ...)!r} | {simulated.get(path, ...)!r}"
        for path in sorted(real.keys() | simulated.keys())
        if real.get(path, ...) != simulated.get(path, ...)
    ]
    assert not apart, "\n".join(["real | simulated", *apart])


@pytest.mark.parametrize("which", SPECS)
def test_a_spec_is_stored_and_filled_in_alike(both: tuple[Documents, Documents], which: str):
    compare(both, lambda engine: engine.spec(which))


@pytest.mark.parametrize("which", CONTAINERS)
def test_a_container_is_shown_alike(both: tuple[Documents, Documents], which: str) -> None:
    compare(both, lambda engine: engine.container(which))


@pytest.mark.parametrize(
    "show",
    [
        Documents.updated,
        Documents.running_task,
        Documents.pending_task,
        Documents.failed_task,
        Documents.volumes,
        Documents.load_balancers,
        Documents.network,
        Documents.configs,
        Documents.secrets,
        Documents.node,
        Documents.swarm,
    ],
    ids=lambda show: show.__name__,
)
def test_a_document_is_shown_alike(both, show):
    compare(both, show)
