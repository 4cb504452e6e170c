"""Every notebook runs from top to bottom on a real engine, and says what is true.

nbval runs each cell and compares the outputs of the cells tagged `nbval-check-output`:
states reached, counts by tag, the order of phases. What the exercises came to, and what the
recordings showed to the questions, is read from the journal afterwards. It is the version
with the solutions; the learner's, whose cells are all among its cells
(`tests/lessons/notebooks/test_sources.py`), runs on a simulated engine.
"""

import secrets
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labkit import lessons
from labkit.base import settings
from labkit.swarm import stack
from labkit.swarm.images import images
from tests.conftest import real_swarm
from tests.whole.books import Begun, Learner, Ran, chosen
from tests.whole.labs import learner_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1500)]

#: Three learners share the work; most of their minutes they wait for containers.
_SHARES = (("03", "04"), ("01", "00"), ("02", "05"))


_BEGUN = pytest.StashKey[Begun]()


def begin(session: pytest.Session) -> Begun:
    """Have learners of their own begin with all notebooks: each has a home, a stack, images.

    All of it is gone when pytest ends.
    """
    exits = ExitStack()
    session.config.add_cleanup(exits.close)
    swarm, learners = real_swarm(), []
    for share in chosen(session, Path(__file__), _SHARES):
        name = f"t{secrets.token_hex(3)}"
        exits.callback(images.remove_images, swarm, name)
        exits.callback(stack.rm, swarm, name)
        images.build_all(swarm, name, settings.lesson_files() / "dockercoins")
        home = Path(exits.enter_context(TemporaryDirectory()))
        learners.append(Learner(home, learner_on(swarm, name), share))
    begun = exits.enter_context(Begun.by(learners, "instructor"))
    session.config.stash[_BEGUN] = begun
    return begun


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest) -> Ran:
    """What came of them; they may have begun before all other tests (`conftest.py`)."""
    return (request.config.stash.get(_BEGUN, None) or begin(request.session)).ran()


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_with_its_solutions_runs_from_top_to_bottom(ran: Ran, step: lessons.Step):
    """And its exercises are passed, and its questions come to the lesson's answers."""
    ran.require(step, "passed")
