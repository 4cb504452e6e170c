"""The engine on a unix socket: HTTP by tornado, from the first request to the signal to end."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile

import click
from tornado import netutil, web
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError

from swarmsim.api import app
from swarmsim.api.http import TOO_LARGE, Answer, Call, ClientGone
from swarmsim.doors.loop import Timer, happened
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError, CannotServe

_log = logging.getLogger(__name__)

#: Only the user who runs the engine may talk to it: it runs programs as that user.
_PRIVATE = 0o600
#: Connections that wait to be accepted; a system has a limit of its own, which Go takes.
_BACKLOG = 4096
#: How large a body may be is up to `app.largest_body`.
_ANY_SIZE = 1 << 62
#: Bytes, as Go's server has it: filters may be long.
_LARGEST_HEADERS = 1 << 20
#: Bytes of a body that are kept in memory, and in a piece of it.
_IN_MEMORY, _PIECE = 1 << 20, 1 << 18


@web.stream_request_body
class _Exchange(web.RequestHandler):
    """One request and its answer, as a connection of a `Call`."""

    def initialize(self, engine: Engine, running: set[asyncio.Task[Answer | None]]) -> None:
        """Take what all requests share."""
        self._engine = engine
        self._running = running
        self._body = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed in on_finish
        self._task: asyncio.Task[Answer | None] | None = None
        #: How many bytes more the body may have, and whether it had too many.
        self._left = 0.0
        self._is_refused = False

    def prepare(self) -> None:
        """Read the headers, and refuse a body at once whose announced length is too large."""
        request = self.request
        self._call = Call(self._engine, str(request.method), str(request.uri), self)
        self._call.headers = {name.lower(): it for name, it in request.headers.get_all()}
        self._left = app.largest_body(self._call)
        if int(self._call.header("Content-Length") or 0) > self._left:
            self._refuse_body()

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, until there is too much of it."""
        if not self._is_refused:
            self._left -= len(chunk)
            self._body.write(chunk)
            if self._left < 0:
                self._refuse_body()

    def _refuse_body(self) -> None:
        """Answer now; the rest of the body is read and dropped."""
        self._is_refused = True
        answer = Answer({"message": TOO_LARGE}, 413)
        self._set_headers(answer)
        self.set_header("Content-Length", len(answer.content()))
        self.write(answer.content())
        self.flush()

    async def respond(self) -> None:
        """Answer, once the body is here; a client that goes away ends that."""
        if self._is_refused:
            return
        self._task = asyncio.create_task(self._answer())
        self._running.add(self._task)
        self._task.add_done_callback(self._running.discard)
        with contextlib.suppress(ClientGone, StreamClosedError, asyncio.CancelledError):
            if answer := await self._task:
                self._set_headers(answer)
                await self.finish(answer.content() or None)

    get = head = post = put = delete = options = respond

    async def _answer(self) -> Answer | None:
        try:
            return await app.answer(self._call)
        except ClientGone:
            raise
        except Exception as problem:
            _log.exception("%s %s", self._call.method, self._call.target)
            return app.refused(self._call, ApiError(500, f"{type(problem).__name__}: {problem}"))

    def _set_headers(self, answer: Answer) -> None:
        for name in ("Server", "Content-Type"):
            self.clear_header(name)
        for name, value in app.headers(self._call, answer).items():
            self.set_header(name, value)
        self.set_status(answer.status)

    def compute_etag(self) -> None:
        """Send no Etag, which Docker does not."""

    def on_connection_close(self) -> None:
        """End the route of a client that is gone."""
        if self._task is not None:
            self._task.cancel()

    def on_finish(self) -> None:
        """Forget the body."""
        self._body.close()

    # ---- the client, as a route sees it --------------------------------------------------

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        self._body.seek(0)
        while piece := self._body.read(_PIECE):
            yield piece

    async def begin(self, status: int, content_type: str) -> None:
        """Send the headers of a stream."""
        self._set_headers(Answer(status=status, content_type=content_type))
        await self._flush()

    async def send(self, data: bytes) -> None:
        """Send a piece of a stream."""
        self.write(data)
        await self._flush()

    async def _flush(self) -> None:
        try:
            await self.flush()
        except StreamClosedError:
            raise ClientGone from None

    async def wait(self, until: int | None = None) -> None:
        """Wait for something to happen, or for a moment on the engine's clock."""
        await happened(self._engine, until)


async def serve(engine: Engine, path: Path, stop: asyncio.Event, ready: Future[None]) -> None:
    """Answer on a socket until `stop` is set; `ready` is done when it answers.

    Raises `CannotServe` if another engine answers there, or the socket cannot be made.
    """
    listening = _bound(path)
    running: set[asyncio.Task[Answer | None]] = set()
    handlers = [(".*", _Exchange, {"engine": engine, "running": running})]
    http = HTTPServer(
        web.Application(handlers, log_function=lambda _: None),
        max_body_size=_ANY_SIZE,
        max_header_size=_LARGEST_HEADERS,
    )
    http.add_socket(listening)
    timer = Timer(engine)
    timer.start()
    try:
        ready.set_result(None)
        await stop.wait()
    finally:
        http.stop()
        for task in running:
            task.cancel()
        await http.close_all_connections()
        timer.stop()
        engine.close()
        path.unlink(missing_ok=True)


@contextmanager
def in_thread(engine: Engine, path: Path) -> Iterator[asyncio.AbstractEventLoop]:
    """Answer on a socket until the end of the `with`, on an event loop in a thread of its own.

    Raises `CannotServe` as `serve`.
    """
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), Future[None]()

    def live() -> None:
        try:
            loop.run_until_complete(serve(engine, path, stop, ready))
        except CannotServe as problem:
            ready.set_exception(problem)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        ready.result()
        yield loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def run(engine: Engine, path: Path, *, swarm: bool = True) -> None:
    """Serve until SIGTERM or SIGINT, and say so once the engine answers."""
    stop, ready = asyncio.Event(), Future[None]()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if swarm:
        engine.init_swarm()
    speed = f"{engine.clock.speed:g}"
    said = f"{engine.operating_system} ready on unix://{path} at {speed} times the speed of time"
    ready.add_done_callback(lambda _: click.echo(said))
    await serve(engine, path, stop, ready)


def _bound(path: Path) -> socket.socket:
    if _answers(path):
        raise CannotServe(
            f"An engine answers on {path} already. Use that one, or choose another --socket."
        )
    try:
        return netutil.bind_unix_socket(str(path), mode=_PRIVATE, backlog=_BACKLOG)
    except (OSError, ValueError) as problem:
        raise CannotServe(
            f"No socket can be made at {path}: {problem}. "
            "Choose a --socket in a folder of yours, with a short path."
        ) from None


def _answers(path: Path) -> bool:
    """Whether somebody listens on a socket; one that was left behind does not count."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
