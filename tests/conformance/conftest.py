"""The two engines, and the scenarios that are played on them while the tests wait."""

import contextlib
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

import tests.conformance.scenarios  # noqa: F401 - they enter themselves into SCENARIOS
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.conformance.engines import Engine
from tests.conformance.play import LABEL, Play, Transcript
from tests.conformance.scenario import SCENARIOS, Scenario
from tests.conformance.watching import TaskSeen, Watcher
from tests.waiting import until

#: So many scenarios at a time. On two cores, more make later containers, and the end no sooner.
AT_A_TIME = {"real": 12, "simulated": 10, "fast": 14}
#: How much faster the clock of the simulated engine goes, in the second round on it.
FAST = 10


class Run:
    """All chosen scenarios on one engine, played at the same time."""

    def __init__(self, engine: Engine, chosen: list[Scenario]) -> None:
        self.engine = engine
        #: As long on every engine, so that the columns of tables are.
        self.name = f"c{secrets.token_hex(4)}"
        self.watcher = Watcher(engine, f"{LABEL}={self.name}")
        self._pool = ThreadPoolExecutor(AT_A_TIME[engine.name], f"play {engine.name}")
        self.watcher.start()
        begun = sorted(chosen, key=lambda scenario: -scenario.lasts)
        self._played: dict[str, Future[Transcript]] = {
            scenario.name: self._pool.submit(self._play, scenario) for scenario in begun
        }

    def transcript(self, name: str) -> Transcript:
        """Return what a scenario gave, when it has been played; raises what it raised."""
        return self._played[name].result()

    def finish(self) -> None:
        """Wait until all have been played."""
        wait(self._played.values())

    def seen(self) -> list[TaskSeen]:
        """Return all tasks of all scenarios."""
        self.finish()
        return list(self.watcher.tasks.values())

    def _play(self, scenario: Scenario) -> Transcript:
        play = Play(self.engine, self.watcher, self.name, f"{self.name}-{scenario.name}")
        try:
            scenario.act(play)
            return play.finish()
        finally:
            play.remove()

    def close(self) -> None:
        """Wait for what is still played, and until nothing of it is left on the engine."""
        self._pool.shutdown(cancel_futures=True)
        self.watcher.stop()
        label = {"label": {f"{LABEL}={self.name}": True}}
        until(lambda: not self.engine.get("/tasks", filters=label), "the last tasks to go", 80)
        for volume in self.engine.get("/volumes", filters={"name": [self.name]})["Volumes"] or ():
            path = f"/volumes/{volume['Name']}"
            until(lambda path=path: self.engine.call("DELETE", path).status != 409, "a free volume")  # type: ignore[misc]


@pytest.fixture(scope="session")
def real(swarm: Swarm) -> Iterator[Engine]:
    """The real engine."""
    engine = Engine("real", swarm.url, base_image=images.base_image(swarm))
    yield engine
    engine.close()


def start_simulated(folder: Path, name: str, speed: float) -> Iterator[Engine]:
    """Yield a simulated engine in a process of its own."""
    socket = folder / "docker.sock"
    words = ["--socket", str(socket), "--speed", str(speed), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "swarmsim", *words], stdout=log, stderr=log
        )
    try:
        until(
            lambda: socket.exists() or server.poll() is not None, "the simulated engine to listen"
        )
        assert server.poll() is None, (folder / "log").read_text()
        engine = Engine(name, f"unix://{socket}", base_image="python:3.13-alpine", speed=speed)
        yield engine
        engine.close()
    finally:
        server.terminate()
        assert server.wait(20) is not None


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A simulated engine whose clock goes as the wall clock does."""
    yield from start_simulated(tmp_path_factory.mktemp("simulated"), "simulated", 1)


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A simulated engine whose clock runs ahead."""
    yield from start_simulated(tmp_path_factory.mktemp("fast"), "fast", FAST)


@pytest.fixture
def engine(request: pytest.FixtureRequest, engine_name: str) -> Engine:
    """The engine that a test is for: one of each name in `ENGINES`."""
    found = request.getfixturevalue(engine_name)
    assert isinstance(found, Engine)
    return found


def _wanted(request: pytest.FixtureRequest, engine_name: str) -> list[Scenario]:
    """Return the scenarios that the chosen tests will ask for on an engine."""
    found: dict[str, Scenario] = {}
    for item in request.session.items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if engine_name in params.get("on", ()):
            names = [params["scenario"]] if "scenario" in params else SCENARIOS
            found |= {name: SCENARIOS[name] for name in names}
    return list(found.values())


def _run(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Run]:
    run = Run(engine, _wanted(request, engine.name))
    yield run
    run.close()


@pytest.fixture(scope="session")
def real_run(request: pytest.FixtureRequest, real: Engine) -> Iterator[Run]:
    yield from _run(request, real)


@pytest.fixture(scope="session")
def simulated_run(request: pytest.FixtureRequest, simulated: Engine) -> Iterator[Run]:
    yield from _run(request, simulated)


@pytest.fixture(scope="session")
def fast_run(request: pytest.FixtureRequest, fast: Engine) -> Iterator[Run]:
    yield from _run(request, fast)


@pytest.fixture
def runs(request: pytest.FixtureRequest, on: list[str]) -> Callable[[str], Run]:
    """Give the run on an engine, by the engine's name.

    What is to be compared is played at the same time.
    """
    for name in ["fast"] if "fast" in on else ["real", "simulated"]:
        if _wanted(request, name):
            with contextlib.suppress(pytest.skip.Exception):  # it is raised again where it is used
                request.getfixturevalue(f"{name}_run")
    return lambda name: request.getfixturevalue(f"{name}_run")
