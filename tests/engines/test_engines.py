"""Where an engine is looked for, and what is said when there is none."""

import os
import shutil
import subprocess
import sys
import threading
from hashlib import sha256
from ipaddress import IPv4Network
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from labkit import engines
from labkit.api import up
from labkit.base import settings
from labkit.base.errors import BadValue, LabError, NoEngine, NotAManager
from labkit.engines import background, membership, state
from labkit.engines.private import programs
from labkit.engines.private.network import free_network
from labkit.engines.private.private import PrivateEngine
from labkit.engines.simulated import SimulatedEngine
from labkit.swarm.client import Swarm, connecting
from tests.simulated import simulated_swarm
from tests.waiting import until

NOWHERE = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own, with no engine named by the environment."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "LABKIT_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def looked_at(choice: str | None = None) -> list[str]:
    """Where an engine is looked for; the lab's own by their kind."""
    own = {engines.private().url: "private", engines.simulated().url: "simulated"}
    return [own.get(place.url, place.url) for place in engines.locations(choice)]


BEFORE, OWN = "tcp://before:2375", ["private", "simulated"]


@pytest.mark.parametrize(
    ("env", "before", "choice", "places"),
    [
        pytest.param({}, "", None, ["", *OWN], id="the docker context before the lab's own"),
        pytest.param({}, BEFORE, None, [BEFORE, "", *OWN], id="first the one that up chose"),
        pytest.param({"DOCKER_HOST": NOWHERE}, BEFORE, None, [NOWHERE, *OWN], id="DOCKER_HOST"),
        pytest.param({"DOCKER_HOST": NOWHERE}, "", "simulated", ["simulated"], id="asked for"),
        pytest.param({"LABKIT_ENGINE": "private"}, "", None, ["private"], id="LABKIT_ENGINE"),
    ],
)
def test_an_engine_is_looked_for_in_this_order(env, before, choice, places, monkeypatch):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if before:
        state.write(state.State(engine=before, kind="yours"))
    assert looked_at(choice) == places


@pytest.mark.parametrize("kind", ["private", "simulated"])
def test_an_engine_of_the_lab_s_own_is_that_whoever_names_it(kind: str, monkeypatch):
    engine = getattr(engines, kind)()
    monkeypatch.setenv("DOCKER_HOST", engine.url)
    assert {place.kind for place in engines.locations() if place.url == engine.url} == {kind}
    assert sorted(looked_at()) == OWN


def test_the_error_names_every_place_where_nothing_answers(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    with pytest.raises(NoEngine) as caught:
        engines.connect()
    assert f"{NOWHERE} (DOCKER_HOST names it)" in caught.value.found
    assert "The lab's private engine is not running." in caught.value.found
    assert caught.value.try_next


def test_connect_takes_no_other_engine_when_the_one_that_up_used_is_gone():
    state.write(state.State(engine=NOWHERE, kind="yours"))
    with pytest.raises(NoEngine, match="the engine that `labkit up` used"):
        engines.connect()


def test_no_node_at_all_is_refused_before_anything_is_started(home: Path):
    with pytest.raises(BadValue, match="at least one node, not 0"):
        up.up(nodes=0)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(("choice", "what"), [("somewhere", "An engine"), (None, "LABKIT_ENGINE")])
def test_a_choice_that_is_no_url_is_named(choice: str | None, what: str, monkeypatch):
    monkeypatch.setenv("LABKIT_ENGINE", "somewhere")
    with pytest.raises(BadValue, match=f"{what} must be .*'somewhere'"):
        engines.find(choice)


# ---- the state ---------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{", "[]", '{"engine": "x"}'])
def test_a_state_that_cannot_be_read_is_none(text: str):
    state.write(state.State(engine=NOWHERE))
    (settings.state_dir() / "state.json").write_text(text)
    assert state.read() == state.State()


def test_a_home_that_nothing_can_be_written_to_is_said(home: Path, monkeypatch):
    (home / "file").touch()
    monkeypatch.setenv("LABKIT_HOME", str(home / "file" / "lab"))
    with pytest.raises(LabError, match="set LABKIT_HOME"), state.locked():
        pass


def test_two_ups_wait_for_one_another():
    order = []

    def second() -> None:
        with state.locked():
            order.append("second")

    with state.locked():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=0.3)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_ports_are_remembered_for_each_stack(monkeypatch):
    state.write(state.State(ports={"dc": {"LABKIT_WEBUI_PORT": 8003}}))
    monkeypatch.delenv("LABKIT_WEBUI_PORT", raising=False)
    monkeypatch.setenv("LABKIT_STACK", "dc")
    assert state.compose_environment()["LABKIT_WEBUI_PORT"] == "8003"
    monkeypatch.setenv("LABKIT_STACK", "other")
    assert "LABKIT_WEBUI_PORT" not in state.compose_environment()


