"""Connections on which the engine answers as Go's server does, where tornado has words of its own.

A client may close its half of a connection before its body is complete, and still wait for
the answer; tornado then closes the other half. A `Stream` keeps that half for the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from http.client import responses
from typing import Any

from tornado import httputil, iostream
from tornado.httpserver import HTTPServer

_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Connection: close\r\n\r\n400 Bad Request"
)
_WORDS = {
    b"HTTP/1.1 400 Bad Request\r\n\r\n": _BAD_REQUEST,
    b"HTTP/1.1 100 (Continue)\r\n\r\n": b"HTTP/1.1 100 Continue\r\n\r\n",
}
_LONGEST = max(map(len, _WORDS))


class Stream(iostream.IOStream):
    """A connection."""

    #: Whether a body is under way, so that an answer is still to come.
    in_body = False
    #: The half on which a client listens that will send no more.
    half: socket.socket | None = None

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read; at the end of what the client sends, keep the half on which it listens."""
        count = super().read_from_fd(buf)
        if count == 0 and self.in_body:
            self.in_body = False
            self.half = self.socket.dup()
        return count

    def write(self, data: bytes | memoryview) -> asyncio.Future[None]:
        """Send something, in Go's words."""
        if len(data) <= _LONGEST:
            data = _WORDS.get(bytes(data), data)
        return super().write(data)

    def answer_on_half(
        self, status: int, headers: httputil.HTTPHeaders, content: bytes | None
    ) -> None:
        """Send a short answer to a client that has closed its half; it may be gone altogether."""
        assert self.half is not None
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.get_all()]
        with contextlib.suppress(OSError):
            self.half.send("\r\n".join([*lines, "", ""]).encode() + (content or b""))

    def let_go(self) -> None:
        """There is nothing more to answer."""
        self.in_body = False
        if self.half is not None:
            self.half.close()


class Listener(HTTPServer):
    """Tornado's server, on such connections."""

    def handle_stream(self, stream: iostream.IOStream, address: tuple[Any, ...]) -> None:
        """Somebody has connected; tornado has made a plain stream of it, which nobody uses yet."""
        ours = Stream(
            stream.socket,
            max_buffer_size=stream.max_buffer_size,
            read_chunk_size=stream.read_chunk_size,
        )
        super().handle_stream(ours, address)
