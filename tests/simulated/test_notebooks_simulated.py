"""Every notebook runs from top to bottom on the simulated engine, and says the same there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labkit import checks, lab, lessons
from tests import books
from tests.books import Ran
from tests.simulated.labs import home

pytestmark = pytest.mark.timeout(600)

#: All of them together may take so many seconds.
_TOGETHER = 120


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All notebooks, one after the other, as a learner goes through them after `labkit lab`."""
    with home(tmp_path_factory.mktemp("lab")) as folder:
        lab.up()
        for copied in (folder / "lab").glob("*.ipynb"):
            copied.unlink()  # in favour of one with the outputs that are compared
        yield books.run_version("learner", folder)


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(ran: Ran, step: lessons.Step) -> None:
    assert not ran.fine(step), ran.fine(step)
    exercises = [name for name, each in checks.EXERCISES.items() if each.step == step.number]
    assert ran.outcomes(step) == dict.fromkeys(exercises, "not attempted")
    assert ran.misread(step) == {}


def test_all_of_them_together_take_less_than_two_minutes(ran: Ran) -> None:
    assert ran.seconds < _TOGETHER
