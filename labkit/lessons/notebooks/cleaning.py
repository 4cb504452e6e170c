"""Fix in a source what needs no thought: outputs, counts, what JupyterLab remembers.

It is not done with the preprocessors of nbconvert and nbstripout: here tags match without regard
to capitals or spaces, metadata is an allow-list, and each cleaning is reported in a sentence; and
both would be imported at each `labkit up`.
"""

from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from itertools import count
from typing import Any

from labkit.lessons.notebooks.cells import (
    CHECKED,
    Book,
    Cell,
    has,
    identity,
    is_code,
    metadata,
    text,
    without_output,
)

#: What a source says of itself, and of a cell. All else changes with each reader.
BOOK_METADATA = {"kernelspec", "labkit"}
CELL_METADATA = {"deletable", "editable", "format", "jupyter", "labkit", "slideshow", "tags"}
#: What JupyterLab keeps in `jupyter` of a cell that is worth keeping.
_JUPYTER = {"source_hidden"}


def cleaned(book: Book) -> tuple[Book, list[str]]:
    """Return a source without what does not belong there, and a sentence for each cleaning."""
    clean = deepcopy(book)
    said = [f"metadata {key!r} taken out" for key in sorted(strange(clean, BOOK_METADATA))]
    clean["metadata"] = _only(metadata(clean), BOOK_METADATA)
    said += _identify(clean)
    for cell in clean["cells"]:
        said += [f"{what} of cell {identity(cell)} {did}" for what, did in _clean(cell)]
    return clean, said


def strange(cell: Cell, known: set[str]) -> set[str]:
    """Return the metadata of a cell, or of a notebook, that a source does not keep."""
    inner = metadata(cell).get("jupyter") if "jupyter" in known else None
    folds = (
        {f"jupyter.{key}" for key in inner if key not in _JUPYTER}
        if isinstance(inner, dict)
        else set()
    )
    return {key for key in metadata(cell) if key not in known} | folds


def unclean_output(cell: Cell) -> bool:
    """Whether a code cell has an output that its tags do not ask for, or not the one they do."""
    return (cell.get("outputs"), cell.get("execution_count")) != _stored(cell)


def printed(cell: Cell) -> str | None:
    """Return what a cell printed, which is stored in pieces; `None` if it did anything else."""
    outputs = cell.get("outputs")
    if not outputs or not isinstance(outputs, list):
        return None
    if not all(isinstance(out, dict) for out in outputs):
        return None
    if any((out.get("output_type"), out.get("name")) != ("stream", "stdout") for out in outputs):
        return None
    return "".join(text({"source": out.get("text", "")}) for out in outputs)


def _stored(cell: Cell) -> tuple[list[Any], int | None]:
    """Return the outputs and the count that a source keeps; without a 1 nbval compares nothing."""
    if not has(cell, CHECKED):
        return [], None
    outputs = cell.get("outputs") or []
    words = printed(cell)
    if words is None or len(outputs) == 1:
        return outputs, 1
    lines = words.splitlines(keepends=True)
    return [{"name": "stdout", "output_type": "stream", "text": lines}], 1


def _clean(cell: Cell) -> Iterator[tuple[str, str]]:
    """Clean one cell, which is changed, and yield what of it, and what was done."""
    for key in sorted(strange(cell, CELL_METADATA)):
        yield f"metadata {key!r}", "taken out"
    cell["metadata"] = _only(metadata(cell), CELL_METADATA)
    folds = cell["metadata"].get("jupyter")
    if isinstance(folds, dict):
        cell["metadata"]["jupyter"] = _only(folds, _JUPYTER)
    if is_code(cell) and unclean_output(cell):
        if not has(cell, CHECKED):
            cell |= without_output(cell)
            yield "output", "taken out"
        else:
            cell["outputs"], cell["execution_count"] = _stored(cell)
            yield "output", "put in one piece, with the count 1"


def _identify(book: Book) -> list[str]:
    """Give each cell an id of its own, where it has none or that of one above it."""
    taken: set[str] = set()
    said = []
    for cell in book["cells"]:
        if not identity(cell) or identity(cell) in taken:
            digest = sha256(text(cell).encode("utf-8", "replace")).hexdigest()[:8]
            cell["id"] = next(each for n in count(1) if (each := f"{digest}-{n}") not in taken)
            said.append(f"id {cell['id']} given to a cell that had none of its own")
        taken.add(cell["id"])
    if said and book.get("nbformat") == 4:
        book["nbformat_minor"] = max(5, book.get("nbformat_minor") or 0)
    return said


def _only(found: dict[str, Any], known: set[str]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key in known}
