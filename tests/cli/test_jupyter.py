"""How JupyterLab is started."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook
from traitlets.config import Config

from labkit.base import settings
from labkit.cli import jupyter


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def given(*arguments: str) -> dict[str, str]:
    """The options that labkit adds to a learner's arguments."""
    return dict(
        word.removeprefix("--").split("=", 1)
        for word in jupyter.options(arguments, settings.workspace())
    )


def test_it_listens_on_loopback_and_asks_nobody_outside():
    words = given()
    assert words["ServerApp.ip"] == "localhost"
    assert words["LabApp.news_url"] == "None"
    assert words["LabApp.check_for_updates_class"] == "jupyterlab.NeverCheckForUpdate"
    assert words["LabApp.extension_manager"] == "readonly"
    assert not any("token" in word for word in words), "Jupyter makes a token of its own"


def test_a_notebook_saved_as_html_loads_nothing_from_elsewhere():
    own = {name.split(".")[1]: url for name, url in given().items() if "HTMLExporter" in name}
    from nbconvert import HTMLExporter  # which takes each process half a second

    page, _ = HTMLExporter(config=Config({"HTMLExporter": own})).from_notebook_node(new_notebook())

    assert not re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="[^"]', page)


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [
        (["--port", "8899"], set()),
        (["--ip=0.0.0.0"], {"ServerApp.ip"}),
        (["--ServerApp.ip", "::1"], {"ServerApp.ip"}),
        (["--notebook-dir=."], {"ServerApp.root_dir"}),
        (["--ServerApp.root_dir=."], {"ServerApp.root_dir"}),
        (["."], {"ServerApp.root_dir"}),
        (["--LabApp.default_url=/lab"], {"LabApp.default_url"}),
        (["here.ipynb"], {"LabApp.default_url"}),
        (["--debug"], {"Application.log_level"}),
        (["--config=here.py"], {"ServerApp.ip", "LabApp.workspaces_dir"}),
    ],
)
def test_what_the_learner_says_wins(arguments, left_out, home, monkeypatch):
    """Under any alias, and in a file: Jupyter refuses what is given twice."""
    monkeypatch.chdir(home)
    (home / "here.ipynb").touch()
    said = 'c.ServerApp.ip = "::1"\nc.LabApp.workspaces_dir = "/elsewhere"'
    (home / "here.py").write_text(said)
    assert given().keys() - given(*arguments).keys() == left_out


def test_settings_and_layout_are_the_labs_own_and_a_persons_changes_stay(home: Path):
    """Saved often; no line of code is cut; notebook, view and terminal side by side."""
    first = given()
    folder = Path(first["LabApp.user_settings_dir"])
    saving = folder / "@jupyterlab" / "docmanager-extension" / "plugin.jupyterlab-settings"
    cells = folder / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    (layout,) = Path(given()["LabApp.workspaces_dir"]).iterdir()

    assert first["LabApp.default_url"] == f"/lab/tree/{jupyter.FIRST}"
    assert folder.is_relative_to(home / ".labkit")
    assert json.loads(saving.read_text())["autosaveInterval"] <= 10
    assert json.loads(cells.read_text())["codeCellConfig"]["lineWrap"]
    assert {"labkit:dc_worker", "terminal:1"} < json.loads(layout.read_text())["data"].keys()
    layout.write_text("mine")
    assert given()["LabApp.default_url"] == "/lab", "what was open the last time"
    assert layout.read_text() == "mine"


def test_a_version_of_the_notebooks_is_built_when_it_is_opened(home: Path):
    root = jupyter.version("instructor")
    assert root == home / "build" / "notebooks" / "instructor"
    assert (root / jupyter.FIRST).exists()
    assert jupyter.version("instructor") == root
    assert (root / "dockercoins").readlink() == settings.workspace() / "dockercoins"


def test_docker_in_a_terminal_talks_to_the_labs_engine():
    seen = jupyter.environment("unix:///lab.sock", {"PATH": "/bin", "LANG": "C"})
    assert seen["DOCKER_HOST"] == "unix:///lab.sock"
    assert seen["LABKIT_HOME"] == str(settings.home())
    assert seen["PATH"].endswith(":/bin")
    assert sys.executable.startswith(seen["PATH"].split(":")[0])
    assert seen["LANG"] == "C"


def test_it_does_not_start_where_the_lab_does_not_come_up(tmp_path: Path):
    nowhere = f"unix://{tmp_path}/none.sock"

    ended = subprocess.run(
        [sys.executable, "-m", "labkit", "lab", "--no-browser", "--engine", nowhere],
        env=os.environ | {"LABKIT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "none.sock" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Jupyter" not in ended.stderr
