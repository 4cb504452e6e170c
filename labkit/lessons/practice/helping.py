"""Hints and solutions: a ladder that ends just before the answer, and the answer itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from labkit.base import settings
from labkit.base.errors import LabError
from labkit.lessons.checks import Exercise
from labkit.lessons.notebooks import cells
from labkit.lessons.practice import activity_log, exercise_session
from labkit.swarm.client import Swarm


@dataclass(frozen=True, slots=True)
class Hint:
    """One rung of the ladder."""

    #: What can be said about how things stand right now; `""` if nothing.
    notice: str
    text: str
    #: Which hint it is, of how many; the last one stays.
    rung: int
    of: int

    def __str__(self) -> str:
        notice = f"{self.notice}\n" if self.notice else ""
        return f"{notice}Hint {self.rung} of {self.of}: {self.text}"


@dataclass(frozen=True, slots=True)
class Solution:
    """A way to do an exercise, with its reasons; others count as well."""

    title: str
    #: Its cells in their order: words in Markdown, and code.
    cells: tuple[tuple[Literal["markdown", "code"], str], ...]

    def __str__(self) -> str:
        return "\n\n".join([f"A solution of {self.title}:", *(text for _, text in self.cells)])


def hint(swarm: Swarm | None, exercise: Exercise) -> Hint:
    """Return the next hint. Beginning the exercise anew begins the ladder anew.

    An exercise about a shipped recording needs no swarm.
    """
    folder = exercise_session.begun(exercise)
    notice = exercise.notice(exercise_session.evidence(swarm, exercise, folder)) if folder else ""
    before = activity_log.last(exercise, "began", "hinted")
    taken = before.rung if before and before.kind == "hinted" else 0
    of = len(exercise.hints)
    rung = min(taken + 1, of)
    activity_log.note(exercise, "hinted", rung=rung)
    return Hint(notice, exercise.hints[rung - 1], rung, of)


def solution(exercise: Exercise) -> Solution:
    """Return the solution: the cells of the notebook that are tagged `solution` and its name.

    Whoever teaches writes it there, in JupyterLab; a learner's copy is without it.
    """
    found = tuple(_cells(exercise))
    if not found:
        raise LabError(
            f"a solution of {exercise.name} in the notebooks.",
            f"no cell is tagged both `solution` and `{exercise.name}`.",
            f"look at {settings.lesson_files() / 'notebooks'}: cells may have lost their tags.",
        )
    activity_log.note(exercise, "solved")
    return Solution(exercise.title, found)


def _cells(exercise: Exercise) -> Iterator[tuple[Literal["markdown", "code"], str]]:
    for path in sorted((settings.lesson_files() / "notebooks").glob("*.ipynb")):
        for cell in cells.read(path)["cells"]:
            if cells.is_solution(cell) and cells.has(cell, exercise.name):
                yield ("code" if cells.is_code(cell) else "markdown"), cells.text(cell)
