"""The engine's end of `keeper`: no process of a task outlives the engine."""

import contextlib
import subprocess
from pathlib import Path

_KEEPER = Path(__file__).with_name("keeper.sh")


class Keeper:
    """The program that ends what is left when the engine has ended: see `keeper`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def add(self, group: int) -> None:
        """Register a process group, which will end with the engine."""
        self._groups.add(group)
        if self._process is None or self._process.poll() is not None:
            self._start()
            self._send("".join(f"+{each}\n" for each in self._groups))
        else:
            self._send(f"+{group}\n")

    def discard(self, group: int) -> None:
        """Remove a process group that has ended."""
        self._groups.discard(group)
        self._send(f"-{group}\n")

    def close(self) -> None:
        """End what is left, and the keeper."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _send(self, lines: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # another is started for the next group
                self._process.stdin.write(lines.encode())
                self._process.stdin.flush()

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a file of this package
            ["/bin/sh", str(_KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
