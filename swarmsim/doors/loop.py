"""An engine on an event loop: it catches up when something is due, and routes wait for it."""

import asyncio
import logging

from swarmsim.engine.engine import Engine

_log = logging.getLogger(__name__)


async def happened(engine: Engine, until: int | None = None) -> None:
    """Wait for something to happen, or for a moment on the engine's clock, in ns."""
    event = asyncio.Event()
    engine.listeners.add(event.set)
    seconds = None if until is None else engine.clock.seconds_until(until)
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        engine.catch_up()
    finally:
        engine.listeners.discard(event.set)


class Timer:
    """Has an engine catch up whenever something is due, also between requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the loop that runs."""
        self._engine.when_caught_up = self._set
        self._wake()

    def stop(self) -> None:
        """End."""
        self._engine.when_caught_up = None
        if self._handle is not None:
            self._handle.cancel()

    def _wake(self) -> None:
        try:
            self._engine.catch_up()
        except Exception:
            _log.exception("the engine at %d", self._engine.now)
            self._set()

    def _set(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        seconds = self._engine.seconds_until_due()
        self._handle = asyncio.get_running_loop().call_later(seconds, self._wake)
