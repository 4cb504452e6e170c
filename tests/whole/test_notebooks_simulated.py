"""Every notebook runs from top to bottom on the simulated engine, and says the same there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit import lessons
from labkit.engines import ports
from labkit.lessons import checks
from tests.whole import books
from tests.whole.books import Ran
from tests.whole.labs import SPEED, free_ports

pytestmark = pytest.mark.timeout(600)

#: Two learners share the work, each with an engine of their own: any notebook may be begun
#: with, and most of the time is spent waiting.
_SHARES = (("00", "01", "04"), ("02", "03", "05"))


def learner(folder: Path) -> dict[str, str]:
    """Return what makes somebody a learner with a simulated engine in this folder."""
    found = zip(ports.WANTED, map(str, free_ports(len(ports.WANTED))), strict=True)
    own = {
        "DOCKER_CONFIG": str(folder / "docker"),
        "LABKIT_HOME": str(folder),
        "LABKIT_ENGINE": "simulated",
        "LABKIT_SPEED": f"{SPEED:g}",
        "LABKIT_STACK": "dc",
        "LABKIT_DOCKER_ID": "lab",
    }
    nothing = dict.fromkeys(("DOCKER_HOST", "DOCKER_CONTEXT", "LABKIT_PYTHON_IMAGE"), "")
    return nothing | own | dict(found)


def labkit(env: dict[str, str], *words: str) -> None:
    """Run a labkit command as that learner."""
    command = [sys.executable, "-m", "labkit", *words]
    done = subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Ran]]:
    """All notebooks, as learners go through them after `labkit lab`."""
    homes = [tmp_path_factory.mktemp("lab") for _ in _SHARES]
    envs = [learner(home) for home in homes]
    try:
        for home, env in zip(homes, envs, strict=True):
            labkit(env, "up")
            for copied in (home / "lab").glob("*.ipynb"):
                copied.unlink()  # in favour of one with the outputs that are compared
        with ThreadPoolExecutor(len(_SHARES)) as pool:
            ran = pool.map(books.run_version, ["learner"] * len(_SHARES), homes, envs, _SHARES)
            yield list(ran)
    finally:
        for env in envs:
            labkit(env, "down", "--all")


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(runs: list[Ran], step: lessons.Step) -> None:
    (ran,) = (each for each in runs if step.notebook in each.cells)

    assert not ran.fine(step), ran.fine(step)
    exercises = [name for name, each in checks.EXERCISES.items() if each.step == step.number]
    assert ran.outcomes(step) == dict.fromkeys(exercises, "not attempted")
    assert ran.misread(step) == {}
