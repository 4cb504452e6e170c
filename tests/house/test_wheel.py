"""The wheel, installed into an environment of its own: the lab in a folder with no checkout."""

import json
import os
import secrets
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.response import addinfourl

import pytest
import uv

from labkit.base import settings
from tests.waiting import until
from tests.whole.labs import free_ports

pytestmark = [pytest.mark.engine, pytest.mark.long]

#: A learner's work: an update, and what becomes of the exercise that it is for.
WORK = """
import labkit

labkit.build("lab/dockercoins/worker", "lab/dockercoins_worker:1.1")
labkit.exercise("never-fewer")
with labkit.record("dc_worker") as recorder:
    two_at_a_time = {"parallelism": 2, "order": "start-first"}
    labkit.update("dc_worker", image="lab/dockercoins_worker:1.1", update_config=two_at_a_time)
    recorder.wait()
print(labkit.check("never-fewer"))
"""


@dataclass
class Installed:
    """An environment with the wheel in it, and an empty folder to work in."""

    environment: Path
    folder: Path

    def command(self, *words: str) -> subprocess.Popen[str]:
        """Start one of its programs in the folder, as somebody who has set nothing."""
        kept = {
            name: os.environ[name]
            for name in os.environ
            # without the latter each process would compile all that it imports
            if not name.startswith("LABKIT_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        return subprocess.Popen(
            [self.environment / "bin" / words[0], *words[1:]],
            cwd=self.folder,
            env={**kept, "HOME": str(self.folder), "LABKIT_SPEED": "20"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Run one of its programs in the folder, and return what it says."""
        process = self.command(*words)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return said

    def files(self) -> set[Path]:
        """Everything that is in the environment, less what Python compiles there."""
        return {path for path in self.environment.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("wheel")
    made = Installed(folder / "env", folder / "empty")
    made.folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", folder], cwd=settings.SOURCE, check=True)
    with_uv = [sys.executable, "tools/uv_like_pip.py", uv.find_uv_bin()]
    install: list[str | Path] = [
        "--quiet",
        "--python",
        made.environment,
        "--constraint",
        "constraints.txt",
    ]
    wheels = list(folder.glob("*.whl"))
    for words in (["venv", "--quiet", made.environment], ["pip", "install", *install, *wheels]):
        subprocess.run([*with_uv, *words], cwd=settings.SOURCE, check=True)
    _share_compiled(made.environment)
    yield made
    made.run("labkit", "down", "--all")


def _share_compiled(environment: Path) -> None:
    """Use what is already compiled of the same packages: compiling takes seconds."""
    (target,), own = environment.glob("lib/*/site-packages"), Path(sysconfig.get_path("purelib"))
    for compiled in own.rglob("__pycache__"):
        beside = target / compiled.relative_to(own)
        written = sorted(each.stat().st_mtime for each in compiled.parent.glob("*.py"))
        if written == sorted(each.stat().st_mtime for each in beside.parent.glob("*.py")):
            beside.symlink_to(compiled)


def test_the_lab_is_in_the_current_folder_and_nothing_in_the_environment(installed: Installed):
    before = installed.files()

    said = installed.run("labkit", "up", "--engine", "simulated")

    assert "14 of 14 replicas run." in said
    assert {path.name for path in installed.folder.iterdir()} >= {"lab", ".labkit"}
    assert (installed.folder / "lab" / "00-start-here.ipynb").exists()
    assert "✓ passed" in installed.run("python", "-c", WORK)
    assert installed.files() == before


def test_labkit_lab_opens_the_first_notebook(installed: Installed):
    """JupyterLab serves what was copied there, and its terminals know the lab's engine."""
    (port,) = free_ports(1)
    token = secrets.token_hex(8)
    own = [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    lab = installed.command("labkit", "lab", "--no-browser", *own)

    def answer(path: str) -> addinfourl | None:
        assert lab.poll() is None, lab.communicate()[0]
        try:
            return urllib.request.urlopen(f"http://localhost:{port}/{path}?token={token}")
        except OSError:
            return None

    try:
        until(lambda: answer("api"), "JupyterLab to answer", 60)
        first = answer("")
        notebook = answer("api/contents/00-start-here.ipynb")
        assert first
        assert first.url.split("?")[0].endswith("/lab/tree/00-start-here.ipynb")
        assert '"buildCheck": false' in first.read().decode(), "labkit's page_config.json is there"
        assert notebook
        assert json.load(notebook)["type"] == "notebook"
    finally:
        lab.terminate()
        lab.communicate(timeout=60)


def test_installed_sources_of_notebooks_are_not_changed(installed: Installed):
    process = installed.command("labkit", "notebooks", "check", "--fix")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--from" in said
    assert "Nothing is wrong in 6 notebooks." in installed.run("labkit", "notebooks", "check")
