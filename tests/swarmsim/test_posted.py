"""docker-py on an engine that is asked by messages, as a browser's pages ask it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import docker
import pytest
from docker.errors import NotFound
from docker.types import ServiceMode, UpdateConfig

from swarmsim import Behaviour, Engine
from swarmsim.doors import posted
from swarmsim.doors.posted import Posted
from swarmsim.doors.posting import client as client_by
from tests.waiting import until

CRASHES = Behaviour(exits_after="1s", exit_code=3, stderr="no module\n")  # type: ignore[arg-type]


@pytest.fixture
def post() -> Iterator[Callable[[str], str]]:
    """Sends a message to an engine that lives on the loop of another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> Posted:
        return Posted(Engine(speed=50, behaviour={"web:2": CRASHES}))

    engine = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    yield lambda text: asyncio.run_coroutine_threadsafe(engine.answer(text), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    engine.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def client(post: Callable[[str], str]) -> docker.DockerClient:
    return client_by(post)


def test_an_update_fails_and_is_rolled_back(client: docker.DockerClient):
    careful = UpdateConfig(failure_action="rollback", monitor=5 * 10**9)
    mode = ServiceMode("replicated", replicas=2)
    service = client.services.create("web:1", name="web", mode=mode, update_config=careful)
    until(lambda: all(it["Status"]["State"] == "running" for it in service.tasks()), "two to run")
    service.update(image="web:2", fetch_current_spec=True)

    def state() -> bool:
        service.reload()
        return service.attrs.get("UpdateStatus", {}).get("State") == "rollback_completed"

    until(state, "the rollback")
    assert b"no module" in b"".join(service.logs(stderr=True))


def test_events_come_as_they_happen_until_they_are_closed(client: docker.DockerClient):
    events = client.events(decode=True, filters={"type": "service"})
    client.services.create("web:1", name="web")
    client.services.create("web:1", name="other")
    names = [event["Actor"]["Attributes"]["name"] for event in islice(events, 2)]
    events.close()
    assert names == ["web", "other"]


def test_a_refusal_is_docker_pys(client: docker.DockerClient):
    with pytest.raises(NotFound, match="service nothing not found"):
        client.services.get("nothing")


def test_an_answer_comes_soon_even_if_there_is_nothing_to_say(post, monkeypatch):
    monkeypatch.setattr(posted, "_LATEST", 0.05)
    first = json.loads(post(json.dumps({"method": "GET", "target": "/events"})))
    again = json.loads(post(json.dumps({"more": first["stream"]})))
    closed = json.loads(post(json.dumps({"close": first["stream"]})))
    after = json.loads(post(json.dumps({"more": first["stream"]})))

    assert (first["status"], first["streaming"], first["over"]) == (200, True, False)
    assert (again["data"], again["over"]) == ("", False)
    assert closed == {"stream": first["stream"]}
    assert after["over"]


def test_a_wait_is_answered_once_it_is_over(post: Callable[[str], str]):
    began = time.monotonic()
    assert post(json.dumps({"wait": 0.2})) == "{}"
    assert time.monotonic() - began >= 0.2
