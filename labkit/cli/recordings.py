"""Recordings: made, and drawn."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

import click

from labkit.base import echo
from labkit.base.errors import LabError, NotSettled, RecordingProblem
from labkit.cli.base import main


@main.command("record")
@click.argument("service")
@click.option(
    *("-o", "--output"),
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to record to.",
)
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many SECONDS.")
@click.option("--until-settled", is_flag=True, help="Stop when an update has settled (default).")
def _record(service: str, output: Path, seconds: float | None, *, until_settled: bool) -> None:
    """Record SERVICE while it is updated. Ctrl-C ends it, and loses nothing."""
    from labkit import engines
    from labkit.lessons import coins
    from labkit.recordings.phases import settled

    until = settled if until_settled or seconds is None else None
    swarm = engines.connect()
    with coins.recorder(swarm, service, output, until=until) as recorder:
        echo.say(f"Recording {recorder.service} to {output}; Ctrl-C ends it.")
        # with --for, the end of the time is what was asked for
        with contextlib.suppress(KeyboardInterrupt, *([] if seconds is None else [NotSettled])):
            recorder.wait(timeout=math.inf if seconds is None else seconds)
    if recorder.file_error:
        raise RecordingProblem(
            f"{output} to take the whole recording.",
            f"{recorder.file_error}. What was written before is in the file.",
            "make room, or record to another disk.",
        )
    echo.say(f"{recorder.why} {len(recorder.recording.changes)} changes are in {output}.")


@main.command("show")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write; the default is FILE with .html, or comparison.html for several.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what they tell; draw nothing.")
def _show(files: tuple[Path, ...], output: Path | None, *, as_json: bool) -> None:
    """Draw a recording as a page for any browser, with no engine; several, to compare them."""
    from labkit.api import doing
    from labkit.recordings import story
    from labkit.recordings.recording import Recording

    if as_json and output:
        raise click.UsageError("--json draws nothing, so it goes without --output.")
    recordings = [Recording.load(file) for file in files]
    if as_json:
        told = [story.facts(recording) for recording in recordings]
        # all of it in ASCII: what an engine said may hold what a terminal obeys
        echo.say(json.dumps(told, indent=1))
        return
    page = output or _page_beside(files)
    drawn = doing.show(*recordings, names=[file.stem for file in files]).page
    for file, recording in zip(files, recordings, strict=True):
        if recording.torn_lines:
            echo.say(f"{file}: {_torn(recording.torn_lines)} left out.")
    _write_page(page, drawn, keep=files)
    echo.say(f"{page}: open it in a browser.")


def _page_beside(files: tuple[Path, ...]) -> Path:
    return files[0].with_name("comparison.html") if files[1:] else files[0].with_suffix(".html")


def _torn(count: int) -> str:
    return "1 torn line was" if count == 1 else f"{count} torn lines were"


def _write_page(page: Path, drawn: str, keep: tuple[Path, ...]) -> None:
    from labkit.views.static import document

    if page.resolve() in [file.resolve() for file in keep]:
        raise LabError(
            f"to write {page}.", "it is the recording itself.", "name another file with -o."
        )
    document.write(page, drawn)
