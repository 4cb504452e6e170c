"""A connection to an engine is kept, and made anew where it has to be."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from labkit.swarm.client.wire import UnixSocket

OK = b"HTTP/1.1 200 OK\r\n"
PING = OK + b"Api-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
VERSION = OK + b'Content-Length: 22\r\n\r\n{"ApiVersion": "1.41"}'
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


class Server(socketserver.ThreadingUnixStreamServer):
    """A server that gives these answers, one a request; `None` is to hang up."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.answers: list[bytes | None] = [PING]
        self.requests: list[bytes] = []
        self.connections = 0
        super().__init__(str(path), Handler)


class Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        while request := self.request.recv(10_000):
            if request.startswith(b"POST") and request.endswith(b"\r\n\r\n"):
                request += self.request.recv(10_000)
            self.server.requests.append(request)
            if (answer := self.server.answers.pop(0)) is None:
                return
            self.request.sendall(answer)
            if b"Connection: close" in answer:
                return


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "s") as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def way(server: Server) -> UnixSocket:
    return UnixSocket(str(server.server_address))


def test_a_connection_is_kept_and_what_is_sent_is_named(server: Server, way: UnixSocket) -> None:
    server.answers += [
        HELLO,
        b"HTTP/1.1 404 Not Found\r\nlabkit-time: noon\r\nContent-Length: 0\r\n\r\n",
    ]

    assert way.version == "1.41"
    assert way.ask("POST", "/a?b=c", b"{}", 5).body == b"hello"
    answer = way.ask("GET", "/d", None, 5)
    assert (answer.status, answer.body, answer.time, answer.date) == (404, b"", "noon", None)
    assert server.connections == 1
    sent = server.requests[1]
    assert sent.startswith(b"POST /a?b=c HTTP/1.1\r\nHost: localhost\r\n")
    assert b"Content-Type: application/json\r\n" in sent
    assert b"Content-Length: 2\r\n" in sent


def test_where_the_engine_has_closed_it_another_is_made(server: Server, way: UnixSocket) -> None:
    server.answers += [OK + b"Connection: close\r\n\r\nhello", HELLO]
    assert [way.ask("GET", "/", None, 5).body for _ in range(2)] == [b"hello", b"hello"]
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [None, b"SSH-2.0-OpenSSH_9\r\n", OK + b"Connection: close\r\nContent-Length: 6\r\n\r\nhello"],
)
def test_what_is_not_an_answer_is_an_error_and_the_next_is_its_own(server, way, answer):
    server.answers += [answer, HELLO]
    with pytest.raises(OSError):  # noqa: PT011 - any of them
        way.ask("GET", "/", None, 5)
    assert way.ask("GET", "/", None, 5).body == b"hello"


def test_what_does_not_speak_of_an_api_is_not_an_engine(server: Server) -> None:
    server.answers = [HELLO, HELLO]
    with pytest.raises(OSError, match="not a Docker engine"):
        UnixSocket(str(server.server_address))


def test_an_engine_whose_ping_has_no_version_is_asked_for_it(server: Server) -> None:
    server.answers = [HELLO, VERSION]
    assert UnixSocket(str(server.server_address)).version == "1.41"


def test_events_come_as_they_happen_until_another_thread_ends_them(server: Server, way: UnixSocket):
    piece = b'10\r\n{"one":1}\n{"two"\r\n5\r\n: 2}\n\r\n'
    server.answers.append(OK + b"Transfer-Encoding: chunked\r\n\r\n" + piece)

    events = way.events({"type": ["service"]})
    found = iter(events)
    assert [next(found), next(found)] == [{"one": 1}, {"two": 2}]
    assert b"/v1.41/events?filters=%7B%22type%22" in server.requests[-1]
    threading.Thread(target=events.close).start()
    with suppress(OSError):
        assert list(found) == []
