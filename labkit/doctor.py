"""`labkit doctor`: what is here and what is missing, each with how to mend it.

Looking changes nothing and starts nothing. Each check gives one `Line`; what depends on
an engine says so when there is none, rather than being left out.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import psutil
import requests
from packaging.requirements import Requirement

from labkit import engines, images, ports, settings
from labkit.errors import LabError
from labkit.swarm import Swarm

#: "missing" is what the lab cannot do without; "limited" is what it can.
Verdict = Literal["ok", "limited", "missing"]
MARKS: dict[Verdict, str] = {"ok": "✓ ok     ", "limited": "! limited", "missing": "✗ missing"}

_REGISTRY = "https://registry-1.docker.io/v2/"
_REGISTRY_SECONDS = 3
_GIB = 2**30
#: The images take 0.3 GiB, containers little more.
_DISK_GIB = 2
#: What to do about a simulated engine; where Docker is looked for has lines of its own.
_A_REAL_ONE = "the lesson is complete on it; for a real one start Docker, or install it."
#: Ten workers and the rest of dockercoins take 0.3 GiB, JupyterLab and a browser the rest.
_MEMORY_GIB = 1.5


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: what was looked at, how it is, and how to mend it where that is needed."""

    name: str
    verdict: Verdict
    saw: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f"\n{'':12}→ {self.mend}" if self.mend else ""
        return f"{MARKS[self.verdict]} {self.name}: {self.saw}{mend}"


def examine() -> list[Line]:
    """Look at everything, and return a line for each."""
    lines = [_python(), _packages(), _disk(), _memory(), _dockerd(), _simulated(), _up()]
    try:
        engine = engines.find()
    except LabError as problem:
        lines.append(Line("engine", "missing", problem.found, problem.try_next))
        return [*lines, _registry()]
    return [*lines, *_of_engine(engine), _registry()]


def as_json(lines: list[Line]) -> str:
    """Return the lines for a machine: a list of objects."""
    return json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False)


def _python() -> Line:
    return Line("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _packages() -> Line:
    wrong = list(_wrong_packages())
    if wrong:
        again = "install labkit again: `make lab`, or `pip install -e .` in the checkout."
        return Line("packages", "missing", "; ".join(wrong), again)
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
        return Line("labkit up", "limited", saw, _A_REAL_ONE)
    return Line("labkit up", "ok", saw)


def _registry() -> Line:
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


# ---- what depends on an engine -----------------------------------------------------


def _of_engine(engine: engines.Engine) -> Iterator[Line]:
    swarm = engine.swarm
    saw = f"{swarm.about()} at {swarm.url} ({engine.why})"
    if engine.kind == "simulated":
        yield Line("engine", "limited", saw, _A_REAL_ONE)
    else:
        yield Line("engine", "ok", saw)
    info = swarm.info()
    yield _storage(info["Driver"])
    yield _manager(swarm)
    if info["Swarm"].get("ControlAvailable"):
        yield from (look(swarm) for look in _OF_MANAGER)


def _storage(driver: str) -> Line:
    if driver == "vfs":
        mend = "it copies whole images; put the checkout on a disk such as ext4 or xfs."
        return Line("storage", "limited", "vfs, which is slow and takes much room", mend)
    return Line("storage", "ok", driver)


def _manager(swarm: Swarm) -> Line:
    try:
        swarm.require_manager()
    except LabError as problem:
        return Line("swarm manager", "missing", problem.found, problem.try_next)
    return Line("swarm manager", "ok", "the engine is one")


def _images(swarm: Swarm) -> Line:
    name = f"{settings.docker_id()}/dockercoins"
    wanted = [f"{name}_{service}:{images.FIRST_TAG}" for service in images.SERVICES]
    lacking = [image for image in wanted if not images.has(swarm, image)]
    if lacking:
        return Line("images", "missing", f"no {', '.join(lacking)}", "`labkit up` builds them.")
    return Line("images", "ok", f"all five of {name}_…")


def _ports(swarm: Swarm) -> Line:
    own = f"{settings.stack_name()}_"
    ours = {
        port.get("PublishedPort")
        for service in swarm.services()
        if service["Spec"]["Name"].startswith(own)
        for port in service["Spec"].get("EndpointSpec", {}).get("Ports") or []
    }
    taken = [port for port in ports.WANTED.values() if port not in ours and ports.in_use(port)]
    if taken:
        saw = f"{', '.join(map(str, taken))} taken by something else"
        return Line("ports", "limited", saw, "`labkit up` chooses others and says which.")
    return Line("ports", "ok", ", ".join(map(str, sorted(ours) or ports.WANTED.values())))


def _virtual_addresses(swarm: Swarm) -> Line:
    if swarm.provenance == "simulated":
        return Line("virtual addresses", "ok", "simulated, which needs nothing of the kernel")
    if not sys.platform.startswith("linux") or not swarm.url.startswith("unix://"):
        return Line("virtual addresses", "ok", "as the engine's own machine has them")
    if Path("/proc/net/ip_vs").exists() or Path("/sys/module/ip_vs").exists():
        return Line("virtual addresses", "ok", "this kernel has IPVS")
    return Line(
        "virtual addresses",
        "limited",
        "this kernel shows no IPVS, so `endpoint_mode: vip` and the routing mesh may carry nothing",
        "not needed: dockercoins uses `dnsrr` and `mode: host`.",
    )


_OF_MANAGER: tuple[Callable[[Swarm], Line], ...] = (_images, _ports, _virtual_addresses)
