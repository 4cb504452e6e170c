"""What could go wrong silently in a notebook is made to go wrong, and must fail under nbval."""

from pathlib import Path

import nbformat
import pytest

from labkit.lessons import checks
from tests.whole.books import CELL_SECONDS, SHOWN, begin, read


def test_there_are_exercises_and_questions() -> None:
    """Else the tests of the notebooks would find nothing to complain about."""
    assert len(checks.EXERCISES) >= 8
    assert SHOWN.keys() == checks.QUESTIONS.keys()
    assert all(checks.QUESTIONS[name].choice(key) for name, key in SHOWN.items())


def write(path: Path, *cells: str) -> Path:
    """Write a notebook of these code cells; each has "expected" stored as what it printed."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    for cell in book.cells:
        cell.execution_count = 1  # without one, nbval compares nothing
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="expected")]
    nbformat.write(book, path)
    return path


WATCHED = """
from tests.recordings.test_recorder import BEFORE, DONE, Scripted
from labkit.recordings.recorder import Recorder
from labkit.views import Watch
"""


#: What goes wrong in a notebook: its cells, and what nbval must say of one of them.
WRONG = {
    "an update that silently did not happen": (
        [
            f"{WATCHED}\nview = Watch(Recorder(Scripted(BEFORE), 'dc_worker').start())\nview",
            "view.wait_for_replicas('1.1', 10, timeout=1)",
        ],
        "NotSettled",
    ),
    "a recorder that died": (
        [
            f"{WATCHED}\nsource = Scripted(BEFORE, ZeroDivisionError('broken'))\n"
            "view = Watch(Recorder(source, 'dc_worker').start())\nview",
            "view.wait(timeout=5)",
        ],
        "ZeroDivisionError",
    ),
    "an output that is another": (
        ["# NBVAL_CHECK_OUTPUT\nprint('phases: paused')"],
        "Cell outputs differ",
    ),
    "a dead kernel": (["import os\nos._exit(1)"], "the kernel died"),
    "a hung kernel": (["import time\ntime.sleep(3600)"], "Timeout"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What was found wrong in each notebook; the last runs beside the others."""
    folder = tmp_path_factory.mktemp("books")
    *books, hung = (
        write(folder / f"{what.replace(' ', '-')}.ipynb", *cells)
        for what, (cells, _) in WRONG.items()
    )
    # a kernel may be slow to import, and one that hangs need not be waited for as long
    runs = {folder / "books.xml": (books, CELL_SECONDS), folder / "hung.xml": ([hung], 5)}
    begun = [
        begin(*some, cell_seconds=seconds, options=[f"--junitxml={report}"])
        for report, (some, seconds) in runs.items()
    ]
    assert [each.wait() for each in begun] == [1, 1], (folder / "said").read_text()
    return {name: wrong for report in runs for name, wrong in read(report)[1].items()}


@pytest.mark.engine
@pytest.mark.long
@pytest.mark.parametrize("what", WRONG)
def test_what_goes_wrong_silently_fails(found: dict[str, list[str]], what: str) -> None:
    _, says = WRONG[what]
    assert says in "".join(found[what.replace(" ", "-")])
