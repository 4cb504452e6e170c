"""The learner's own copy of the notebooks and of dockercoins: `lab/`.

What was shipped stays as it is: what a learner edits, runs and saves is the copy. Each file
that is copied is remembered by its hash, so that a newer one can replace it later
unless the learner has changed it.
"""

import shutil
from functools import lru_cache
from pathlib import Path

from labkit.base import settings
from labkit.base.files import unused
from labkit.base.files.copies import Hashes, files
from labkit.lessons.notebooks import cells, versions
from labkit.swarm.images import baseimage

_SHIPPED = ("notebooks", "dockercoins")


def refresh(base: str = baseimage.OFFICIAL) -> list[str]:
    """Make the copy, or bring it up to date, and return the names of what was copied.

    Its Dockerfiles name `base`, the base image that the engine has, so that `docker image build`
    works as the lesson shows it. A file that the learner has changed is never touched.
    """
    hashes = Hashes(settings.state_dir() / "copied.json")
    copied = []
    for source, name in shipped_files():
        target = settings.workspace() / name
        content = for_learners(source, base)
        if hashes.spares(name, target, content):
            continue
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            hashes.remember(name, content)
            copied.append(name)
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


def shipped_files() -> list[tuple[Path, str]]:
    """Return each shipped file with its place in a copy; notebooks lie at its top."""
    pairs = []
    for folder in _SHIPPED:
        root = settings.lesson_files() / folder
        into = Path("" if folder == "notebooks" else folder)
        pairs += [(path, str(into / path.relative_to(root))) for path in files(root)]
    return pairs


def for_learners(path: Path, base: str = baseimage.OFFICIAL) -> bytes:
    """Return a file as a learner gets it: a notebook without notes, a Dockerfile with `base`."""
    if path.name == "Dockerfile":
        return path.read_bytes().replace(baseimage.OFFICIAL.encode(), base.encode())
    if path.suffix != ".ipynb":
        return path.read_bytes()
    return _without_notes(path, path.stat().st_mtime_ns)


@lru_cache
def _without_notes(path: Path, _: int) -> bytes:
    """Return a notebook without notes; the number is when it was written."""
    return cells.written(versions.learner(cells.read(path))).encode()
