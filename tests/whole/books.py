"""Running notebooks under nbval, in shares side by side, and what came of them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree

import pytest

from labkit import lessons
from labkit.base import settings
from labkit.base.jobs import PATIENCE
from labkit.lessons import checks
from labkit.lessons.journal import Event, Journal
from labkit.lessons.notebooks import building
from labkit.lessons.notebooks.versions import VersionName

#: A hung kernel is noticed by this alone; waits in the notebooks end a little sooner.
CELL_SECONDS = PATIENCE + 10

#: What the recording of the lesson shows to each question, on any engine.
SHOWN = {
    "scale-touched": "none",
    "rolling-missing": "one",
    "rolling-order": "any",
    "rolling-completed": "window",
    "pairs-completed": "later",
    "pairs-batches": "goes-on",
    "parallelism-zero": "none",
    "no-delay": "every",
    "bugged-slots": "two",
    "budget": "two",
    "which-flags": "action",
    "rollback-again": "refused",
    "stack-rm": "together",
    "redeploy-new": "none",
    "twelve-new": "two",
}
#: What chance may show instead.
_OR = {
    "rolling-order": {"ascending", "descending"}  # one in ten times nine times eight …
}


@dataclass(frozen=True)
class Ran:
    """What came of notebooks, by their names."""

    #: How many cells of each were run, and what went wrong in them.
    cells: dict[str, int]
    wrong: dict[str, list[str]]
    #: What the learners' journals hold afterwards.
    events: list[Event]

    def require(self, step: lessons.Step, outcome: str) -> None:
        """Fail unless a notebook ran, its exercises came to this, its questions to the lesson's."""
        assert self.cells.get(step.notebook), f"no cell of {step.notebook} was run"
        wrong = "\n\n".join(self.wrong[step.notebook])[-8000:]
        assert not wrong, wrong
        exercises = [name for name, each in checks.EXERCISES.items() if each.step == step.number]
        typed = [name for name, each in checks.TYPED.items() if each.step == step.number]
        came_to = dict.fromkeys(exercises, outcome) | dict.fromkeys(typed, "passed")
        assert self.outcomes(step) == came_to
        assert self.misread(step) == {}

    def outcomes(self, step: lessons.Step) -> dict[str, str]:
        """Return how each exercise of a notebook was found when it was last checked."""
        of_step = (e for e in self.events if e.kind == "checked" and e.step == step.number)
        return {event.name: event.outcome for event in of_step}

    def misread(self, step: lessons.Step) -> dict[str, str]:
        """Return what recordings showed to the questions of a notebook, if it is not the lesson's.

        A question that was never compared is there with what it should have shown.
        """
        compared = {e.name: e.answer for e in self.events if e.kind == "compared"}
        asked = [name for name, each in checks.QUESTIONS.items() if each.step == step.number]
        return {
            name: compared.get(name, f"not compared: {SHOWN[name]}")
            for name in asked
            if compared.get(name) not in {SHOWN[name], *_OR.get(name, ())}
        }


def begin(
    *notebooks: Path,
    cell_seconds: int = CELL_SECONDS,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Begin to run notebooks under nbval, each cell of them, in the folder in which they are.

    What is printed is in a file `said` there.
    """
    folder = notebooks[0].parent
    words = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    words += [f"--nbval-cell-timeout={cell_seconds}", "-p", "no:cacheprovider"]
    words += ["-p", "nbval.plugin", "-p", "tests.whole.dead_kernels"]
    words += ["-c", os.devnull, f"--rootdir={folder}", *options, *map(str, notebooks)]
    # other plugins are of no use there, and take seconds to load
    own = {"PYTHONPATH": str(settings.SOURCE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **(env or {}), **own},
            stdout=said,
            stderr=subprocess.STDOUT,
        )


def chosen(session: pytest.Session, path: Path, shares: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the shares with the notebooks that the chosen tests of a file ask for."""
    of_file = (item for item in session.items if item.path == path)
    names = {item.callspec.params["step"].notebook[:2] for item in of_file}  # type: ignore[attr-defined]
    found = ([name for name in share if name in names] for share in shares)
    return [share for share in found if share]


@dataclass(frozen=True)
class Learner:
    """Somebody with a home and an environment, and the notebooks that they go through."""

    home: Path
    env: Mapping[str, str]
    names: Sequence[str]

    def begin(self, version: VersionName) -> subprocess.Popen[bytes]:
        """Build notebooks into the learner's folder, and begin to run them in their order."""
        sources = settings.lesson_files() / "notebooks"
        done = building.build(version, sources, self.home / "lab", self.names, keep_outputs=True)
        books = [each.path for each in done if each.path.suffix == ".ipynb"]
        own = {**self.env, "LABKIT_HOME": str(self.home)}
        return begin(*books, options=[f"--junitxml={self.home / 'report.xml'}"], env=own)

    def ran(self) -> Ran:
        """Return what came of the notebooks, when they have run."""
        report = self.home / "report.xml"
        assert report.exists(), (self.home / "lab" / "said").read_text()
        events = Journal(self.home / ".labkit" / "progress.jsonl").events()
        return Ran(*read(report), events)


@dataclass(frozen=True)
class Begun:
    """Learners who are at work side by side: they mostly wait."""

    learners: Sequence[Learner]
    processes: Sequence[subprocess.Popen[bytes]]

    @classmethod
    @contextmanager
    def by(cls, learners: Sequence[Learner], version: VersionName) -> Iterator[Self]:
        """Begin, and end with what is not done by the end of this."""
        with ExitStack() as exits:
            processes = [exits.enter_context(each.begin(version)) for each in learners]
            for each in processes:
                exits.callback(each.kill)
            yield cls(learners, processes)

    def ran(self) -> Ran:
        """Wait until all are done, and return what came of it."""
        for each in self.processes:
            each.wait()
        rans = [learner.ran() for learner in self.learners]
        cells = {name: count for ran in rans for name, count in ran.cells.items()}
        wrong = {name: found for ran in rans for name, found in ran.wrong.items()}
        return Ran(cells, wrong, [event for ran in rans for event in ran.events])


def read(report: Path) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return how many cells of each notebook were run, and what went wrong in them."""
    cells: dict[str, int] = {}
    wrong: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        notebook = case.attrib["classname"].split(".")[0]
        cells[notebook] = cells.get(notebook, 0) + 1
        wrong.setdefault(notebook, []).extend(
            problem.text or "" for kind in ("failure", "error") for problem in case.iter(kind)
        )
    return cells, wrong
