"""Looking again and again until something is so, or the time is up."""

from __future__ import annotations

import time
from collections.abc import Iterator


def looks(seconds: float, every: float) -> Iterator[float]:
    """Yield the seconds that have passed: at once, then `every` so many, and when the time is up.

    The last look comes after the time is up, so that whoever gives up has just looked.

    >>> for waited in looks(30, every=0.2):     # doctest: +SKIP
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
        time.sleep(every)
