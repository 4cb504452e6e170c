"""Writing the versions of a folder of notebooks, with all that lies beside them.

Nothing is written to the sources, nor before all of it is worked out. What was built is
remembered by its hash, in a file beside it, so that a newer one replaces it unless somebody
has changed it: a recording may have got an instructor's marks. A notebook keeps its notes;
where anything else was changed in it by hand, it is kept as it was under another name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from labkit.base.errors import BadValue, LabError, expecting
from labkit.base.files import replace, unused
from labkit.base.files.copies import Hashes, digest, files
from labkit.lessons.notebooks import checking, versions
from labkit.lessons.notebooks.cells import Book, read, written
from labkit.lessons.notebooks.notes import Kept
from labkit.lessons.notebooks.versions import VersionName

_HASHES = ".labkit-built.json"
#: What a build leaves beside its notebooks; a build from there leaves it out.
_LEFT = re.compile(rf"{re.escape(_HASHES)}|.*\.before-\d+\.ipynb")


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
    content: bytes
    kept: tuple[Kept, ...] = ()
    #: Whether what is there has more of somebody's own than was kept.
    loses: bool = False


def sources(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of a folder: those named, by number or name, or all of them.

    Raises `LabError` where there are none, and `BadValue` for an unknown name.
    """
    books = [path for path in _given(folder) if path.suffix == ".ipynb"]
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
    hashes = Hashes(target / _HASHES)
    new = {}
    for path in sources(folder, names):
        name = path.relative_to(folder).as_posix()
        new[name] = _built(version, path, target / name, hashes.known.get(name), keep_outputs)
    others = [path for path in _given(folder) if path.suffix != ".ipynb"]
    for path in others:
        new[path.relative_to(folder).as_posix()] = _New(path.read_bytes())
    for name in new:
        _refuse_sources(folder, (target / name).parent)
    return [_put(target / name, name, each, hashes) for name, each in new.items()]


def _given(folder: Path) -> list[Path]:
    return [path for path in files(folder) if not _LEFT.fullmatch(path.name)]


def _built(
    version: VersionName, path: Path, place: Path, known: str | None, keep_outputs: bool
) -> _New:
    book = read(path)
    if wrong := checking.unfit(book):
        raise LabError(
            f"every cell of {path} to be tagged correctly.",
            " ".join(wrong),
            "`labkit notebooks check` says what to do.",
        )
    older = _older(version, place) if place.exists() else None
    built = versions.build(version, book, older, keep_outputs=keep_outputs)
    content = written(built.book).encode()
    # a build that was interrupted may have written this one, and not its hash
    as_built = (known, digest(content))
    if older and version == "learner" and digest(place.read_bytes()) not in as_built:
        raise LabError(
            f"{place} to be as it was built.",
            "somebody has changed it since, and a learner's version cannot keep notes.",
            "rename or delete it, or name another folder with -o.",
        )
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
            "fix or remove that tag there: notes are kept, and everything else is rebuilt.",
        )
    return older


def _put(place: Path, name: str, new: _New, hashes: Hashes) -> Done:
    """Write one file, unless it is so already or is somebody's own, and remember its hash."""
    if place.suffix != ".ipynb" and hashes.spares(name, place, new.content):
        return Done(place, "left as you changed it")
    is_same = place.exists() and place.read_bytes() == new.content
    copy = None
    if new.loses and not is_same:
        copy = unused(lambda number: place.with_name(f"{place.stem}.before-{number}.ipynb"))
        _write(copy, place.read_bytes())
    if not is_same:
        _write(place, new.content)
    hashes.remember(name, new.content, _write)
    return Done(place, "as it was" if is_same else "written", new.kept, copy)


def _write(path: Path, content: bytes) -> None:
    with expecting(f"to write {path}.", "name another folder with -o, or free some space."):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content)


def _refuse_sources(folder: Path, target: Path) -> None:
    inside = target.resolve()
    if folder.resolve() in (inside, *inside.parents):
        raise LabError(
            "to build into a folder of its own.",
            f"{target} is in the folder of the sources, {folder}, which stay as they are.",
            "name another folder with -o.",
        )


def _find(name: str, books: Sequence[Path]) -> Path:
    wanted = name.removesuffix(".ipynb")
    for path in books:
        number, _, rest = path.stem.partition("-")
        if wanted in (path.stem, rest or path.stem, number, number.lstrip("0") or "0"):
            return path
    raise BadValue(f"the notebooks are {', '.join(path.stem for path in books)}, not {name!r}")
