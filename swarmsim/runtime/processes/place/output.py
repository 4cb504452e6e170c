"""What a task writes, as it would read in a container.

Its folder's path stands for `/`, and is taken away. A traceback does not show that `shim`
stands between the program and a socket or a file.
"""

from collections.abc import Callable
from pathlib import Path

_SHIM = str(Path(__file__).parents[1] / "shim").encode()
_FRAME = b'  File "' + _SHIM
#: What belongs to a frame of a traceback is indented by more than the frame.
_OF_FRAME = b"    "
#: A line that is longer is passed on in pieces.
_LONGEST = 64 * 1024


class Output:
    """One stream of a process; whole lines are passed on to `write`."""

    def __init__(self, root: Path, write: Callable[[bytes], None]) -> None:
        self._root = str(root).encode()
        self._write = write
        self._rest = b""
        self._in_hidden_frame = False

    def feed(self, data: bytes) -> None:
        """Take what the process has written."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST:
            lines, self._rest = [*lines, self._rest], b""
            self._pass_on(b"\n".join(map(self._shown, lines)))
        else:
            shown = (line for line in lines if not self._hides(line))
            self._pass_on(b"".join(self._shown(line) + b"\n" for line in shown))

    def close(self) -> None:
        """There is no more."""
        self._pass_on(self._shown(self._rest))
        self._rest = b""

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._write(data)

    def _shown(self, line: bytes) -> bytes:
        return line.replace(self._root, b"")

    def _hides(self, line: bytes) -> bool:
        if line.startswith(_FRAME):
            self._in_hidden_frame = True
        elif not line.startswith(_OF_FRAME):
            self._in_hidden_frame = False
        return self._in_hidden_frame
