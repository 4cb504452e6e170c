"""Imports point one way, as the table in CONTRIBUTING.md says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "labkit"

WORDS = {"durations", "references", "model", "errors", "echo", "quoted"}
#: `settings` is a value for whoever may import Docker: it reads Docker's configuration.
#: `waiting` is for whoever may ask for the time.
VALUES = WORDS | {"settings", "waiting"}
TOLD = {"recording", "comparison", "speed", "stages", "story", "phases", "ps", "updater"}
FILES = {"ownership", "workspace"}
ENGINE = VALUES | FILES | {"swarm", "digests", "compose", "ps", "changes"}

#: What each module may import of labkit. Those that are not here may import everything.
MAY_IMPORT = {
    "durations": WORDS,
    "references": WORDS,
    "model": WORDS,
    "errors": set(),
    "echo": set(),
    "quoted": set(),
    "waiting": set(),
    "lines": set(),
    "journal": WORDS | {"lines"},
    "room": VALUES | {"lines", "journal"},
    "settings": WORDS,
    "recording": WORDS,
    "speed": WORDS | {"recording"},
    "comparison": WORDS | {"recording", "speed", "story"},
    "story": WORDS | {"recording", "phases", "speed"},
    "frames": WORDS | {"recording"},
    "phases": WORDS | {"recording"},
    "stages": WORDS,
    "updater": WORDS | {"recording", "phases"},
    "ps": WORDS,
    "compose": WORDS,
    "recorder": WORDS | TOLD,
    "checks": WORDS | TOLD,
    "views": WORDS | TOLD | {"checks", "journal", "room"},
    "server": {"views"},
    "jupyter": VALUES,
    "ownership": VALUES,
    "notebooks": VALUES,
    "workspace": VALUES | {"notebooks"},
    "clock": set(),
    "swarm": VALUES | {"clock"},
    "rollout": WORDS | {"updater"},
    "changes": WORDS,
    "prediction": WORDS | {"recording", "phases", "rollout", "story"},
    "simulated": VALUES | {"references", "rollout"},
    "digests": VALUES | {"swarm"},
    "baseimage": VALUES,
    "services": ENGINE,
    "stack": ENGINE,
    "images": ENGINE | {"baseimage"},
    "engines": VALUES | {"swarm", "baseimage"},
    "ports": VALUES | {"swarm"},
    "coins": VALUES | {"swarm", "compose", "engines", "ports"},
    "doctor": ENGINE | {"baseimage", "engines", "images", "ports", "room", "stack"},
    "lab": ENGINE | {"engines", "images", "ports", "coins", "stack"},
    "lessons": ENGINE
    | {"images", "services", "stack", "engines", "coins", "phases"}
    | {"recording", "recorder", "checks", "journal", "room", "notebooks"},
}
#: These import neither Docker nor widgets nor Plotly, however indirectly.
PURE = ["durations", "references", "model", "errors", "echo", "recording", "story", "phases"]
PURE += ["ps", "compose", "recorder", "speed", "comparison", "clock", "rollout", "changes"]
PURE += ["prediction", "lines", "journal", "checks", "quoted"]
HEAVY = {"docker", "requests", "ipywidgets", "anywidget", "plotly", "IPython"}


def units() -> dict[str, list[Path]]:
    """Each module or package directly in labkit, with its files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        unit = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if unit not in {"__init__", "__main__"}:
            found.setdefault(unit, []).append(path)
    return found


def imported(path: Path) -> set[str]:
    """The modules of labkit that a file imports, as units."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if "labkit." in alias.name}
        elif isinstance(node, ast.ImportFrom) and node.module == "labkit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("labkit."):
            found.add(str(node.module).split(".")[1])
    return found


@pytest.mark.parametrize("unit", MAY_IMPORT)
def test_a_module_imports_only_what_is_below_it(unit: str):
    reached = set().union(*map(imported, units()[unit]))

    assert reached - MAY_IMPORT[unit] - {unit} == set()


def test_the_table_names_every_module():
    table = (ROOT / "CONTRIBUTING.md").read_text().split("|---|---|---|")[1].split("\n\n")[0]
    named = [
        name.rstrip("/")
        for row in table.strip().splitlines()
        for name in re.findall(r"`([\w/]+)`", row.split("|")[1])
    ]

    assert sorted(named) == sorted(units())


def test_only_the_top_may_import_everything():
    assert units().keys() - MAY_IMPORT.keys() == {"api", "learning", "cli"}


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_loads_neither_docker_nor_widgets(module: str):
    code = f"import sys, labkit.{module}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    assert {name.split(".")[0] for name in loaded.split()} & HEAVY == set()
