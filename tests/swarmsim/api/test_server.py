"""The server itself: versions, paths, bodies, clients that behave badly, the socket."""

import errno
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from click.testing import CliRunner

from swarmsim.__main__ import main
from swarmsim.doors import server
from tests.swarmsim.conftest import Served
from tests.swarmsim.raw import Raw
from tests.waiting import until

LARGEST = 8 * 1024 * 1024


@pytest.fixture
def raw(served: Served) -> Raw:
    """A client of the socket."""
    return served.raw


def test_it_says_what_it_is(raw: Raw):
    version, info = raw.get("/version").json, raw.get("/info").json
    assert version["Platform"]["Name"] == "swarmsim simulated engine"
    assert info["OperatingSystem"] == "swarmsim simulated engine"
    assert info["Labels"] == ["swarmsim=true", "swarmsim.speed=50", "swarmsim.acted=true"]


def test_every_answer_carries_the_engines_time(raw: Raw):
    first, second = (raw.get("/nope").headers["Labkit-Time"] for _ in range(2))
    assert first < second
    assert first.endswith("Z")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nope"), ("PUT", "/services"), ("GET", "/v1.99/nope"), ("GET", "/services/"),
     ("POST", "/_ping"), ("GET", "/v1.x/info")],
)  # fmt: skip
def test_an_unknown_path_is_not_found_whatever_the_version(raw: Raw, method: str, path: str):
    reply = raw.send(method, path)
    assert (reply.status, reply.message) == (404, "page not found")


def test_a_head_of_an_unknown_path_has_the_headers_only(raw: Raw):
    reply = raw.send("HEAD", "/info")
    assert (reply.status, reply.body) == (404, b"")


def test_a_body_that_is_too_large_is_refused(raw: Raw):
    reply = raw.send("POST", "/services/create", b" " * (LARGEST + 1))
    assert (reply.status, reply.message) == (413, "http: request body too large")


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (f"Content-Length: {LARGEST + 1}", b"{"),
        ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (LARGEST + 1, b" " * (LARGEST + 1))),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_whole(served, header, body):
    client = served.connection()
    client.sendall(f"POST /services/create HTTP/1.1\r\nHost: d\r\n{header}\r\n\r\n".encode() + body)
    answer = client.recv(65536)
    client.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"http: request body too large" in answer


def test_a_client_that_leaves_in_the_middle_of_a_body_does_no_harm(served: Served):
    client = served.connection()
    client.sendall(b"POST /configs/create HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\n{")
    client.close()
    assert served.raw.get("/configs").json == []


def test_what_is_no_http_ends_that_connection_only(served: Served):
    client = served.connection()
    client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n")
    answer = client.recv(65536)
    client.close()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert served.raw.get("/_ping").status == 200


def test_a_follower_that_goes_away_is_forgotten(served: Served):
    client = served.connection()
    client.sendall(b"GET /events HTTP/1.1\r\nHost: docker\r\n\r\n")
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    until(lambda: served.raw.get("/info").json["NEventsListener"] == 1, "one follower")
    client.close()
    until(lambda: served.raw.get("/info").json["NEventsListener"] == 0, "no follower")


def test_many_clients_at_once_are_all_answered(raw: Raw):
    """One hundred clients make a config each, while others ask for the list."""

    def make(number: int) -> int:
        raw.get("/configs")
        return raw.post("/configs/create", {"Name": f"c{number}", "Data": "aGk="}).status

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(make, range(100)))

    assert statuses == [201] * 100
    assert len({config["Spec"]["Name"] for config in raw.get("/configs").json}) == 100


def test_clients_that_come_while_it_is_busy_are_let_in_afterwards(tmp_path):
    listening = server._bound(tmp_path / "engine.sock")  # and nobody accepts
    with listening, ExitStack() as clients:
        for _ in range(500):
            client = clients.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            client.connect(str(tmp_path / "engine.sock"))


def test_a_client_that_stops_reading_holds_up_nobody(served: Served):
    """Its connection fills up; the engine answers all others."""
    lazy = served.connection()
    lazy.sendall(b"GET /info HTTP/1.1\r\nHost: docker\r\n\r\n" * 500)
    assert served.raw.get("/_ping").status == 200
    lazy.close()


def test_a_route_that_fails_is_an_error_and_the_engine_goes_on(served: Served, monkeypatch):
    monkeypatch.setattr(served.engine, "hostname", property())  # no JSON has such a thing
    broken = served.raw.get("/info")
    monkeypatch.undo()
    assert broken.status == 500
    assert "not JSON serializable" in broken.message
    assert served.raw.get("/info").status == 200


def test_a_cluster_that_fails_does_not_end_the_engine(served: Served):
    def fail() -> None:
        raise RuntimeError("on purpose")

    failed = threading.Event()

    def plan() -> None:
        served.engine.listeners.discard(plan)
        served.engine.cluster.call_at(served.engine.now, fail)
        served.engine.cluster.call_at(served.engine.now + 1, failed.set)

    served.engine.listeners.add(plan)
    served.raw.post("/networks/create", {"Name": "net"})

    until(lambda: served.raw.get("/_ping").status == 200 and failed.is_set(), "what comes after")


def test_a_request_may_be_long(raw: Raw):
    """As long as Go's server takes: a list of services by id is a long filter."""
    wanted = {"id": {f"{number:025d}": True for number in range(10_000)}}
    assert raw.get("/services", filters=wanted).json == []


def test_a_full_disk_is_said_in_the_machines_words(served: Served, raw: Raw, monkeypatch):
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/images.json")

    monkeypatch.setattr(served.engine, "catch_up", full)
    answer = raw.get("/services")

    assert answer.status == 500
    assert answer.message == "open /data/images.json: no space left on device"


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    words = ["--socket", str(tmp_path / "s"), "--data", str(tmp_path / "file" / "data")]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 1
    assert "cannot be made: Not a directory. Choose a --data" in ran.stderr
