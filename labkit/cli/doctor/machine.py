"""What this machine has: packages, processor, memory, disk; what it may start. Starts nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.resources import files
from pathlib import Path

import psutil
import requests
from jupyter_core.paths import jupyter_config_path, jupyter_path
from packaging.requirements import Requirement

from labkit import engines
from labkit.base import settings
from labkit.base.errors import LabError
from labkit.cli.doctor.line import A_REAL_ONE, Line

_REGISTRY = "https://registry-1.docker.io/v2/"
_REGISTRY_SECONDS = 3
_GIB = 2**30
#: The images take 0.3 GiB, containers little more.
_DISK_GIB = 2
#: Ten workers and the rest of dockercoins take 0.3 GiB, JupyterLab and a browser the rest.
_MEMORY_GIB = 1.5
#: Ten tasks that start together want them; the times in the notebooks are of such a machine.
_CORES = 2
_AGAIN = "install labkit again: `make lab` in its checkout, or `pip install` with its wheel."
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
#: What the page needs to draw a live view: labkit's own part, and that of its widgets.
_EXTENSION = Path("jupyter_server_config.d") / "labkit.json"
_WIDGETS = (Path("anywidget"), Path("@jupyter-widgets") / "jupyterlab-manager")


def lines() -> Iterator[Line]:
    """Look at this machine, the registry aside."""
    yield _python()
    yield _packages()
    yield _browser_parts()
    yield _processor()
    yield _memory()
    yield _disk()
    yield _dockerd()
    yield _simulated()
    yield _up()


def registry() -> Line:
    """Look whether images can be pulled; waits three seconds at most."""
    try:
        requests.get(_REGISTRY, timeout=_REGISTRY_SECONDS)
    except requests.RequestException:
        return Line(
            "registry",
            "limited",
            f"{_REGISTRY} does not answer this machine",
            "not needed: the base image is then made from Debian's packages; pushing fails.",
        )
    return Line("registry", "ok", f"{_REGISTRY} answers this machine")


def _python() -> Line:
    return Line("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _packages() -> Line:
    wrong = list(_wrong_packages())
    if wrong:
        return Line("packages", "missing", "; ".join(wrong), _AGAIN)
    return Line("packages", "ok", f"labkit {version('labkit')} has all that it needs")


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


def _disk() -> Line:
    folder = settings.home()
    # `labkit up` makes the folder: before that, the disk is its nearest parent's
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        mend = "set LABKIT_HOME to a folder that you may write to."
        return Line("disk", "missing", f"{there} cannot be written to", mend)
    free = shutil.disk_usage(there).free / _GIB
    saw = f"{free:.1f} GiB free at {folder}"
    if free < _DISK_GIB:
        return Line("disk", "limited", saw, f"the images want {_DISK_GIB} GiB; make room.")
    return Line("disk", "ok", saw)


def _memory() -> Line:
    free = psutil.virtual_memory().available / _GIB
    saw = f"{free:.1f} GiB available"
    if free < _MEMORY_GIB:
        return Line("memory", "limited", saw, f"the lab wants {_MEMORY_GIB} GiB; end something.")
    return Line("memory", "ok", saw)


def _dockerd() -> Line:
    if why_not := engines.private().why_not():
        return Line("private engine", "limited", why_not, "not needed where Docker runs already.")
    return Line("private engine", "ok", "dockerd is installed and may be started")


def _simulated() -> Line:
    try:
        speed = settings.speed()
    except LabError as problem:
        return Line("simulated engine", "limited", str(problem), "set LABKIT_SPEED, or unset it.")
    if why_not := engines.simulated().why_not():
        return Line("simulated engine", "limited", why_not, "not needed where Docker runs already.")
    saw = f"needs no Docker; may be started, at {speed:g} times real time"
    return Line("simulated engine", "ok", saw)


def _up() -> Line:
    """Return what `labkit up` would take, which is not done here."""
    try:
        place, answers = engines.would_take()
    except LabError as problem:
        return Line("labkit up", "missing", "finds no engine and can start none", problem.try_next)
    saw = f"{'would use the engine at' if answers else 'would start'} {place}"
    if place.kind == "simulated":
        return Line("labkit up", "limited", saw, A_REAL_ONE)
    return Line("labkit up", "ok", saw)


def _browser_parts() -> Line:
    config = [Path(folder) / _EXTENSION for folder in jupyter_config_path()]
    lacking = [] if any(map(Path.exists, config)) else ["labkit's server extension"]
    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    lacking += [
        part.as_posix() for part in _WIDGETS if not any((each / part).exists() for each in folders)
    ]
    if not (files("plotly") / "package_data" / "plotly.min.js").is_file():
        lacking.append("plotly.js")
    if lacking:
        saw = f"{', '.join(lacking)} not installed, so live views draw less or nothing"
        return Line("browser parts", "limited", saw, _AGAIN)
    return Line("browser parts", "ok", "what live views need in the page is installed")


def _processor() -> Line:
    cores, load = _cores(), psutil.getloadavg()[0]
    one = "1 core" if cores == 1 else f"{cores:g} cores"
    saw = f"{one}, load {load:.1f}"
    if cores < _CORES:
        mend = f"the lesson's times are of {_CORES} cores or more; expect longer ones."
        return Line("processor", "limited", saw, mend)
    if load > cores:
        mend = "the lesson's times will not hold while others compute; end what is not needed."
        return Line("processor", "limited", saw, mend)
    return Line("processor", "ok", saw)


def _cores() -> float:
    """Return how many cores this process may use, which in a container may be a part of one."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    try:
        quota, period = _QUOTA.read_text(encoding="utf-8").split()
        return min(cores, round(int(quota) / int(period), 1))
    except (OSError, ValueError):  # no such file, or no limit: then it says `max`
        return cores
