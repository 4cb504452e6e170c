"""The two engines, and the scenarios that are played on them while the tests wait."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

# before they are imported, so that scenarios say what was not so
pytest.register_assert_rewrite("tests.conformance")

from labkit import images
from labkit.swarm import Swarm
from tests.conformance import scenarios
from tests.conformance.engines import Engine
from tests.conformance.play import LABEL, Play, Transcript
from tests.conformance.scenario import SCENARIOS, Scenario
from tests.conformance.watching import Watcher
from tests.waiting import until

assert scenarios  # they have entered themselves into SCENARIOS

#: So many scenarios at a time. More make no sooner an end on two cores, and later containers.
AT_A_TIME = {"real": 8, "simulated": 16, "fast": 16}
#: How much faster the clock of the simulated engine goes, in the second round on it.
FAST = 10


class Run:
    """All chosen scenarios on one engine, played at the same time."""

    def __init__(self, engine: Engine, chosen: list[Scenario]) -> None:
        self.engine = engine
        #: As long on every engine, so that the columns of tables are.
        self.name = f"c{secrets.token_hex(2)}"
        self.watcher = Watcher(engine, f"{LABEL}={self.name}")
        self._pool = ThreadPoolExecutor(AT_A_TIME[engine.name], f"play {engine.name}")
        self.watcher.start()
        begun = sorted(chosen, key=lambda scenario: -scenario.lasts)
        self.played: dict[str, Future[Transcript]] = {
            scenario.name: self._pool.submit(self._play, scenario) for scenario in begun
        }

    def _play(self, scenario: Scenario) -> Transcript:
        play = Play(self.engine, self.watcher, self.name, scenario.name)
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


@pytest.fixture(scope="session")
def real(swarm: Swarm) -> Iterator[Engine]:
    """The real engine."""
    engine = Engine("real", swarm.url, base_image=images.base_image(swarm))
    yield engine
    engine.close()


def _simulated(folder: Path, name: str, speed: float) -> Iterator[Engine]:
    socket = folder / "docker.sock"
    words = ["--socket", str(socket), "--speed", str(speed), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "labkit.simulated", *words], stdout=log, stderr=log
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
    yield from _simulated(tmp_path_factory.mktemp("simulated"), "simulated", 1)


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A simulated engine whose clock runs ahead."""
    yield from _simulated(tmp_path_factory.mktemp("fast"), "fast", FAST)


@pytest.fixture
def engine(request: pytest.FixtureRequest, engine_name: str) -> Engine:
    """The engine that a test is for: one of each name in `ENGINES`."""
    found = request.getfixturevalue(engine_name)
    assert isinstance(found, Engine)
    return found


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], Transcript]]:
    """Give the transcript of a scenario on an engine: `played("real", "name")`.

    With the first one that is asked for, all that the chosen tests will ask for begin.
    """
    wanted: dict[str, dict[str, Scenario]] = {}
    for item in request.session.items:
        params = getattr(item, "callspec", None)
        name = params.params.get("scenario") if params else None
        if name in SCENARIOS and params:
            for engine_name in params.params.get("on", ()):
                wanted.setdefault(engine_name, {})[name] = SCENARIOS[name]
    runs: dict[str, Run] = {}

    def transcript(engine_name: str, name: str) -> Transcript:
        if engine_name not in runs:
            engine = request.getfixturevalue(engine_name)
            runs[engine_name] = Run(engine, list(wanted[engine_name].values()))
        return runs[engine_name].played[name].result(timeout=280)

    yield transcript
    for run in runs.values():
        run.close()
