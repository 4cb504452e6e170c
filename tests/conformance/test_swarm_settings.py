"""Settings of the swarm as a whole, which no scenario may change while others are played."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.engines import Answer, Engine
from tests.conformance.play import BROKEN, LABEL, Play, restart
from tests.conformance.watching import Watcher

ENGINES = [pytest.param("real", marks=pytest.mark.engine), "simulated"]


def set_history_limit(engine: Engine, limit: int) -> None:
    """Set how many tasks of a slot are remembered, as `docker swarm update` does."""
    ran = engine.docker("swarm", "update", "--task-history-limit", str(limit))
    assert (ran.out, ran.status) == ("Swarm updated.\n", 0), ran


@pytest.fixture
def play(request: pytest.FixtureRequest, engine_name: str) -> Iterator[Play]:
    """A service on an engine that holds no others: their history would be cut as well."""
    engine = request.getfixturevalue(engine_name)
    run = f"c{secrets.token_hex(2)}"
    theirs = [each["Spec"]["Name"] for each in engine.get("/services")]
    if theirs:
        pytest.skip(f"this would cut the history of {', '.join(theirs)}")
    watcher = Watcher(engine, f"{LABEL}={run}")
    watcher.start()
    play = Play(engine, watcher, run, f"{run}-history")
    yield play
    play.remove()
    play.until(lambda: all(task.gone_at for task in play.tasks), "its tasks to go")
    watcher.stop()
    set_history_limit(engine, 5)


@pytest.mark.parametrize("limit", [2, 0])
@pytest.mark.parametrize("engine_name", ENGINES)
def test_as_many_tasks_of_a_slot_are_remembered_as_the_swarm_says(play: Play, limit: int) -> None:
    """The current one is among them, and stays in any case."""
    set_history_limit(play.engine, limit)
    play.create(BROKEN, task=restart(delay=0))
    play.until(lambda: len(play.tasks) >= 4, "four tasks")
    play.update(task=restart("none"))  # so that the loop comes to rest
    play.until(lambda: all(t.ended or t.gone_at for t in play.tasks), "the last to end")

    kept = max(limit, 1)
    play.until(lambda: sum(t.gone_at is None for t in play.tasks) == kept, f"{kept} to be left", 5)
    assert [t for t in play.tasks if t.gone_at is None] == play.tasks[-kept:]


@pytest.fixture
def lonely(request: pytest.FixtureRequest, engine_name: str) -> Iterator[Engine]:
    """An engine that holds no services, whose settings are put back afterwards."""
    engine = request.getfixturevalue(engine_name)
    theirs = [each["Spec"]["Name"] for each in engine.get("/services")]
    if theirs:
        pytest.skip(f"this would cut the history of {', '.join(theirs)}")
    before = engine.get("/swarm")["Spec"]
    yield engine
    assert _update(engine, before).status == 200


def _update(engine: Engine, spec: dict[str, Any]) -> Answer:
    version = str(engine.get("/swarm")["Version"]["Index"])
    return engine.call("POST", "/swarm/update", spec, version=version)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_what_an_update_of_the_swarm_does_not_say_is_nothing_from_then_on(lonely: Engine) -> None:
    """So docker-py's `swarm.update(labels=…)` leaves no history of tasks."""
    assert _update(lonely, {"Name": "default", "Labels": {"a": "b"}}).status == 200

    assert lonely.get("/swarm")["Spec"] == {
        "Name": "default",
        "Labels": {"a": "b"},
        "Orchestration": {"TaskHistoryRetentionLimit": 0},
        "Raft": {"KeepOldSnapshots": 0, "ElectionTick": 0, "HeartbeatTick": 0},
        "Dispatcher": {},
        "CAConfig": {},
        "TaskDefaults": {},
        "EncryptionConfig": {"AutoLockManagers": False},
    }
