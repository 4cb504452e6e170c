"""A recording as plain text, where neither HTML nor widgets are to be had. Pure.

For a terminal, a log, a screen reader. Nothing in it is coloured, and what an engine says
steers no terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.views.state.picture import Json, Picture
from labkit.views.state.sentences import budgets, minutes, phases, running
from labkit.views.state.words import plain
from labkit.views.static.drawing import slots
from labkit.views.static.snapshot import finish, heading


def text(recording: Recording) -> str:
    """Return all that a view of the recording shows, as lines of text."""
    picture = Picture(recording.header)
    picture.take(recording.changes)
    finish(picture, recording)
    picture.news()
    whole = heading(recording) | picture.whole()
    now = datetime.fromtimestamp((whole["origin"] + whole["end"]["at"]) / 1000, UTC)
    rows = [row for _, row in picture.table(now)]
    table = "\n".join(map(_line, ps.table(rows).split("\n")))
    return "\n\n".join(["\n".join(_head(whole)), *_sections(whole), table])


def _head(picture: Json) -> Iterator[str]:
    status = picture["status"]
    yield f"{picture['service']} on {picture['engine']}"
    if badge := picture["badge"]:
        yield f"{badge.word.capitalize()}: {badge.meaning}"
    yield status["sentence"]
    if status["message"]:
        yield f"Docker says: {status['message']}"
    yield picture["end"]["why"]
    if picture["trouble"]:
        yield picture["trouble"]


def _sections(picture: Json) -> Iterator[str]:
    yield from _section(
        "Update status (minutes:seconds since the recording began)", phases(picture)
    )
    counts = [f"{count:>4} {tag}" for tag, count in running(picture)]
    yield from _section("Running replicas at the end, by tag", counts)
    yield from _section("Failure budget", budgets(picture))
    yield from _section("Failed tasks, with their errors", list(_failed(picture)))
    gaps = [
        f"{minutes(begin)} to {'the end' if end is None else minutes(end)}: {reason}"
        for begin, end, reason in picture["gaps"]
    ]
    yield from _section("The engine did not answer", gaps)
    marks = [f"{minutes(at)} {label}" for at, label in picture["marks"]]
    yield from _section("Marks", marks)


def _section(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield "\n".join([f"{name}:", *(f"  {line}" for line in lines)])


def _failed(picture: Json) -> Iterator[str]:
    """Return each task that failed while it was recorded, with its error whole."""
    tags = [tag for tag, *_ in picture["tags"]]
    for bar in slots.bars(picture):
        if move := bar.failed:
            code = f" (exit code {move['exit']})" if move["exit"] else ""
            error = move["error"] or move["state"]
            yield f"{minutes(move['at'])} {bar.name}, {tags[bar.tag]}: {error}{code}"


def _line(line: str) -> str:
    return plain(line, len(line)).rstrip()
