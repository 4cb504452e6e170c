"""The lab on its simulated engine: brought up, looked at, recorded, and taken down again."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from click.testing import CliRunner, Result

import labkit
from labkit import cli, engines
from labkit.api import doing
from labkit.base import settings
from labkit.base.errors import NoEngine
from labkit.cli import doctor
from labkit.engines import ports, state
from labkit.engines.private.private import PrivateEngine
from labkit.engines.simulated import SimulatedEngine
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import TaskSeen
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from tests.waiting import until
from tests.whole.labs import SPEED, home, learner_simulated

pytestmark = [pytest.mark.engine, pytest.mark.long]

NOWHERE = "tcp://127.0.0.1:1"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with home(tmp_path_factory.mktemp("lab")) as folder:
        yield folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Result:
    """What the first `labkit up` said."""
    assert not (folder / ".labkit").exists()
    return run("up")


@pytest.fixture
def engine(first: Result) -> SimulatedEngine:
    assert first.exit_code == 0, first.output
    return engines.simulated()


@pytest.fixture
def swarm(engine: SimulatedEngine) -> Swarm:
    return engines.connect(engine.url)


# ---- up ----------------------------------------------------------------------------


def test_up_builds_deploys_and_says_loudly_what_it_is(first: Result):
    assert first.exit_code == 0, first.output
    assert (
        f"Engine: swarmsim simulated engine (API 1.52), at {SPEED} times real time" in first.output
    )
    for line in engines.WHAT_IT_IS:
        assert line in first.output
    for service in ("worker", "webui", "rng", "hasher", "redis"):
        assert f"lab/dockercoins_{service}:1.0 built" in first.output
    assert "in place of 8000, as LABKIT_WEBUI_PORT says." in first.output
    assert "Stack dc: deployed; 14 of 14 replicas run." in first.output


def test_up_a_second_time_does_nothing(swarm: Swarm, engine: SimulatedEngine):
    process = engine.process()
    versions = {each["ID"]: each["Version"] for each in swarm.services()}

    second = run("up")

    assert "Images: nothing to do." in second.output
    assert "Stack dc: nothing to do; 14 of 14 replicas run." in second.output
    assert engine.process() == process
    assert {each["ID"]: each["Version"] for each in swarm.services()} == versions


@pytest.mark.usefixtures("engine")
def test_the_page_of_dockercoins_answers_on_its_port_and_counts():
    """The code of the images really runs: ten workers really hash."""
    port = state.compose_environment()["LABKIT_WEBUI_PORT"]

    def hashes() -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
            return int(json.load(answer)["hashes"])

    before = hashes()
    until(lambda: hashes() > before, "the workers to hash", 60)


def test_env_leads_docker_to_it(engine: SimulatedEngine, monkeypatch):
    said = run("env").output
    monkeypatch.setenv("DOCKER_HOST", said.removeprefix("export DOCKER_HOST=").strip())
    there = Swarm.at()
    assert there.url == engine.url
    assert there.info()["OperatingSystem"] == "swarmsim simulated engine"


def test_connect_says_what_it_is(swarm: Swarm, capsys, monkeypatch):
    monkeypatch.setattr(doing, "_current", None)
    labkit.connect()
    said = capsys.readouterr().out
    assert f"Connected to {swarm.about()}." in said
    assert engines.WHAT_IT_IS[0] in said


@pytest.mark.usefixtures("engine")
def test_doctor_finds_it_and_calls_it_limited():
    lines = {line.name: line for line in doctor.examine()}
    assert lines["engine"].verdict == "limited"
    assert "swarmsim simulated engine" in lines["engine"].saw
    assert lines["labkit up"].saw.startswith("would use the engine at")
    assert lines["images"].verdict == lines["swarm manager"].verdict == "ok"
    assert run("doctor").exit_code == 0


def test_auto_stays_with_what_up_chose_and_falls_back_to_it(engine: SimulatedEngine, monkeypatch):
    monkeypatch.setattr(PrivateEngine, "why_not", lambda _: "dockerd is not installed.")
    monkeypatch.setenv("LABKIT_ENGINE", "auto")
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)

    said = run("up").output

    assert f"No engine answers at {NOWHERE} (DOCKER_HOST names it)." in said
    assert f"at {engine.url} (the lab's simulated engine)." in said
    assert engines.WHAT_IT_IS[0] in said


def test_a_swarm_of_more_nodes_than_it_has_is_refused(swarm: Swarm):
    refused = run("up", "--nodes", "4")
    assert refused.exit_code == 1
    assert "labkit up --engine simulated --nodes 4" in refused.stderr
    assert len(swarm.get("/nodes")) == 1


@pytest.mark.usefixtures("engine")
def test_limits_that_it_does_not_keep_are_said_once(tmp_path: Path):
    file = tmp_path / "limited.yml"
    limits = "{resources: {limits: {memory: 50M}}}"
    more = f"read_only: true, volumes: ['data:/v'], deploy: {limits}"
    web = f"{{image: 'lab/dockercoins_redis:1.0', {more}}}"
    volume = "{driver_opts: {type: tmpfs, device: tmpfs}}"
    text = f"services: {{web: {web}, free: {{image: x}}}}\nvolumes: {{data: {volume}}}\n"
    file.write_text(f"version: '3.7'\n{text}")
    said = [run("stack", "deploy", "-c", str(file), "limited").stderr for _ in range(2)]
    run("stack", "rm", "limited")

    options = "VolumeOptions.DriverConfig.Options"
    kept = f"so Limits.MemoryBytes, ReadOnly, {options} will not be kept."
    assert [(each.count(kept), each.count("will not be kept")) for each in said] == [(1, 1), (0, 0)]


# ---- its clock ---------------------------------------------------------------------


def test_its_clock_hurries_and_labkit_goes_by_it(swarm: Swarm):
    """Except while it waits to see what a process does: it may still do so after `up`."""
    before = swarm.ask_now(), time.monotonic()

    def hurries() -> bool:
        nonlocal before
        (then, began), before = before, (swarm.ask_now(), time.monotonic())
        return (before[0] - then) / timedelta(seconds=before[1] - began) > SPEED / 2

    until(hurries, "the clock to hurry", 30)


def test_the_ages_in_a_table_are_by_its_clock(swarm: Swarm):
    """A service that was just updated is some seconds old there, however fast they went by."""
    tasks = {task.id: task for task in swarm.task_values(service="dc_worker")}
    table = stack.ps(swarm, "dc")
    oldest = max(swarm.ask_now() - task.status_at for task in tasks.values())
    assert "ago" in table
    assert oldest > timedelta(0)
    assert "-" not in {line.split()[-2] for line in table.splitlines()[1:]}


@pytest.mark.usefixtures("engine")
def test_an_update_is_recorded_by_its_clock(swarm: Swarm, tmp_path: Path):
    path = tmp_path / "update.jsonl"
    before = swarm.ask_now()
    with labkit.record("dc_worker", path=path) as recorder:
        labkit.update("dc_worker", force=True, update_config={"parallelism": 5})
        recorder.mark("here")
        why = recorder.wait(50)

    recording = Recording.load(path)
    assert "completed" in why
    assert recording.header.provenance == "simulated"
    assert recording.header.engine == swarm.about()
    status = recording.service.update_status
    assert before < status.started_at < status.completed_at <= recording.ended.at
    assert recording.ended.at <= swarm.ask_now()
    # a monitor window of five seconds at least, whatever they took here
    assert story.took(recording) > timedelta(seconds=5)
    seen = [each.at for each in recording.changes if isinstance(each, TaskSeen)]
    assert seen == sorted(seen)
    assert all(
        each.task.status_at <= each.at for each in recording.changes if isinstance(each, TaskSeen)
    )
    assert recording.header.started <= recording.marks()[0][0] <= recording.ended.at


# ---- its process ---------------------------------------------------------------------


def test_it_outlives_whoever_started_it(engine: SimulatedEngine):
    process = engine.process()
    assert process is not None
    assert process.ppid() != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)


def children(engine: SimulatedEngine) -> list[psutil.Process]:
    process = engine.process()
    assert process is not None
    return process.children(recursive=True)


def test_stopping_it_ends_all_that_it_has_started(engine: SimulatedEngine):
    started = children(engine)
    assert started

    engine.stop()
    engine.stop()

    assert engine.process() is None
    assert engine.connect() is None
    assert [each for each in started if each.is_running()] == []


def test_after_it_was_stopped_connect_says_so_and_up_brings_it_back(first: Result):
    assert first.exit_code == 0
    engines.simulated().stop()
    with pytest.raises(NoEngine, match="the engine that `labkit up` used"):
        engines.connect()

    again = run("up")

    assert again.exit_code == 0, again.output
    assert "Images: nothing to do." in again.output, "what was built is kept"
    assert "14 of 14 replicas run." in again.output


def test_after_it_was_killed_nothing_of_it_is_left(engine: SimulatedEngine):
    started = children(engine)
    assert started
    process = engine.process()
    assert process is not None
    process.kill()

    until(lambda: engine.process() is None, "the killed server to be gone")
    until(lambda: not any(each.is_running() for each in started), "its tasks to be gone")
    assert engine.connect() is None
    gone = "The simulated engine has ended, and what ran on it is gone with it.\nStarting a simul"
    assert gone in run("up", "--no-stack").output
    engine.stop()


def test_down_stops_it_and_keeps_what_was_built_and_down_all_keeps_nothing(engine: SimulatedEngine):
    assert run("up").exit_code == 0
    mine = settings.workspace() / "dockercoins" / "worker" / "worker.py"

    ended = run("down")
    assert ended.exit_code == 0, ended.output
    assert "Stopped the simulated engine." in ended.output
    assert engine.process() is None
    assert engine.folder.exists()
    assert state.read() == state.State()

    assert "Removed the simulated engine" in run("down", "--all").output
    assert not engine.folder.exists()
    assert run("down", "--all").output == "The lab is down.\n"
    assert mine.exists(), "what is the learner's stays"


# ---- others ------------------------------------------------------------------------


def up_with(folder: Path, *asked: str, **variables: str) -> subprocess.Popen[str]:
    """Begin `labkit up` of a lab of its own, with the ports of the lesson unless they are set.

    Or whatever else is asked of labkit.
    """
    own = learner_simulated(folder) | dict.fromkeys(ports.WANTED, "") | variables
    words = [sys.executable, "-m", "labkit", *(asked or ["up"])]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env={**os.environ, **own}, stdout=pipe, stderr=pipe, text=True)


def page_of(said: str) -> str:
    return said.rsplit("(webui): ", maxsplit=1)[1].strip()


def test_labs_that_come_up_together_choose_ports_apart_and_one_without_gets_another(tmp_path: Path):
    """Each page is the lab's own; what lost a port to somebody else is mended by `up`."""
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as labs:
        for folder in folders:
            labs.callback(SimulatedEngine(folder / ".labkit" / "simulated").remove)
        both = [up_with(folder) for folder in folders]
        said = [each.communicate()[0] for each in both]
        assert all("14 of 14 replicas run." in each for each in said), said
        pages = [page_of(each) for each in said]
        assert pages[0] != pages[1]
        for page in pages:
            with urllib.request.urlopen(f"{page}/json", timeout=20) as answer:
                assert "hashes" in json.load(answer)

        engine = SimulatedEngine(folders[0] / ".labkit" / "simulated")
        engine.stop()
        with socket.create_server(("", 0)) as taken:
            port = str(taken.getsockname()[1])
            lost = up_with(folders[0], LABKIT_RNG_PORT=port).communicate()
            assert (
                "Found:    13 of its 14 replicas run. Something else has a port of dc_rng."
                in (lost[1])
            )
            mended = up_with(folders[0]).communicate()[0]
            assert f"in place of {ports.WANTED['LABKIT_RNG_PORT']}, which is taken" in mended
            assert "14 of 14 replicas run." in mended

        up_with(folders[0], "stack", "rm", "dc").communicate()
        with socket.create_server(("", urlsplit(page_of(mended)).port)):
            anew = up_with(folders[0], "reset", "1").communicate()[0]
        assert "which is taken (LABKIT_WEBUI_PORT)" in anew
        assert "dc deployed: 10 replicas" in anew


