"""What a notebook is made of: cells with tags, ids and text.

A notebook here is the JSON of its file. Nothing changes one that is handed in: whatever
returns a notebook returns a new one.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

from labkit.base.errors import LabError

Cell = dict[str, Any]
Book = dict[str, Any]

#: A note for the instructor; learners do not get it.
INSTRUCTOR = "instructor"
#: The solution of an exercise; learners do not get it either.
SOLUTION = "solution"
#: nbval compares what such a cell prints with the output that is stored in it.
CHECKED = "nbval-check-output"
#: Tags beside which a second one names the exercise, or the question.
EXERCISE_TAGS = ("exercise", "stub", SOLUTION, "check")
QUESTION_TAGS = ("question", "compare")
NAMED_TAGS = EXERCISE_TAGS + QUESTION_TAGS

#: What is read of a notebook: many times what those of a lesson have, with all their outputs.
_MOST_BYTES, _MOST_CELLS, _MOST_VALUES, _DEEPEST = 20_000_000, 1_000, 100_000, 100
_LABEL = re.compile(r"^(?:[-*] +)?\*\*([^*\n]+):\*\* *", re.MULTILINE)
_QUOTED = re.compile(r"^> ?", re.MULTILINE)
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")


def read(path: Path) -> Book:
    """Return the notebook in a file. Raises `LabError` unless it is one of format 4.

    One that is too large, or too deep, for what is done with it counts as none.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _no_notebook(path, f"it is larger than {_MOST_BYTES // 1_000_000} MB.")
        book: Book = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise _no_notebook(path, str(problem)) from None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise _no_notebook(path, "it has no list of cells.")
    if len(cells) > _MOST_CELLS or not _is_handy(book):
        limits = f"{_MOST_CELLS:,} cells, {_MOST_VALUES:,} values, or {_DEEPEST} levels"
        raise _no_notebook(path, f"it has more than {limits}.")
    return book


def _is_handy(book: Book) -> bool:
    """Whether a notebook has a size and a depth that people write."""
    level: list[Any] = [book]
    values = 0
    for _ in range(_DEEPEST):
        values += len(level)
        if not level or values > _MOST_VALUES:
            break
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return not level


def _no_notebook(path: Path, found: str) -> LabError:
    return LabError(
        f"{path} to be a notebook of format 4.",
        found,
        "open it in JupyterLab and save it again, or move it away.",
    )


def written(book: Book) -> str:
    """Return a notebook as the text of its file, laid out as JupyterLab does it."""
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def text(cell: Cell) -> str:
    """Return what stands in a cell; a file keeps it in one piece or in lines."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def imports(path: Path) -> str:
    """Return the code of a notebook that imports something."""
    code = "\n".join(text(cell) for cell in read(path)["cells"] if is_code(cell))
    wanted = (
        node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)
    )
    return "\n".join(map(ast.unparse, wanted))


def with_text(cell: Cell, words: str) -> Cell:
    """Return a cell with another text."""
    return cell | {"source": words.splitlines(keepends=True)}


def metadata(cell: Cell) -> dict[str, Any]:
    """Return the metadata of a cell, or of a notebook; invalid metadata count as empty."""
    found = cell.get("metadata")
    return found if isinstance(found, dict) else {}


def with_metadata(cell: Cell, **values: Any) -> Cell:
    """Return a cell with some metadata set; `None` takes them away."""
    merged = metadata(cell) | values
    return cell | {"metadata": {key: value for key, value in merged.items() if value is not None}}


def tags(cell: Cell) -> list[str]:
    """Return the tags of a cell, as they are written."""
    found = metadata(cell).get("tags")
    return [str(tag) for tag in found] if isinstance(found, list) else []


def has(cell: Cell, tag: str) -> bool:
    """Whether a cell has a tag. Capitals and spaces do not count: a note must not slip out."""
    return tag in [each.strip().lower() for each in tags(cell)]


def is_note(cell: Cell) -> bool:
    """Whether a cell is for the instructor."""
    return has(cell, INSTRUCTOR)


def labelled(cell: Cell) -> list[tuple[str, str]]:
    """Return what a note says, as labels and texts: `("Ask", "Who is late?")` and so on.

    What stands before the first label is left out.
    """
    _, *parts = _LABEL.split(_QUOTED.sub("", text(cell)))
    return [(label, said.strip()) for label, said in zip(parts[::2], parts[1::2], strict=True)]


def is_solution(cell: Cell) -> bool:
    """Whether a cell is, or explains, the solution of an exercise."""
    return has(cell, SOLUTION)


def is_code(cell: Cell) -> bool:
    """Whether a cell runs."""
    return cell.get("cell_type") == "code"


def is_prose(cell: Cell) -> bool:
    """Whether a cell is Markdown of the lesson, and no note."""
    return cell.get("cell_type") == "markdown" and not is_note(cell)


def identity(cell: Cell) -> str:
    """Return the id of a cell, or `""` where it has none that a notebook may have."""
    found = cell.get("id")
    return found if isinstance(found, str) and _ID.match(found) else ""


def without_output(cell: Cell) -> Cell:
    """Return a cell as one that never ran."""
    return cell | {"outputs": [], "execution_count": None} if is_code(cell) else cell
