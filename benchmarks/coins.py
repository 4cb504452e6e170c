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
from labkit.engines import ports, state
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from tests.waiting import until

#: What an update may give worker's image as a second tag; it is removed with the stack.
NEW_TAG = "bench"
_REPLICAS = 10
_SERVICES = ("rng", "hasher", "webui", "redis", "worker")
#: Where a deploy asks for the images' digests: nothing listens there, so that the answer comes at
#: once. To ask a name server that is out of reach takes milliseconds, or five seconds.
_REGISTRY = "127.0.0.1:1"


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

    def image(self, tag: str, service: str = "worker") -> str:
        """Return the name of a service's image with a tag."""
        return f"{self.environment['LABKIT_DOCKER_ID']}/dockercoins_{service}:{tag}"

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
    environment = state.compose_environment() | {"DOCKER_HOST": swarm.url}
    environment |= {name: str(port) for name, port in chosen.items()}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    file = settings.lesson_files() / "dockercoins" / "docker-compose.yml"
    name = f"bench{secrets.token_hex(3)}"
    environment["LABKIT_DOCKER_ID"] = f"{_REGISTRY}/{name}"
    coins = Coins(swarm, name, file, environment)
    print(f"on {swarm.about()}", flush=True)
    try:
        for service in _SERVICES:
            repository, _, tag = coins.image("1.0", service).rpartition(":")
            built = f"{settings.docker_id()}/dockercoins_{service}:{tag}"
            swarm.post(f"/images/{built}/tag", repo=repository, tag=tag)
        coins.deploy()
        until(lambda: _run(coins), "ten workers to run", 60)
        yield coins
    finally:
        with redirect_stdout(io.StringIO()):
            stack.rm(swarm, coins.name)
        for image in (coins.image(NEW_TAG), *(coins.image("1.0", each) for each in _SERVICES)):
            with suppress(LabError):  # no update gave it
                swarm.delete(f"/images/{image}")


def _run(coins: Coins) -> bool:
    return coins.swarm.snapshot(coins.worker).running_by_tag().total() == _REPLICAS
