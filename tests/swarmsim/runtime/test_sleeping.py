"""Tasks that nobody looks at are halted until somebody does, where that is asked for."""

import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
import psutil
import pytest

from swarmsim import Engine
from swarmsim.runtime.processes import Processes, sleeping
from tests.swarmsim.runtime.programs import built
from tests.swarmsim.runtime.test_processes import SERVER, free_port
from tests.waiting import until

SECOND = 10**9
#: Gives up when an answer takes longer than a second, and says so.
CLIENT = (
    "import urllib.request\n"
    "while True:\n"
    "    urllib.request.urlopen('http://server/', timeout=1).read()\n"
)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[docker.DockerClient]:
    """A client of a fast engine whose tasks sleep after half a second."""
    monkeypatch.setattr("swarmsim.runtime.processes.driver.HORIZON", 0.5)
    monkeypatch.setattr(sleeping, "_AGAIN", 0.1)
    with TemporaryDirectory() as folder:
        runtime = partial(Processes, sleep_after=0.5)
        engine = Engine(speed=50, runtime=runtime, data=Path(folder) / "data")
        with engine.serve(f"unix://{folder}/s"):
            yield engine.client()


def started(client: docker.DockerClient, name: str, program: str, **more: Any) -> Any:
    image = built(client, f"{name}:1", program)
    return client.services.create(image, name=name, networks=["net"], **more)


def states(client: docker.DockerClient) -> set[str]:
    """Which states the processes of all tasks are in."""
    tasks = [task for task in client.api.tasks() if task["DesiredState"] == "running"]
    pids = [task["Status"].get("ContainerStatus", {}).get("PID") for task in tasks]
    return {psutil.Process(pid).status() if pid else "none yet" for pid in pids}


def fall_asleep(client: docker.DockerClient) -> None:
    until(lambda: states(client) == {psutil.STATUS_STOPPED}, "all to sleep")


def test_what_is_asleep_wakes_for_a_connection_and_misses_no_answer(client):
    """A client that waited for an answer when it fell asleep gets it, however long that was."""
    port = free_port()
    client.networks.create("net", driver="overlay")
    at = {"TargetPort": 80, "PublishedPort": port, "PublishMode": "host"}
    server = started(client, "server", SERVER, endpoint_spec={"Ports": [at]})
    until(lambda: b"ready" in b"".join(server.logs(stdout=True)), "the server")
    asking = started(client, "client", CLIENT, mode={"Replicated": {"Replicas": 4}})
    fall_asleep(client)
    began = time.monotonic()
    until(lambda: time.monotonic() > began + 1.2, "longer than a client waits")
    assert states(client) == {psutil.STATUS_STOPPED}, "what the API says of a swarm wakes nobody"

    kept = socket.create_connection(("127.0.0.1", port))
    kept.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert kept.recv(1)
    until(lambda: psutil.STATUS_STOPPED not in states(client), "all to be awake")
    fall_asleep(client)  # although one connection was not closed, which the server has closed
    kept.close()
    assert b"".join(asking.logs(stdout=True, stderr=True)) == b""
    until(lambda: psutil.STATUS_STOPPED not in states(client), "all to be awake, who are read")

    fall_asleep(client)
    asking.reload()  # the manager has written it, too: its version is another one
    asking.update(force_update=1, fetch_current_spec=True)
    until(lambda: psutil.STATUS_STOPPED not in states(client), "all to be awake")


def test_nobody_sleeps_whose_health_is_probed(client):
    client.networks.create("net", driver="overlay")
    check = docker.types.Healthcheck(test=["CMD", "python", "-c", ""], interval=SECOND)
    service = started(client, "server", SERVER, healthcheck=check)
    until(lambda: service.tasks()[0]["Status"]["State"] == "running", "it to be healthy")
    began = time.monotonic()

    until(lambda: time.monotonic() > began + 1.5, "longer than it takes to fall asleep")
    assert psutil.STATUS_STOPPED not in states(client)


def test_who_asks_learns_that_tasks_sleep(client):
    assert "swarmsim.sleep-after=0.5" in client.info()["Labels"]
