"""Deploying a stack that runs: `labkit stack deploy` beside `docker stack deploy`, in turns."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from benchmarks.coins import Coins, deployed
from benchmarks.report import pair

_ROUNDS = 15
_DOCKER = "docker"


def run() -> None:
    """Deploy the same file again and again with each, and print how long it takes.

    Twice: as a notebook does, by a call, and as a terminal does, by a command. A command
    in Python pays for starting Python and importing the SDK, every time. Beside the command
    stands what starting Python alone takes.
    """
    docker = shutil.which(_DOCKER)
    if docker is None:
        raise SystemExit("this benchmark compares with `docker`; install its command line")
    with deployed() as coins:
        _compare(coins, docker)


def _compare(coins: Coins, docker: str) -> None:
    words = ["stack", "deploy", "-c", str(coins.file), coins.name]
    mine = [sys.executable, "-m", "labkit", *words]
    run = partial(_run, environment=coins.environment)
    run(mine)  # what it needs is compiled by then
    calls, commands, bare, others = [], [], [], []
    for _ in range(_ROUNDS):
        calls.append(_timed(coins.deploy))
        commands.append(_timed(lambda: run(mine)))
        bare.append(_timed(lambda: run([sys.executable, "-c", "pass"])))
        others.append(_timed(lambda: run([docker, *words])))
    what = "deploying the running stack again"
    pair(f"{what}, labkit.deploy()", calls, others, "s", _DOCKER)
    pair(f"{what}, the command", commands, others, "s", _DOCKER)
    pair("starting Python, beside that", bare, others, "s", _DOCKER)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _run(words: list[str], environment: dict[str, str]) -> None:
    subprocess.run(words, env=environment, check=True, capture_output=True)
