"""Starting JupyterLab on the learner's copy of the notebooks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit import settings

FIRST = "00-start-here.ipynb"
#: Loopback and a token are Jupyter's defaults; the first is said all the same, because a
#: configuration of the learner's may say otherwise. The others ask nobody outside; that
#: JupyterLab does not even offer its news is in `page_config.json`, which is installed.
_OPTIONS = (
    "--ServerApp.ip=localhost",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def command(arguments: Sequence[str]) -> list[str]:
    """Return the words that start JupyterLab; the learner's `arguments` come last and win."""
    # Jupyter refuses to run as root unless it is told to; on a bare machine there is nobody else
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        *(sys.executable, "-m", "jupyterlab", *_OPTIONS, *root),
        f"--ServerApp.root_dir={settings.workspace()}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        *arguments,
    ]


def environment(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return what kernels and terminals see: `docker` and `labkit` there use the lab's engine."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, env.get("PATH", os.defpath)])
    home = {"LABKIT_HOME": str(settings.home())}
    return {**env, **home, "DOCKER_HOST": url, "PATH": path}
