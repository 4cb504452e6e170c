"""docker-py on an engine in this process: each call runs a route, with no socket and no server.

A route is a coroutine that stops where it has written a piece of a stream, or waits for
something to happen (`Call.wait`). Here the caller drives it: a piece is read when docker-py
reads it, and waiting callers let time pass. Several threads may share an engine; one of them
at a time is in it.
"""

import io
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from http.client import responses
from typing import Any, Protocol

import docker
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from swarmsim.api import app, versions
from swarmsim.api.http import Answer, Call
from swarmsim.engine.engine import Engine

#: Nanoseconds that a request takes where the clock stands still: a loop that polls gets
#: somewhere, and no two objects are of the same moment.
_REQUEST = 1_000_000
#: A way into an engine: answers a request, or begins to.
Door = Callable[[requests.PreparedRequest], HTTPResponse]
_PIECE = 64 * 1024


class InProcess:
    """The way into an engine for the threads of this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        #: Whoever is in the engine holds it, and waits on it.
        self.lock = threading.Condition(threading.RLock())
        engine.listeners.add(self._notify)

    def client(self) -> docker.DockerClient:
        """Return a client of docker-py."""
        return Client(self.answer)

    def answer(self, request: requests.PreparedRequest) -> HTTPResponse:
        """Answer a request, or begin to."""
        with self.lock:
            if not self.engine.clock.speed:
                self.engine.clock.advance(_REQUEST)
            exchange = _Exchange(self, request)
            exchange.begin_to_answer()
        return response(exchange)

    def wait(self, until: int | None) -> bool:
        """Let time go by until something may have happened; false if nothing ever will.

        A clock that stands still is moved to when something is due, or to `until`.
        """
        engine = self.engine
        if engine.clock.speed:
            seconds = engine.seconds_until_due()
            if until is not None:
                seconds = min(seconds, engine.clock.seconds_until(until))
            self.lock.wait(seconds)
        else:
            moments = [each for each in (engine.cluster.next_due(), until) if each is not None]
            if not moments:
                return False
            engine.clock.advance(max(0, min(moments) - engine.clock.now))
        engine.catch_up()
        return True

    def _notify(self) -> None:
        with self.lock:
            self.lock.notify_all()


class _Pause:
    """Where a route hands over to its caller: with a piece of a stream, or to wait."""

    def __init__(self, piece: bytes = b"", until: int | None = None) -> None:
        self.piece = piece
        self.until = until

    def __await__(self) -> "Generator[_Pause, None, None]":
        yield self


class _Exchange:
    """A request and its answer: the client as the route sees it, the route as the client does."""

    def __init__(self, door: InProcess, request: requests.PreparedRequest) -> None:
        self.door = door
        self._body = request.body
        call = Call(door.engine, str(request.method), request.path_url, self)
        call.headers = {name.lower(): str(value) for name, value in request.headers.items()}
        self.call = call
        self._route: Coroutine[_Pause, None, Answer | None] = app.answer(call)
        self._pause: _Pause | None = None
        self._ended = False
        self.status = 200
        self.headers: dict[str, str] = {}
        #: What is there of the body: all of it, if it is not a stream.
        self.content = b""

    @property
    def streaming(self) -> bool:
        """Whether the answer is a stream."""
        return self.call.streaming

    # ---- the client, as the route sees it ------------------------------------------------

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body of the request."""
        for piece in pieces(self._body):
            yield piece

    async def begin(self, status: int, content_type: str) -> None:
        """Set the headers of a stream."""
        self._set_headers(Answer(status=status, content_type=content_type))

    async def send(self, data: bytes) -> None:
        """Hand over a piece of a stream."""
        await _Pause(data)

    async def wait(self, until: int | None = None) -> None:
        """Hand over until something has happened."""
        if until is None or until > self.door.engine.now:
            await _Pause(until=until)

    # ---- the route, as the client sees it ------------------------------------------------

    def begin_to_answer(self) -> None:
        """Run the route to its answer, or to where a stream has begun."""
        pause = self._run()
        while pause is not None and not self.streaming:
            if not self.door.wait(pause.until):
                self.close()
                what = f"{self.call.method} {self.call.target}"
                raise RuntimeError(f"{what} waits for something that will never happen")
            pause = self._run()
        self._pause = pause

    def next_piece(self) -> bytes:
        """Run the route to its next piece; nothing at its end, or if it would wait for ever."""
        with self.door.lock:
            while not self._ended:
                pause, self._pause = self._pause or self._run(), None
                if pause is not None and pause.piece:
                    return pause.piece
                if pause is not None and not self.door.wait(pause.until):
                    self.close()
            return b""

    def close(self) -> None:
        """End the route wherever it is, also while another thread waits for its next piece."""
        with self.door.lock:
            self._ended = True
            self._route.close()
            self.door.lock.notify_all()

    def _run(self) -> _Pause | None:
        try:
            return self._route.send(None)
        except StopIteration as end:
            self._ended = True
            if end.value is not None:
                self._set_headers(end.value)
                self.content = end.value.content() if self.call.method != "HEAD" else b""
            return None

    def _set_headers(self, answer: Answer) -> None:
        self.status, self.headers = answer.status, app.headers(self.call, answer)


class Exchange(Protocol):
    """A request and its answer, as docker-py needs them."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def streaming(self) -> bool:
        """Whether the answer is a stream."""

    def next_piece(self) -> bytes:
        """Wait for the next piece of a stream; nothing at its end."""

    def close(self) -> None:
        """End the stream."""


def response(exchange: Exchange) -> HTTPResponse:
    """Return what requests takes for an answer."""
    return HTTPResponse(
        body=_Body(exchange),
        headers=exchange.headers,
        status=exchange.status,
        reason=responses.get(exchange.status),
        preload_content=False,
    )


class _Body(io.RawIOBase):
    """What docker-py reads an answer from, and what it finds where it looks for a socket."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._rest = exchange.content
        self.chunked = exchange.streaming

    @property
    def chunk_left(self) -> int:
        """The bytes that are left of the present piece."""
        return len(self._rest)

    @property
    def fp(self) -> "_Body":
        """Where `http.client` has its file."""
        return self

    raw = sock = fp

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is left of a piece, or else wait for another."""
        if not self._rest and self.chunked:
            self._rest = self._exchange.next_piece()
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def shutdown(self, _how: int) -> None:
        """Let `close` do what a socket does here."""

    def close(self) -> None:
        """End the stream."""
        if self.chunked and not self.closed:
            self._exchange.close()
        super().close()


class _Adapter(HTTPAdapter):
    """Where requests go in place of a socket."""

    def __init__(self, answer: Door) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Answer a request."""
        return self.build_response(request, self._answer(request))


class Client(docker.DockerClient):
    """docker-py's client, with a way into an engine that is not a socket."""

    def __init__(self, door: Door) -> None:
        # a socket's address, so that no proxy is asked for; nothing connects to it
        self.api = docker.APIClient("unix://in-process", versions.API_VERSION)
        self.api.mount("http+docker://", _Adapter(door))
        self.api.trust_env = False


def pieces(body: Any) -> Iterator[bytes]:
    """Yield the body of a request, whatever form it was given in."""
    if isinstance(body, str):
        yield body.encode()
    elif isinstance(body, bytes):
        yield body
    elif hasattr(body, "read"):
        while piece := body.read(_PIECE):
            yield piece
    else:
        yield from body or ()
