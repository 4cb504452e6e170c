"""Several nodes on one machine, for real: made, used for an update, removed.

The lab is one of its own, on a private engine beside whatever engine there is.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import labkit
from labkit.api import doing, up
from labkit.base import settings
from labkit.base.errors import EngineRefused, LabError
from labkit.engines import membership, nodes
from labkit.engines.private.private import PrivateEngine
from labkit.lessons import coins
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.simulated import simulated_swarm
from tests.waiting import until

real = pytest.mark.engine
MADE = ["labkit-node-2", "labkit-node-3"]
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


@pytest.fixture(scope="module")
def three(swarm: Swarm, coins_images: str, home: Path) -> Iterator[Swarm]:
    """The swarm of a lab with the stack on three nodes.

    Its engine takes the images of dockercoins from another one, which saves building them.
    That one comes first: `home` forgets where it is.
    """
    private = PrivateEngine(home / ".labkit" / "engine")
    if why_not := private.why_not():
        pytest.skip(why_not)
    names = [f"{coins_images}/dockercoins_{each}:{images.FIRST_TAG}" for each in images.SERVICES]
    try:
        # all in one archive, which has what they stand on once
        given = swarm.client.api.get(
            f"{swarm.client.api.base_url}/images/get",
            params={"names": [images.base_image(swarm), *names]},
            stream=True,
        )
        private.start().client.api.load_image(given.iter_content(1 << 20))
        yield up.up(nodes=3)
    finally:
        private.remove()


@pytest.fixture
def current(three: Swarm, monkeypatch: pytest.MonkeyPatch) -> Swarm:
    """The same, for the calls of a learner."""
    monkeypatch.setattr(doing, "_current", three)
    return three


def workers(swarm: Swarm, tag: str) -> Counter[str]:
    """How many replicas run this tag, by node."""
    tasks = swarm.snapshot("dc_worker").tasks
    return Counter(task.node for task in tasks if task.running and task.tag == tag)


@real
def test_three_nodes_are_ready(three: Swarm):
    states = {node["Description"]["Hostname"]: node["Status"] for node in three.get("/nodes")}
    assert len(states) == 3
    assert {status["State"] for status in states.values()} == {"ready"}
    assert states.keys() >= {"node-2", "node-3"}


@real
def test_ten_workers_are_spread_over_them(three: Swarm):
    spread = workers(three, images.FIRST_TAG)
    assert sum(spread.values()) == 10
    assert len(spread) == 3
    assert min(spread.values()) >= 2


@real
@pytest.mark.parametrize("node", MADE)
def test_a_worker_on_each_node_reaches_rng_on_the_manager(three: Swarm, node: str):
    """Over the stack's overlay network, by the service's name."""
    worker = nodes._run(three, node, "docker", "ps", "-q", "-f", "name=dc_worker").split()[0]
    assert nodes._run(three, node, "docker", "exec", worker, "python3", "-c", ASK_RNG) == "32"


@real
def test_the_page_is_where_up_says(three: Swarm):
    """The services with published ports run on the manager, to which `localhost` leads."""
    assert coins.speed(three, "dc", seconds=2) > 0


@real
def test_a_second_up_finds_nothing_to_do(three: Swarm, capsys: pytest.CaptureFixture[str]):
    before = {name: each["Id"] for name, each in nodes._containers(three).items()}
    up.up(nodes=2)

    assert {name: each["Id"] for name, each in nodes._containers(three).items()} == before
    said = capsys.readouterr().out
    assert "built" not in said
    assert "Images: nothing to do." in said
    assert "Nodes: 3." in said
    assert "started" not in said


@real
def test_a_node_whose_container_was_removed_is_made_anew(three: Swarm):
    three.delete("/containers/labkit-node-3?force=true&v=true")
    up.up(nodes=3)
    listed = [node["Description"]["Hostname"] for node in three.get("/nodes")]
    assert listed.count("node-3") == 1
    assert len(listed) == 3


@real
def test_an_update_to_an_image_that_was_just_built_completes(current, capsys):
    """No registry has it: each node is given it, or its tasks would be rejected there."""
    image = f"{settings.docker_id()}/dockercoins_worker:nodes"
    labkit.build(settings.lesson_files() / "dockercoins" / "worker", image)
    said = capsys.readouterr().out
    assert all(f"{node} was given {image}." in said for node in MADE)

    labkit.update("dc_worker", image=image, update_config={"parallelism": 10, "monitor": "1s"})

    def completed() -> bool:
        service = current.snapshot("dc_worker").service
        return service.update_status is not None and service.update_status.state == "completed"

    until(completed, "the update to complete", seconds=90, every=0.5)
    assert sum(workers(current, "nodes").values()) == 10
    states = {task.state for task in current.snapshot("dc_worker").tasks if task.tag == "nodes"}
    assert states == {"running"}


@real
def test_down_removes_the_nodes_with_their_volumes_and_cgroups(home: Path, three: Swarm):
    made = [three.get(f"/containers/{name}/json")["Config"]["Env"] for name in MADE]
    cgroups = [each.removeprefix("CGROUP=") for env in made for each in env if "CGROUP=" in each]
    assert len(cgroups) == 2
    up.down()

    again = PrivateEngine(home / ".labkit" / "engine").start()
    membership.ensure(again)
    assert nodes._containers(again) == {}
    assert not again.get("/volumes")["Volumes"]
    assert len(again.get("/nodes")) == 1
    assert not [each for name in cgroups for each in Path("/sys/fs/cgroup").glob(f"*/{name}")]


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