def test_one_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path):
    with home(tmp_path):
        engine = engines.simulated()
        engine.folder.mkdir(parents=True)
        engine.folder.joinpath("data").mkdir()
        engine.folder.joinpath("docker.sock").mkdir()
        with pytest.raises(NoEngine) as caught:
            engine.start()
        engine.folder.joinpath("docker.sock").rmdir()

        assert engine.log.read_text().splitlines()[-1] in caught.value.docker_says
        assert caught.value.docker_says


def test_a_deep_home_has_a_short_socket_that_is_the_user_s_alone(tmp_path: Path):
    with home(tmp_path / ("deep" * 25)):
        engine = engines.simulated()
        there = Path(engine.url.removeprefix("unix://"))
        engine.start()

        assert stat.S_IMODE(there.parent.stat().st_mode) == 0o700
        engine.remove()
        assert not there.parent.exists()


def test_more_nodes_can_be_asked_for_from_the_beginning(tmp_path: Path):
    with home(tmp_path):
        said = run("up", "--nodes", "3", "--no-stack")
        assert said.exit_code == 0, said.output
        nodes = engines.connect().get("/nodes")
        assert len(nodes) == 3
        assert len({node["Description"]["Hostname"] for node in nodes}) == 3


def test_going_over_to_another_engine_says_what_goes_on(tmp_path: Path):
    with home(tmp_path / "one"):
        assert run("up", "--no-stack").exit_code == 0
        simulated = engines.simulated()
        other = SimulatedEngine(tmp_path / "other" / "simulated")
        other.start()
        try:
            said = run("up", "--engine", other.url, "--no-stack")
            assert (
                f"The simulated engine at {simulated.url} keeps running until `labkit down`."
                in (said.output)
            )
            assert engines.connect(other.url).url == other.url
        finally:
            other.remove()
        assert run("down").exit_code == 1, "the engine that up used is gone"