def test_a_variable_that_is_set_wins_and_one_that_is_empty_does_not(monkeypatch):
    """Images are built under the same Docker ID as the compose file is read with."""
    state.write(state.State(ports={settings.stack_name(): {"LABKIT_WEBUI_PORT": 8003}}))
    monkeypatch.setenv("LABKIT_WEBUI_PORT", "")
    monkeypatch.setenv("LABKIT_DOCKER_ID", "")
    found = state.compose_environment()
    assert found["LABKIT_WEBUI_PORT"] == "8003"
    assert found["LABKIT_DOCKER_ID"] == settings.docker_id()

    monkeypatch.setenv("LABKIT_WEBUI_PORT", "9000")
    monkeypatch.setenv("LABKIT_DOCKER_ID", "ada")
    found = state.compose_environment()
    assert (found["LABKIT_WEBUI_PORT"], found["LABKIT_DOCKER_ID"]) == ("9000", "ada")


# ---- the lab's own engines, without starting them ----------------------------------


@pytest.mark.parametrize(("kind", "longest"), [(PrivateEngine, 107), (SimulatedEngine, 103)])
def test_a_socket_of_a_deep_checkout_is_short_enough_for_the_kernel(tmp_path, kind, longest):
    shallow = kind(Path("/lab/.labkit/engine"))
    deep = kind(tmp_path / ("x" * 100) / "engine")
    assert shallow.url == "unix:///lab/.labkit/engine/docker.sock"
    assert len(deep.url.removeprefix("unix://")) <= longest
    assert deep.url != kind(tmp_path / ("y" * 100) / "engine").url


@pytest.mark.parametrize("engine", [engines.private, engines.simulated])
def test_an_engine_of_the_lab_that_never_ran_has_no_process_and_no_answer(engine):
    assert engine().process() is None
    assert engine().connect() is None


def test_a_network_is_chosen_that_no_route_covers():
    first = free_network("labkit-aaaaaa", [])
    second = free_network("labkit-aaaaaa", [first])
    assert first.subnet_of(IPv4Network("10.231.0.0/16"))
    assert not first.overlaps(second)


def test_no_network_is_chosen_when_all_are_routed():
    with pytest.raises(LabError):
        free_network("labkit-aaaaaa", [IPv4Network("10.0.0.0/8")])


@pytest.mark.parametrize(
    ("lacks", "says"),
    [("dockerd", "apt-get install docker.io"), ("iptables", "apt-get install iptables")],
)
def test_what_a_private_engine_lacks_is_named(lacks: str, says: str, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, **_: name != lacks or None)
    assert says in engines.private().why_not()


def test_a_root_without_its_powers_is_told_what_the_machine_does_not_allow():
    """As in a container that is not privileged: it was tried, and is not promised."""
    if why_not := engines.private().why_not():
        pytest.skip(why_not)
    asks = "from labkit import engines; print(engines.private().why_not())"
    words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-c", asks]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert said.startswith("This machine does not allow a private engine's network: ")


def test_without_root_no_private_engine_is_started(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/bin/it")
    with pytest.raises(NoEngine, match="needs root"):
        engines.up("private")


# ---- what auto comes to --------------------------------------------------------------


@pytest.fixture
def no_private(monkeypatch) -> None:
    """A machine on which no dockerd may be started."""
    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "dockerd is not installed.")


@pytest.fixture
def nowhere(monkeypatch) -> None:
    """A machine with no Docker on it, whatever the docker context says."""
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)


@pytest.mark.usefixtures("no_private", "nowhere")
def test_where_there_is_nothing_else_auto_would_take_the_simulated_engine():
    place, answers, passed_over = engines.would_take()

    assert (place.kind, answers) == ("simulated", False)
    assert passed_over == (
        f"No engine answers at {NOWHERE} (DOCKER_HOST names it).",
        "The lab's private engine is not running. dockerd is not installed.",
    )
    assert engines.simulated().process() is None, "it was only asked for"


