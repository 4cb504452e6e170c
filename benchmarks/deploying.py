"""Deploying a stack that runs: `labkit stack deploy` beside `docker stack deploy`, in turns."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.coins import Coins, deployed
from benchmarks.report import pair

_ROUNDS = 15
_DOCKER = "docker"


class _Cost(NamedTuple):
    """What one deploy takes, in milliseconds."""

    clock: float
    processor: float


def run() -> None:
    """Deploy the same file again and again with each, and print how long it takes.

    Twice: as a notebook does, by a call, and as a terminal does, by a command. A command
    in Python pays for starting Python and importing what it needs, every time. Beside the
    command stands what starting Python alone takes, and with click, which reads its words.
    """
    docker = shutil.which(_DOCKER)
    if docker is None:
        raise SystemExit("this benchmark compares with `docker`; install its command line")
    with deployed() as coins:
        _compare(coins, docker)


def _compare(coins: Coins, docker: str) -> None:
    words = ["stack", "deploy", "-c", str(coins.file), coins.name]
    command = [str(Path(sys.executable).with_name("labkit")), *words]  # `python -m` is slower
    bare, click = ([sys.executable, "-c", code] for code in ("pass", "import click"))
    _run(command, coins)  # what it needs is compiled by then
    rounds = [
        (
            _called(coins),
            *(_run(each, coins) for each in (command, bare, click, [docker, *words])),
        )
        for _ in range(_ROUNDS)
    ]
    calls, commands, bares, clicks, others = zip(*rounds, strict=True)
    for what, costs in (
        ("labkit.deploy()", calls),
        ("the command (wanted: 3)", commands),
        ("starting Python, beside that", bares),
        ("starting Python with click", clicks),
    ):
        _print(f"deploying again, {what}", costs, others, "clock")
    _print("deploying again, processor time", commands, others, "processor")


def _print(what: str, costs: Sequence[_Cost], others: Sequence[_Cost], of: str) -> None:
    mine, theirs = ([getattr(each, of) for each in one] for one in (costs, others))
    pair(what, mine, theirs, "ms", _DOCKER)


def _called(coins: Coins) -> _Cost:
    began = time.perf_counter(), time.process_time()
    coins.deploy()
    return _Cost((time.perf_counter() - began[0]) * 1000, (time.process_time() - began[1]) * 1000)


def _run(words: list[str], coins: Coins) -> _Cost:
    began = time.perf_counter()
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(words, env=coins.environment, stdout=nowhere, stderr=nowhere)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{words} failed")
    return _Cost((time.perf_counter() - began) * 1000, (used.ru_utime + used.ru_stime) * 1000)
