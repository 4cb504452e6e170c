"""What the lesson brings along, for a room without Docker, and the room's log."""

from __future__ import annotations

import os
from pathlib import Path

from labkit.base import settings
from labkit.base.rules import Facts
from labkit.cli.doctor.line import line
from labkit.lessons.room import aliases


@line("recordings")
def _recordings(notebooks: Path | None = None) -> Facts:
    """Look which lessons have a recording of themselves, to be shown where there is no Docker."""
    folder = notebooks or settings.lesson_files() / "notebooks"
    lessons = sorted({path.name[:2] for path in folder.glob("[0-9][0-9]-*.ipynb")})
    found = (folder / "recordings").glob("*.jsonl")
    stored = [path for path in found if path.is_file() and path.stat().st_size]
    lacking = [each for each in lessons if not any(path.name.startswith(each) for path in stored)]
    return {"lessons": lessons, "folder": folder, "lacking": lacking}


@line("room's log")
def _room() -> Facts:
    folder, chosen = settings.class_folder(), settings.chosen_alias()
    if folder is None:
        return {"folder": None}
    alias = chosen or aliases.kept()
    file = folder / f"{alias}.jsonl" if alias else folder
    enters = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return {
        "folder": folder,
        "chosen": chosen[:60],
        "valid": aliases.FORM.fullmatch(chosen),
        "alias": alias,
        "file": file,
        "writable": enters and (not file.exists() or os.access(file, os.W_OK)),
    }


LINES = (_recordings, _room)
