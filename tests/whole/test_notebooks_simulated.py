"""Every notebook runs from top to bottom on the simulated engine, and says the same there."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from labkit import lessons
from tests.whole.books import Begun, Learner, Ran, chosen
from tests.whole.labs import learner_simulated

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.timeout(600)]

#: Two learners share the work, each with an engine of their own: any notebook may be begun
#: with, and most of the time is spent waiting.
_SHARES = (("00", "01", "04"), ("02", "03", "05"))


def labkit(env: Mapping[str, str], *words: str) -> None:
    """Run a labkit command as that learner."""
    command = [sys.executable, "-m", "labkit", *words]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All notebooks, as learners go through them after `labkit lab`."""
    shares = chosen(request.session, request.path, _SHARES)
    homes = [tmp_path_factory.mktemp("lab") for _ in shares]
    learners = [
        Learner(home, learner_simulated(home), share)
        for home, share in zip(homes, shares, strict=True)
    ]
    try:
        for learner in learners:
            labkit(learner.env, "up")
            for copied in (learner.home / "lab").glob("*.ipynb"):
                copied.unlink()  # in favour of one with the outputs that are compared
        with Begun.by(learners, "learner") as begun:
            yield begun.ran()
    finally:
        for learner in learners:
            labkit(learner.env, "down", "--all")


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(ran: Ran, step: lessons.Step) -> None:
    ran.require(step, "not attempted")
