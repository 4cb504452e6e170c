"""A program does the same as a process and in one Python that takes turns."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from swarmsim import Engine
from swarmsim.runtime.processes import Processes
from swarmsim.runtime.turns.fibers import _is_interruptible
from tests.claims import claims
from tests.pyodide import RunPython
from tests.swarmsim.runtime import programs

ROWS = claims(__file__)
IN_PYODIDE = """
import asyncio, json
from pathlib import Path
from pyodide.ffi import run_sync
from swarmsim.doors import in_browser, posting
posted = in_browser.begin(Path("/engine"))
client = posting.client(lambda message: run_sync(posted.answer(message)))
found = run(client, json.loads(ROWS), lambda seconds: run_sync(asyncio.sleep(seconds)))
print("found", json.dumps(found))
"""


@pytest.fixture(scope="module")
def as_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(speed=1, runtime=Processes, data=folder / "data")
    with engine.serve(f"unix://{folder}/d.sock"):
        return programs.run(engine.client(), ROWS, time.sleep)


@pytest.fixture(scope="module")
def in_turns(pyodide: RunPython) -> dict[str, tuple[str, int]]:
    source = Path(programs.__file__).read_text()
    said = pyodide(f"ROWS = {json.dumps(ROWS)!r}\n{source}\n{IN_PYODIDE}")
    found = next(line for line in said.splitlines() if line.startswith("found "))
    return dict(json.loads(found.removeprefix("found ")))


@pytest.mark.engine
@pytest.mark.long
@pytest.mark.parametrize("how", ["as_processes", "in_turns"])
@pytest.mark.parametrize("name", ROWS)
def test_a_program_ends_as_it_does(name: str, how: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(how)
    assert name in found, f"it has not ended: {sorted(found)}"
    written, code = found[name]
    assert ROWS[name]["says"] in written
    assert code == ROWS[name]["code"]


@pytest.mark.parametrize(
    ("file", "is_interrupted"),
    [
        ("/app/worker.py", True),
        ("<frozen importlib._bootstrap>", False),
        ("<frozen zipimport>", False),
    ],
)
def test_a_program_is_interrupted_except_while_it_imports(file: str, is_interrupted: bool) -> None:
    """Another program might see half of a module that they share."""
    names: dict[str, Any] = {"ask": _is_interruptible, "frame": sys._getframe}
    exec(compile("found = ask(frame())", file, "exec"), names)
    assert names["found"] is is_interrupted
