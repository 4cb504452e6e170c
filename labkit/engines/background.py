"""What the lab's own engines have in common: a process in the background, a socket, a log.

Each is known by its command line, which names a file of its own by its full path: a pid
file may outlive its process, and the number in it may belong to another program by now.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.base import jobs
from labkit.base.errors import LabError, NoEngine
from labkit.swarm.client import Swarm

if TYPE_CHECKING:
    import psutil  # which takes long to import, and most commands only connect

_END_SECONDS = 5
_POLL_SECONDS = 0.1
#: A process may take so many seconds to appear after it was started.
_APPEAR_SECONDS = 2
_LAST_LINES = 15


class BackgroundEngine:
    """An engine of the lab's own, with all that it keeps in `folder`."""

    #: What it is called in messages, and how long it may take to answer.
    name: str
    start_seconds: int
    #: The longest path, in bytes, with which what runs still fits beside what is kept.
    longest_path: int

    def __init__(self, folder: Path, elsewhere: Path) -> None:
        """Run in `folder`, or in the folder `elsewhere` if its path is too long for a socket."""
        self.folder = folder
        self.log = folder / "log"
        self._data = folder / "data"
        fits = len(os.fsencode(folder)) <= self.longest_path
        self._runtime = folder if fits else elsewhere
        self._socket = self._runtime / "docker.sock"

    @property
    def url(self) -> str:
        """Where it listens, as `DOCKER_HOST` would say it."""
        return f"unix://{self._socket}"

    def connect(self) -> Swarm | None:
        """Return a connection, or `None` when nothing answers."""
        try:
            return Swarm.at(self.url)
        except NoEngine:
            return None

    def process(self) -> psutil.Process | None:
        """Return its server, if that runs."""
        import psutil

        for process in psutil.process_iter(["cmdline"]):
            if self._is_server(process.info["cmdline"] or []):
                return process
        return None

    def start(self, nodes: int = 1) -> Swarm:
        """Start it, or mend it if it runs, wait until it answers, and return a connection.

        Raises `NoEngine` with the last lines of its log when it does not come up, and
        `BadValue` for an invalid `LABKIT_SPEED`.
        """
        if process := self.process():
            self._repair(process)
        else:
            self._launch(nodes)
        for waited in jobs.poll(self.start_seconds, _POLL_SECONDS):
            if swarm := self.connect():
                return swarm
            if waited > _APPEAR_SECONDS and not self.process():
                break
        raise NoEngine(
            f"the {self.name} engine to answer at {self.url} within {self.start_seconds} s.",
            f"it does not; the end of its log, {self.log}, is below.",
            "fix what the log says (`labkit down --all` deletes what the engine keeps), or use "
            "another engine: `labkit up --engine URL`.",
            docker_says=last_lines(self.log),
        )

    def wake(self) -> None:
        """Let it go on if somebody has halted it (`SIGSTOP`): else it cannot even end."""
        import psutil

        for process in self._servers() if self.folder.exists() else ():
            with contextlib.suppress(psutil.Error):
                process.resume()

    def stop(self) -> None:
        """Stop it with all that it runs. What it keeps stays."""
        raise NotImplementedError

    def remove(self) -> None:
        """Stop it and delete all that it keeps."""
        self.stop()
        for folder in {self.folder, self._runtime}:
            while folder.exists():
                # what ran in it may still be taking things of its own away
                with contextlib.suppress(FileNotFoundError):
                    shutil.rmtree(folder)

    def why_not(self) -> str:
        """Return why it cannot be started here, as a sentence, or `""`."""
        raise NotImplementedError

    def _launch(self, nodes: int) -> None:
        raise NotImplementedError

    def _repair(self, process: psutil.Process) -> None:
        """Mend what its server, which runs, needs of the machine; says what it does."""

    def _servers(self) -> list[psutil.Process]:
        """Return the processes that it needs in order to answer, as far as they run."""
        process = self.process()
        return [process] if process else []

    def _is_server(self, words: list[str]) -> bool:
        raise NotImplementedError


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and all that it has started, as far as they run."""
    import psutil

    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(processes: Iterable[psutil.Process], whose: str) -> None:
    """End these processes: politely, and then not. Raises `LabError` if one stays."""
    import psutil

    left = list(processes)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                ask(process)
        left = wait(left, _END_SECONDS)
    if left:
        numbers = ", ".join(str(process.pid) for process in left)
        raise LabError(f"every process of the {whose} engine to end.", f"{numbers} did not.")


def wait(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until these have ended, for so long at most; return those that still run.

    A zombie has ended. In a container without an init nobody reaps those whose parent is gone,
    and psutil would wait for them.
    """
    left = list(processes)
    for _ in jobs.poll(seconds, _POLL_SECONDS):
        left = [process for process in left if _runs(process)]
        if not left:
            break
    return left


def _runs(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def last_lines(log: Path) -> str:
    """Return the end of a log, `""` if there is none."""
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LAST_LINES:])
