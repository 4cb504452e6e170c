"""Waiting for a condition, in place of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = 30, every: float = 0.05) -> T:
    """Return the first true value of `condition`, or fail naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}; last seen: {value!r}")
        time.sleep(every)
    return value
