"""What could go wrong silently in a notebook is made to go wrong, and must fail under nbval."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from labkit.lessons import checks
from tests.whole.books import CELL_SECONDS, SHOWN, run


def test_there_are_exercises_and_questions() -> None:
    """Else the tests of the notebooks would find nothing to complain about."""
    assert len(checks.EXERCISES) >= 8
    assert SHOWN.keys() == checks.QUESTIONS.keys()
    assert all(checks.QUESTIONS[name].choice(key) for name, key in SHOWN.items())


def written(folder: Path, *cells: str) -> Path:
    """Write a notebook of these code cells; each has "expected" stored as what it printed."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    for cell in book.cells:
        cell.execution_count = 1  # without one, nbval compares nothing
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="expected")]
    path = folder / "made.ipynb"
    nbformat.write(book, path)
    return path


WATCHED = """
from tests.recordings.test_recorder import BEFORE, DONE, Scripted
from labkit.recordings.recorder import Recorder
from labkit.views import Watch
"""


@pytest.mark.parametrize(
    ("what", "cells", "says"),
    [
        (
            "an update that silently did not happen",
            [
                f"{WATCHED}\nview = Watch(Recorder(Scripted(BEFORE), 'dc_worker').start())\nview",
                "view.wait_for_replicas('1.1', 10, timeout=1)",
            ],
            "NotSettled",
        ),
        (
            "a recorder that died",
            [
                f"{WATCHED}\nsource = Scripted(BEFORE, ZeroDivisionError('broken'))\n"
                "view = Watch(Recorder(source, 'dc_worker').start())\nview",
                "view.wait(timeout=5)",
            ],
            "ZeroDivisionError",
        ),
        (
            "an output that is another",
            ["# NBVAL_CHECK_OUTPUT\nprint('phases: paused')"],
            "Cell outputs differ",
        ),
        ("a hung kernel", ["import time\ntime.sleep(3600)"], "Timeout"),
        ("a dead kernel", ["import os\nos._exit(1)"], "the kernel died"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_goes_wrong_silently_fails(
    tmp_path: Path, what: str, cells: list[str], says: str
) -> None:
    seconds = 5 if says == "Timeout" else CELL_SECONDS  # a kernel may be slow to import

    ran = run(written(tmp_path, *cells), cell_seconds=seconds)

    assert ran.returncode == 1, f"{what} passed:\n{ran.stdout}"
    assert says in ran.stdout
