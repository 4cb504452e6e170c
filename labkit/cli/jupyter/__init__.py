"""JupyterLab on the learner's copy of the notebooks, or on a version of an instructor's."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.base import settings

if TYPE_CHECKING:
    from labkit.lessons.notebooks.versions import VersionName

FIRST = "00-start-here.ipynb"
#: Other names that Jupyter has for a setting; a notebook or a folder that is named is one, too.
_ALSO = {"root_dir": {"notebook_dir"}, "default_url": {"file_to_run"}}


def start(arguments: Sequence[str], root: Path | None = None, *, up: Sequence[str] = ()) -> int:
    """Bring the lab up and be JupyterLab until that ends; return `labkit up`'s failure.

    `up` has options of `labkit up`.

    It runs in this process, and most of its start is imports. They go on while a process of
    its own brings the lab up. Without a `root` it serves the learner's copy. Started by
    JupyterHub it is that learner's server there.
    """
    # -P: the current folder's files must not shadow labkit's modules, as they do not here
    coming_up = subprocess.Popen([sys.executable, "-P", "-m", "labkit", "up", *up])  # noqa: S603 - no shell, and the options are click's
    # Half of JupyterLab's start is jsonschema's making of a parser for a format of texts, `iri`,
    # that no schema of Jupyter's has; without the parser it leaves the format unchecked.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    application = _application()

    from labkit.engines import state

    if failure := coming_up.wait():
        return failure
    os.environ.update(environment(state.read().engine, os.environ))
    gc.set_threshold(700)  # Python's own: what lasts for days is not to gather as a command does
    application.launch_instance([*options(arguments, root or settings.workspace()), *arguments])
    return 0


def _application() -> Any:
    """Return JupyterLab, or what makes a server with it a part of a hub: its login, its address."""
    if _in_hub():
        from jupyterhub.singleuser.extension import JupyterHubSingleUser

        return JupyterHubSingleUser
    from jupyterlab.labapp import LabApp

    return LabApp


def _in_hub() -> bool:
    return "JUPYTERHUB_SERVICE_URL" in os.environ


def version(name: VersionName) -> Path:
    """Return the folder of a version of the notebooks, which is built if it was not yet.

    The learner's `dockercoins` is in it, as in `lab/`: commands are typed as the text has them.
    """
    from labkit.lessons.notebooks import building

    folder = settings.built(name)
    if not folder.is_dir():
        building.build(name, settings.lesson_files() / "notebooks", folder, ())
    with suppress(OSError):  # it exists already, or this system allows no links
        (folder / "dockercoins").symlink_to(settings.workspace() / "dockercoins")
    return folder


def options(arguments: Sequence[str], root: Path) -> list[str]:
    """Return the options that labkit gives JupyterLab: those that `arguments` say nothing of.

    What is given twice Jupyter refuses, and what a file says it would overrule.
    """
    chosen = _chosen(arguments)
    return [
        f"--{name}={value}"
        for name, value in _defaults(root).items()
        if not chosen & {name.split(".")[1], *_ALSO.get(name.split(".")[1], ())}
    ]


def _defaults(root: Path) -> dict[str, object]:
    own = settings.state_dir() / "jupyterlab" / root.name
    opens = "/lab"  # what was open when JupyterLab was left
    if not own.exists():
        opens = f"/lab/tree/{FIRST}"
        _make(own)
    found: dict[str, object] = {
        # The next three ask nobody outside. That JupyterLab does not even offer its news, nor
        # starts node to see whether its own page has to be built anew, is in
        # `page_config.json`, which is installed.
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        # nor does a notebook that was saved as HTML; the lesson has no formulas, and its views
        # need no script
        "HTMLExporter.mathjax_url": "",
        "HTMLExporter.require_js_url": "",
        # what it tells of its own start would hide its address and what labkit said
        "Application.log_level": "ERROR",
        "ServerApp.root_dir": root,
        # the application that a hub starts has JupyterLab beside it
        f"{'ServerApp' if _in_hub() else 'LabApp'}.default_url": opens,
    }
    if not _in_hub():  # which says where it is to listen
        # Loopback and a token are Jupyter's defaults; the first is said all the same, because a
        # configuration of the learner's may say otherwise.
        found["ServerApp.ip"] = "localhost"
    for name, folder in (("user_settings_dir", "settings"), ("workspaces_dir", "workspaces")):
        if f"JUPYTERLAB_{folder.upper()}_DIR" not in os.environ:
            found[f"LabApp.{name}"] = own / folder
    # Jupyter runs as root only with this flag, and a bare machine has no other user
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        found["ServerApp.allow_root"] = True
    return found


def _chosen(arguments: Sequence[str]) -> set[str]:
    """Return the settings that a learner's arguments give, by whichever alias, or in a file."""
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp

    app = ServerApp()
    app.aliases = {**app.aliases, **LabApp.aliases}
    app.flags = {**app.flags, **LabApp.flags}
    app.parse_command_line(list(arguments))
    if app.config_file:
        app.load_config_file()
    return {name for section in app.config.values() for name in section}


def environment(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return what kernels and terminals see: `docker` and `labkit` there use the lab's engine."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, env.get("PATH", os.defpath)])
    home = {"LABKIT_HOME": str(settings.home())}
    return {**env, **home, "DOCKER_HOST": url, "PATH": path}


def _make(folder: Path) -> None:
    """Make the folder of JupyterLab's settings and layout ready, at the first start.

    What a person changes there stays. Each version of the notebooks has its own.
    """
    with as_file(files("labkit.cli.jupyter") / "shipped") as shipped:
        shutil.copytree(shipped, folder)
    layout = next((folder / "workspaces").iterdir())
    text = layout.read_text(encoding="utf-8")
    layout.write_text(text.replace("dc_worker", f"{settings.stack_name()}_worker"))
