"""Pyodide in node, with what the site has of labkit."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SCRIPT = ROOT / "tests" / "pyodide.mjs"
_END = "\x04\n"

#: Runs Python, with names of its own, and returns what it has printed.
RunPython = Callable[[str], str]


@contextmanager
def running(folder: Path) -> Iterator[RunPython]:
    """Build a Pyodide in a folder, and start it: that takes more than what a test asks of it."""
    made = [sys.executable, str(ROOT / "site" / "packages.py"), str(folder)]
    subprocess.run(made, check=True, env=_environment())
    node = ["node", "--experimental-wasm-jspi", str(_SCRIPT), f"{folder}/", "labkit"]
    with subprocess.Popen(
        node, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    ) as process:
        assert process.stdin
        assert process.stdout
        asks, says = process.stdin, process.stdout

        def run(source: str) -> str:
            print(json.dumps(source), file=asks, flush=True)
            printed = ""
            while (line := says.readline()) != _END:
                assert line, f"node has ended, after: {printed}"
                printed += line
            return printed

        yield run


def _environment() -> dict[str, str]:
    # node and npm are in the environment
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path}
