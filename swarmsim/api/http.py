r"""Routes of the Engine API, and the call that a route answers.

A route is an async function that takes a `Call` and returns an `Answer`:

    routes = Routes()

    @routes.get("/services/{id}")                    # also as /v1.41/services/{id}
    async def inspect(call: Call) -> Answer:
        service = find(call.engine, call.path["id"])  # raises ApiError(404, "service x not found")
        return Answer(service_json(service))          # 200, JSON

    @routes.post("/networks/create")
    async def create(call: Call) -> Answer:
        wanted = await call.json()                    # 400 if it is not JSON, 413 if it is huge
        return Answer({"Id": …, "Warning": ""}, 201)

    @routes.delete("/images/{name:path}")             # `:path` also takes slashes
    async def remove(call: Call) -> Answer:
        force = call.flag("force")                    # Docker's idea of true
        return Answer(status=204)                     # no body

What is streamed is written piece by piece, and the route then returns `None`:

    @routes.post("/build")
    async def build(call: Call) -> None:
        async for chunk in call.chunks():             # the body, never whole in memory
            file.write(chunk)
        await call.stream("application/json")         # the headers go out now
        await call.write(b'{"stream": "Step 1/4 …"}\r\n')

What is not there yet is waited for with `await call.wait()`, and nothing else: routes run on
an event loop or without one. Raise `ApiError` at any time before `stream`. A client that
goes away ends the route wherever it waits, so `finally` and `with` are all the tidying it
needs.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partialmethod
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote

from swarmsim.go import gojson, values
from swarmsim.go.errors import ApiError

if TYPE_CHECKING:
    from swarmsim.engine.engine import Engine

#: Bytes of a JSON body. The largest that is legal is a config of 1000 kB in base64.
LARGEST_JSON = 8 * 1024 * 1024
TOO_LARGE = "http: request body too large"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route returns: JSON, or bytes of a type of their own, or nothing at all."""

    body: Any = None
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def content(self) -> bytes:
        """The bytes of the body. `None` stands for no body: JSON's null is bytes, too."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else gojson.dumps(self.body) + b"\n"


class ClientGone(Exception):
    """The client has closed its connection before the answer was complete."""


class Connection(Protocol):
    """The client's side of a call: its body, where a stream goes, and how to wait."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; `ApiError` 400 where it breaks off."""

    async def begin(self, status: int, content_type: str) -> None:
        """Send the headers at once."""

    async def send(self, data: bytes) -> None:
        """Send a piece; returns when the client has room for more. Raises `ClientGone`."""

    async def wait(self, until: int | None = None) -> None:
        """Wait for something to happen, or for a moment on the engine's clock, in ns."""


class Call:
    """One request: what is asked, its body as it arrives, and where a stream goes."""

    def __init__(self, engine: Engine, method: str, target: str, connection: Connection) -> None:
        path, _, query = target.partition("?")
        self.engine = engine
        self.method = method
        self.target = unquote(path)
        self.query = {name: values[0] for name, values in _parsed(query).items()}
        self.queries = _parsed(query)
        #: The parts of the path that the route names in braces.
        self.path: dict[str, str] = {}
        #: The route, such as `GET /services/{id}`, and the version of the API that is spoken.
        self.route = self.version = ""
        self.headers: dict[str, str] = {}
        #: Whether there is a route for it.
        self.found = False
        self.streaming = False
        self._connection = connection

    def flag(self, name: str) -> bool:
        """A query parameter that is true unless it is absent, 0, no, false or none."""
        return values.query_flag(self.query.get(name, ""))

    def header(self, name: str) -> str:
        """A header of the request, or `""`."""
        return self.headers.get(name.lower(), "")

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        return self._connection.chunks()

    async def read(self, limit: int = LARGEST_JSON) -> bytes:
        """The whole body; `ApiError` 413 if it has more than `limit` bytes."""
        pieces = []
        length = 0
        async for chunk in self.chunks():
            length += len(chunk)
            if length > limit:
                raise ApiError(413, TOO_LARGE)
            pieces.append(chunk)
        self.engine.catch_up()  # a body may take its time
        return b"".join(pieces)

    async def json(self) -> Any:
        """The body as JSON; `ApiError` 400 if it is none."""
        return gojson.loads(await self.read())

    async def stream(self, content_type: str, status: int = 200) -> None:
        """Send the headers now; from here on the route writes, and returns `None`."""
        self.streaming = True
        await self._connection.begin(status, content_type)

    async def write(self, data: bytes) -> None:
        """Send a piece of a streamed answer."""
        if data:
            await self._connection.send(data)

    async def wait(self, until: int | None = None) -> None:
        """Wait for something to happen, or for a moment on the engine's clock, in ns.

        What happened may not be what the caller waits for. With a moment that is past, let
        others have their turn.
        """
        await self._connection.wait(until)


Handler = Callable[[Call], Awaitable[Answer | None]]


class Routes:
    """A table of routes, in the order in which they are tried."""

    def __init__(self) -> None:
        self._table: list[tuple[str, str, re.Pattern[str], Handler]] = []

    def add(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Answer requests for a path such as `/tasks/{id}`."""

        def added(handler: Handler) -> Handler:
            self._table.append((method, path, _pattern(path), handler))
            return handler

        return added

    get, post = partialmethod(add, "GET"), partialmethod(add, "POST")
    delete, head = partialmethod(add, "DELETE"), partialmethod(add, "HEAD")

    def include(self, others: Routes) -> None:
        """Add the routes of another table after these."""
        self._table += others._table

    def find(self, method: str, path: str) -> tuple[Handler, str, dict[str, str]] | None:
        """The function for a path without its version, its route, and its named parts."""
        for verb, declared, pattern, handler in self._table:
            if verb == method and (found := pattern.fullmatch(path)):
                return handler, f"{verb} {declared}", found.groupdict()
        return None


def _pattern(path: str) -> re.Pattern[str]:
    def part(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"

    return re.compile(re.sub(r"\{(\w+)(:path)?\}", part, path), re.DOTALL)


def _parsed(query: str) -> dict[str, list[str]]:
    return parse_qs(query, keep_blank_values=True, max_num_fields=1000)
