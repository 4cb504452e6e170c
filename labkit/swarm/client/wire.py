"""How a request reaches an engine, and how the answer comes back.

An engine on this machine's unix socket is asked through the standard library's HTTP. The
SDK's connection (requests, urllib3) needs several times the processor time for a request, which
a recorder sends ten times a second, and its import takes longer than most commands take to do
their work. Any other engine (TLS, ssh, a pipe of Windows, one in process) is asked through it.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    import docker

TIMEOUT_SECONDS = 30
#: An engine that has been halted accepts a connection, and never answers.
_HELLO_SECONDS = 10
#: In each answer of an engine with a clock of its own: what it shows, as RFC 3339.
_TIME_HEADER = "Labkit-Time"
_JSON = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    """What was answered."""

    status: int
    body: bytes
    #: What the clock of the engine showed, if it has one of its own.
    time: str | None = None
    #: The time by the clock of the engine's machine, in whole seconds, as HTTP has it.
    date: str | None = None
    #: The newest version of its API, in the answer to a ping.
    api_version: str | None = None


class Connection(HTTPConnection):
    """A connection that is kept, and made anew where it was closed. For one thread at a time."""

    def ask(self, method: str, target: str, body: bytes | None, timeout: float) -> Answer:
        """Send a request, with JSON if there is a body. `timeout` is in seconds.

        Raises `OSError`, also for an answer that is not HTTP.
        """
        if self.sock and _is_readable(self.sock):  # what comes unasked is the end
            self.close()
        self.timeout = timeout
        if self.sock:
            self.sock.settimeout(timeout)
        try:
            self.request(method, target, body, _JSON if body else {})
            response = self.getresponse()
            return _answer(response.status, response.read(), response.headers)
        except BaseException as problem:  # what is left must not be taken for the next answer
            self.close()
            if isinstance(problem, HTTPException) and not isinstance(problem, OSError):
                raise ConnectionError(str(problem)) from problem
            raise


class _UnixConnection(Connection):
    def __init__(self, path: str, connected: Callable[[], None] = lambda: None) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path
        self._connected = connected

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
        self._connected()


class Events:
    """The engine's events as they come, on a connection of their own."""

    def __init__(self, connection: Connection, target: str) -> None:
        connection.request("GET", target)
        self._socket = connection.sock
        self._response = connection.getresponse()
        self._socket.settimeout(None)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Wait for each."""
        with self._socket, self._response:
            yield from map(json.loads, self._response)

    def close(self) -> None:
        """End it, from any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class UnixSocket:
    """The engine on a unix socket. Several threads may use it. Raises `OSError`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[Connection] = []
        #: How often it was connected with; after another time it may be another engine.
        self.connections = 0
        #: The version of its API, such as `1.41`.
        self.version = (
            self.ask("GET", "/_ping", None, _HELLO_SECONDS).api_version or self._about_version()
        )

    def _about_version(self) -> str:
        """Ask an engine whose ping has no version. Docker takes 8 ms: it asks containerd."""
        try:
            answer = self.ask("GET", "/version", None, _HELLO_SECONDS)
            return str(json.loads(answer.body)["ApiVersion"])
        except (ValueError, LookupError, TypeError):
            raise ConnectionError("what answers there is not a Docker engine") from None

    def ask(self, method: str, target: str, body: bytes | None, timeout: float) -> Answer:
        """Send a request, and return the whole answer. `timeout` is in seconds."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _UnixConnection(self._path, self._count)
        answer = connection.ask(method, target, body, timeout)
        self._idle.append(connection)
        return answer

    def _count(self) -> None:
        self.connections += 1

    def events(self, filters: Mapping[str, list[str]]) -> Events:
        """Follow the engine's events; `close()` ends that."""
        query = urlencode({"filters": json.dumps(filters)})
        return Events(_UnixConnection(self._path), f"/v{self.version}/events?{query}")


class Sdk:
    """An engine asked through the SDK, which may be used as a `UnixSocket` is."""

    #: The SDK does not say.
    connections = 0

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self.version = str(client.api.api_version)

    def ask(self, method: str, target: str, body: bytes | None, timeout: float) -> Answer:
        """Send a request, and return the whole answer. `timeout` is in seconds."""
        api = self._client.api
        address, headers = f"{api.base_url}{target}", _JSON if body else None
        answer = api.request(method, address, data=body, headers=headers, timeout=timeout)
        return _answer(answer.status_code, answer.content, answer.headers)

    def events(self, filters: Mapping[str, list[str]]) -> Any:
        """Follow the engine's events; `close()` ends that."""
        return self._client.events(decode=True, filters=dict(filters))


def _answer(status: int, body: bytes, headers: Any) -> Answer:
    named = (headers.get(name) for name in (_TIME_HEADER, "Date", "Api-Version"))
    return Answer(status, body, *named)


def _is_readable(connected: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
