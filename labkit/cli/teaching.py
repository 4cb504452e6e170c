"""What a learner has done, and what a class does: for learners and instructors."""

import json
from pathlib import Path

import click

from labkit.base import echo
from labkit.cli.base import main, output_option


@main.command("progress")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _progress(*, as_json: bool) -> None:
    """Say what you have done of the lesson, and what is next."""
    from labkit.api import learning

    shown = learning.progress()
    echo.say(json.dumps(shown.progress.facts(), indent=1) if as_json else repr(shown))


@main.command("report")
@output_option("The page to write.", default="report.html", show_default=True)
def _report(output: Path) -> None:
    """Write the lab report: predictions, findings and charts, as a page for any browser."""
    from labkit.api import learning

    learning.report().save(output)


@main.command("class")
@click.argument("folder", type=click.Path(path_type=Path))
@output_option("Write it as a page to show to the class.")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _class(folder: Path, output: Path | None, *, as_json: bool) -> None:
    """Gather what learners logged in FOLDER: the spread of predictions, who is stuck where.

    Nothing is logged unless LABKIT_CLASS names a folder where learners work.
    """
    from labkit.lessons import room
    from labkit.lessons.practice.activity_log import plan
    from labkit.views.cards import room as drawing
    from labkit.views.live import page

    if as_json and output:
        raise click.UsageError("--json draws nothing, so it cannot be combined with --output.")
    gathered = room.gather(folder)
    if as_json:
        # all of it in ASCII: an alias may hold what a terminal obeys
        echo.say(json.dumps(drawing.facts(gathered, plan()), indent=1))
    elif output:
        page.write(output, drawing.page(gathered, plan()))
        echo.say(f"{output}: open it in a browser.")
    else:
        echo.say(drawing.text(gathered, plan()))
