"""A body on its way from a socket to a route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from swarmsim.go.errors import ApiError


class Body:
    """A body on its way from the socket to a route, a piece at a time."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._ended = False
        self._unwanted = False
        self._broken = False

    async def put(self, piece: bytes) -> None:
        """Hand over a piece, and wait until somebody has taken it."""
        if not self._unwanted:
            self._pieces.put_nowait(piece)
            await self._pieces.join()

    def end(self) -> None:
        """There is no more."""
        self._pieces.put_nowait(b"")

    def break_off(self) -> None:
        """There was to be more, but the client sends nothing any more."""
        self._broken = True
        self.end()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what has not been read yet; `ApiError` 400 where a body breaks off."""
        while not self._ended:
            piece = await self._pieces.get()
            self._pieces.task_done()
            self._ended = not piece
            if self._ended and self._broken:
                raise ApiError(400, "unexpected EOF")
            if piece:
                yield piece

    async def skip(self, limit: int) -> None:
        """Read what is left and forget it, but not much more than `limit` bytes."""
        length = 0
        async for piece in self.chunks():
            length += len(piece)
            if length > limit:
                break

    def refuse(self) -> None:
        """From now on nobody reads what arrives."""
        self._unwanted = True
        while not self._pieces.empty():
            self._pieces.get_nowait()
            self._pieces.task_done()
