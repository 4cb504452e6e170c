"""What this machine has, what it may start, and what the lesson brings along. Starts nothing.

The lesson's are its recordings, for a room without Docker, and the room's log.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil
import requests
from jupyter_core.paths import jupyter_config_path, jupyter_path
from packaging.requirements import Requirement

from labkit import engines
from labkit.base import settings
from labkit.base.errors import LabError
from labkit.base.rules import Facts
from labkit.cli.doctor.line import line
from labkit.lessons.room import noting

_REGISTRY = "https://registry-1.docker.io/v2/"
_REGISTRY_SECONDS = 3
_GIB = 2**30
#: The images take 0.3 GiB, containers little more.
_DISK_GIB = 2
#: Ten workers and the rest of dockercoins take 0.3 GiB, JupyterLab and a browser the rest.
_MEMORY_GIB = 1.5
#: Ten tasks that start together want them; the times in the notebooks are of such a machine.
_CORES = 2
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
#: What the page needs to draw a live view: labkit's own part, and that of its widgets.
_EXTENSION = Path("jupyter_server_config.d") / "labkit.json"
_WIDGETS = (Path("labkit"), Path("anywidget"), Path("@jupyter-widgets") / "jupyterlab-manager")


@line("registry")
def registry() -> Facts:
    """Look whether images can be pulled; waits three seconds at most."""
    try:
        requests.get(_REGISTRY, timeout=_REGISTRY_SECONDS)
    except requests.RequestException:
        return {"address": _REGISTRY, "answers": False}
    return {"address": _REGISTRY, "answers": True}


@line("python")
def _python() -> Facts:
    return {"version": platform.python_version(), "program": sys.executable}


@line("packages")
def _packages() -> Facts:
    return {"wrong": list(_wrong_packages()), "version": version("labkit")}


def _wrong_packages() -> Iterator[str]:
    for text in requires("labkit") or []:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted.name} is not installed"
            continue
        if found not in wanted.specifier:
            yield f"{wanted.name} is {found}, not {wanted.specifier}"


@line("disk")
def _disk() -> Facts:
    folder = settings.home()
    # `labkit up` makes the folder: before that, the disk is its nearest parent's
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return {
        "folder": folder,
        "there": there,
        "writable": there.is_dir() and os.access(there, os.W_OK),
        "free": shutil.disk_usage(there).free / _GIB,
        "wanted": _DISK_GIB,
    }


@line("memory")
def _memory() -> Facts:
    return {"free": psutil.virtual_memory().available / _GIB, "wanted": _MEMORY_GIB}


@line("private engine")
def _dockerd() -> Facts:
    return {"why_not": engines.private().why_not()}


@line("simulated engine")
def _simulated() -> Facts:
    try:
        speed, problem = settings.speed(), ""
    except LabError as found:
        speed, problem = 0, str(found)
    return {"speed": speed, "problem": problem, "why_not": engines.simulated().why_not()}


@line("labkit up")
def _up() -> Facts:
    """Look what `labkit up` would take, which is not done here."""
    try:
        place, answers, passed_over = engines.would_take()
    except LabError as problem:
        return {"problem": problem}
    return {"problem": None, "place": place, "answers": answers, "passed_over": passed_over}


@line("browser parts")
def _browser_parts() -> Facts:
    config = [Path(folder) / _EXTENSION for folder in jupyter_config_path()]
    lacking = [] if any(map(Path.exists, config)) else ["labkit's server extension"]
    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    lacking += [
        part.as_posix() for part in _WIDGETS if not any((each / part).exists() for each in folders)
    ]
    return {"lacking": lacking}


@line("processor")
def _processor() -> Facts:
    return {"cores": _cores(), "load": psutil.getloadavg()[0], "wanted": _CORES}


def _cores() -> float:
    """Return how many cores this process may use, which in a container may be a part of one."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    try:
        quota, period = _QUOTA.read_text(encoding="utf-8").split()
        return min(cores, round(int(quota) / int(period), 1))
    except (OSError, ValueError):  # no such file, or no limit: then it says `max`
        return cores


@line("recordings")
def _recordings(notebooks: Path | None = None) -> Facts:
    """Look which lessons have a recording of themselves, to be shown where there is no Docker."""
    folder = notebooks or settings.lesson_files() / "notebooks"
    lessons = sorted({path.name[:2] for path in folder.glob("[0-9][0-9]-*.ipynb")})
    found = (folder / "recordings").glob("*.jsonl")
    stored = [path for path in found if path.is_file() and path.stat().st_size]
    lacking = [each for each in lessons if not any(path.name.startswith(each) for path in stored)]
    return {"lessons": lessons, "folder": folder, "lacking": lacking}


@line("room's log")
def _room() -> Facts:
    folder, chosen = settings.class_folder(), settings.chosen_alias()
    if folder is None:
        return {"folder": None}
    alias = chosen or noting.kept()
    file = folder / f"{alias}.jsonl" if alias else folder
    enters = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return {
        "folder": folder,
        "chosen": chosen[:60],
        "valid": noting.FORM.fullmatch(chosen),
        "alias": alias,
        "file": file,
        "writable": enters and (not file.exists() or os.access(file, os.W_OK)),
    }


LINES = (
    *(_python, _packages, _browser_parts, _processor, _memory, _disk),
    *(_dockerd, _simulated, _up),
    *(_recordings, _room),
)
