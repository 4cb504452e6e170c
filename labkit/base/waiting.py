"""Poll until something holds, or the time is up."""

import math
import os
import time
from collections.abc import Iterator

from labkit.base import jobs

#: Default seconds that a call waits for Swarm: at most 50
#: in the lesson on a machine with little else to do, and twice that on a busy one.
PATIENCE = 110


def longest() -> float:
    """Return how many seconds a call may wait altogether while something moves.

    Unlimited, except under pytest (nbval), which ends a cell that takes longer.
    """
    return PATIENCE if "PYTEST_VERSION" in os.environ else math.inf


def poll(seconds: float, every: float) -> Iterator[float]:
    """Yield the seconds that have passed: at once, `every` so often, and when the time is up.

    The last poll comes after the time is up, so a caller that gives up has just polled.

    >>> for waited in poll(30, every=0.2):      # doctest: +SKIP
    ...     if done():
    ...         break
    ... else:
    ...     raise NotSettled(...)
    """
    begun = time.monotonic()
    while True:
        waited = time.monotonic() - begun
        yield waited
        if waited >= seconds:
            return
        jobs.sleep(every)
