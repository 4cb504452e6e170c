"""What is made of the notebooks' sources, and what is wrong in a source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labkit.base import echo, settings
from labkit.base.errors import LabError
from labkit.cli.base import main, output_option

if TYPE_CHECKING:
    from labkit.lessons.notebooks.checking import Problem
    from labkit.lessons.notebooks.versions import VersionName

_HOW = {
    "added": "kept a note that you added there, cell {}",
    "changed": "kept a note that you changed there, cell {}",
    "both": "kept a note that changed both there and in its source, cell {} after the new one",
    "dropped": "kept a note that its source no longer has, cell {}; delete it if you don't need it",
}
_EXPLAINED: dict[VersionName, str] = {
    "learner": "Build what learners get: no notes, solutions or outputs.",
    "instructor": "Build what an instructor teaches from: notes and solutions open, minutes "
    "in the headings.",
    "slides": "Build notebooks that are also slides; the notes become speaker notes.",
}

_names = click.argument("names", nargs=-1, metavar="[NAME]...")
_from = click.option(
    *("--from", "folder"),
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the sources; the default is the lab's own.",
)


def _sources() -> Path:
    return settings.lesson_files() / "notebooks"


@main.group("notebooks")
def _notebooks() -> None:
    """Build the versions of the notebooks, or check their sources.

    A source holds the lesson, the notes of an instructor (cells tagged `instructor`) and the
    solutions (tagged `solution`). A version that is built again keeps the notes that were
    added to it, or changed in it; all else in it is written anew, and a copy is kept where
    that was changed by hand.
    """


def _adds(version: VersionName) -> None:
    """Add the command that builds a version."""
    output = click.option(
        *("-o", "--output"),
        type=click.Path(file_okay=False, path_type=Path),
        help=f"The folder to build into; the default is build/notebooks/{version}.",
    )
    outputs = click.option(
        "--keep-outputs", is_flag=True, help="Keep the outputs that nbval compares: for a test run."
    )
    pages = click.option(
        "--html", is_flag=True, help="Write each as a page, too; it needs no network and no server."
    )
    run: Callable[..., Any] = partial(_build, version)
    for decorate in (outputs, *([pages] if version == "slides" else []), output, _from, _names):
        run = decorate(run)
    _notebooks.command(version, help=_EXPLAINED[version])(run)


def _build(
    version: VersionName,
    names: tuple[str, ...],
    folder: Path | None,
    output: Path | None,
    *,
    keep_outputs: bool,
    html: bool = False,
) -> None:
    from labkit.lessons.notebooks import building

    sources = folder or _sources()
    target = output or settings.built(version)
    for done in building.build(version, sources, target, names, keep_outputs=keep_outputs):
        said = [done.what, *(_HOW[kept.how].format(kept.cell) for kept in done.kept)]
        if done.copy:
            said.append(
                "cells that are not notes were changed there, so the old version is "
                f"kept as {done.copy.name}; tag a cell `instructor` to make it a note"
            )
        echo.say(f"{done.path}: {'; '.join(said)}.")
        if html and done.path.suffix == ".ipynb":
            _write_slides(done.path)


def _write_slides(built: Path) -> None:
    """Write the slides that were built, with what an instructor changed there, as a page."""
    from labkit.lessons import checks
    from labkit.lessons.notebooks import cells
    from labkit.views.live import page
    from labkit.views.static import slides

    output = built.with_suffix(".html")
    book = cells.read(built)
    page.write(output, slides.page(built.stem, book, built.parent, checks.QUESTIONS))
    echo.say(f"{output}: open it in a browser; S opens the notes, F fills the screen.")


for _version in _EXPLAINED:
    _adds(_version)


@_notebooks.command("plan")
@_names
@_from
@output_option("The page to write.", default="plan.html", show_default=True)
def _plan(names: tuple[str, ...], folder: Path | None, output: Path) -> None:
    """Write an instructor's plan, from the notes: a page of paper for each notebook.

    With `--from build/notebooks/instructor`, your own notes are in it.
    """
    from labkit.lessons import checks
    from labkit.lessons.notebooks import building, cells
    from labkit.views.live import page
    from labkit.views.static import plan

    books = map(cells.read, building.sources(folder or _sources(), names))
    titles = {name: question.title for name, question in checks.QUESTIONS.items()}
    page.write(output, plan.page(books, titles))
    echo.say(f"{output}: open it in a browser, and print it on A4.")


@_notebooks.command("check")
@_names
@_from
@click.option("--fix", is_flag=True, help="Fix what can be fixed automatically, and say what.")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
@click.pass_context
def _check(
    ctx: click.Context, names: tuple[str, ...], folder: Path | None, *, fix: bool, as_json: bool
) -> None:
    """Say what is wrong in the sources, in a sentence each, and what to do."""
    from labkit.lessons.notebooks import building

    if fix and not folder and not settings.is_checkout():
        raise click.UsageError(
            "the installed sources are never changed; name a folder with --from."
        )
    found = []
    paths = building.sources(folder or _sources(), names)
    for path in paths:
        if fix:
            _fix(path)
        found += _problems(path)
    if as_json:
        echo.say(json.dumps([asdict(problem) for problem in found], indent=1))
    else:
        for problem in found:
            echo.say(str(problem))
        if not found:
            echo.say(f"Nothing is wrong in {len(paths)} notebook{'s'[: len(paths) != 1]}.")
    ctx.exit(1 if found else 0)


def _fix(path: Path) -> None:
    """Clean a source, and say what was done where it disturbs no JSON."""
    from labkit.lessons.notebooks import cells, cleaning

    try:
        book, said = cleaning.cleaned(cells.read(path))
    except LabError:
        return  # what is wrong with it is said as a problem
    if said:
        path.write_text(cells.written(book), encoding="utf-8")
    for sentence in said:
        echo.warn(f"{path.stem}: {sentence}.")


def _problems(path: Path) -> list[Problem]:
    from labkit.lessons import checks
    from labkit.lessons.notebooks import cells, checking

    try:
        book = cells.read(path)
    except LabError as problem:
        return [checking.Problem(path.stem, "", f"{problem.found} {problem.try_next}")]
    return checking.problems(
        path.stem, book, exercises=checks.EXERCISES | checks.TYPED, questions=checks.QUESTIONS
    )
