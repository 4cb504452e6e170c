"""The simulated engine of the lab: a server in the background that acts a swarm.

    .labkit/simulated/
        data/           what was built and pushed, and the files that tasks run
        docker.sock     where it listens
        log             what it says

`swarmsim` is the server; here it is started, found and stopped. It needs neither
root nor Docker nor a network. It runs in a session of its own, as a private engine does,
and is known by its command line, which names its socket by the full path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from labkit.base import settings
from labkit.base.errors import LabError, NoEngine
from labkit.engines import background
from labkit.swarm.client import Swarm

#: What everybody who meets it is told.
WHAT_IT_IS = (
    "This is labkit's simulated engine, and no Docker.",
    "- Simulated: the swarm. Its nodes and networks, its rules, and how long things take.",
    "- Real: the code of your images. It runs on this machine, as you, in no container.",
    "- For a real engine: start or install Docker (`labkit doctor` says what is missing); "
    "then `labkit down`, and `labkit up`.",
)
_MODULE = ["-m", "swarmsim"]
_START_SECONDS = 30
#: It gives the processes of its tasks 10 s to stop.
_STOP_SECONDS = 15
#: The longest path that a socket may have, in bytes: 103 on macOS, 107 on Linux.
_LONGEST = 103
#: Starts what it is given and ends, so that the parent of that is init: no zombie stays
#: with a kernel. As `setsid --fork`, which macOS has not.
_DETACH = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"


class SimulatedEngine:
    """The simulated engine of the lab whose `.labkit/simulated/` is `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "log"
        self._data = self.folder / "data"
        fits = len(os.fsencode(self.folder / "docker.sock")) <= _LONGEST
        self._runtime = self.folder if fits else _short_folder(self.folder)
        self._socket = self._runtime / "docker.sock"

    @property
    def url(self) -> str:
        """Where it listens, as `DOCKER_HOST` would say it."""
        return f"unix://{self._socket}"

    def connect(self) -> Swarm | None:
        """Return a connection, or `None` when nothing answers."""
        return background.answering(self._socket)

    def process(self) -> psutil.Process | None:
        """Return its server, if that runs."""
        return background.find(self._is_server)

    def start(self, nodes: int = 1) -> Swarm:
        """Start it unless it runs, wait until it answers, and return a connection.

        Raises `NoEngine` with the last lines of its log when it does not come up, and
        `BadValue` for a `LABKIT_SPEED` that is none.
        """
        if not self.process():
            self._launch(nodes)
        swarm = background.awaited(self.connect, self.process, _START_SECONDS)
        if swarm is None:
            raise self._did_not_start()
        return swarm

    def stop(self) -> None:
        """Stop it with the processes of all its tasks. What was built stays.

        Those of a server that was killed have ended with it
        (`swarmsim.runtime.processes.keeper`).
        """
        if server := self.process():
            processes = background.family(server)
            with contextlib.suppress(psutil.NoSuchProcess):
                server.terminate()
            psutil.wait_procs([server], timeout=_STOP_SECONDS)
            background.end(processes, "simulated")
        self._socket.unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it and delete all that it keeps."""
        self.stop()
        for folder in {self.folder, self._runtime}:
            if folder.exists():
                shutil.rmtree(folder)

    def why_not(self) -> str:
        """Return what keeps it from being started here, as a sentence, or `""`."""
        if os.name != "posix":
            return "The simulated engine needs Linux or macOS (on Windows: WSL 2)."
        return ""

    def _launch(self, nodes: int) -> None:
        speed = f"{settings.speed():g}"
        self._data.mkdir(parents=True, exist_ok=True)
        _make_private(self._runtime)
        server = [sys.executable, *_MODULE, "--socket", str(self._socket), "--speed", speed]
        server += ["--data", str(self._data), "--nodes", str(nodes)]
        with self.log.open("ab") as log:
            subprocess.run(  # noqa: S603 - the words are labkit's own, and no shell reads them
                [sys.executable, "-I", "-c", _DETACH, *server],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=settings.SOURCE,  # where `-m` finds swarmsim, installed or not
                check=True,
            )

    def _is_server(self, words: list[str]) -> bool:
        return words[1:5] == [*_MODULE, "--socket", str(self._socket)]

    def _did_not_start(self) -> NoEngine:
        return NoEngine(
            f"the simulated engine to answer at {self.url} within {_START_SECONDS} s.",
            f"it does not; the end of its log, {self.log}, is below.",
            "mend what the log says; `labkit down --all` deletes what it keeps.",
            docker_says=background.last_lines(self.log),
        )


def _short_folder(folder: Path) -> Path:
    """Return where the socket goes whose path would be too long: the same in every shell.

    Therefore it is not under `XDG_RUNTIME_DIR` or `TMPDIR`, which two shells of one
    person may not share.
    """
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path("/tmp", f"labkit-{mark}")  # noqa: S108 - `_make_private` looks whose it is


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else may enter. Raises `LabError` if it is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.geteuid() or folder.is_symlink():
        raise LabError(
            f"{folder} to be a folder of yours, for the socket of the simulated engine.",
            "it is somebody else's.",
            "remove it, or put the lab where its path is shorter.",
        )
    folder.chmod(0o700)
