"""Imports point one way, as the table in CONTRIBUTING.md says."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "CONTRIBUTING.md").read_text().split("|---|---|---|")[1].split("\n\n")[0]
#: These import neither Docker nor widgets nor Plotly, however indirectly.
PURE = [
    *("swarmsim.go.durations", "swarmsim.model", "labkit.base.errors", "labkit.recordings.story"),
    *("labkit.recordings.update.prediction", "labkit.recordings.recorder", "labkit.swarm.compose"),
    *("labkit.swarm.client.clock", "labkit.swarm.spec_change", "labkit.lessons.journal"),
    *("labkit.lessons.checks", "labkit.views.state.view_state"),
]
HEAVY = {"docker", "requests", "ipywidgets", "anywidget", "plotly", "IPython"}


def rows() -> list[tuple[set[str], set[str]]]:
    """The rooms of each row of the table, and what they may import."""
    cells = [line.split("|") for line in TABLE.strip().splitlines()]
    return [
        (set(re.findall(r"`([\w/]+)`", cell[1])), set(re.findall(r"`([\w/]+)`", cell[3])))
        for cell in cells
    ]


ROOMS = [room for rooms, _ in rows() for room in sorted(rooms)]
ALLOWED = {room: rooms | may for rooms, may in rows() for room in rooms}


def modules() -> dict[str, Path]:
    """Each module of the two packages by its dotted name."""
    paths = [path for package in ("labkit", "swarmsim") for path in ROOT.glob(f"{package}/**/*.py")]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    return dict(zip((name.removesuffix(".__init__") for name in names), paths, strict=True))


MODULES = modules()


def room_of(module: str) -> str | None:
    """The room that a module is in; `None` for the face of a package and its `__main__`."""
    path = module.replace(".", "/")
    found = [room for room in ROOMS if path == room or path.startswith(f"{room}/")]
    return max(found, key=len, default=None)


def imported(path: Path) -> set[str]:
    """The modules of the two packages that a file imports, for its types alone, too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {part if part in MODULES else str(node.module) for part in parts}
    return found & MODULES.keys()


@cache
def imports() -> dict[str, set[str]]:
    """Each module, and those that it imports."""
    return {name: imported(path) - {name} for name, path in MODULES.items()}


def test_the_table_has_at_most_ten_rows_and_names_every_room():
    there = {"/".join(name.split(".")[:2]) for name, path in MODULES.items() if "." in name}
    named = {"/".join(room.split("/")[:2]) for room in ROOMS}
    assert len(rows()) <= 10
    assert {room for room in there - named if not room.endswith("__main__")} <= SWARMSIM


#: What the row of `swarmsim` as a whole stands for.
SWARMSIM = {f"swarmsim/{name}" for name in ("api", "doors", "engine", "face", "images", "runtime")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room: str):
    reached = {
        room_of(target)
        for module, targets in imports().items()
        if room_of(module) == room
        for target in targets
    }

    assert reached - ALLOWED[room] == set()


def test_no_module_imports_itself_by_a_detour():
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as problem:
        pytest.fail(f"a circle of imports: {' → '.join(problem.args[1])}")


def test_pure_modules_load_neither_docker_nor_widgets():
    code = "".join(f"import {each}; print({each!r}, *sys.modules)\n" for each in PURE)
    words = [sys.executable, "-c", f"import sys\n{code}"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for module, *loaded in map(str.split, said.splitlines()):
        assert {name.split(".")[0] for name in loaded} & HEAVY == set(), module
