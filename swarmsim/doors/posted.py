"""An engine that takes messages, JSON in and JSON out, for browsers, which have no sockets.

A message holds a whole request; the answer holds the beginning of the response:

    {method, target, headers, body}  ->  {stream, status, headers, streaming, data, over}

Bodies are in base64. While `over` is false, `{"more": stream}` brings what follows, and
`{"close": stream}` ends it. `{"wait": seconds}` is answered when they have passed. With a `port`,
a request goes to the tasks that publish it, and the answer is `{status, data}`, or `{problem}`.
An answer comes within ten seconds, even if there is nothing new, because a caller may be blocked
until it arrives.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from itertools import count
from typing import TYPE_CHECKING, Any

from swarmsim.api import app
from swarmsim.api.http import Answer, Call
from swarmsim.doors.loop import Timer, happened
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError

if TYPE_CHECKING:
    from swarmsim.runtime.turns.system import Ports

#: Seconds after which an answer comes, whatever there is to say.
_LATEST = 10


class Posted:
    """The way into an engine for messages, on the event loop that runs."""

    def __init__(self, engine: Engine, ports: Ports | None = None) -> None:
        self._engine = engine
        self._ports = ports
        self._streams: dict[int, _Exchange] = {}
        self._numbers = count(1)
        self._timer = Timer(engine)
        self._timer.start()

    def close(self) -> None:
        """End the engine, and all that waits for it."""
        for exchange in self._streams.values():
            exchange.close()
        self._timer.stop()
        self._engine.close()

    async def answer(self, message: str) -> str:
        """Answer a message; one about a stream that is over says that it is."""
        asked = json.loads(message)
        if "wait" in asked:
            await asyncio.sleep(min(asked["wait"], _LATEST))
            return "{}"
        if "port" in asked:
            return json.dumps(await self._of_port(asked))
        number = asked.get("more") or asked.get("close") or next(self._numbers)
        if "method" in asked:
            self._streams[number] = _Exchange(self._engine, asked)
        exchange = self._streams.get(number)
        if exchange is None:
            return json.dumps({"stream": number, "data": "", "over": True})
        said = await exchange.next(beginning="method" in asked) if "close" not in asked else {}
        if said.get("over", True):
            self._streams.pop(number, exchange).close()
        return json.dumps({"stream": number, **said})

    async def _of_port(self, asked: dict[str, Any]) -> dict[str, Any]:
        body = b64decode(asked.get("body", ""))
        try:
            if self._ports is None:
                raise ConnectionRefusedError("tasks publish no ports here")
            status, data = await self._ports.ask(
                asked["port"], asked["method"], asked["target"], body, asked["seconds"]
            )
        except OSError as problem:
            return {"problem": str(problem)}
        return {"status": status, "data": b64encode(data).decode()}


class _Exchange:
    """A request and its answer, as a connection of a `Call`."""

    def __init__(self, engine: Engine, asked: dict[str, Any]) -> None:
        self._engine = engine
        self._body = b64decode(asked.get("body", ""))
        self._call = Call(engine, asked["method"], asked["target"], self)
        self._call.headers = {name.lower(): it for name, it in asked.get("headers", {}).items()}
        self._status, self._headers = 0, dict[str, str]()
        self._data = bytearray()
        self._news = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())
        self._task.add_done_callback(lambda _: self._news.set())

    async def next(self, *, beginning: bool) -> dict[str, Any]:
        """Return what there is to say, once there is something."""
        while not (self._data or self._task.done() or (beginning and self._status)):
            self._news.clear()
            try:
                async with asyncio.timeout(_LATEST):
                    await self._news.wait()
            except TimeoutError:
                break
        said = {"status": self._status, "headers": self._headers, "over": self._task.done()}
        said |= {"data": b64encode(self._data).decode(), "streaming": self._call.streaming}
        self._data.clear()
        return said

    def close(self) -> None:
        """End the route wherever it is."""
        self._task.cancel()

    async def _run(self) -> None:
        try:
            answer = await app.answer(self._call)
        except Exception as problem:  # a bug: whoever asked has to be told
            error = ApiError(500, f"{type(problem).__name__}: {problem}")
            answer = app.refused(self._call, error)
        if answer is not None:
            self._set_headers(answer)
            self._data += answer.content() if self._call.method != "HEAD" else b""

    def _set_headers(self, answer: Answer) -> None:
        self._status, self._headers = answer.status, app.headers(self._call, answer)
        self._news.set()

    # ---- the client, as a route sees it --------------------------------------------------

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        yield self._body

    async def begin(self, status: int, content_type: str) -> None:
        """Set the headers of a stream."""
        self._set_headers(Answer(status=status, content_type=content_type))

    async def send(self, data: bytes) -> None:
        """Add a piece of a stream."""
        self._data += data
        self._news.set()

    async def wait(self, until: int | None = None) -> None:
        """Wait for something to happen, or for a moment on the engine's clock."""
        await happened(self._engine, until)
