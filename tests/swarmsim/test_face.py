"""The face of swarmsim: an engine in this process, with docker-py, and on a socket."""

import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from docker.types import ServiceMode, UpdateConfig

import swarmsim
from labkit.swarm.client import Swarm
from swarmsim import Behaviour, Engine
from swarmsim.go.errors import CannotServe
from tests.simulated import simulated_swarm

ROOT = Path(__file__).resolve().parents[2]
CRASHES = Behaviour(exits_after="1s", exit_code=3)  # type: ignore[arg-type]
BEHAVIOUR = {
    "web:1": Behaviour(stdout="listening\n", stderr="a warning\n"),
    "web:2": CRASHES,
    "web:gone": Behaviour(pull_error="No such image: web:gone"),
    "web:well": Behaviour(healthy_after="3s"),  # type: ignore[arg-type]
    "web:ill": Behaviour(unhealthy_after="3s", stop_code=143),  # type: ignore[arg-type]
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(behaviour=BEHAVIOUR) as made:
        yield made


@pytest.fixture
def client(engine: Engine) -> docker.DockerClient:
    return engine.client()


def states(service) -> list[str]:
    return sorted(task["Status"]["State"] for task in service.tasks())


# ---- time ----------------------------------------------------------------------------


def test_time_stands_still_until_it_is_moved(engine: Engine, client: docker.DockerClient):
    service = client.services.create("web:1", name="web", mode=ServiceMode("replicated", 2))
    before = states(service)
    engine.advance("5s")
    assert (before, states(service)) == ([], ["running", "running"])


@pytest.mark.parametrize("length", ["90s", "1m30s", 90, 90.0, timedelta(minutes=1.5)])
def test_time_is_moved_by_a_length_in_any_form(engine: Engine, length: str | float | timedelta):
    begun = engine.now
    engine.advance(length)
    assert engine.now - begun == 90 * 10**9


def test_what_happens_meanwhile_is_dated_by_when_it_happened(engine, client):
    """A task that ends after a second has done so, however far the clock is moved at once."""
    policy = docker.types.RestartPolicy(condition="none")
    service = client.services.create("web:2", name="web", restart_policy=policy)
    engine.advance("1h")
    client.services.create("web:1", name="other")
    container = client.api.inspect_container(client.containers.list(all=True)[0].id)

    lived = [container["State"][key][17:26] for key in ("StartedAt", "FinishedAt")]
    assert states(service) == ["failed"]
    assert float(lived[1]) - float(lived[0]) == pytest.approx(1, abs=0.001)


def test_sleeping_may_be_made_to_move_the_clock(engine, client, monkeypatch):
    """So code that polls and sleeps is tested as it is, and takes no time."""
    monkeypatch.setattr(time, "sleep", engine.advance)
    service = client.services.create("web:1", name="web")
    while states(service) != ["running"]:
        time.sleep(0.5)
    assert engine.now


def test_a_loop_that_polls_gets_somewhere(client: docker.DockerClient):
    service = client.services.create("web:1", name="web")
    polls = iter(range(10_000))
    while states(service) != ["running"]:
        next(polls)
    assert next(polls) > 100


def history(seed: int) -> str:
    """What can be seen of an update."""
    with Engine(seed=seed, nodes=3, behaviour=BEHAVIOUR) as engine:
        client = engine.client()
        service = client.services.create("web:1", name="web", mode=ServiceMode("replicated", 5))
        engine.advance("10s")
        service.update(image="web:2", fetch_current_spec=True)
        engine.advance("30s")
        events = client.events(decode=True, since=1, until=engine.now // 10**9)
        tokens = client.swarm.attrs["JoinTokens"]
        nodes = [node.attrs for node in client.nodes.list()]
        return json.dumps([client.info()["ID"], tokens, nodes, service.tasks(), list(events)])


def test_the_same_calls_with_the_same_seed_give_the_same_run():
    assert history(7) == history(7)
    assert history(7) != history(8)


# ---- what docker-py does -------------------------------------------------------------


def test_an_update_that_fails_is_rolled_back_and_followed_by_events(client: docker.DockerClient):
    config = UpdateConfig(failure_action="rollback")
    service = client.services.create(
        "web:1", name="web", mode=ServiceMode("replicated", 3), update_config=config
    )
    events = client.events(decode=True, filters={"type": "service"})
    service.update(image="web:2", fetch_current_spec=True)

    seen = [event["Actor"]["Attributes"].get("updatestate.new") for event in events]

    assert [state for state in seen if state] == [
        *("updating", "rollback_started", "rollback_completed")
    ]
    service.reload()
    assert service.attrs["UpdateStatus"]["State"] == "rollback_completed"
    assert states(service).count("running") == 3


def test_a_stream_ends_where_nothing_would_ever_come(client: docker.DockerClient):
    """On a clock that stands still nobody else could move it."""
    assert list(client.events(decode=True, filters={"type": "service"})) == []


def test_logs_are_read_and_followed(engine: Engine, client: docker.DockerClient):
    service = client.services.create("web:1", name="web")
    engine.advance("5s")
    container = client.containers.list()[0]
    assert b"".join(service.logs(stdout=True, stderr=True)) == b"listening\na warning\n"
    assert container.logs(stderr=False) == b"listening\n"
    assert list(container.logs(stream=True, follow=True)) == [b"listening\n", b"a warning\n"]


def test_a_container_is_stopped_and_waited_for(engine: Engine, client: docker.DockerClient):
    client.services.create("web:1", name="web")
    engine.advance("5s")
    container = client.containers.list()[0]
    begun = engine.now
    container.stop()

    assert container.wait() == {"Error": None, "StatusCode": 0}
    assert engine.now - begun < 10**9


def test_waiting_for_a_container_that_never_ends_is_an_empty_answer(engine, client):
    client.services.create("web:1", name="web")
    engine.advance("5s")
    with pytest.raises(json.JSONDecodeError):
        client.containers.list()[0].wait()


# ---- what tasks do -------------------------------------------------------------------


def test_a_task_does_what_the_behaviour_of_its_image_says(engine, client):
    policy = docker.types.RestartPolicy(condition="none")
    made = {
        tag: client.services.create(f"web:{tag}", name=tag, restart_policy=policy)
        for tag in ("1", "2", "gone", "well", "ill", "unknown")
    }
    engine.advance("2s")
    soon = {tag: states(service) for tag, service in made.items()}
    engine.advance("60s")
    late = {tag: states(service) for tag, service in made.items()}

    assert soon == {
        "1": ["running"],
        "2": ["failed"],
        "gone": ["rejected"],
        "well": ["starting"],
        "ill": ["starting"],
        "unknown": ["running"],
    }
    assert late == {**soon, "well": ["running"], "ill": ["failed"]}


def test_behaviour_may_be_a_function_of_the_task():
    odd_ones_fail = lambda task: CRASHES if task.slot % 2 else Behaviour()  # noqa: E731
    policy = docker.types.RestartPolicy(condition="none")
    with Engine(behaviour=odd_ones_fail) as engine:
        mode = ServiceMode("replicated", 4)
        service = engine.client().services.create("w", mode=mode, restart_policy=policy)
        engine.advance("1m")

        assert states(service) == ["failed", "failed", "running", "running"]


def test_a_healthcheck_passes_at_its_first_probe_unless_told_otherwise(engine, client):
    check = docker.types.Healthcheck(test=["CMD", "true"], interval=7 * 10**9)
    service = client.services.create("w", name="w", healthcheck=check)
    engine.advance("5s")
    early = client.containers.list()[0].attrs["State"]["Health"]["Status"], states(service)
    engine.advance("5s")
    late = client.containers.list()[0].attrs["State"]["Health"]["Status"], states(service)

    assert (early, late) == (("starting", ["starting"]), ("healthy", ["running"]))


# ---- several threads -----------------------------------------------------------------


def test_one_thread_follows_while_another_changes():
    with Engine(speed=100) as engine:
        client = engine.client()
        events = client.events(decode=True, filters={"type": "service"})
        seen: list[str] = []
        follower = threading.Thread(target=lambda: seen.extend(e["Action"] for e in events))
        follower.start()
        service = engine.client().services.create("w")
        service.remove()
        deadline = time.monotonic() + 10
        while len(seen) < 2 and time.monotonic() < deadline:
            engine.client().ping()
        events.close()
        follower.join(10)

        assert (seen, follower.is_alive()) == (["create", "remove"], False)


def test_in_process_there_is_no_thread_and_no_socket(engine: Engine, client: docker.DockerClient):
    before = threading.active_count()
    client.services.create("w")
    engine.advance("5s")
    assert threading.active_count() == before


# ---- served, with labkit, gone -------------------------------------------------------


def test_an_engine_is_served_on_a_socket(tmp_path: Path):
    with Engine(speed=50) as engine:
        with engine.serve(f"unix://{tmp_path}/d") as served:
            client = docker.DockerClient(base_url=served)
            engine.client().services.create("w", name="web")

            assert [service.name for service in client.services.list()] == ["web"]
            with pytest.raises(RuntimeError, match="while an engine is served"):
                engine.advance("1s")
        assert [service.name for service in engine.client().services.list()] == ["web"]


def test_a_clock_that_stands_still_is_not_served(engine: Engine, tmp_path: Path):
    with pytest.raises(CannotServe, match="has to run"), engine.serve(f"unix://{tmp_path}/d"):
        pass


def test_labkit_stands_on_it(sim: Swarm):
    assert sim.provenance == "acted"
    assert sim.about() == "swarmsim simulated engine (API 1.52), at 100 times real time"
    sim.require_manager()
    with simulated_swarm(speed=0) as still:
        assert still.services() == []


def test_the_folder_of_an_engine_goes_with_it():
    engine = Engine()
    folder = engine.data
    there = folder.is_dir()
    del engine
    gc.collect()
    assert (there, folder.exists()) == (True, False)


def test_the_model_is_had_without_the_engine():
    code = "import swarmsim, sys; swarmsim.Cluster, swarmsim.Behaviour; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"docker", "tornado", "swarmsim.engine", "asyncio"} & set(ran.stdout.split())
    assert set(swarmsim.__all__) == {"Behaviour", "Cluster", "Engine"}
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        swarmsim.Nothing  # noqa: B018
