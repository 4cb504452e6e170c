"""Every notebook runs from top to bottom on the simulated engine, and says the same there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labkit import lab, lessons, settings
from tests.simulated.labs import home
from tests.test_notebooks import run

pytestmark = pytest.mark.timeout(600)

#: All of them together may take so many seconds.
_TOGETHER = 120


@dataclass(frozen=True)
class Ran:
    """What came of the cells: how many there were of each notebook, and what went wrong."""

    seconds: float
    cells: dict[str, int]
    wrong: dict[str, list[str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """All notebooks, one after the other, as a learner goes through them after `labkit lab`."""
    with home(tmp_path_factory.mktemp("lab")) as folder:
        lab.up()
        for notebook in (settings.checkout() / "notebooks").glob("*.ipynb"):
            shutil.copy(notebook, settings.workspace())  # with the outputs that are compared
        books = [settings.workspace() / f"{step.notebook}.ipynb" for step in lessons.STEPS]
        report = folder / "report.xml"
        began = time.monotonic()
        said = run(*books, options=[f"--junitxml={report}"])
        seconds = time.monotonic() - began
        assert report.exists(), said.stdout + said.stderr
        yield _read(report, seconds)


def _read(report: Path, seconds: float) -> Ran:
    cells: dict[str, int] = {}
    wrong: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        notebook = case.attrib["classname"].split(".")[0]
        cells[notebook] = cells.get(notebook, 0) + 1
        wrong.setdefault(notebook, []).extend(
            problem.text or "" for kind in ("failure", "error") for problem in case.iter(kind)
        )
    return Ran(seconds, cells, wrong)


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(ran: Ran, step: lessons.Step) -> None:
    assert ran.cells[step.notebook] > 0
    assert not ran.wrong[step.notebook], "\n\n".join(ran.wrong[step.notebook])[-8000:]


def test_all_of_them_together_take_less_than_two_minutes(ran: Ran) -> None:
    assert ran.seconds < _TOGETHER
