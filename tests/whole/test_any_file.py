"""Whatever is written in a file, it is read as far as it goes, or refused in a sentence."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.base.errors import LabError
from labkit.base.settings import lesson_files
from labkit.lessons.notebooks import building, cells, checking, cleaning, versions
from labkit.recordings import frames, story
from labkit.recordings.recording import Recording
from labkit.swarm import compose
from labkit.views.static.snapshot import Snapshot, text
from tests.claims import load

NOTEBOOKS = lesson_files() / "notebooks"
STACKS = Path(__file__).parents[1] / "swarm" / "stacks"
NODE = {"id": "n", "name": "node-1", "state": "ready", "availability": "drain"}
NODES = {"kind": "nodes", "at": "2026-11-28T16:41:23Z", "nodes": [NODE]}
TIMES = ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "2026-11-28T16:41:23+23:59"]
WORDS = [
    "updating",
    "running",
    "complete",
    "1.0",
    "-5s",
    "99999999h",
    "$X",
    "${A:?b}",
    "instructor",
]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**30, -(10**400), 10**400, *WORDS, *TIMES]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def recordings() -> Iterator[Any]:
    for path in sorted((NOTEBOOKS / "recordings").glob("*.jsonl")):
        yield [*map(json.loads, path.read_text().splitlines()[:40]), NODES]


def stacks() -> Iterator[Any]:
    for path in (lesson_files() / "dockercoins" / "docker-compose.yml", *STACKS.glob("*.yml")):
        yield load(path.read_text())


def notebooks() -> Iterator[Any]:
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        book = cells.read(path)
        yield book | {"cells": book["cells"][:12]}


def read_recording(path: Path) -> None:
    path.write_text("\n".join(map(json.dumps, json.loads(path.read_text()))))
    recording = Recording.load(path)
    assert json.dumps(story.facts(recording))
    assert text(recording)
    assert Snapshot.of(recording)._repr_html_()
    frames.spans(recording)


def read_stack(path: Path) -> None:
    for beside in (each for each in STACKS.iterdir() if each.suffix != ".yml"):
        (path.parent / beside.name).symlink_to(beside)
    assert json.dumps(asdict(compose.load([path], os.environ).specs("dc")), default=str)


def read_notebook(path: Path) -> None:
    """It is checked, fixed, built, and built over: as what somebody made of a version."""
    book = cells.read(path)
    assert all(map(str, checking.problems("x", book)))
    assert cells.written(cleaning.cleaned(book)[0]).encode()
    good, damaged = path.parent / "good", path.parent / "damaged"
    write(good / "x.ipynb", next(notebooks()))
    write(damaged / "x.ipynb", book)
    for version in versions.VERSIONS:
        for number, source in enumerate((damaged, good)):
            with suppress(LabError):
                target = path.parent / f"{version}-{number}"
                write(target / "x.ipynb", book)
                building.build(version, source, target)
                building.build(version, source, target)


def write(path: Path, book: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(book))


READERS = {
    "recording": (recordings, read_recording),
    "stack": (stacks, read_stack),
    "notebook": (notebooks, read_notebook),
}


def containers(tree: Any) -> Iterator[Any]:
    """Each mapping and list in a tree that holds anything."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    if inner:
        yield tree
    for each in inner:
        yield from containers(each)


@st.composite
def damaged(draw: st.DrawFn, trees: list[Any]) -> Any:
    """A tree in which some fields hold something else, or are missing."""
    tree = json.loads(json.dumps(draw(st.sampled_from(trees))))
    for _ in range(draw(st.integers(1, 3))):
        inner = draw(st.sampled_from(list(containers(tree))))
        field = draw(
            st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
        )
        if draw(st.booleans()):
            inner[field] = draw(ANYTHING)
        elif len(inner) > 1:
            del inner[field]
    return tree


@pytest.mark.parametrize("kind", READERS)
def test_any_field_of_a_file_may_hold_anything(kind: str) -> None:
    trees, read = READERS[kind]

    @given(damaged(list(trees())))
    def is_read(tree: Any) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "file.yml")
            path.write_text(json.dumps(tree))
            with suppress(LabError):
                read(path)

    is_read()


SERVICE = "services: {web: {image: 'lab/web:1', %s}}"
CELL = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
BOOK = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def a_book(*made: dict[str, Any]) -> str:
    return json.dumps(BOOK | {"cells": [CELL | {"source": "x"} | each for each in made]})


@pytest.mark.parametrize(
    ("read", "content", "found"),
    [
        (read_stack, SERVICE % f"command: {'a' * 10**7}", "larger than 256 kB"),
        (read_stack, SERVICE % f"deploy: {{replicas: {'9' * 9999}}}", "thousands of digits"),
        (read_stack, SERVICE % f"ports: [{','.join(['1-60000:1-60000'] * 50)}]", "more ports than"),
        (read_stack, SERVICE % f"x-a: {'[' * 9999}{']' * 9999}", "levels deep"),
        (read_notebook, '{"cells":' + "[" * 10**5, "recursion"),
        (read_notebook, a_book(*[{}] * 1001), "more than 1,000 cells"),
        (read_notebook, a_book({"outputs": [{}] * 10**5}), "100,000 values"),
        (read_notebook, a_book({"metadata": {}}).replace("{}", "[" * 150 + "]" * 150), "levels"),
        (read_notebook, a_book({"source": "a" * (2 * 10**7)}), "larger than 20 MB"),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) < 30 else "",
)
def test_what_is_too_much_is_refused_before_it_costs_anything(read, content, found, tmp_path):
    path = tmp_path / "file.yml"
    path.write_text(content)
    with pytest.raises(LabError, match=found):
        read(path)
