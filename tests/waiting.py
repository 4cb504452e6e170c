"""Waiting for a condition, in place of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = 30, every: float = 0) -> T:
    """Return the first true value of `condition`, or fail naming what was waited for.

    Without `every`, it is asked for less and less often: each time costs somebody a processor.
    """
    begun = time.monotonic()
    while not (value := condition()):
        if (waited := time.monotonic() - begun) > seconds:
            raise AssertionError(f"waited {seconds} s for {what}; last seen: {value!r}")
        time.sleep(every or min(max(0.02, waited / 20), 0.25))
    return value
