"""What the lesson brings along, for a room without Docker, and the room's log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from labkit.base import settings
from labkit.cli.doctor.line import Line
from labkit.lessons.room import aliases


def lines() -> Iterator[Line]:
    """Look at what needs no engine."""
    yield _recordings(settings.lesson_files() / "notebooks")
    yield _room()


def _recordings(notebooks: Path) -> Line:
    """Say which lessons have a recording of themselves, to be shown where there is no Docker."""
    lessons = sorted({path.name[:2] for path in notebooks.glob("[0-9][0-9]-*.ipynb")})
    found = (notebooks / "recordings").glob("*.jsonl")
    stored = [path for path in found if path.is_file() and path.stat().st_size]
    lacking = [each for each in lessons if not any(path.name.startswith(each) for path in stored)]
    if lacking or not lessons:
        saw = f"none of lesson {', '.join(lacking)}" if lacking else f"no lessons in {notebooks}"
        mend = "without Docker use the simulated engine there; `labkit record` makes a recording."
        return Line("recordings", "limited", saw, mend)
    return Line("recordings", "ok", f"each of {len(lessons)} lessons has one to show")


def _room() -> Line:
    folder = settings.class_folder()
    if folder is None:
        return Line("room's log", "ok", "off, as LABKIT_CLASS names no folder")
    chosen = settings.chosen_alias()
    if chosen and not aliases.FORM.fullmatch(chosen):
        saw = f"on, but LABKIT_ALIAS is not an alias: {chosen[:60]!r}"
        return Line("room's log", "limited", saw, "use up to 40 letters, digits, - and _.")
    alias = chosen or aliases.kept()
    file = folder / f"{alias}.jsonl" if alias else folder
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and _open(file)):
        mend = "make the folder, writable for everybody in the class; checks go on without it."
        return Line("room's log", "limited", f"on, but {file} cannot be written", mend)
    name = f"as {alias}" if alias else "under an alias that is drawn at the first check"
    return Line("room's log", "ok", f"on, in {folder}, {name}")


def _open(file: Path) -> bool:
    return not file.exists() or os.access(file, os.W_OK)
