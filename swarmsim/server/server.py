"""The server: HTTP on a unix socket with tornado, versions, errors, clients that go away."""

from __future__ import annotations

import asyncio
import logging
import posixpath
import re
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from tornado import http1connection, httputil, iostream

from swarmsim.api import versions
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.go.errors import ApiError
from swarmsim.go.times import stamp
from swarmsim.server.sockets import Stream

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine

_log = logging.getLogger(__name__)

#: Errors are JSON from this version on; before, they are plain text.
_JSON_ERRORS_SINCE = "1.23"
#: Bytes of a body that nobody wanted and that are read all the same, as Go's server does,
#: so that the connection can be used again.
_SKIPPED = 256 * 1024

#: What comes before the path where a whole address is asked for, as proxies do.
_ADDRESS = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_VERSIONED = re.compile(r"/v([0-9.]+)(/.*)", re.DOTALL)


class Server(httputil.HTTPServerConnectionDelegate):
    """What tornado asks for each request on each connection."""

    def __init__(self, engine: Engine, routes: Routes) -> None:
        self._engine = engine
        self._routes = routes
        self._running: set[asyncio.Task[None]] = set()

    def start_request(
        self,
        server_conn: object,  # noqa: ARG002  tornado's name
        request_conn: httputil.HTTPConnection,
    ) -> httputil.HTTPMessageDelegate:
        """A request begins."""
        connection = cast("http1connection.HTTP1Connection", request_conn)
        return _Exchange(self._engine, self._routes, connection, self._running)

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
        routes: Routes,
        connection: http1connection.HTTP1Connection,
        running: set[asyncio.Task[None]],
    ) -> None:
        self._engine = engine
        self._routes = routes
        self._connection = connection
        self._running = running
        self._call: Call
        self._task: asyncio.Task[None] | None = None
        self._stream = cast("Stream", connection.stream)
        #: Whether a route was found: what comes before them says less of the engine.
        self._is_known = False
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
        await self._call.body.put(chunk)

    def finish(self) -> None:
        """The body is complete."""
        self._stream.in_body = False
        self._call.body.end()

    def on_connection_close(self) -> None:
        """The client is gone, and nobody needs the answer; or it only sends no more."""
        if self._stream.half is not None:
            self._call.body.break_off()
        elif self._task is not None:
            self._task.cancel()

    async def begin(self, status: int, content_type: str) -> None:
        """Send the headers of a stream."""
        await self._write_headers(Answer(status=status, content_type=content_type))

    async def write(self, data: bytes) -> None:
        """Send a piece of a stream."""
        if data:
            await self._connection.write(data)

    async def _answer(self) -> None:
        try:
            answer = await self._result()
            if answer is not None:
                await self._send(answer)
                await self._call.body.skip(_SKIPPED)
            if self._stream.half is None:
                self._connection.finish()
        except iostream.StreamClosedError:
            _log.debug("%s %s: the client is gone", self._call.method, self._call.target)
        except Exception:
            _log.exception("%s %s", self._call.method, self._call.target)
            self._connection.close()
        finally:
            self._call.body.refuse()
            self._stream.let_go()

    async def _result(self) -> Answer | None:
        """What to send, or `None` if the route has sent everything itself."""
        try:
            self._engine.catch_up()
            answer = await self._route()
            return answer and replace(answer, body=answer.content())
        except ApiError as problem:
            return self._failed(problem)
        except iostream.StreamClosedError:
            raise
        except OSError as problem:  # such as a full disk
            _log.warning("%s %s: %s", self._call.method, self._call.target, problem)
            return self._failed(ApiError(500, _of_machine(problem)))
        except Exception as problem:
            _log.exception("%s %s", self._call.method, self._call.target)
            return self._failed(ApiError(500, f"{type(problem).__name__}: {problem}"))

    def _failed(self, problem: ApiError) -> Answer | None:
        if self._call.streaming:  # too late for a status: the stream ends
            return None
        if self._call.version and versions.older(self._call.version, _JSON_ERRORS_SINCE):
            text = problem.message.encode() + b"\n"
            return Answer(text, problem.status, "text/plain; charset=utf-8")
        return Answer({"message": problem.message}, problem.status)

    async def _route(self) -> Answer | None:
        call = self._call
        if "host" not in call.headers and self._version == "HTTP/1.1":
            text = b"400 Bad Request: missing required Host header"
            close = (("Connection", "close"),)
            return Answer(text, 400, "text/plain; charset=utf-8", close)
        if (clean := _clean(call.target)) != call.target:
            return Answer(status=301, headers=(("Location", quote(clean) + call.asked),))
        versioned = _VERSIONED.fullmatch(call.target)
        version, path = versioned.groups() if versioned else ("", call.target)
        self._is_known = True
        if call.method == "OPTIONS":
            return Answer()
        found = self._routes.find(call.method, path)
        if found is None:
            self._is_known = False
            raise ApiError(404, "page not found")
        handler, call.path = found
        call.version = version or versions.API_VERSION
        versions.require(call.version)
        if bad := _BAD_ESCAPE.search(call.asked):
            raise ApiError(400, f'invalid URL escape "{bad[0]}"')
        return await handler(call)

    async def _send(self, answer: Answer) -> None:
        content = answer.content()
        shown = content if self._call.method != "HEAD" else b""
        await self._write_headers(answer, len(content), shown)

    def _about_engine(self) -> dict[str, str]:
        return {
            "Api-Version": versions.API_VERSION,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": f"Docker/{self._engine.version} (linux)",
        }

    async def _write_headers(
        self, answer: Answer, length: int | None = None, content: bytes = b""
    ) -> None:
        headers = httputil.HTTPHeaders(
            {
                **(self._about_engine() if self._is_known else {}),
                "Date": formatdate(usegmt=True),
                "Labkit-Time": stamp(self._engine.now),
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


def _of_machine(problem: OSError) -> str:
    """Return what the machine refused, as Go says it: `open /a/b: permission denied`."""
    reason = (problem.strerror or str(problem)).lower()
    return f"open {problem.filename}: {reason}" if problem.filename else f"write: {reason}"


def _path_of(target: str) -> str:
    """Return the path of what a request asks for, which may be a whole address.

    Its bytes come as Latin-1, and are UTF-8.
    """
    path = _ADDRESS.sub("", target, count=1)
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _clean(path: str) -> str:
    """Return a path as Go's router would have it; it sends clients there."""
    if "//" not in path and "/." not in path and path.startswith("/"):
        return path
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return clean + "/" if path.endswith("/") and clean != "/" else clean
