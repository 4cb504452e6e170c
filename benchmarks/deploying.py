"""Deploying a stack that runs: `labkit stack deploy` beside `docker stack deploy`, in turns."""

from __future__ import annotations

import io
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.report import pair
from labkit import engines, lessons, settings, stack
from labkit.swarm import Swarm

_ROUNDS = 7


def run() -> None:
    """Deploy the same file seven times with each, and print the median times.

    Twice: as a notebook does, by a call, and as a terminal does, by a command. A command
    in Python pays for starting Python and importing the SDK, every time.
    """
    swarm = engines.connect()
    step = lessons.find(0)
    with redirect_stdout(io.StringIO()):
        lessons.reset(swarm, step)
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("this benchmark compares with `docker`; install its command line")
    file = step.folder / "docker-compose.yml"
    compose = settings.compose_environment()
    environment = os.environ | compose | {"DOCKER_HOST": swarm.url}
    mine = [sys.executable, "-m", "labkit", "stack", "deploy", "-c", str(file), step.stack]
    theirs = [docker, "stack", "deploy", "-c", str(file), step.stack]
    calls, commands, others = [], [], []
    for _ in range(_ROUNDS):
        calls.append(_timed(lambda: _deploy(swarm, file, step.stack, compose)))
        commands.append(_timed(lambda: _run(mine, environment)))
        others.append(_timed(lambda: _run(theirs, environment)))
    docker_took = statistics.median(others)
    what = "deploying the running stack again"
    pair(f"{what}, labkit.deploy()", statistics.median(calls), docker_took, "s", "docker")
    pair(f"{what}, the command", statistics.median(commands), docker_took, "s", "docker")


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _deploy(swarm: Swarm, file: Path, name: str, environment: dict[str, str]) -> None:
    with redirect_stdout(io.StringIO()):
        stack.deploy(swarm, [file], name, env=environment)


def _run(words: list[str], environment: dict[str, str]) -> None:
    subprocess.run(words, env=environment, check=True, capture_output=True)
