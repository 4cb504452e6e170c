"""dockercoins as a stack of its own, which is removed afterwards."""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

from labkit import engines
from labkit.base import settings
from labkit.base.errors import LabError
from labkit.engines import ports
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from tests.waiting import until

#: What an update may give worker's image as a second tag; it is removed with the stack.
NEW_TAG = "bench"
_REPLICAS = 10


@dataclass(frozen=True)
class Coins:
    """The stack: where it runs, and what it was deployed from."""

    swarm: Swarm
    name: str
    file: Path
    #: The variables that commands are run with, and that the file is read with. A learner's
    #: Python keeps what it has compiled.
    environment: dict[str, str]

    @property
    def worker(self) -> str:
        """The service of ten replicas."""
        return f"{self.name}_worker"

    def image(self, tag: str) -> str:
        """Return the name of worker's image with a tag."""
        return f"{settings.docker_id()}/dockercoins_worker:{tag}"

    def deploy(self) -> None:
        """Deploy it, or deploy it again."""
        with redirect_stdout(io.StringIO()):
            stack.deploy(self.swarm, [self.file], self.name, env=self.environment)


@contextmanager
def deployed() -> Iterator[Coins]:
    """Deploy dockercoins under a name and on ports that nobody has, and wait for its workers."""
    swarm = engines.connect()
    elsewhere = ports.published(swarm)
    chosen = ports.choose({}, lambda port: port in elsewhere or ports.in_use(port))
    environment = settings.compose_environment() | {"DOCKER_HOST": swarm.url}
    environment |= {name: str(port) for name, port in chosen.items()}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    file = settings.lesson_files() / "dockercoins" / "docker-compose.yml"
    coins = Coins(swarm, f"bench{secrets.token_hex(3)}", file, environment)
    print(f"on {swarm.about()}", flush=True)
    try:
        coins.deploy()
        until(lambda: _run(coins), "ten workers to run", 60)
        yield coins
    finally:
        with redirect_stdout(io.StringIO()):
            stack.rm(swarm, coins.name)
        with suppress(LabError):  # no update gave it
            swarm.delete(f"/images/{coins.image(NEW_TAG)}")


def _run(coins: Coins) -> bool:
    return coins.swarm.snapshot(coins.worker).running_by_tag().total() == _REPLICAS
