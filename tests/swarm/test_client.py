"""Where an engine is, in the words that `docker` and another labkit can use again."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
import hypothesis
import pytest
from docker.types import ServiceMode
from hypothesis import strategies as st

from labkit.base import errors, settings
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording.changes import NodesSeen
from labkit.swarm.client import Swarm, connecting, refusals
from labkit.swarm.client.wire import Answer
from labkit.views.static.snapshot import text
from swarmsim import Engine

DOCKER_HUB = "https://index.docker.io/v1/"


@pytest.mark.engine
def test_an_engine_s_address_connects_to_it_again(swarm: Swarm) -> None:
    assert Swarm.at(swarm.url).info()["ID"] == swarm.info()["ID"]


def test_an_address_is_kept_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """docker-py makes http:// of tcp://, which the docker command line does not take."""

    class Client:
        class api:  # noqa: N801 - as docker-py names it
            base_url = "http://192.0.2.1:2375"
            api_version = "1.41"

        def ping(self) -> None: ...

    monkeypatch.setattr("docker.DockerClient", lambda **_: Client())

    assert Swarm.at("tcp://192.0.2.1:2375").url == "tcp://192.0.2.1:2375"


def test_where_nothing_answers_docker_s_own_words_are_kept() -> None:
    with pytest.raises(errors.NoEngine, match="a Docker engine at unix:///nowhere") as caught:
        Swarm.at("unix:///nowhere")
    assert "No such file" in caught.value.docker_says


