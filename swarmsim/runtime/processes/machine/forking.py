"""Tasks that are forked from a Python which has loaded what they import (`shim/warm.py`).

A new Python takes a tenth of a second of a processor and 10 MB; a fork takes a hundredth
and 3 MB, and an application has fourteen. `multiprocessing` has such a server as well, but
its processes end, write and are told of as `multiprocessing` has it, and not as Python.
"""

import atexit
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from swarmsim.runtime.processes.running import Launch

_SHIM = Path(__file__).parents[1] / "shim"
#: What is the same for all forks: Python and the loader read it before a program runs.
_FIXED = re.compile(r"(?:PYTHON(?!_)|LC_|LD_|MALLOC_|LANG)")
_COMMON = {"PYTHONPATH": str(_SHIM), "LANG": "C.UTF-8"}
#: Seconds that a fork may take; then the task is started as others are.
_LONGEST_WAIT = 10


class Forked:
    """A process that was forked, as far as it is used like a `Popen`."""

    def __init__(self, pid: int, told: socket.socket) -> None:
        self.pid = pid
        self._told = told

    def wait(self) -> int:
        """Wait for its end; return its code, below 0 if a signal ended it."""
        with self._told:
            code = self._told.recv(16)
        return int(code) if code else -signal.SIGKILL  # its Python was killed: so will it be

    def descriptor(self) -> int:
        """Return a descriptor that can be read when it has ended; it is the caller's to close."""
        return os.dup(self._told.fileno())


class Forks:
    """The Python that is forked: it is started for the first task, and again if it was killed.

    All engines of a process share one, which ends with that process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._requests = socket.socket(socket.AF_UNIX)
        self._lock = threading.Lock()

    def start(self, launch: Launch, output: int, errors: int) -> Forked | None:
        """Start a task that writes to two descriptors; `None` if it has to be started anew."""
        if not _is_common(launch):
            return None
        request = {"words": launch.words, "cwd": str(launch.cwd), "env": dict(launch.env)}
        told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        told.settimeout(_LONGEST_WAIT)
        with tells, contextlib.suppress(OSError):
            descriptors = [output, errors, tells.fileno()]
            socket.send_fds(self._to_python(), [json.dumps(request).encode()], descriptors)
            tells.close()
            if number := told.recv(16):
                told.settimeout(None)
                return Forked(int(number), told)
        told.close()
        return None

    def close(self) -> None:
        """End it."""
        self._requests.close()
        if self._process is not None:
            self._process.wait()

    def _to_python(self) -> socket.socket:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._requests.close()
                self._requests, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with its:
                    self._process = _started(its)
            return self._requests


FORKS = Forks()
atexit.register(FORKS.close)


def _started(requests: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a file of this package
        [sys.executable, str(_SHIM / "warm.py")],
        stdin=requests.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_COMMON, "PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
    )


def _is_common(launch: Launch) -> bool:
    """Whether a fork would be what a new Python is: a file or `-c`, with the usual settings.

    Only where `pidfd_open` is: on macOS a fork may not use the system's own libraries.
    """
    fixed = {name: value for name, value in launch.env.items() if _FIXED.match(name)}
    fixed.pop("PYTHONUNBUFFERED", None)
    python, first, *_ = [*launch.words, "", ""]
    is_program = first.endswith(".py") or (first == "-c" and len(launch.words) > 2)
    there = hasattr(os, "pidfd_open") and launch.cwd.is_dir()
    return there and python == sys.executable and is_program and fixed == _COMMON
