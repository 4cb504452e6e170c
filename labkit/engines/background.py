"""What the lab's own engines have in common: a process in the background, a socket, a log.

Each is known by its command line, which names a file of its own by its full path: a pid
file may outlive its process, and the number in it may belong to another program by now.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from labkit.base.errors import LabError, NoEngine
from labkit.swarm.client import Swarm

_END_SECONDS = 5
_POLL_SECONDS = 0.1
#: A process may take so many seconds to appear after it was started.
_APPEAR_SECONDS = 2
_LAST_LINES = 15


def find(is_it: Callable[[list[str]], bool]) -> psutil.Process | None:
    """Return the process whose command line is the one, if it runs."""
    for process in psutil.process_iter(["cmdline"]):
        if is_it(process.info["cmdline"] or []):
            return process
    return None


def answering(path: Path) -> Swarm | None:
    """Return a connection to the engine at this socket, or `None` when nothing answers."""
    if not path.exists():
        return None
    # a killed engine leaves its socket, and docker-py leaves open what is refused there
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        if probe.connect_ex(str(path)):
            return None
    try:
        return Swarm.at(f"unix://{path}")
    except NoEngine:
        return None


def awaited(
    connect: Callable[[], Swarm | None], process: Callable[[], object], seconds: float
) -> Swarm | None:
    """Wait until an engine that was started answers; `None` if it ends first, or in vain."""
    began = time.monotonic()
    while not (found := connect()):
        waited = time.monotonic() - began
        if waited > seconds or (waited > _APPEAR_SECONDS and not process()):
            return None
        time.sleep(_POLL_SECONDS)
    return found


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and all that it has started, as far as they run."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(processes: Iterable[psutil.Process], whose: str) -> None:
    """End these processes: politely, and then not. Raises `LabError` if one stays."""
    left = list(processes)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                ask(process)
        _, left = psutil.wait_procs(left, timeout=_END_SECONDS)
    if left:
        numbers = ", ".join(str(process.pid) for process in left)
        raise LabError(f"every process of the {whose} engine to end.", f"{numbers} did not.")


def last_lines(log: Path) -> str:
    """Return the end of a log, `""` if there is none."""
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LAST_LINES:])
