"""The server: HTTP on a unix socket with tornado, versions, errors, clients that go away."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, cast

from tornado import http1connection, httputil, iostream

from swarmsim.api import app
from swarmsim.api.http import Answer, Call, ClientGone
from swarmsim.go.errors import ApiError
from swarmsim.server.body import Body
from swarmsim.server.sockets import Stream

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine

_log = logging.getLogger(__name__)

#: Bytes of a body that nobody wanted and that are read all the same, as Go's server does,
#: so that the connection can be used again.
_SKIPPED = 256 * 1024

#: What comes before the path where a whole address is asked for, as proxies do.
_ADDRESS = re.compile(r"https?://[^/?]*", re.IGNORECASE)


class Server(httputil.HTTPServerConnectionDelegate):
    """What tornado asks for each request on each connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running: set[asyncio.Task[None]] = set()

    def start_request(
        self,
        server_conn: object,  # noqa: ARG002  tornado's name
        request_conn: httputil.HTTPConnection,
    ) -> httputil.HTTPMessageDelegate:
        """A request begins."""
        connection = cast("http1connection.HTTP1Connection", request_conn)
        return _Exchange(self._engine, connection, self._running)

    async def stop(self) -> None:
        """Cancel whatever is still being answered."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


class _Exchange(httputil.HTTPMessageDelegate):
    """One request and its answer. The route runs while the body still arrives."""

    def __init__(
        self,
        engine: Engine,
        connection: http1connection.HTTP1Connection,
        running: set[asyncio.Task[None]],
    ) -> None:
        self._engine = engine
        self._connection = connection
        self._running = running
        self._call: Call
        self._body = Body()
        self._task: asyncio.Task[None] | None = None
        self._stream = cast("Stream", connection.stream)
        self._version = ""

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        """Begin to answer."""
        line = cast("httputil.RequestStartLine", start_line)
        self._version = line.version
        self._call = Call(self._engine, line.method, _path_of(line.path), self)
        self._call.headers = {name.lower(): value for name, value in headers.get_all()}
        self._connection.set_close_callback(self.on_connection_close)
        self._stream.in_body = True
        self._task = asyncio.get_running_loop().create_task(self._answer())
        self._running.add(self._task)
        self._task.add_done_callback(self._running.discard)

    async def data_received(self, chunk: bytes) -> None:
        """Pass on a piece of the body."""
        await self._body.put(chunk)

    def finish(self) -> None:
        """The body is complete."""
        self._stream.in_body = False
        self._body.end()

    def on_connection_close(self) -> None:
        """The client is gone, and nobody needs the answer; or it only sends no more."""
        if self._stream.half is not None:
            self._body.break_off()
        elif self._task is not None:
            self._task.cancel()

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        return self._body.chunks()

    async def begin(self, status: int, content_type: str) -> None:
        """Send the headers of a stream."""
        await self._write_headers(Answer(status=status, content_type=content_type))

    async def write(self, data: bytes) -> None:
        """Send a piece of a stream."""
        try:
            if data:
                await self._connection.write(data)
        except iostream.StreamClosedError:
            raise ClientGone from None

    async def wait(self, until: int | None = None) -> None:
        """Wait for something to happen, or for a moment on the engine's clock."""
        happened = asyncio.Event()
        engine = self._engine
        engine.listeners.add(happened.set)
        seconds = None if until is None else engine.clock.seconds_until(until)
        try:
            async with asyncio.timeout(seconds):
                await happened.wait()
        except TimeoutError:
            engine.catch_up()
        finally:
            engine.listeners.discard(happened.set)

    async def _answer(self) -> None:
        try:
            answer = await self._result()
            if answer is not None:
                await self._send(answer)
                await self._body.skip(_SKIPPED)
            if self._stream.half is None:
                self._connection.finish()
        except (ClientGone, iostream.StreamClosedError):
            _log.debug("%s %s: the client is gone", self._call.method, self._call.target)
        except Exception:
            _log.exception("%s %s", self._call.method, self._call.target)
            self._connection.close()
        finally:
            self._body.refuse()
            self._stream.let_go()

    async def _result(self) -> Answer | None:
        """What to send, or `None` if the route has sent everything itself."""
        call = self._call
        if "host" not in call.headers and self._version == "HTTP/1.1":
            text = b"400 Bad Request: missing required Host header"
            close = (("Connection", "close"),)
            return Answer(text, 400, "text/plain; charset=utf-8", close)
        try:
            return await app.answer(call)
        except ClientGone:
            raise
        except Exception as problem:
            _log.exception("%s %s", call.method, call.target)
            return app.refused(call, ApiError(500, f"{type(problem).__name__}: {problem}"))

    async def _send(self, answer: Answer) -> None:
        content = answer.content()
        shown = content if self._call.method != "HEAD" else b""
        await self._write_headers(answer, len(content), shown)

    async def _write_headers(
        self, answer: Answer, length: int | None = None, content: bytes = b""
    ) -> None:
        headers = httputil.HTTPHeaders(
            {
                **app.headers(self._call),
                "Date": formatdate(usegmt=True),
            }
        )
        is_typed = length != 0 or self._call.method == "HEAD"
        has_body = answer.status != HTTPStatus.NO_CONTENT and is_typed
        if has_body and answer.content_type:
            headers["Content-Type"] = answer.content_type
        if length is not None and answer.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(length)
        for name, value in answer.headers:
            headers[name] = value
        if self._stream.half is not None:
            self._stream.answer_on_half(answer.status, headers, content)
            return
        reason = responses.get(answer.status, "Unknown")
        line = httputil.ResponseStartLine("HTTP/1.1", answer.status, reason)
        await self._connection.write_headers(line, headers, content or None)


def _path_of(target: str) -> str:
    """Return the path of what a request asks for, which may be a whole address.

    Its bytes come as Latin-1, and are UTF-8.
    """
    path = _ADDRESS.sub("", target, count=1)
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
