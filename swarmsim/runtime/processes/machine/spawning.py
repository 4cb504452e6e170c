"""A process of a task, from its start until its end is reported."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from swarmsim.runtime.processes.machine.forking import FORKS, Forked
from swarmsim.runtime.processes.machine.keeping import Keeper
from swarmsim.runtime.processes.running import Launch

#: Bytes read at once, and seconds until the next read, of a process that writes without end:
#: others have to be read, too.
_CHUNK = 16 * 1024
_PAUSE = 0.02
#: In /proc, the line with the signals that a process has a function for.
_CAUGHT = "SigCgt:"


class Spawned:
    """A process in a group of its own."""

    def __init__(self, launch: Launch, keeper: Keeper) -> None:
        """Start it. Raises `OSError` as the system says it."""
        self._keeper = keeper
        self._write, self._ended = launch.write, launch.ended
        self._loop = asyncio.get_running_loop()
        (output, writes), (errors, writes_errors) = os.pipe(), os.pipe()
        self._pipes = {False: output, True: errors}
        try:
            forked = FORKS.start(launch, writes, writes_errors)
            self._process = forked or _new(launch, writes, writes_errors)
        except OSError:
            for each in self._pipes.values():
                os.close(each)
            raise
        finally:
            os.close(writes)
            os.close(writes_errors)
        keeper.add(self.pid)
        self._closed = False
        for is_error, pipe in self._pipes.items():
            os.set_blocking(pipe, False)
            self._listen(is_error)
        _when_ended(self._process, self._loop, self._reap)

    @property
    def pid(self) -> int:
        """Its number, which is also its group's."""
        return self._process.pid

    def send(self, number: int) -> None:
        """Send a signal, as to the first process of a container.

        The kernel gives such a process no signal that it has no function for, except
        SIGKILL and SIGSTOP. Where there is no /proc to look that up, it gets every signal
        (and `shim` has Python take no notice of SIGTERM).
        """
        if number == signal.SIGKILL:
            self.kill()
        elif _handles(self.pid, number):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it, and all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for the end of a process that was killed; `ended` is not called."""
        self._process.wait()
        self._close()

    def _read(self, is_error: bool) -> None:
        try:
            data = os.read(self._pipes[is_error], _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._write(is_error, data)
        if not data or len(data) == _CHUNK:
            self._loop.remove_reader(self._pipes[is_error])
        if data and len(data) == _CHUNK:
            self._loop.call_later(_PAUSE, self._listen, is_error)

    def _listen(self, is_error: bool) -> None:
        if not self._closed:
            self._loop.add_reader(self._pipes[is_error], self._read, is_error)

    def _reap(self) -> None:
        if self._closed:  # `wait` was quicker: its pipes may be somebody else's by now
            return
        code = self._process.wait()
        self.kill()  # what is left of its group
        for is_error in self._pipes:
            self._drain(is_error)
        self._close()
        self._ended(128 - code if code < 0 else code)

    def _drain(self, is_error: bool) -> None:
        """Read what is still in the pipe. Whoever else holds it is on its way out."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._pipes[is_error], _CHUNK):
                self._write(is_error, data)

    def _close(self) -> None:
        self._closed = True
        self._keeper.discard(self.pid)
        for pipe in self._pipes.values():
            self._loop.remove_reader(pipe)
            os.close(pipe)


def _new(launch: Launch, output: int, errors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - what an image runs is its author's
        launch.words,
        cwd=launch.cwd,
        env=dict(launch.env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


def _handles(pid: int, number: int) -> bool:
    """Whether a process handles a signal; true where that cannot be found out."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    caught = next((line for line in status.splitlines() if line.startswith(_CAUGHT)), "")
    return bool(int(caught.removeprefix(_CAUGHT) or "0", 16) >> (number - 1) & 1)


def _when_ended(
    process: subprocess.Popen[bytes] | Forked,
    loop: asyncio.AbstractEventLoop,
    then: Callable[[], None],
) -> None:
    """Call a function in the loop when a process has ended."""
    descriptor = -1
    if isinstance(process, Forked):
        descriptor = process.descriptor()
    elif hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(process.pid)
    if descriptor >= 0:

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            then()

        loop.add_reader(descriptor, ended)
        return

    def wait() -> None:
        process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the engine has ended
            loop.call_soon_threadsafe(then)

    threading.Thread(target=wait, daemon=True).start()
