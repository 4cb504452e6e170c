"""Pyodide in node, with what the site has of labkit."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SCRIPT = ROOT / "tests" / "pyodide.mjs"


def build(folder: Path) -> Path:
    """Make Pyodide's folder."""
    made = [sys.executable, str(ROOT / "site" / "packages.py"), str(folder)]
    subprocess.run(made, check=True, env=_environment())
    return folder


def run_python(folder: Path, source: str) -> str:
    """Run Python in Pyodide, and return what it has printed."""
    node = ["node", "--experimental-wasm-jspi", str(_SCRIPT), f"{folder}/", "labkit"]
    ran = subprocess.run(
        node, input=source, capture_output=True, text=True, check=False, env=_environment()
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _environment() -> dict[str, str]:
    # node and npm are in the environment
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path}
