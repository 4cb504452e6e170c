"""The machine that has the tasks' processes: none outlives the engine, which hears of each end."""

import contextlib
import fcntl
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

from swarmsim.runtime.processes.machine.keeping import Keeper
from swarmsim.runtime.processes.machine.spawning import Spawned
from swarmsim.runtime.processes.publishing import Published, Publisher
from swarmsim.runtime.processes.running import Launch

_PREFIX = "swarmsim-tasks-"
#: A path that no shell takes for anything else.
_PLAIN = re.compile(r"[\w./+-]+")


class Machine:
    """A folder of this machine, its ports, and processes that end with the engine."""

    def __init__(
        self, data: Path, used: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Make them; a connection to a port is `used` until the task closes it."""
        self.folder, self._lock = _new_folder(data)
        self.publisher = Publisher(partial(Published, used=used))
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
