"""Running notebooks under nbval, all of a version in one go, and what came of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from labkit import lessons
from labkit.base import settings
from labkit.lessons import checks
from labkit.lessons.journal import Event, Journal
from labkit.lessons.notebooks import building
from labkit.lessons.notebooks.versions import VersionName

#: A hung kernel is noticed by this alone; waits in the notebooks end at 50 s.
CELL_SECONDS = 58

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
    "rolling-order": {"ascending", "descending"},  # one in ten times nine times eight …
}


@dataclass(frozen=True)
class Ran:
    """What came of the notebooks of a version, by their names."""

    #: How many cells of each were run, and what went wrong in them.
    cells: dict[str, int]
    wrong: dict[str, list[str]]
    #: What the learner's journal holds afterwards.
    events: list[Event]

    def fine(self, step: lessons.Step) -> str:
        """Return what went wrong in a notebook, or `""`."""
        if not self.cells.get(step.notebook):
            return f"no cell of {step.notebook} was run"
        return "\n\n".join(self.wrong[step.notebook])[-8000:]

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


def run(
    *notebooks: Path,
    cell_seconds: int = CELL_SECONDS,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run notebooks under nbval, each cell of them, in the folder in which they are."""
    folder = notebooks[0].parent
    words = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    words += [f"--nbval-cell-timeout={cell_seconds}", "-p", "no:cacheprovider"]
    words += ["-p", "nbval.plugin", "-p", "tests.whole.dead_kernels"]
    words += ["-c", os.devnull, f"--rootdir={folder}", *options, *map(str, notebooks)]
    # other plugins are of no use there, and take seconds to load
    own = {"PYTHONPATH": str(settings.SOURCE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **(env or {}), **own},
        capture_output=True,
        text=True,
        check=False,
    )


def run_version(
    version: VersionName,
    home: Path,
    env: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> Ran:
    """Build a version of notebooks into a learner's folder, and run one after the other.

    `names` are those to run; without it all of them.
    """
    sources = settings.lesson_files() / "notebooks"
    done = building.build(version, sources, home / "lab", names, keep_outputs=True)
    books = [each.path for each in done if each.path.suffix == ".ipynb"]
    report = home / "report.xml"
    own = {**(env or {}), "LABKIT_HOME": str(home)}
    said = run(*books, options=[f"--junitxml={report}"], env=own)
    assert report.exists(), said.stdout + said.stderr
    events = Journal(home / ".labkit" / "progress.jsonl").events()
    return Ran(*_read(report), events)


def _read(report: Path) -> tuple[dict[str, int], dict[str, list[str]]]:
    cells: dict[str, int] = {}
    wrong: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        notebook = case.attrib["classname"].split(".")[0]
        cells[notebook] = cells.get(notebook, 0) + 1
        wrong.setdefault(notebook, []).extend(
            problem.text or "" for kind in ("failure", "error") for problem in case.iter(kind)
        )
    return cells, wrong