@pytest.mark.usefixtures("nowhere")
def test_a_private_engine_that_can_be_started_comes_before_a_simulated_one(monkeypatch):
    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "")
    assert engines.would_take()[0].kind == "private"


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("kind", ["private", "simulated"])
def test_an_engine_of_the_lab_that_died_is_started_again_whatever_else_there_is(kind, monkeypatch):
    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "")
    state.write(state.State(engine=getattr(engines, kind)().url, kind=kind))
    assert engines.would_take()[0].kind == kind
    monkeypatch.delenv("DOCKER_HOST")
    answering(monkeypatch, {"": {}})
    assert engines.would_take()[0].kind == kind


#: What engines answered that can never run the stack: Podman 4.3.1, a rootless Docker 20.10.24.
PODMAN = {"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}]}
ROOTLESS = {"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}


def answering(monkeypatch, answers: dict[str, dict | LabError]) -> None:
    """Have engines answer so at these addresses, and none anywhere else."""

    class Engine(Swarm):
        def get(self, *_: object, **__: object) -> dict:
            found = answers[self.url if self.url in answers else ""]
            if isinstance(found, LabError):
                raise found
            return found

        def post(self, path: str, *_: object, **__: object) -> None:
            pytest.fail(f"POST {path}: such as a swarm that is left behind")

    def at(url: str | None) -> Swarm:
        if (url or "") not in answers:
            raise NoEngine("an engine.", "none.")
        return Engine(None, url or "unix:///its.sock")

    monkeypatch.setattr(Swarm, "at", at)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (PODMAN, "it is Podman, which has no swarm"),
        (ROOTLESS, "it is rootless Docker, on whose overlay networks no task of a swarm runs"),
        ({"OSType": "windows"}, "it runs Windows containers"),
        (
            LabError("an answer.", "403.", docker_says="Forbidden by administrative rules."),
            "Forbid",
        ),
    ],
)
def test_auto_passes_over_an_engine_that_can_never_run_the_stack_and_says_why(
    answer: dict | LabError, reason: str, monkeypatch
):
    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "dockerd is not installed.")
    answering(monkeypatch, {"": answer, NOWHERE: answer})

    place, _, (said, _) = engines.would_take()

    assert place.kind == "simulated"
    assert "The lab cannot use the engine at unix:///its.sock (the docker context" in said
    assert reason in said
    for call in (engines.would_take, engines.connect, engines.up):
        with pytest.raises(NoEngine, match=reason):
            call(NOWHERE)


@pytest.mark.usefixtures("no_private")
@pytest.mark.parametrize(
    ("context", "says"),
    [
        (None, "is missing"),
        *((it, "cannot be read") for it in ("{", "[]", "{}", '{"Endpoints": {"docker": null}}')),
        ('{"Name": "a", "Metadata": {}, "Endpoints": {"docker": {"Host": 5}}}', "cannot be read"),
    ],
)
def test_a_docker_context_that_cannot_be_used_is_named(context, says, tmp_path, monkeypatch):
    """The docker command says that, too, and stops; labkit needs no Docker."""
    folder = tmp_path / "docker" / "contexts" / "meta" / sha256(b"a").hexdigest()
    folder.mkdir(parents=True)
    (tmp_path / "docker" / "config.json").write_text('{"currentContext": "a"}')
    if context:
        (folder / "meta.json").write_text(context)
    answering(monkeypatch, {})
    assert f"The docker context 'a' {says}." in engines.would_take()[2][0]
    assert connecting.named_address() == "unix:///var/run/docker.sock"


@pytest.mark.usefixtures("nowhere")
def test_auto_passes_over_a_private_engine_that_does_not_start(monkeypatch, capsys):
    """Unless the lab is on it already."""

    def start(*_: object) -> None:
        raise NoEngine("dockerd.", "it does not start.", docker_says="one\nno space left")

    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "")
    monkeypatch.setattr(PrivateEngine, "start", start)
    monkeypatch.setattr(PrivateEngine, "stop", lambda _: None)
    try:
        assert engines.up().kind == "simulated"
        assert "engine) does not start: no space left" in capsys.readouterr().out
    finally:
        engines.simulated().remove()

    state.write(state.State(engine=engines.private().url, kind="private"))
    with pytest.raises(NoEngine, match="it does not start"):
        engines.up()


