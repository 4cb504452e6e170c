"""The application's own count, asked for again and again."""

import contextlib
import threading
import time
from collections.abc import Callable

#: Returns how many hashes dockercoins has made, and the time of its web page's clock.
Meter = Callable[[], tuple[int, float]]

#: Seconds between two questions. Workers add to the counter once a second: asked more often
#: than that would beat against them and give a line half as flat.
EVERY = 0.5


class Metering:
    """A thread that asks a meter, and hands on what it says; closes it, if it can, at the end.

    Errors of the meter are ignored: there is no sample then.
    Nobody waits for this thread, which may hang in a question; an answer that comes
    after `stop` is dropped.
    """

    def __init__(self, meter: Meter, take: Callable[[int, float], None], name: str) -> None:
        self._meter = meter
        self._take = take
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"meter {name}", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def _run(self) -> None:
        try:
            self._ask()
        finally:
            if close := getattr(self._meter, "close", None):
                close()

    def _ask(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0, due - time.monotonic())):
            due = time.monotonic() + EVERY
            with contextlib.suppress(Exception):
                hashes, now = self._meter()
                if not self._stopping.is_set():
                    self._take(hashes, now)
