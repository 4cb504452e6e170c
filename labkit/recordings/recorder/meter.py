"""The application's own count, asked for again and again."""

import contextlib
import time
from collections.abc import Callable
from functools import partial

from labkit.base.jobs import Firm, Job, Steps

#: Returns how many hashes dockercoins has made, and the time of its web page's clock.
Meter = Callable[[], tuple[int, float]]

#: Seconds between two questions. Workers add to the counter once a second: asked more often
#: than that would beat against them and give a line half as flat.
EVERY = 0.5


class Metering:
    """A job that asks a meter, and hands on what it says; closes it, if it can, at the end.

    Errors of the meter are ignored: there is no sample then.
    A meter may have a `patience`: it is asked nothing while it `rests` is true of so many
    seconds. Nobody waits for this job, which may hang in a question; an answer that comes
    after `stop` is dropped.
    """

    def __init__(
        self,
        meter: Meter,
        take: Callable[[int, float], None],
        name: str,
        rests: Callable[[float], bool] = lambda _: False,
    ) -> None:
        self._meter = meter
        self._take = take
        self._rests = partial(rests, getattr(meter, "patience", float("inf")))
        self._job = Job(self._run(), f"meter {name}")

    def start(self) -> None:
        """Begin to ask."""
        self._job.start()

    def stop(self) -> None:
        """Ask no more."""
        self._job.stop()

    def _run(self) -> Steps:
        try:
            while not self._job.stopped:
                due = time.monotonic() + EVERY
                if not self._rests():
                    with contextlib.suppress(Exception):
                        hashes, now = self._meter()
                        if not self._job.stopped:
                            self._take(hashes, now)
                yield Firm(max(0, due - time.monotonic()))
        finally:
            if close := getattr(self._meter, "close", None):
                close()
