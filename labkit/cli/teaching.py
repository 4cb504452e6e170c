"""What a learner has done, and what a class does: for learners, and for who teaches them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labkit.base import echo
from labkit.cli.base import Later, main

if TYPE_CHECKING:
    from labkit.api import learning
    from labkit.lessons import room
    from labkit.lessons.practice import texts
    from labkit.views.cards import room as drawing
    from labkit.views.static import document
else:
    learning, room, texts, drawing, document = (
        Later(f"labkit.{name}")
        for name in (
            *("api.learning", "lessons.room", "lessons.practice.texts"),
            *("views.cards.room", "views.static.document"),
        )
    )


@main.command("progress")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _progress(*, as_json: bool) -> None:
    """Say what is done of the lesson, and what is next."""
    shown = learning.progress()
    echo.say(json.dumps(shown.progress.facts(), indent=1) if as_json else shown.text())


@main.command("report")
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    show_default=True,
    help="The page to write.",
)
def _report(output: Path) -> None:
    """Write the lab report: predictions, findings and charts, as a page for any browser."""
    learning.report().save(output)
    echo.say(f"{output}: open it in a browser.")


@main.command("class")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a page, to be shown to the class.",
)
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _class(folder: Path, output: Path | None, *, as_json: bool) -> None:
    """Gather what learners logged in FOLDER: the spread of predictions, who is stuck where.

    Nothing is logged unless LABKIT_CLASS names a folder where learners work.
    """
    if as_json and output:
        raise click.UsageError("--json draws nothing, so it goes without --output.")
    gathered = room.gather(folder)
    if as_json:
        # all of it in ASCII: an alias may hold what a terminal obeys
        echo.say(json.dumps(drawing.facts(gathered, texts.wordings()), indent=1))
    elif output:
        document.write(output, drawing.page(gathered, texts.wordings()))
        echo.say(f"{output}: open it in a browser.")
    else:
        echo.say(drawing.text(gathered, texts.wordings()))