def start(folder: Path, names: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run Binder's `start` in a clean environment but for these names, as a container has it."""
    programs = Path(sys.executable).parent
    return subprocess.run(
        [settings.SOURCE / "start", *words],
        env={
            **{name: os.environ[name] for name in names},
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(folder),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_binder_s_start_brings_the_lab_up_and_becomes_what_it_is_given(tmp_path: Path):
    with home(tmp_path):
        names = ["LABKIT_HOME", "LABKIT_SPEED", *ports.WANTED]
        ran = start(tmp_path, names, "sh", "-c", "echo DOCKER_HOST=$DOCKER_HOST; exit 3")

        assert ran.returncode == 3, ran.stdout + ran.stderr
        assert f"DOCKER_HOST={engines.simulated().url}" in ran.stdout
        assert "14 of 14 replicas run." in ran.stdout
        assert (tmp_path / "lab" / "00-start-here.ipynb").exists()


def test_binder_s_start_goes_on_where_the_lab_does_not_come_up(tmp_path: Path, monkeypatch):
    """JupyterLab opens all the same, and the reason can be read."""
    with home(tmp_path):
        monkeypatch.setenv("LABKIT_SPEED", "never")
        ran = start(tmp_path, ["LABKIT_HOME", "LABKIT_SPEED"], "echo", "begun")
        monkeypatch.undo()

    assert ran.returncode == 0
    assert "LABKIT_SPEED must be a number above 0" in ran.stdout
    assert ran.stdout.endswith("begun\n")
