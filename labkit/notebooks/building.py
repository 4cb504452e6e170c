"""Writing the versions of a folder of notebooks, with all that lies beside them.

Nothing is written to the sources, nor before all of it is worked out. What was built is
remembered by its hash, in a file beside it, so that a newer one replaces it unless somebody
has changed it: a recording may have got an instructor's marks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from labkit.errors import BadValue, LabError
from labkit.notebooks import checking, versions
from labkit.notebooks.cells import Book, read, written
from labkit.notebooks.notes import Kept
from labkit.notebooks.versions import VersionName

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


def sources(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of a folder: those named, by number or name, or all of them.

    Raises `LabError` where there is none, and `BadValue` for a name that none has.
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
        new[target / path.relative_to(folder)] = (path.read_bytes(), ())
    for place in new:
        _refuse_sources(folder, place.parent)
    done = [_put(place, *new[place], known, target) for place in new]
    _write(target / _HASHES, json.dumps(known, indent=1, sort_keys=True).encode())
    return done


def _built(
    version: VersionName, path: Path, place: Path, known: str | None, keep_outputs: bool
) -> tuple[bytes, tuple[Kept, ...]]:
    """Return the bytes of a notebook's version, and the notes that were kept in it."""
    book = read(path)
    if wrong := checking.unfit(book):
        raise LabError(
            f"{path} to say which cells are for whom.",
            " ".join(wrong),
            "`labkit notebooks check` says what to do.",
        )
    older = _older(version, place, known) if place.exists() else None
    built = versions.build(version, book, older, keep_outputs=keep_outputs)
    return written(built.book).encode(), built.kept


def _older(version: VersionName, place: Path, known: str | None) -> Book | None:
    """Return the older version at a place. Raises `LabError` where one is not to be replaced."""
    older = read(place)
    was = versions.version_of(older)
    if was not in (version, ""):
        raise LabError(
            f"{place} to be no notebook, or the {version} version of one.",
            f"it is the {was} version.",
            "name another folder with -o.",
        )
    if version == "learner" and _hash(place.read_bytes()) != known:
        raise LabError(
            f"{place} to be as it was built.",
            "somebody has changed it since, and a learner's version can keep no notes.",
            "rename or delete it, or name another folder with -o.",
        )
    return older


def _put(
    place: Path, content: bytes, kept: tuple[Kept, ...], known: dict[str, str], target: Path
) -> Done:
    """Write one file, unless it is so already or is somebody's own, and remember its hash."""
    name = _name(place, target)
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
    known[name] = _hash(content)
    if there == content:
        return Done(place, "as it was", kept)
    _write(place, content)
    return Done(place, "written", kept)


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
