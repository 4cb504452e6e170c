"""How JupyterLab is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from labkit.base import settings
from labkit.cli import lab


def test_it_listens_on_loopback_and_asks_nobody_outside():
    words = lab.jupyter_options([])

    assert "--ServerApp.ip=localhost" in words
    assert "--LabApp.news_url=None" in words
    assert "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate" in words
    assert "--LabApp.extension_manager=readonly" in words
    assert not any("token" in word for word in words), "Jupyter makes a token of its own"


def test_what_the_learner_says_comes_last():
    assert lab.jupyter_options(["--port", "8899"])[-2:] == ["--port", "8899"]


def test_docker_in_a_terminal_talks_to_the_labs_engine():
    seen = lab.jupyter_environment("unix:///lab.sock", {"PATH": "/bin", "LANG": "C"})

    assert seen["DOCKER_HOST"] == "unix:///lab.sock"
    assert seen["LABKIT_HOME"] == str(settings.home())
    assert seen["PATH"].endswith(":/bin")
    assert sys.executable.startswith(seen["PATH"].split(":")[0])
    assert seen["LANG"] == "C"


def test_it_does_not_start_where_the_lab_does_not_come_up(tmp_path: Path):
    nowhere = {"LABKIT_HOME": str(tmp_path), "LABKIT_ENGINE": f"unix://{tmp_path}/none.sock"}

    ended = subprocess.run(
        [sys.executable, "-m", "labkit", "lab", "--no-browser"],
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "none.sock" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Jupyter" not in ended.stderr
