"""The learner's own copy of the notebooks and of dockercoins: `lab/`.

What was shipped stays as it is: what a learner edits, runs and saves is the copy. Each file
that is copied is remembered by its hash, so that a newer one can replace it later
unless the learner has changed it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path

from labkit.base import settings
from labkit.lessons.notebooks import cells, versions

_SHIPPED = ("notebooks", "dockercoins")
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


def refresh() -> list[str]:
    """Make the copy, or bring it up to date, and return the names of what was copied.

    A file that the learner has changed is never touched.
    """
    known = _read_hashes()
    copied = []
    for source, target in _files():
        name = str(target.relative_to(settings.workspace()))
        content = _for_learners(source)
        shipped = _hash(content)
        mine = _hash(target.read_bytes()) if target.exists() else None
        if mine == shipped or (mine and mine != known.get(name)):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        known[name] = shipped
        copied.append(name)
    if copied:
        _write_hashes(known)
    return copied


def mine(name: str) -> Path:
    """Return the learner's copy of a file of dockercoins, such as `worker/worker.py`."""
    return settings.workspace() / "dockercoins" / name


def shipped(name: str) -> Path:
    """Return a file of dockercoins as it was shipped."""
    return settings.lesson_files() / "dockercoins" / name


def keep_a_copy(path: Path) -> Path:
    """Copy a file aside, as `worker.py.yours-1` and so on, and return the copy's path."""
    kept = unused(lambda number: path.with_name(f"{path.name}.yours-{number}"))
    shutil.copy(path, kept)
    return kept


def unused(numbered: Callable[[int], Path]) -> Path:
    """Return the first of the numbered paths, from 1 on, at which there is nothing yet."""
    return next(path for path in map(numbered, count(1)) if not path.exists())


def _files() -> list[tuple[Path, Path]]:
    """Return each shipped file with its place in the copy; notebooks lie at its top."""
    pairs = []
    for folder in _SHIPPED:
        root = settings.lesson_files() / folder
        into = settings.workspace() / ("" if folder == "notebooks" else folder)
        pairs += [
            (path, into / path.relative_to(root))
            for path in sorted(root.rglob("*"))
            if path.is_file() and not _LEFT_OUT.intersection(path.parts)
        ]
    return pairs


def _for_learners(path: Path) -> bytes:
    """Return a file as a learner gets it: of a notebook, the learner's version."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    return cells.written(versions.learner(cells.read(path))).encode()


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _list_file() -> Path:
    return settings.state_dir() / "copied.json"


def _read_hashes() -> dict[str, str]:
    try:
        return dict(json.loads(_list_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _write_hashes(hashes: dict[str, str]) -> None:
    _list_file().parent.mkdir(parents=True, exist_ok=True)
    listed = json.dumps(hashes, indent=1, sort_keys=True)
    _list_file().write_text(listed, encoding="utf-8")
