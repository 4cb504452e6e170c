"""A recording as plain text, where neither HTML nor widgets are to be had. Pure.

For a terminal, a log, a screen reader. Nothing in it is coloured, and what an engine says
steers no terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recordings.recording import Recording
from labkit.views import parts
from labkit.views.state.sentences import minutes
from labkit.views.state.view_state import Json
from labkit.views.state.words import plain
from labkit.views.static.snapshot import Snapshot


def text(recording: Recording) -> str:
    """Return all that a view of the recording shows, as lines of text."""
    view_state = Snapshot.of(recording).view_state
    (service, standing), *sections, (_, table) = _parts(view_state)
    sections += [("The engine did not answer", _gaps(view_state)), ("Marks", _marks(view_state))]
    told = [
        "\n".join([f"{name}:", *(f"  {line}" for line in lines)])
        for name, lines in sections
        if lines
    ]
    rows = (plain(line, len(line)).rstrip() for line in table)
    return "\n\n".join(["\n".join([service, *standing]), *told, "\n".join(rows)])


def _parts(view_state: Json) -> Iterator[tuple[str, list[str]]]:
    for part in parts.PARTS:
        said = getattr(parts.module(part), "text", None)
        if said:
            yield said(view_state)


def _gaps(view_state: Json) -> list[str]:
    return [
        f"{minutes(begin)} to {'the end' if end is None else minutes(end)}: {reason}"
        for begin, end, reason in view_state["gaps"]
    ]


def _marks(view_state: Json) -> list[str]:
    return [f"{minutes(at)} {label}" for at, label in view_state["marks"]]
