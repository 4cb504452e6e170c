"""Keeping an instructor's notes when a version is built anew over an older one.

Each note is built with a mark in its metadata, `labkit.built`: a short hash of what was
built. So it can be told who changed a note since: the instructor, where text and mark
differ; the source, where mark and new text differ; or both. What a cell was before is found
by its id; where ids were lost, by its text, and then by its mark.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Literal

from labkit.lessons.notebooks import minutes
from labkit.lessons.notebooks.cells import (
    INSTRUCTOR,
    Cell,
    identity,
    is_note,
    metadata,
    tags,
    text,
    with_metadata,
    without_output,
)

How = Literal["added", "changed", "both", "dropped"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A note that was in the older version and that the source has not."""

    #: The id of its cell.
    cell: str
    #: `added` by an instructor, `changed` by one, or changed by both, so that `both` are there;
    #: or `dropped` from the source, where it had been.
    how: How


@dataclass(slots=True)
class _Merge:
    """A version that notes are being put into."""

    cells: list[Cell]
    taken: set[str]
    kept: list[Kept] = field(default_factory=list)
    #: The cell that the next note comes after; `None` while none is known.
    after: str | None = None

    def place(self, wanted: str) -> int:
        return next(at for at, cell in enumerate(self.cells) if identity(cell) == wanted)

    def insert(self, cell: Cell, at: int, how: How) -> None:
        # one that the source may bring back is still known by its mark then
        mine = _tagged(cell) if how == "dropped" else _mine(cell)
        cell = mine | {"id": _free_id(cell, self.taken)}
        self.taken.add(cell["id"])
        self.cells.insert(at, cell)
        self.kept.append(Kept(cell["id"], how))
        self.after = cell["id"]


def stamped(cell: Cell) -> Cell:
    """Return a note with the mark of what it is built as."""
    own = metadata(cell).get("labkit")
    own = own if isinstance(own, dict) else {}
    return with_metadata(cell, labkit=own | {"built": fingerprint(cell)})


def fingerprint(cell: Cell) -> str:
    """Return a short hash of what a note says: its text, and the pictures pasted into it."""
    said = [text(cell), cell.get("attachments") or {}]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def merged(built: Sequence[Cell], found: Sequence[Cell]) -> tuple[list[Cell], list[Kept]]:
    """Return newly built cells together with the notes of an older version, and which.

    A note that the source has not comes after the same cell as before, or after the nearest
    one above it that is still there, else at the end.
    """
    new = {identity(cell): cell for cell in built}
    merge = _Merge(list(built), set(new))
    origins = _origins(built, found)
    # of two cells with one mark, one is an instructor's copy of what the source has
    here = {_mark(cell) for cell, origin in zip(found, origins, strict=True) if origin}
    here |= {"", *map(fingerprint, built)}
    for at, (cell, origin) in enumerate(zip(found, origins, strict=True)):
        if not _was_note(cell):
            merge.after = origin or merge.after
        elif origin is None:
            top = 0 if at == 0 else len(merge.cells)
            place = top if merge.after is None else merge.place(merge.after) + 1
            merge.insert(cell, place, "added" if _mark(cell) in here else "dropped")
        else:
            merge.after = origin
            _settle(merge, new[origin], cell)
    return merge.cells, merge.kept


def prints(cells: Sequence[Cell]) -> list[str]:
    """Return a short hash of each cell that is not a note, as it was built."""
    return [fingerprint(cell) for cell in cells if not is_note(cell)]


def strangers(found: Sequence[Cell], known: Collection[str]) -> list[Cell]:
    """Return the cells, other than notes, that somebody added or changed by hand.

    `known` are the `prints` of what was built. An empty cell is what JupyterLab adds itself.
    """
    return [
        cell
        for cell in found
        if not _was_note(cell) and text(cell).strip() and fingerprint(cell) not in known
    ]


def _settle(merge: _Merge, new: Cell, old: Cell) -> None:
    """Decide between a note as the source has it now and as it stands in the older version."""
    now, stood, mark = fingerprint(new), fingerprint(old), _mark(old)
    if stood in (now, mark) or not is_note(new):
        return
    at = merge.place(identity(new))
    if mark == now:
        merge.cells[at] = with_metadata(_mine(old), labkit={"built": now}) | {"id": identity(new)}
        merge.kept.append(Kept(identity(new), "changed"))
    else:
        merge.insert(old, at + 1, "both")


def _origins(built: Sequence[Cell], found: Sequence[Cell]) -> list[str | None]:
    """Return for each cell of the older version which of the new ones it is, if any.

    A new cell is at most one of the older: of two with one id the first is it, and a copy of
    a note is a note that was added.
    """
    origins: list[str | None] = [None] * len(found)
    unmet = {identity(cell): cell for cell in built}
    for alike in (_same_id, _same_text, _same_mark):
        for at, old in enumerate(found):
            if origins[at] is None:
                likely = [identity(old)] if identity(old) in unmet else [*unmet]
                origins[at] = next((key for key in likely if alike(old, unmet[key])), None)
                unmet.pop(origins[at] or "", None)
    return origins


def _same_id(old: Cell, new: Cell) -> bool:
    if identity(old) != identity(new):
        return False
    # an ordinary cell that somebody made a note of: the note is theirs if it says more
    return is_note(new) or not _was_note(old) or _alike(old, new)


def _same_text(old: Cell, new: Cell) -> bool:
    return _was_note(old) == is_note(new) and _alike(old, new)


def _same_mark(old: Cell, new: Cell) -> bool:
    return is_note(new) and _mark(old) == fingerprint(new)


def _alike(old: Cell, new: Cell) -> bool:
    if is_note(new):
        return fingerprint(old) == fingerprint(new)
    return minutes.without(text(old)) == minutes.without(text(new))


def _was_note(cell: Cell) -> bool:
    """Whether a cell is a note, or was built as one and lost its tag."""
    return is_note(cell) or bool(_mark(cell))


def _mark(cell: Cell) -> str:
    own = metadata(cell).get("labkit")
    return str(own.get("built", "")) if isinstance(own, dict) else ""


def _mine(cell: Cell) -> Cell:
    """Return a note as an instructor's own: tagged, without the mark, never run."""
    return with_metadata(_tagged(cell), labkit=None)


def _tagged(cell: Cell) -> Cell:
    tagged = tags(cell) if is_note(cell) else [INSTRUCTOR, *tags(cell)]
    return without_output(with_metadata(cell, tags=tagged))


def _free_id(cell: Cell, taken: set[str]) -> str:
    own = identity(cell)
    numbered = (f"note-{fingerprint(cell)[:8]}-{number}" for number in count(1))
    return own if own and own not in taken else next(each for each in numbered if each not in taken)
