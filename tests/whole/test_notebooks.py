"""Every notebook runs from top to bottom on a real engine, and says what is true.

nbval runs each cell and compares the outputs of the cells tagged `nbval-check-output`:
states reached, counts by tag, the order of phases. What the exercises came to, and what the
recordings showed to the questions, is read from the journal afterwards. It is the version
with the solutions; the learner's, whose cells are all among its cells
(`tests/lessons/notebooks/test_sources.py`), runs on a simulated engine.
"""

import secrets
from collections.abc import Iterator

import pytest

from labkit import lessons
from labkit.base import settings
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.whole.books import Learner, Ran, chosen, run_all
from tests.whole.labs import learner_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1500)]

#: Two learners share the work; each of them takes seven to eight minutes.
_SHARES = (("00", "03", "04"), ("01", "02", "05"))


@pytest.fixture(scope="module")
def ran(
    request: pytest.FixtureRequest, swarm: Swarm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ran]:
    """All notebooks, as learners of their own go through them: a home, a stack, images."""
    shares = chosen(request, _SHARES)
    names = [f"t{secrets.token_hex(3)}" for _ in shares]
    try:
        for name in names:
            images.build_all(swarm, name, settings.lesson_files() / "dockercoins")
        learners = [
            Learner(tmp_path_factory.mktemp("learner"), learner_on(swarm, name), share)
            for name, share in zip(names, shares, strict=True)
        ]
        yield run_all("instructor", learners)
    finally:
        for name in names:
            stack.rm(swarm, name)
            images.remove_images(swarm, name)


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_with_its_solutions_runs_from_top_to_bottom(
    ran: Ran, step: lessons.Step
) -> None:
    """And its exercises are passed, and its questions come to the lesson's answers."""
    ran.require(step, "passed")
