"""What dockercoins' web page is asked, and when there is none to ask."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, cast

import pytest

from labkit.base import errors
from labkit.lessons import coins
from labkit.recordings.values import Task
from labkit.swarm.client import Swarm
from tests.values import task


class Page(BaseHTTPRequestHandler):
    """A web page that gives one answer."""

    answer = b'{"coins": 2, "hashes": 41, "now": 1772355607.25}'
    status = 200

    def do_GET(self) -> None:
        assert self.path == "/json"
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A web page on a port of this machine; no proxy leads to it, though one is named."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Told:
    """A swarm with the services that it is told to have."""

    url = "tcp://127.0.0.1:2375"
    provenance = "simulated"
    sleep_after = None

    def __init__(self, **services: dict[str, Any]) -> None:
        self.services = services

    def service(self, name: str) -> dict[str, Any]:
        if name not in self.services:
            raise errors.NotFound("a service.", "none.", docker_says="not found", status=404)
        return {"Spec": {"Name": name, **self.services[name]}}


def a_swarm(port: int | None, labels: dict[str, str] | None) -> Swarm:
    ports = [{"TargetPort": 80, "PublishedPort": port}] if port else []
    web = {"EndpointSpec": {"Ports": ports}}
    return cast("Swarm", Told(dc_worker={"Labels": labels}, dc_webui=web))


IN_DC = {"com.docker.stack.namespace": "dc"}


def test_the_meter_asks_the_web_page_of_the_service_s_stack(page: int) -> None:
    meter = coins.meter(a_swarm(page, IN_DC), "dc_worker")
    assert meter
    assert meter() == (41, 1772355607.25)


@pytest.mark.parametrize(
    ("port", "labels"),
    [(8000, None), (8000, {}), (8000, {"com.docker.stack.namespace": "other"}), (None, IN_DC)],
    ids=["no labels", "no stack", "a stack without webui", "webui publishes no port"],
)
def test_there_is_no_meter_without_a_web_page(port: int | None, labels: Any) -> None:
    assert coins.meter(a_swarm(port, labels), "dc_worker") is None
    assert coins.meter(a_swarm(port, labels), "nope") is None


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, b'{"error": "redis does not answer"}'),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"hashes": null, "now": 1}'),
        (200, b'{"now": 1}'),
        (200, b'{"hashes": Infinity, "now": 1}'),
    ],
)
def test_an_answer_that_says_nothing_is_an_error_in_words(page, status, answer, monkeypatch):
    monkeypatch.setattr(Page, "status", status)
    monkeypatch.setattr(Page, "answer", answer)
    meter = coins.meter(a_swarm(page, IN_DC), "dc_worker")
    assert meter
    with pytest.raises(errors.LabError, match="no readable answer"):
        meter()


def test_a_page_that_does_not_answer_is_an_error_in_words() -> None:
    meter = coins.meter(a_swarm(1, IN_DC), "dc_worker")
    assert meter
    with pytest.raises(errors.LabError, match="no readable answer"):
        meter()


class Working(Told):
    """A swarm of dockercoins; `logs` has what each worker's log ends with when it is read.

    The last of it is what it ends with from then on.
    """

    def __init__(self, **logs: list[str]) -> None:
        super().__init__(dc_webui={"EndpointSpec": {"Ports": [{"PublishedPort": 1}]}})
        self.logs = logs

    def service(self, name: str) -> dict[str, Any]:
        if name != "dc_worker":
            return super().service(name)
        mode = {"Replicated": {"Replicas": len(self.logs)}}
        return {"ID": "s", "Version": {"Index": 1}, "Spec": {"Name": name, "Mode": mode}}

    def task_values(self, service: str) -> list[Task]:
        assert service == "s"
        return [task(slot, id=name) for slot, name in enumerate(self.logs, 1)]

    def task_log(self, name: str, tail: int) -> bytes:
        assert tail > 12
        ends = self.logs[name]
        return (ends.pop(0) if len(ends) > 1 else ends[0]).encode()


@pytest.fixture
def rising(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page whose counter rises by 30 hashes a second of its own clock; each poll is quick."""
    answers = (b'{"hashes": %d, "now": %f}' % (15 * each, each / 2) for each in count())
    monkeypatch.setattr(Page, "answer", property(lambda _: next(answers)))
    monkeypatch.setattr(coins, "port", lambda *_: page)
    for name in ("_POLL_SECONDS", "_SAMPLE_SECONDS"):
        monkeypatch.setattr(coins, name, 0.01)


def said(second: int, units: int) -> str:
    return f"\1..72026-03-01T09:00:{second:02}Z INFO:{units} units of work done, updating\n"


COUNTS = [said(second, 4) for second in range(1, 60)]
BACKS_OFF = "2026-03-01T09:00:01Z ConnectionRefusedError: [Errno 111] Connection refused\n"


@pytest.mark.parametrize(
    "starting",
    [
        [""],
        [BACKS_OFF, BACKS_OFF, said(11, 0)],
        [said(1, 0), said(1, 0)],
        [said(1, 4), said(1, 4), BACKS_OFF],
    ],
    ids=["writes nothing yet", "found no redis", "has just begun", "stops meanwhile"],
)
@pytest.mark.usefixtures("rising")
def test_the_speed_is_that_of_all_workers(starting: list[str]) -> None:
    """What is measured before all of them count, and go on, is not the speed."""
    swarm = Working(one=list(COUNTS), two=starting + COUNTS[20:])
    assert coins.speed(cast("Swarm", swarm), "dc", seconds=0.05) == pytest.approx(30)
    assert len(swarm.logs["two"]) == len(COUNTS[20:]) - 2


@pytest.mark.usefixtures("rising")
def test_where_not_all_workers_count_no_speed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coins, "_PATIENCE_SECONDS", 0.1)
    swarm = Working(one=list(COUNTS), two=[BACKS_OFF], three=[said(1, 4)])
    with pytest.raises(errors.NotSettled, match=r"(?s)all 3 workers of dc.*2 of them did"):
        coins.speed(cast("Swarm", swarm), "dc", seconds=0.05)


def test_where_tasks_only_act_the_speed_is_nought_at_once() -> None:
    swarm = Working(one=[""])
    swarm.provenance = "acted"
    assert coins.speed(cast("Swarm", swarm), "dc") == 0


def test_a_page_that_never_answers_is_waited_for_and_then_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coins, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(errors.LabError, match="no readable answer"):
        coins.speed(cast("Swarm", Working(one=list(COUNTS))), "dc")
