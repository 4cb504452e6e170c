"""Run the notebooks on the engine, and store the outputs of the cells that are checked.

Run it after changing a notebook: `.venv/bin/python tools/store_outputs.py [STEP …]`.
nbval compares what a cell tagged `nbval-check-output` prints with what is stored here;
read the difference before you commit it, since it is a claim about Swarm. The outputs of
all other cells are different every time, so none is stored.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from labkit import lessons
from labkit.base import settings
from labkit.base.jobs import PATIENCE
from labkit.lessons import workspace


def main(names: list[str]) -> None:
    """Store the outputs of the notebooks that are named, or of all."""
    workspace.refresh()
    for step in [lessons.find(name) for name in names] or lessons.STEPS:
        store(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb")


def store(path: Path) -> None:
    """Run one notebook in the learner's folder, and write it back with its checked outputs."""
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book, timeout=PATIENCE + 10, resources={"metadata": {"path": settings.workspace()}}
    )
    client.execute()
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        cell.execution_count = None
        if "nbval-check-output" not in cell.metadata.get("tags", []):
            cell.outputs = []
        else:
            cell.execution_count = 1  # without one, nbval compares nothing
            cell.outputs = [_printed(cell.outputs)]
            print(f"{path.stem}:\n{cell.outputs[0].text}")
        cell.metadata.pop("execution", None)
    book.metadata = {key: book.metadata[key] for key in ("kernelspec",)}
    path.write_text(nbformat.writes(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _printed(outputs: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    """Return what a cell printed, which comes in pieces, as one output."""
    assert all(output.output_type == "stream" for output in outputs), "a checked cell only prints"
    return nbformat.v4.new_output("stream", name="stdout", text="".join(o.text for o in outputs))


if __name__ == "__main__":
    main(sys.argv[1:])
