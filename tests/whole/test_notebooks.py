"""Every version of every notebook runs from top to bottom on a real engine, and says what is true.

nbval runs each cell and compares the outputs of the cells tagged `nbval-check-output`:
states reached, counts by tag, the order of phases. What the exercises came to, and what the
recordings showed to the questions, is read from the journal afterwards. What else could go
wrong silently is made to go wrong here, and must fail.
"""

from __future__ import annotations

import ast
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from labkit import lessons
from labkit.base import settings
from labkit.lessons import checks
from labkit.lessons.notebooks import cells, checking
from labkit.lessons.notebooks.versions import VERSIONS, VersionName
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.whole import books
from tests.whole.books import SHOWN, Ran, run
from tests.whole.labs import free_ports

#: What the exercises of a version come to: only an instructor's has their solutions.
OUTCOME: dict[VersionName, str] = {
    "learner": "not attempted",
    "instructor": "passed",
    "slides": "not attempted",
}


@pytest.fixture(scope="module")
def versions(
    swarm: Swarm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[VersionName, Future[Ran]]]:
    """All versions, each as a learner of its own goes through them: a home, a stack, images.

    Two at a time: notebooks mostly wait for Swarm, and the one with the solutions takes as
    long as the other two.
    """
    names = {version: f"t{secrets.token_hex(3)}" for version in VERSIONS}
    homes = {version: tmp_path_factory.mktemp(version) for version in VERSIONS}
    for version, docker_id in names.items():
        images.build_all(swarm, docker_id, settings.lesson_files() / "dockercoins")
        assert version in OUTCOME
    with ThreadPoolExecutor(2) as pool:
        in_order: list[VersionName] = ["instructor", "learner", "slides"]
        futures = {
            version: pool.submit(
                books.run_version, version, homes[version], learner(swarm, names[version])
            )
            for version in in_order
        }
        yield futures
    for name in names.values():
        stack.rm(swarm, name)
        images.remove_images(swarm, name)


def learner(swarm: Swarm, name: str) -> dict[str, str]:
    """Return what makes somebody a learner of their own; the home is where they are."""
    ports = ("LABKIT_RNG_PORT", "LABKIT_HASHER_PORT", "LABKIT_WEBUI_PORT")
    found = dict(zip(ports, map(str, free_ports(len(ports))), strict=True))
    return {"DOCKER_HOST": swarm.url, "LABKIT_STACK": name, "LABKIT_DOCKER_ID": name, **found}


@pytest.mark.engine
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
@pytest.mark.parametrize("version", ["learner", "instructor", "slides"])
def test_a_version_runs_from_top_to_bottom(
    versions: dict[VersionName, Future[Ran]], version: VersionName, step: lessons.Step
) -> None:
    """And its exercises come to what they should, and its questions to the lesson's answers."""
    ran = versions[version].result()

    assert not ran.fine(step), ran.fine(step)
    exercises = [name for name, each in checks.EXERCISES.items() if each.step == step.number]
    assert ran.outcomes(step) == dict.fromkeys(exercises, OUTCOME[version])
    assert ran.misread(step) == {}


def test_there_are_exercises_and_questions() -> None:
    """Else the test above would find nothing to complain about."""
    assert len(checks.EXERCISES) >= 8
    assert SHOWN.keys() == checks.QUESTIONS.keys()
    assert all(checks.QUESTIONS[name].choice(key) for name, key in SHOWN.items())


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_nothing_is_wrong_in_a_source(step: lessons.Step) -> None:
    """As `labkit notebooks check` says, and the hook before a commit."""
    path = settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb"

    found = checking.problems(
        step.notebook, cells.read(path), exercises=checks.EXERCISES, questions=checks.QUESTIONS
    )

    assert [str(problem) for problem in found] == []


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_what_a_notebook_imports_is_there(step: lessons.Step) -> None:
    book = nbformat.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb", 4)

    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        lines = ast.parse(cell.source).body
        imports: list[ast.stmt] = [
            line for line in lines if isinstance(line, ast.Import | ast.ImportFrom)
        ]
        exec(compile(ast.Module(imports, []), step.notebook, "exec"))


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_a_notebook_stores_the_outputs_that_are_checked_and_no_others(step: lessons.Step) -> None:
    book = nbformat.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb", 4)

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
    seconds = 5 if says == "Timeout" else books.CELL_SECONDS  # a kernel may be slow to import

    ran = run(written(tmp_path, *cells), cell_seconds=seconds)

    assert ran.returncode == 1, f"{what} passed:\n{ran.stdout}"
    assert says in ran.stdout
