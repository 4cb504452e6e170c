"""Writing the versions of a folder of notebooks, with all that lies beside them.

Nothing is written to the sources, nor before all of it is worked out. What was built is
remembered by its hash, in a file beside it, so that a newer one replaces it unless somebody
has changed it: a recording may have got an instructor's marks. A notebook keeps its notes;
where anything else was changed in it by hand, it is kept as it was under another name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import NamedTuple

from labkit.base.errors import BadValue, LabError
from labkit.lessons.notebooks import checking, versions
from labkit.lessons.notebooks.cells import Book, read, written
from labkit.lessons.notebooks.notes import Kept
from labkit.lessons.notebooks.versions import VersionName

_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}
_HASHES = ".labkit-built.json"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file."""

    path: Path
    #: `written`, `as it was`, or `left as you changed it`.
    what: str
    #: The notes that were kept.
    kept: tuple[Kept, ...] = ()
    #: Where the old one is kept, if cells other than notes had been changed by hand.
    copy: Path | None = None


class _New(NamedTuple):
    """What is to be in a file."""

    content: bytes
    kept: tuple[Kept, ...] = ()
    #: Whether what is there has more of somebody's own than was kept.
    loses: bool = False


def sources(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of a folder: those named, by number or name, or all of them.

    Raises `LabError` where there are none, and `BadValue` for an unknown name.
    """
    books = [path for path in _files(folder) if path.suffix == ".ipynb"]
    if not books:
        raise LabError(
            f"notebooks in {folder}.", "there are none.", "name their folder with --from."
        )
    return sorted({_find(name, books) for name in names}) if names else books


def build(
    version: VersionName,
    folder: Path,
    target: Path,
    names: Sequence[str] = (),
    *,
    keep_outputs: bool = False,
) -> list[Done]:
    """Build a version of the notebooks of a folder into another, and return what was done.

    Raises `LabError`, and writes nothing, where a source or what is in the target folder
    is in the way.
    """
    _refuse_sources(folder, target)
    known = _read_hashes(target)
    new = {}
    for path in sources(folder, names):
        place = target / path.relative_to(folder)
        new[place] = _built(version, path, place, known.get(_name(place, target)), keep_outputs)
    others = [path for path in _files(folder) if path.suffix != ".ipynb"]
    for path in others:
        new[target / path.relative_to(folder)] = _New(path.read_bytes())
    for place in new:
        _refuse_sources(folder, place.parent)
    return [_put(place, each, known, target) for place, each in new.items()]


def _built(
    version: VersionName, path: Path, place: Path, known: str | None, keep_outputs: bool
) -> _New:
    """Return what a notebook's version is to be."""
    book = read(path)
    if wrong := checking.unfit(book):
        raise LabError(
            f"{path} to say which cells are for whom.",
            " ".join(wrong),
            "`labkit notebooks check` says what to do.",
        )
    older = _older(version, place) if place.exists() else None
    built = versions.build(version, book, older, keep_outputs=keep_outputs)
    content = written(built.book).encode()
    if older and version == "learner":
        # a build that was interrupted may have written this one, and not its hash
        _refuse_changed(place, (known, _hash(content)))
    return _New(content, built.kept, built.lost > 0)


def _older(version: VersionName, place: Path) -> Book:
    """Return the older version at a place. Raises `LabError` where one is not to be replaced."""
    older = read(place)
    was = versions.version_of(older)
    if was not in (version, ""):
        raise LabError(
            f"{place} to be free, or the {version} version of a notebook.",
            f"it is the {was} version.",
            "name another folder with -o.",
        )
    if version != "learner" and (wrong := checking.misspelt(older)):
        raise LabError(
            f"{place} to say which of its cells are notes.",
            " ".join(wrong),
            "fix that tag there, or remove it: notes are kept, and all else is rebuilt.",
        )
    return older


def _refuse_changed(place: Path, known: tuple[str | None, ...]) -> None:
    if _hash(place.read_bytes()) not in known:
        raise LabError(
            f"{place} to be as it was built.",
            "somebody has changed it since, and a learner's version can keep no notes.",
            "rename or delete it, or name another folder with -o.",
        )


def _put(place: Path, new: _New, known: dict[str, str], target: Path) -> Done:
    """Write one file, unless it is so already or is somebody's own, and remember its hash."""
    name, content = _name(place, target), new.content
    there = place.read_bytes() if place.exists() else None
    if (
        there is not None
        and place.suffix != ".ipynb"
        and _hash(there)
        not in (
            _hash(content),
            known.get(name),
        )
    ):
        return Done(place, "left as you changed it")
    copy = None
    if there != content:
        copy = _set_aside(place) if new.loses else None
        _write(place, content)
    _remember(name, content, known, target)
    return Done(place, "as it was" if there == content else "written", new.kept, copy)


def _remember(name: str, content: bytes, known: dict[str, str], target: Path) -> None:
    """Write down the hash of a file at once: the next one may never come."""
    if known.get(name) != _hash(content):
        known[name] = _hash(content)
        _write(target / _HASHES, json.dumps(known, indent=1, sort_keys=True).encode())


def _set_aside(place: Path) -> Path:
    """Keep a notebook as it is under a name that is not there yet, and return where."""
    names = (place.with_name(f"{place.stem}.before-{number}.ipynb") for number in count(1))
    copy = next(path for path in names if not path.exists())
    _write(copy, place.read_bytes())
    return copy


def _write(path: Path, content: bytes) -> None:
    """Write a file in one go: a link to a source is replaced, and not written through."""
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as problem:
        raise LabError(
            f"to write {path}.", str(problem), "name another folder with -o, or make room."
        ) from None


def _refuse_sources(folder: Path, target: Path) -> None:
    inside = target.resolve()
    if folder.resolve() in (inside, *inside.parents):
        raise LabError(
            "to build into a folder of its own.",
            f"{target} is in the folder of the sources, {folder}, which stay as they are.",
            "name another folder with -o.",
        )


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT.intersection(path.relative_to(folder).parts)
    ]


def _find(name: str, books: Sequence[Path]) -> Path:
    wanted = name.removesuffix(".ipynb")
    for path in books:
        number, _, rest = path.stem.partition("-")
        if wanted in (path.stem, rest or path.stem, number, number.lstrip("0") or "0"):
            return path
    raise BadValue(f"the notebooks are {', '.join(path.stem for path in books)}, not {name!r}")


def _name(place: Path, target: Path) -> str:
    return place.relative_to(target).as_posix()


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _read_hashes(target: Path) -> dict[str, str]:
    try:
        return dict(json.loads((target / _HASHES).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
