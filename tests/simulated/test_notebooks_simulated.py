"""Every notebook runs from top to bottom on the simulated engine, and says the same there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit import lab, lessons, settings
from tests.simulated.labs import home
from tests.test_notebooks import run

#: All of them together may take so many seconds.
_TOGETHER = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A learner's folder, and the stack deployed, as `labkit lab` has it."""
    with home(tmp_path_factory.mktemp("lab")):
        lab.up()
        for notebook in (settings.checkout() / "notebooks").glob("*.ipynb"):
            shutil.copy(notebook, settings.workspace())  # with the outputs that are compared
        yield settings.workspace()


@pytest.fixture(scope="module")
def took() -> dict[str, float]:
    """How many seconds each notebook took."""
    return {}


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(
    folder: Path, took: dict[str, float], step: lessons.Step
) -> None:
    began = time.monotonic()
    ran = run(folder / f"{step.notebook}.ipynb")
    took[step.notebook] = time.monotonic() - began

    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


def test_all_of_them_together_take_less_than_two_minutes(took: dict[str, float]) -> None:
    if len(took) < len(lessons.STEPS):
        pytest.skip("they were not all run")

    assert sum(took.values()) < _TOGETHER, took
