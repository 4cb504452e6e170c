"""Several nodes on one machine, for real: made, used for an update, removed.

The lab is one of its own, on a private engine beside whatever engine there is.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import labkit
from labkit import engines
from labkit.api import doing, up
from labkit.base import settings
from labkit.base.errors import EngineRefused, LabError
from labkit.engines import nodes
from labkit.engines.private.private import PrivateEngine
from labkit.lessons import coins, workspace
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.simulated import simulated_swarm
from tests.waiting import until

#: The first of them makes the lab, which takes one to four minutes by itself.
pytestmark = pytest.mark.timeout(600)
real = pytest.mark.engine
MADE = "labkit-node-2"
#: The learner's copy of the compose file says so. Ten, which take longer to start, show no more.
WORKERS = 4
ASK_RNG = "import urllib.request as u; print(len(u.urlopen('http://rng/32', timeout=5).read()))"


class Manager:
    """A manager that other nodes reach at `address`."""

    def __init__(self, address: str) -> None:
        self.address = address

    def info(self) -> dict[str, object]:
        managers = [{"NodeID": "b", "Addr": "10.0.0.9:2377"}, {"NodeID": "a", "Addr": self.address}]
        return {"Swarm": {"NodeID": "a", "RemoteManagers": managers}}


@pytest.mark.parametrize("address", ["127.0.0.1:2377", "[::1]:2377"])
def test_a_swarm_that_listens_on_loopback_cannot_be_joined_and_says_so(address: str):
    with pytest.raises(LabError, match="only be reached on this machine") as caught:
        nodes._require_reachable(Manager(address))  # type: ignore[arg-type]
    assert "labkit down" in caught.value.try_next


@pytest.mark.parametrize("address", ["172.17.0.1:2377", "[fd00::1]:2377"])
def test_a_swarm_on_a_bridge_can_be_joined(address: str):
    nodes._require_reachable(Manager(address))  # type: ignore[arg-type]


@pytest.mark.parametrize("deed", ["kill", "cut"])
def test_a_simulated_node_is_silent_until_it_is_started_again(deed: str):
    with simulated_swarm(nodes=2) as swarm:

        def state() -> str:
            (found,) = [node for node in swarm.nodes() if node.name == "node-2"]
            return found.state

        assert "15 s" in nodes.disturb(swarm, deed, "node-2")
        assert state() == "ready"
        until(lambda: state() == "down", "node-2 to be down")
        nodes.disturb(swarm, "start", "node-2")
        assert state() == "ready"
        with pytest.raises(LabError, match="it is the manager"):
            nodes.disturb(swarm, deed, swarm.info()["Name"])


# ---- for real ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(folder))
        patch.setenv("LABKIT_ENGINE", "private")
        patch.delenv("DOCKER_HOST", raising=False)
        yield folder


def lab_of(number: int, swarm: Swarm, coins_images: str, home: Path) -> Iterator[Swarm]:
    """Yield the swarm of a lab with the stack on so many nodes.

    Its engine takes the images of dockercoins and of its nodes from another one, which saves
    making them. That one comes first: `home` forgets where it is.
    """
    private = PrivateEngine(home / ".labkit" / "engine")
    if why_not := private.why_not():
        pytest.skip(why_not)
    names = [f"{coins_images}/dockercoins_{each}:{images.FIRST_TAG}" for each in images.SERVICES]
    try:
        # all in one archive, which has what they stand on once
        given = swarm.client.api.get(
            f"{swarm.client.api.base_url}/images/get",
            params={"names": [images.base_image(swarm), nodes._image(swarm), *names]},
            stream=True,
        )
        for _ in private.start().client.api.load_image(given.iter_content(1 << 20)):
            pass  # it ends when all are there; `up` would make those that are not
        file = workspace.mine("docker-compose.yml")
        file.parent.mkdir(parents=True)
        text = workspace.shipped(file.name).read_text()
        file.write_text(text.replace("replicas: 10", f"replicas: {WORKERS}"))
        yield up.up(nodes=number)
    finally:
        private.remove()


@pytest.fixture(scope="module")
def two(swarm: Swarm, coins_images: str, home: Path) -> Iterator[Swarm]:
    """A lab on two nodes: each takes a processor for a quarter of a minute."""
    yield from lab_of(2, swarm, coins_images, home)


@pytest.fixture(scope="module")
def three(swarm: Swarm, coins_images: str, home: Path) -> Iterator[Swarm]:
    """A lab on three nodes, for `make test-nodes`."""
    yield from lab_of(3, swarm, coins_images, home)


@pytest.fixture
def current(two: Swarm, monkeypatch: pytest.MonkeyPatch) -> Swarm:
    """The same, for the calls of a learner."""
    monkeypatch.setattr(doing, "_current", two)
    return two


def workers(swarm: Swarm, tag: str) -> Counter[str]:
    """How many replicas run this tag, by node."""
    tasks = swarm.snapshot("dc_worker").tasks
    return Counter(task.node for task in tasks if task.running and task.tag == tag)


@real
def test_two_nodes_are_ready_and_the_workers_are_spread_over_them(two: Swarm):
    states = {node["Description"]["Hostname"]: node["Status"] for node in two.get("/nodes")}
    assert len(states) == 2
    assert {status["State"] for status in states.values()} == {"ready"}
    assert "node-2" in states
    assert [*workers(two, images.FIRST_TAG).values()] == [WORKERS // 2] * 2


@real
def test_a_worker_on_a_node_reaches_rng_on_the_manager(two: Swarm):
    """Over the stack's overlay network, by the service's name."""
    worker = nodes._run(two, MADE, "docker", "ps", "-q", "-f", "name=dc_worker").split()[0]
    assert nodes._run(two, MADE, "docker", "exec", worker, "python3", "-c", ASK_RNG) == "32"


@real
def test_the_page_is_where_up_says(two: Swarm):
    """The services with published ports run on the manager, to which `localhost` leads."""

    def hashes() -> int:
        with urlopen(f"{coins.webui(two, 'dc')}/json", timeout=20) as answer:
            return int(json.load(answer)["hashes"])

    until(hashes, "the workers to have made some", 60)


@real
def test_a_second_up_finds_nothing_to_do(two: Swarm, capsys: pytest.CaptureFixture[str]):
    before = {name: each["Id"] for name, each in nodes._containers(two).items()}
    up.up(nodes=1)

    assert {name: each["Id"] for name, each in nodes._containers(two).items()} == before
    said = capsys.readouterr().out
    assert "built" not in said
    assert "Images: nothing to do." in said
    assert "Nodes: 2." in said
    assert "started" not in said


@real
def test_a_node_whose_container_was_removed_is_made_anew(two: Swarm):
    two.delete(f"/containers/{MADE}?force=true&v=true")
    up.up(nodes=2)
    listed = [node["Description"]["Hostname"] for node in two.get("/nodes")]
    assert listed.count("node-2") == 1
    assert len(listed) == 2


@real
def test_an_update_to_an_image_that_was_just_built_completes(current, capsys):
    """No registry has it: each node is given it, or its tasks would be rejected there."""
    image = f"{settings.docker_id()}/dockercoins_worker:nodes"
    labkit.build(settings.lesson_files() / "dockercoins" / "worker", image)
    said = capsys.readouterr().out
    assert f"{MADE} was given {image}." in said

    labkit.update("dc_worker", image=image, update_config={"parallelism": 0, "monitor": "1s"})

    def completed() -> bool:
        service = current.snapshot("dc_worker").service
        return service.update_status is not None and service.update_status.state == "completed"

    until(completed, "the update to complete", seconds=90, every=0.5)
    assert sum(workers(current, "nodes").values()) == WORKERS
    states = {task.state for task in current.snapshot("dc_worker").tasks if task.tag == "nodes"}
    assert states == {"running"}


@real
def test_down_removes_the_nodes_with_their_volumes_and_cgroups(two: Swarm, monkeypatch):
    """Before it ends the engine, which is asked then."""
    env = two.get(f"/containers/{MADE}/json")["Config"]["Env"]
    (cgroup,) = [each.removeprefix("CGROUP=") for each in env if "CGROUP=" in each]
    ends, left = engines.down, []

    def asked_first(**how: bool) -> None:
        left.extend([nodes._containers(two), two.get("/volumes")["Volumes"], two.get("/nodes")])
        ends(**how)

    monkeypatch.setattr(engines, "down", asked_first)
    up.down()
    containers, volumes, (_manager,) = left
    assert not containers
    assert not volumes
    assert not [*Path("/sys/fs/cgroup").glob(f"*/{cgroup}")]


def test_a_node_is_made_on_an_engine_that_refuses_to_drop_what_the_machine_withholds() -> None:
    """As Docker Engine 28 does; 20.10 wants it dropped."""
    made = []

    class Newer(Swarm):
        def get(self, *_: object, **__: object) -> list[object]:
            return []

        def post(self, path: str, body: Any = None, **_: object) -> None:
            if path == "/containers/create" and "CapDrop" in body["HostConfig"]:
                raise EngineRefused("", "", docker_says="invalid CapDrop: …", status=400)
            made.append((path, body and body["HostConfig"]["CapAdd"]))

    nodes._make(Newer(None, ""), "labkit-node-2", "docker:dind")

    assert made == [("/containers/create", ["ALL"]), ("/containers/labkit-node-2/start", None)]
