"""Every notebook runs from top to bottom on a real engine, and says what is true.

nbval runs each cell and compares the outputs of the cells tagged `nbval-check-output`:
states reached, counts by tag, the order of phases. What else could go wrong silently is
made to go wrong here, and must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

from labkit import lessons, settings, workspace

#: A hung kernel is noticed by this alone; waits in the notebooks end at 50 s.
CELL_SECONDS = 58


def run(
    *notebooks: Path, cell_seconds: int = CELL_SECONDS, options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    folder = notebooks[0].parent
    words = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    words += [f"--nbval-cell-timeout={cell_seconds}", "-p", "no:cacheprovider"]
    words += ["-p", "nbval.plugin", "-p", "tests.dead_kernels"]
    words += ["-c", os.devnull, f"--rootdir={folder}", *options, *map(str, notebooks)]
    # other plugins are of no use there, and take seconds to load
    own = {"PYTHONPATH": str(settings.checkout()), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        words,
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's copy, as `labkit lab` makes it."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("LABKIT_HOME", str(home))
        workspace.refresh()
        for notebook in (settings.checkout() / "notebooks").glob("*.ipynb"):
            shutil.copy(notebook, settings.workspace())  # with the outputs that are compared
        yield settings.workspace()


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("coins_images", "swarm")
@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_runs_from_top_to_bottom(lab: Path, step: lessons.Step) -> None:
    ran = run(lab / f"{step.notebook}.ipynb")

    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_stores_the_outputs_that_are_checked_and_no_others(step: lessons.Step) -> None:
    book = nbformat.read(settings.checkout() / "notebooks" / f"{step.notebook}.ipynb", 4)

    checked = 0
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        is_checked = "nbval-check-output" in cell.metadata.get("tags", [])
        checked += is_checked
        assert bool(cell.outputs) == is_checked, cell.source
        # nbval compares nothing in a cell without a count
        assert cell.execution_count == (1 if is_checked else None), cell.source
    assert checked, "a notebook that checks nothing proves nothing"


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
from tests.test_recorder import BEFORE, DONE, Scripted
from labkit.recorder import Recorder
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
    began = time.monotonic()

    ran = run(written(tmp_path, *cells), cell_seconds=8)

    assert ran.returncode == 1, f"{what} passed:\n{ran.stdout}"
    assert says in ran.stdout
    assert time.monotonic() - began < 60
