"""What a learner has done, and what a class does: for learners and instructors."""

import contextlib
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
@click.option("--serve", is_flag=True, help="Serve it as a page that follows the class.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="For --serve.")
def _class(folder: Path, output: Path | None, port: int, *, as_json: bool, serve: bool) -> None:
    """Gather what learners logged in FOLDER: who is where, and the spread of predictions.

    Nothing is logged unless LABKIT_CLASS names a folder where learners work. Reports
    (report.html) of learners without such a folder count as well.
    """
    from labkit.lessons import room
    from labkit.lessons.practice.activity_log import plan
    from labkit.views.cards import room as drawing
    from labkit.views.live import page

    if bool(output) + as_json + serve > 1:
        raise click.UsageError("Give only one of --json, --output and --serve.")
    gathered = room.gather(folder, may_be_empty=serve)  # as the class begins
    if as_json:
        # all of it in ASCII: an alias may hold what a terminal obeys
        echo.say(json.dumps(drawing.facts(gathered, plan()), indent=1))
    elif serve:
        from labkit.lessons.room import serving

        def draw() -> str:
            return drawing.page(room.gather(folder, may_be_empty=True), plan(), live=True)

        with contextlib.suppress(KeyboardInterrupt):
            serving.serve(draw, port)
    elif output:
        page.write(output, drawing.page(gathered, plan()))
        echo.say(f"{output}: open it in a browser.")
    else:
        echo.say(drawing.text(gathered, plan()))
