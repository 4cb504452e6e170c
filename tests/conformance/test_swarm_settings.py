"""Settings of the swarm as a whole, which no scenario may change while others are played."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.engines import membership
from labkit.engines.private.private import PrivateEngine
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.conformance.conftest import start_simulated
from tests.conformance.engines import Answer, Engine
from tests.conformance.play import BROKEN, LABEL, Play, restart
from tests.conformance.watching import Watcher


@pytest.fixture(
    scope="module", params=[pytest.param("real", marks=pytest.mark.engine), "simulated"]
)
def apart(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """An engine with nobody else's services, whose history would be cut as well."""
    folder = tmp_path_factory.mktemp("apart")
    if request.param == "simulated":
        yield from start_simulated(folder, "simulated", 1)
        return
    private = PrivateEngine(folder / "engine")
    if why_not := private.why_not():
        pytest.skip(why_not)
    swarm: Swarm = request.getfixturevalue("swarm")
    base_image = images.base_image(swarm)
    try:
        own = private.start()
        membership.ensure(own)
        [*own.client.api.load_image(swarm.client.api.get_image(base_image))]
        engine = Engine("real", own.url, base_image=base_image)
        yield engine
        engine.close()
    finally:
        private.remove()


def set_history_limit(engine: Engine, limit: int) -> None:
    """Set how many tasks of a slot are remembered, as `docker swarm update` does."""
    ran = engine.docker("swarm", "update", "--task-history-limit", str(limit))
    assert (ran.out, ran.status) == ("Swarm updated.\n", 0), ran


@pytest.fixture
def play(apart: Engine) -> Iterator[Play]:
    run = f"c{secrets.token_hex(4)}"
    watcher = Watcher(apart, f"{LABEL}={run}")
    watcher.start()
    play = Play(apart, watcher, run, f"{run}-history")
    yield play
    play.remove()
    play.until(lambda: all(task.gone_at for task in play.tasks), "its tasks to go")
    watcher.stop()
    set_history_limit(apart, 5)


@pytest.mark.parametrize("limit", [2, 0])
def test_as_many_tasks_of_a_slot_are_remembered_as_the_swarm_says(play: Play, limit: int) -> None:
    """The current one is among them, and stays in any case."""
    set_history_limit(play.engine, limit)
    play.create(BROKEN, task=restart(delay=0))
    play.until(lambda: len(play.tasks) >= 4, "four tasks")
    play.update(task=restart("none"))  # so that the loop comes to rest
    # for one that is forgotten meanwhile the update waits in vain, for a minute
    play.until(lambda: all(t.ended or t.gone_at for t in play.tasks), "the last to end", 80)

    kept = max(limit, 1)
    play.until(lambda: sum(t.gone_at is None for t in play.tasks) == kept, f"{kept} to be left")
    # one that never ran when it was replaced goes at once (swarmkit's task reaper), or stays
    ran = [t for t in play.tasks if t.raw["Status"].get("ContainerStatus", {}).get("ContainerID")]
    left = [t for t in ran if t.gone_at is None]
    assert left == sorted(ran, key=lambda task: task.last.since)[-len(left) :]


def _update(engine: Engine, spec: dict[str, Any]) -> Answer:
    version = str(engine.get("/swarm")["Version"]["Index"])
    return engine.call("POST", "/swarm/update", spec, version=version)


def test_what_an_update_of_the_swarm_does_not_say_is_nothing_from_then_on(apart: Engine) -> None:
    """So docker-py's `swarm.update(labels=…)` leaves no history of tasks."""
    assert _update(apart, {"Name": "default", "Labels": {"a": "b"}}).status == 200

    assert apart.get("/swarm")["Spec"] == {
        "Name": "default",
        "Labels": {"a": "b"},
        "Orchestration": {"TaskHistoryRetentionLimit": 0},
        "Raft": {"KeepOldSnapshots": 0, "ElectionTick": 0, "HeartbeatTick": 0},
        "Dispatcher": {},
        "CAConfig": {},
        "TaskDefaults": {},
        "EncryptionConfig": {"AutoLockManagers": False},
    }
