"""How soon `make lab` is ready when everything has been made before, beside `jupyter lab` alone.

Seconds count from the command until JupyterLab gives out its page. The lab has a home and a stack
of its own, which the first start makes; that one is not counted.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import pair
from tests.waiting import until
from tests.whole.labs import free_ports

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 3


def run() -> None:
    """Start both in turn, and print how long it takes."""
    plain = [sys.executable, "-m", "jupyter", "lab", "--allow-root"]
    with TemporaryDirectory() as folder:
        own = {"LABKIT_HOME": folder, "LABKIT_STACK": f"bench{secrets.token_hex(3)}"}
        environment = os.environ | own
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            _lab(environment)
            rounds = [
                (_lab(environment), _ready(plain, environment, folder)) for _ in range(_ROUNDS)
            ]
        finally:
            down = [sys.executable, "-m", "labkit", "down"]
            subprocess.run(down, check=True, env=environment, capture_output=True)
    labs, others = zip(*rounds, strict=True)
    pair("make lab again, to a page (wanted: 4 s)", labs, others, "s", "jupyter lab")


def _lab(environment: Mapping[str, str]) -> float:
    return _ready(["make", "lab"], environment, _ROOT)


def _ready(command: Sequence[str], environment: Mapping[str, str], folder: Path | str) -> float:
    """Return after how many seconds a server gives out its page; end it."""
    (port,) = free_ports(1)
    words = ["--no-browser", f"--port={port}", "--IdentityProvider.token=bench"]
    if command[0] == "make":
        words = [f"ARGS={' '.join(words)}"]
    nowhere = subprocess.DEVNULL
    began = time.perf_counter()
    server = subprocess.Popen(
        [*command, *words],
        cwd=folder,
        env=environment,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )

    def answers() -> bool:
        assert server.poll() is None, f"{command} has ended"
        with suppress(OSError), urllib.request.urlopen(address) as page:
            return bool(page.status == 200)
        return False

    address = f"http://localhost:{port}/lab?token=bench"
    try:
        until(answers, "JupyterLab's page", 120)
        return time.perf_counter() - began
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
