"""Deploying a stack that runs: `labkit stack deploy` beside `docker stack deploy`, in turns."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time

from benchmarks.report import pair
from labkit import engines, lessons, settings

_ROUNDS = 7


def run() -> None:
    """Deploy the same file seven times with each, and print the median times."""
    swarm = engines.connect()
    step = lessons.find(0)
    lessons.reset(swarm, step)
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("this benchmark compares with `docker`; install its command line")
    file = str(step.folder / "docker-compose.yml")
    environment = os.environ | settings.compose_environment() | {"DOCKER_HOST": swarm.url}
    mine = [sys.executable, "-m", "labkit", "stack", "deploy", "-c", file, step.stack]
    theirs = [docker, "stack", "deploy", "-c", file, step.stack]
    times: dict[str, list[float]] = {"labkit": [], "docker": []}
    for _ in range(_ROUNDS):
        times["labkit"].append(_seconds(mine, environment))
        times["docker"].append(_seconds(theirs, environment))
    pair(
        "deploying the running stack again, median",
        statistics.median(times["labkit"]),
        statistics.median(times["docker"]),
        "s",
        "docker",
    )


def _seconds(words: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(words, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began
