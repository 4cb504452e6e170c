"""What moves an engine while nobody calls it: a timer on an event loop."""

from __future__ import annotations

import asyncio
import logging

from swarmsim.engine.engine import Engine

_log = logging.getLogger(__name__)


class Timer:
    """Has an engine catch up whenever something is due."""

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
