"""What dockercoins' web page is asked, and when there is none to ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from labkit import coins, errors
from labkit.swarm import Swarm


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
    [
        (8000, None),
        (8000, {}),
        (8000, {"com.docker.stack.namespace": "other"}),
        (None, IN_DC),
    ],
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
def test_an_answer_that_says_nothing_is_an_error_in_words(
    page: int, status: int, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Page, "status", status)
    monkeypatch.setattr(Page, "answer", answer)
    meter = coins.meter(a_swarm(page, IN_DC), "dc_worker")

    assert meter
    with pytest.raises(errors.LabError, match="no answer that could be read"):
        meter()


def test_a_page_that_does_not_answer_is_an_error_in_words() -> None:
    meter = coins.meter(a_swarm(1, IN_DC), "dc_worker")

    assert meter
    with pytest.raises(errors.LabError, match="no answer that could be read"):
        meter()
