"""The simulated engine of the lab: a server in the background that acts a swarm.

    .labkit/simulated/
        data/           what was built and pushed, and the files that tasks run
        docker.sock     where it listens
        log             what it says

`swarmsim` is the server; here it is started, found and stopped. It needs neither
root nor Docker nor a network. It runs in a session of its own, as a private engine does,
and is known by its command line, which names its socket by the full path.
"""

import contextlib
import hashlib
import os
import shutil
import sys
from pathlib import Path

from labkit.base import settings
from labkit.base.errors import LabError
from labkit.engines import background
from labkit.engines.background import BackgroundEngine

#: What labkit prints whenever this engine is used.
WHAT_IT_IS = (
    "This is labkit's simulated engine, not Docker.",
    "- Simulated: the swarm, with its nodes and networks, its rules, and how long things take.",
    "- Real: the code of your images. It runs on this machine, as you, without a container.",
    "- For a real engine: start or install Docker (`labkit doctor` says what is missing); "
    "then `labkit down`, and `labkit up`.",
)
_MODULE = ["-m", "swarmsim"]
#: It gives the processes of its tasks 10 s to stop.
_STOP_SECONDS = 15
#: Starts what it is given and ends, so that the parent of that is init: no zombie stays
#: with a kernel. As `setsid --fork`, which macOS has not.
_DETACH = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"


class SimulatedEngine(BackgroundEngine):
    """The simulated engine of the lab whose `.labkit/simulated/` is `folder`."""

    name = "simulated"
    start_seconds = 30
    #: A socket's path has at most 103 bytes on macOS, and 107 on Linux.
    longest_path = 103 - len("/docker.sock")

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        super().__init__(folder, _short_folder(folder))

    def stop(self) -> None:
        """Stop it with the processes of all its tasks. What was built stays.

        Those of a server that was killed have ended with it
        (`swarmsim.runtime.processes.machine.keeper`).
        """
        import psutil

        if server := self.process():
            processes = background.family(server)
            with contextlib.suppress(psutil.NoSuchProcess):
                server.terminate()
            background.wait([server], _STOP_SECONDS)
            background.end(processes, "simulated")
        self._socket.unlink(missing_ok=True)
        if self._runtime != self.folder:
            with contextlib.suppress(OSError):  # it was never made, or holds somebody's file
                self._runtime.rmdir()

    def why_not(self) -> str:
        """Return what keeps it from being started here, as a sentence, or `""`."""
        if os.name != "posix":
            return "The simulated engine needs Linux or macOS (on Windows: WSL 2)."
        return ""

    def _launch(self, nodes: int) -> None:
        speed = f"{settings.speed():g}"
        self.folder.mkdir(parents=True, exist_ok=True)
        if (given := settings.images()) and not self._data.exists():
            shutil.copytree(given, new := self.folder / "new", dirs_exist_ok=True)
            new.rename(self._data)  # whole, or not at all
        self._data.mkdir(exist_ok=True)
        _make_private(self._runtime)
        server = [sys.executable, *_MODULE, "--socket", str(self._socket), "--speed", speed]
        server += ["--data", str(self._data), "--nodes", str(nodes)]
        if after := settings.sleep_after():
            server += ["--sleep-after", f"{after:g}"]
        import subprocess  # most commands start no engine

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


def _short_folder(folder: Path) -> Path:
    """Return where the socket goes whose path would be too long: the same in every shell.

    Therefore it is not under `XDG_RUNTIME_DIR` or `TMPDIR`, which two shells of one
    person may not share.
    """
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path("/tmp", f"labkit-{mark}")  # noqa: S108 - `_make_private` checks the owner


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else may enter. Raises `LabError` if it is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.geteuid() or folder.is_symlink():
        raise LabError(
            f"{folder} to be a folder of yours, for the socket of the simulated engine.",
            "it belongs to somebody else.",
            "remove it, or put the lab in a folder with a shorter path.",
        )
    folder.chmod(0o700)
