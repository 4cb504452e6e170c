"""The notebooks of the lesson as they are in the repository."""

import ast
import re
import symtable

import nbformat
import pytest

from labkit import lessons
from labkit.base import settings
from labkit.lessons import checks
from labkit.lessons.notebooks import cells, checking, minutes, versions

each_step = pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)


@each_step
def test_nothing_is_wrong_in_a_source(step: lessons.Step) -> None:
    """As `labkit notebooks check` says, and the hook before a commit."""
    path = settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb"

    found = checking.problems(
        step.notebook,
        cells.read(path),
        exercises=checks.EXERCISES | checks.TYPED,
        questions=checks.QUESTIONS,
    )

    assert [str(problem) for problem in found] == []


@each_step
def test_the_minutes_of_a_notebook_are_the_same_in_its_notes_its_first_cell_and_the_readme(step):
    """Those of the exercises are stated apart."""
    book = cells.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb")["cells"]
    exercises = sum(
        minutes.total(inside)
        for heading, inside in minutes.sections(book)
        if heading.text.startswith("## Exercise")
    )
    noted = [minutes.total(book) - exercises, *([exercises] if exercises else [])]

    first = re.findall(r"\d+(?= minutes| for )", cells.text(book[0]))
    readme = (settings.SOURCE / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| {step.number} · "))
    stated = re.findall(r"(?<=\| )\d+(?= \|)|\d+(?= min)", row)

    assert [int(each) for each in first] == noted
    assert [int(each) for each in stated] == noted


@each_step
def test_what_a_notebook_imports_is_there(step: lessons.Step) -> None:
    book = nbformat.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb", 4)

    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        lines = ast.parse(cell.source).body
        imports: list[ast.stmt] = [
            line for line in lines if isinstance(line, ast.Import | ast.ImportFrom)
        ]
        exec(compile(ast.Module(imports, []), step.notebook, "exec"))


@each_step
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


@each_step
def test_a_run_of_the_instructors_version_runs_all_cells_of_the_others(step: lessons.Step) -> None:
    """The same code, in the same order, compared with the same outputs; it adds the solutions."""
    source = cells.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb")
    learner, instructor, slides = (
        [
            (cell["source"], cell["outputs"], cells.is_solution(cell))
            for cell in versions.build(version, source, keep_outputs=True).book["cells"]
            if cells.is_code(cell)
        ]
        for version in ("learner", "instructor", "slides")
    )

    assert learner == slides == [cell for cell in instructor if not cell[2]]


@each_step
def test_each_cell_runs_after_the_kernel_was_restarted_before_it(step: lessons.Step) -> None:
    """It takes only what it assigns itself, and what `labkit.resume()` gives: imports and four."""
    path = settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb"
    again = {"step", "swarm", "view", "recording", *_names(cells.imports(path))[1]}
    assigned: set[str] = set()
    for cell in filter(cells.is_code, cells.read(path)["cells"]):
        code = cells.text(cell)
        used, given = _names(code)
        assert not (used - given) & (assigned - again), code
        assigned |= given
        if re.search(r"labkit\.(watch|record|exercise)\(", code):
            again -= {"view", "recording"} - given  # they are given back of this one
        again |= given & {"view", "recording"}


def _names(code: str) -> tuple[set[str], set[str]]:
    """Return the names of a notebook that a cell takes, and those that it assigns or imports."""
    used, given = set(), set()
    tables = [symtable.symtable(code, "cell", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for name in table.get_symbols():
            outside = table.get_type() == "module"
            if name.is_referenced() and (outside or name.is_global()):
                used.add(name.get_name())
            if outside and (name.is_assigned() or name.is_imported()):
                given.add(name.get_name())
    return used, given
