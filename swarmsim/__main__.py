"""`python -m swarmsim --socket PATH`: a simulated engine, until it is told to end."""

import asyncio
import logging
import secrets
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from swarmsim.doors.server import run
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import CannotServe
from swarmsim.runtime.processes import Processes

_SPEED = click.FloatRange(0, 10_000, min_open=True)


@click.command(help=__doc__)
@click.option("--socket", "path", required=True, type=click.Path(path_type=Path))
@click.option("--speed", default=1.0, type=_SPEED, help="How many times as fast as the wall's.")
@click.option("--seed", type=int, help="Makes runs that are alike: ids, random order.")
@click.option("--nodes", default=1, type=click.IntRange(1, 100), help="Nodes of the swarm.")
@click.option("--no-swarm", is_flag=True, help="Begin outside of any swarm.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Where images are kept."
)
@click.option(
    "--sleep-after",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Halt the tasks' processes when nobody has used them for so long, until somebody does.",
)
def main(
    path: Path,
    speed: float,
    seed: int | None,
    nodes: int,
    no_swarm: bool,
    data: Path | None,
    sleep_after: float | None,
) -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # a folder of its own only if none was named: a server that is killed would leave it
    place = nullcontext(data) if data else TemporaryDirectory(prefix="swarmsim-")
    try:
        with place as folder:
            made = _made(Path(folder))
            # nothing of an earlier server runs in this one: unasked, nothing has the same id
            seed = secrets.randbits(32) if seed is None else seed
            runtime = partial(Processes, sleep_after=sleep_after)
            engine = Engine(made, runtime, speed=speed, seed=seed, nodes=nodes)
            asyncio.run(run(engine, path, swarm=not no_swarm))
    except CannotServe as problem:
        click.echo(problem, err=True)
        sys.exit(1)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CannotServe(
            f"The folder {folder} cannot be made: {problem.strerror}. "
            "Choose a --data that you can write to."
        ) from None
    return folder


if __name__ == "__main__":
    main()