def test_tasks_of_a_node_that_is_down_are_lost_until_it_is_back() -> None:
    with Engine(nodes=3) as engine:
        swarm, seen = Swarm(engine.client(), "unix://in-process"), []
        engine.client().services.create("web:1", name="web", mode=ServiceMode("global"))
        engine.advance("5s")
        node = next(node["ID"] for node in swarm.get("/nodes") if "ManagerStatus" not in node)
        for deed in ("start", "kill", "start"):
            swarm.post(f"/swarmsim/nodes/{node}/{deed}")
            engine.advance("25s")
            found = swarm.snapshot("web")
            seen.append(([t.node_id for t in found.tasks if t.lost], found.running_by_tag()["1"]))

    assert seen == [([], 3), ([node], 2), ([], 3)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_node_that_takes_no_task_is_in_recordings_and_the_view_says_so(count: int) -> None:
    with Engine(nodes=count) as engine:
        swarm, said = Swarm(engine.client(), "unix://in-process"), []
        engine.client().services.create("web:1", name="web", mode=ServiceMode("replicated", 3))
        engine.advance("5s")
        name = swarm.get("/nodes")[0]["Description"]["Hostname"]
        recorder = Recorder(swarm, "web", until=None)
        for availability in ("pause", "drain", "active"):
            node = swarm.get(f"/nodes/{name}")
            spec = node["Spec"] | {"Availability": availability}
            swarm.post(f"/nodes/{node['ID']}/update", spec, version=node["Version"]["Index"])
            engine.advance("20s")
            recorder.recording.observe(swarm.snapshot("web"))
            said.append(text(recorder.recording))

    seen = [node for each in recorder.recording.of(NodesSeen) for node in each.nodes]
    assert [n.availability for n in seen if n.name == name] == [
        "active",
        "pause",
        "drain",
        "active",
    ]
    alone = f"(docker node update --availability active {name})"
    assert f"3 of 3 replicas run 1. {name} is paused: it keeps its tasks" in said[0]
    assert f"{3 if count > 1 else 0} of 3 replicas run 1. {name} is drained: it gets" in said[1]
    assert [alone in each for each in said] == [count == 1, count == 1, False]
    assert "is drained" not in said[2]


class Answering(Swarm):
    """A swarm with services of these names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get(self, path: str, **_: Any) -> Any:
        if path == "/services":
            return [{"Spec": {"Name": name}} for name in self.names]
        raise errors.NotFound("it.", "404.", docker_says="service x not found", status=404)


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("dc_woker", "did you mean dc_worker?"),
        ("worker", "did you mean dc_worker?"),
        ("DC-Worker", "did you mean dc_worker?"),
        ("nope", "use one of those names, or deploy the stack first (`labkit up`)."),
    ],
)
def test_an_unknown_service_names_those_that_exist_and_the_one_that_was_meant(asked, advice):
    with pytest.raises(errors.NotFound) as caught:
        Answering("dc_worker", "dc_redis").service(asked)
    assert caught.value.expected == f"a service called {asked!r}."
    assert caught.value.found == "this swarm has dc_redis, dc_worker."
    assert caught.value.try_next == advice
    assert caught.value.docker_says == "service x not found"


def test_where_there_is_no_service_the_stack_is_to_be_deployed_first() -> None:
    with pytest.raises(errors.NotFound) as caught:
        Answering().service("dc_worker")
    assert caught.value.found == "this swarm has no service."
    assert caught.value.try_next == "deploy the stack first (`labkit up`)."


class Moving(Swarm):
    """An engine on which time passes: each answer is of a later moment than the one before."""

    def __init__(self, step: int = 1) -> None:
        super().__init__(None, "nowhere")  # nothing is connected
        self.moment = 1
        self.step = step

    def _call(self, method: str, path: str, *_: Any, **__: Any) -> Answer:  # noqa: ARG002
        self.moment += self.step
        stamp = f"2026-03-01T09:00:{self.moment:02}Z"
        found: Any = {"ID": "s", "Version": {"Index": self.moment}, "Spec": {"Name": "dc_worker"}}
        if path == "/nodes":
            found = []
        elif path.startswith("/tasks?"):
            found = [{"ID": "t", "Version": {"Index": 1}, "CreatedAt": stamp, "Status": {}}]
        return Answer(200, json.dumps(found).encode())


def test_what_a_task_did_is_known_no_later_than_what_came_of_it() -> None:
    """A service that was rolled back is never seen beside tasks that have not failed yet."""
    seen = Moving().snapshot("dc_worker")
    assert seen.service is not None
    assert seen.tasks[0].created_at.second > seen.service.version


def test_what_the_engine_answers_again_is_not_read_again() -> None:
    """So a recorder need not compare tasks to see that nothing has changed."""
    still, moving = Moving(0), Moving()
    one, two = still.snapshot("dc_worker"), still.snapshot("dc_worker")
    assert two.tasks is one.tasks
    assert moving.snapshot("dc_worker").tasks is not moving.snapshot("dc_worker").tasks


def raw(task_id: str, **more: Any) -> dict[str, Any]:
    return {"ID": task_id, "Version": {"Index": 1}, "CreatedAt": "2026-03-01T09:00:00Z", **more}


class Holding(Moving):
    """An engine that has these tasks."""

    raw: list[dict[str, Any]]

    def _call(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, json.dumps(self.raw, separators=(",", ":")).encode() + b"\n")


def test_of_tasks_only_those_are_read_again_that_have_changed() -> None:
    engine = Holding()
    engine.raw = [raw("one"), raw("two", Slot=1)]
    one, two = engine.task_values()
    engine.raw = [raw("one"), raw("two", Slot=2), raw("three")]
    again, changed, new = engine.task_values()

    assert again is one
    assert (two.slot, changed.slot, new.id) == (1, 2, "three")
    engine.raw = []
    assert engine.task_values() == ()


def test_a_task_with_volumes_is_one_task() -> None:
    """They begin with an ID, as tasks do."""
    engine = Holding()
    engine.raw = [raw("one", Volumes=[{"ID": "v"}, {"ID": "w"}]), raw("two")]
    assert [task.id for task in engine.task_values()] == ["one", "two"]


def test_an_engine_on_a_socket_is_asked_without_the_sdk() -> None:
    """Importing it takes longer than most commands take to do their work."""
    code = """
import sys
from labkit import engines
from labkit.lessons import coins
from labkit.swarm import stack
try:
    engines.connect("unix:///nowhere")
except engines.NoEngine:
    print(*sys.modules)
"""
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()

    assert "labkit.swarm.client.wire" in loaded
    assert not {"docker", "requests", "urllib3", "psutil", "filelock"} & set(loaded)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["bWU6cHc=", "gone"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["auth", "username", "default", "httpProxy", DOCKER_HUB]) | st.text(),
            inner,
        )
    ),
    max_leaves=8,
)
CONFIGS = ANYTHING | st.dictionaries(
    st.sampled_from(
        ["auths", "credsStore", "credHelpers", "currentContext", "HttpHeaders", "proxies"]
    ),
    ANYTHING,
)


@hypothesis.given(CONFIGS)
def test_docker_s_configuration_may_hold_anything(found: object) -> None:
    """Docker passes over what it cannot use; docker-py dies of it."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder, "config.json").write_text(json.dumps(found))
        patch.setenv("DOCKER_CONFIG", folder)
        patch.delenv("LABKIT_DOCKER_ID", raising=False)
        patch.delenv("DOCKER_HOST", raising=False)
        assert settings.docker_id()
        assert connecting.named_address()
        with connecting.usable_config():
            api: Any = docker.APIClient("unix:///nowhere", version="1.41")
        api._auth_configs.get_all_credentials()  # as for a build


@pytest.mark.parametrize("text", ["", "{", "\udcff", "[]", "null", "[" * 10**5])
def test_a_configuration_that_is_none_counts_as_empty(text, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert settings.docker_config() == {}


def test_a_login_is_kept_beside_one_that_cannot_be_read(tmp_path, monkeypatch):
    auths = {DOCKER_HUB: {"auth": "bWU6cHc="}, "reg.example.org": {"auth": "!!!"}, "b": None}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("LABKIT_DOCKER_ID", raising=False)
    assert settings.docker_id() == "me"


@pytest.mark.parametrize(
    ("url", "do"), [("page://engine", "run this notebook's first cell"), (None, "start Docker")]
)
def test_what_to_do_about_an_engine_that_is_gone_depends_on_where_it_was(url: str | None, do: str):
    assert refusals.no_engine(url, OSError("no answer")).try_next.startswith(do)