@pytest.mark.usefixtures("no_private", "nowhere")
def test_connect_never_starts_one_and_says_what_does():
    with pytest.raises(NoEngine, match="`labkit up` in a terminal: it starts an engine of its own"):
        engines.connect()
    assert engines.simulated().process() is None


@pytest.mark.usefixtures("no_private")
def test_where_one_engine_is_asked_for_no_other_is_started():
    with pytest.raises(NoEngine, match="Without Docker: `labkit up --engine simulated`"):
        engines.up(NOWHERE)


@pytest.mark.parametrize("kind", ["private", "simulated"])
def test_where_an_engine_cannot_be_started_its_reason_is_given(kind: str, monkeypatch):
    monkeypatch.setattr(type(getattr(engines, kind)()), "why_not", lambda _: "It is Tuesday.")
    with pytest.raises(NoEngine, match=r"It is Tuesday\."):
        engines.up(kind)


# ---- the simulated engine, without starting it ---------------------------------------


def test_a_short_folder_of_somebody_else_s_is_not_used(tmp_path: Path, monkeypatch):
    deep = SimulatedEngine(tmp_path / ("x" * 100) / "simulated")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(LabError, match="belongs to somebody else"):
        deep.start()
    short = Path(deep.url.removeprefix("unix://")).parent
    assert short.is_dir()
    deep.stop()
    assert not short.exists(), "nothing is left of it"


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "nan", "inf", "1e999"])
def test_a_speed_that_is_none_is_refused_before_anything_is_started(speed: str, monkeypatch):
    monkeypatch.setenv("LABKIT_SPEED", speed)
    with pytest.raises(BadValue, match=f"LABKIT_SPEED must be a number above 0.*{speed}"):
        engines.simulated().start()
    assert not engines.simulated().folder.exists()


# ---- membership, on answers as the engine gives them --------------------------------


class Answers(Swarm):
    """An engine that answers `GET /info` as it is told to."""

    def __init__(self, **swarm: object) -> None:
        self._about = swarm

    def info(self) -> dict:
        return {"Swarm": self._about}

    def services(self, **_: object) -> list:
        return []


def test_a_worker_node_is_refused_at_once():
    worker = Answers(
        LocalNodeState="active",
        ControlAvailable=False,
        NodeID="w",
        RemoteManagers=[{"NodeID": "m"}],
    )

    with pytest.raises(NotAManager, match="promote"):
        membership.ensure(worker)


@pytest.mark.parametrize(("left", "says"), [([], False), (["containerd"], False), (["shim"], True)])
def test_a_private_engine_that_has_containers_to_end_first_says_so(
    left: list[str], says: bool, tmp_path: Path, monkeypatch, capsys
):
    engine = PrivateEngine(tmp_path)
    monkeypatch.setattr(engine.network, "ensure", lambda: "10.231.0.2")
    monkeypatch.setattr(programs, "run", lambda *_, **__: "")
    monkeypatch.setattr("labkit.engines.background.end", lambda processes, _: list(processes))
    monkeypatch.setattr(engine, "_remains", lambda: [Mock(info={"cmdline": [it]}) for it in left])

    engine._launch(1)

    assert ("first ends its containers" in capsys.readouterr().out) is says


def test_a_zombie_has_ended():
    """In a container without an init nobody reaps a server whose parent is gone."""
    with subprocess.Popen(["true"]) as child:
        zombie = psutil.Process(child.pid)
        until(lambda: zombie.status() == psutil.STATUS_ZOMBIE, "a zombie", 10)

        assert background.wait([zombie], 0) == []


def test_a_new_simulated_engine_begins_with_the_images_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "given" / "images").mkdir(parents=True)
    monkeypatch.setenv("LABKIT_IMAGES", str(tmp_path / "given"))
    monkeypatch.setattr(subprocess, "run", Mock())

    SimulatedEngine(tmp_path / "lab")._launch(1)

    assert (tmp_path / "lab" / "data" / "images").is_dir()


def test_what_refuses_a_deploy_is_said_and_not_what_comes_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an engine that has left its swarm, whose ports cannot be led either."""
    later = Mock(side_effect=NotAManager("a manager.", "none.", "nothing."))
    monkeypatch.setattr(engines, "lead_ports", later)
    (file := home / "compose.yml").write_text("services: {one: {image: one}}")
    refused = pytest.raises(NotAManager, match="not part of a swarm")
    with simulated_swarm(swarm=False) as swarm, refused:
        engines.deploy(swarm, [file], "one", env={})
    later.assert_called_once()
