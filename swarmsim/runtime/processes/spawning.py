"""The machine that has the tasks' processes: none outlives the engine, which hears of each end."""

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

from swarmsim.runtime.processes.publishing import Publisher
from swarmsim.runtime.processes.running import Launch

_KEEPER = Path(__file__).with_name("keeper.py")
#: Bytes read at once, and seconds until the next read, of a process that writes without end:
#: others have to be read, too.
_CHUNK = 16 * 1024
_PAUSE = 0.02
#: In /proc, the line with the signals that a process has a function for.
_CAUGHT = "SigCgt:"


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
            [sys.executable, "-I", "-S", str(_KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


class Spawned:
    """A process in a group of its own."""

    def __init__(self, launch: Launch, keeper: Keeper) -> None:
        """Start it. Raises `OSError` as the system says it."""
        self._keeper = keeper
        self._write, self._ended = launch.write, launch.ended
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(  # noqa: S603 - what an image runs is its author's
            launch.words,
            cwd=launch.cwd,
            env=dict(launch.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        keeper.add(self.pid)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._pipes = {
            False: self._process.stdout.fileno(),
            True: self._process.stderr.fileno(),
        }
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
                self._process.send_signal(number)

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
        for file in (self._process.stdout, self._process.stderr):
            if file is not None:
                file.close()


def _handles(pid: int, number: int) -> bool:
    """Whether a process handles a signal; true where that cannot be found out."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    caught = next((line for line in status.splitlines() if line.startswith(_CAUGHT)), "")
    return bool(int(caught.removeprefix(_CAUGHT) or "0", 16) >> (number - 1) & 1)


def _when_ended(
    process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, then: Callable[[], None]
) -> None:
    """Call a function in the loop when a process has ended."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(process.pid)

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


# ---- the machine -----------------------------------------------------------------

_PREFIX = "swarmsim-tasks-"
#: A path that no shell takes for anything else.
_PLAIN = re.compile(r"[\w./+-]+")


class Machine:
    """A folder of this machine, its ports, and processes that end with the engine."""

    def __init__(self, data: Path) -> None:
        self.folder, self._lock = _new_folder(data)
        self.publisher = Publisher()
        self._keeper = Keeper()

    def spawn(self, launch: Launch) -> Spawned:
        """Start a process. Raises `OSError` as the system says it."""
        return Spawned(launch, self._keeper)

    def close(self) -> None:
        """Close and delete everything."""
        self.publisher.close()
        self._keeper.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _new_folder(data: Path) -> tuple[Path, IO[str]]:
    """Make a folder that is this engine's alone; delete those of engines that were killed.

    An engine holds a lock on its folder, which ends with its process. Paths of the folder
    get into commands, shells' ones too, so it is made elsewhere if its name would have to
    be quoted there.
    """
    place = data if _PLAIN.fullmatch(str(data)) else Path(gettempdir())
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=_PREFIX, dir=place))
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock
