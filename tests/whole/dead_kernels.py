"""A pytest plugin for nbval runs: a kernel that has died is noticed within a second.

nbval notices it only when a cell's time is up, and then waits again while it tries to
interrupt a process that is not there. `pytest -p tests.whole.dead_kernels --nbval …`.
"""

import time
from queue import Empty
from typing import Any

from nbval.kernel import RunningKernel

_EVERY_SECONDS = 1.0


class DeadKernel(RuntimeError):
    """The kernel of a notebook has died."""


def _patient(wait: Any) -> Any:
    """Return nbval's wait for a message, in slices, between which the kernel must be alive."""

    def get_message(self: RunningKernel, stream: str, timeout: float | None = None) -> Any:
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while True:
            left = deadline - time.monotonic()
            try:
                return wait(self, stream, timeout=max(0, min(left, _EVERY_SECONDS)))
            except Empty:
                if not self.is_alive():
                    raise DeadKernel("the kernel died while it ran this cell") from None
                if left <= _EVERY_SECONDS:
                    raise

    return get_message


RunningKernel.get_message = _patient(RunningKernel.get_message)
