"""Starting JupyterLab on the learner's copy of the notebooks.

It runs in the process that was asked for it, and most of its start is imports. They go on
while a process of its own brings the lab up.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.base import settings

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


def run(arguments: Sequence[str]) -> int:
    """Bring the lab up and be JupyterLab until that ends; return `labkit up`'s failure."""
    # -P: the current folder's files must not shadow labkit's modules, as they do not here
    coming_up = subprocess.Popen([sys.executable, "-P", "-m", "labkit", "up"])
    # Half of JupyterLab's start is jsonschema's making of a parser for a format of texts, `iri`,
    # that no schema of Jupyter's has; without the parser it leaves the format unchecked.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from jupyterlab import labapp

    from labkit.engines import state

    if failure := coming_up.wait():
        return failure
    os.environ.update(environment(state.read().engine, os.environ))
    labapp.LabApp.launch_instance(options(arguments))
    return 0


def options(arguments: Sequence[str]) -> list[str]:
    """Return JupyterLab's options; the learner's `arguments` come last and win."""
    # Jupyter refuses to run as root unless it is told to; on a bare machine there is no other user
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        *_OPTIONS,
        *root,
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
