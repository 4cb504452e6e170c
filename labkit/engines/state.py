"""What `labkit up` did, in `.labkit/state.json`, so that later commands can go on from it.

engine          where the engine listens
kind            "yours", "private" or "simulated"
swarm_created   whether labkit made the swarm, and so may leave it
stacks          the stacks that `up` deployed
ports           for each stack, the compose file's variables and their ports

A lock keeps two `up` apart; readers need none, because a write replaces the whole file.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from labkit.base import browser, files, settings
from labkit.base.errors import LabError, expecting

#: `up` may build images while it holds the lock, which takes up to a minute or two.
_WAIT_SECONDS = 300


@dataclass(slots=True)
class State:
    """What `up` has done so far; `State()` where there was none."""

    engine: str = ""
    kind: str = ""
    swarm_created: bool = False
    stacks: list[str] = field(default_factory=list)
    ports: dict[str, dict[str, int]] = field(default_factory=dict)


def read() -> State:
    """Return the state; one that cannot be read counts as none."""
    try:
        stored = json.loads(_file().read_text(encoding="utf-8"))
        return State(**{each.name: stored[each.name] for each in fields(State)})
    except (OSError, ValueError, KeyError, TypeError):
        return State()


def write(state: State) -> None:
    """Replace the state in one step, so that no reader sees half of it."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    files.replace(_file(), json.dumps(asdict(state), indent=1).encode())


def compose_environment() -> dict[str, str]:
    """Return the variables that a compose file of the lab is read with.

    The process's own; and where it has none, or an empty one, the Docker ID, and the ports
    that `labkit up` found free.
    """
    ports = read().ports.get(settings.stack_name(), {})
    found = {"LABKIT_DOCKER_ID": settings.docker_id(), **{key: str(n) for key, n in ports.items()}}
    return dict(os.environ) | {name: os.environ.get(name) or found[name] for name in found}


def forget() -> None:
    """Remove the state: nothing that `up` made is left."""
    _file().unlink(missing_ok=True)


@contextmanager
def locked() -> Iterator[None]:
    """Keep every other `up` and `down` of this lab waiting.

    The lock is filelock's, which works on every system that JupyterLab runs on (the
    standard library's `fcntl` knows no Windows). The kernel drops it when the process
    that holds it dies, so there is no stale lock to clean up. Raises `LabError` after
    five minutes, and at once where nothing can be written.
    """
    if browser.is_here():  # where nothing else can hold it
        yield
        return
    from filelock import FileLock, Timeout  # which brings asyncio, and most only read

    path = settings.state_dir() / "lock"
    lock = FileLock(path, timeout=_WAIT_SECONDS)
    advice = "set LABKIT_HOME to a folder that you can write to."
    with expecting(f"to write to {path.parent}.", advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise LabError(
                "the lab to be free within five minutes.",
                f"another `labkit up` or `labkit down` holds {path}.",
                "let it finish, or stop it.",
            ) from None
    try:
        yield
    finally:
        lock.release()


def _file() -> Path:
    return settings.state_dir() / "state.json"
