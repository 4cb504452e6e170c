"""What depends on an engine: how far it is, and what of the lesson is on it already."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from labkit import engines
from labkit.base import settings
from labkit.base.errors import LabError
from labkit.base.rules import Facts
from labkit.cli.doctor.line import Line, line
from labkit.engines import ports
from labkit.recordings.update import phases
from labkit.swarm import ownership, stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images

#: A recorder asks several times a second, and more often while something happens.
_SLOW_SECONDS = 0.1
_TRIES = 3


def lines(engine: engines.Engine) -> Iterator[Line]:
    """Look at an engine that answers, and at what is on it."""
    swarm = engine.swarm
    yield answering(engine)
    yield _answer(swarm)
    info = swarm.info()
    yield _storage(info["Driver"])
    yield _manager(swarm)
    if info["Swarm"].get("ControlAvailable"):
        yield from (lines(swarm) for lines in _OF_MANAGER)


@line("engine")
def answering(engine: engines.Engine | None, problem: LabError | None = None) -> Facts:
    """Look which engine answers, if one does."""
    if engine is None:
        return {"problem": problem}
    about, url = engine.swarm.about(), engine.swarm.url
    return {"problem": None, "kind": engine.kind, "about": about, "url": url, "why": engine.why}


@line("engine's answer")
def _answer(swarm: Swarm) -> Facts:
    """Look how long an engine takes to answer the shortest question; the best of three."""
    took = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        swarm.get("/version")
        took.append(time.perf_counter() - began)
    return {"took": min(took), "slow": _SLOW_SECONDS}


@line("storage")
def _storage(driver: str) -> Facts:
    return {"driver": driver}


@line("swarm manager")
def _manager(swarm: Swarm) -> Facts:
    try:
        swarm.require_manager()
    except LabError as problem:
        return {"problem": problem}
    return {"problem": None}


@line("base image")
def _base_image(swarm: Swarm) -> Facts:
    return {
        "there": images.base_there(swarm),
        "wanted": baseimage.OFFICIAL,
        "why_not": baseimage.why_not(swarm.info().get("Architecture", "")),
    }


@line("images")
def _images(swarm: Swarm) -> Facts:
    wanted, base = images.names_of(settings.docker_id()), images.base_there(swarm)
    lacking = [image for image in wanted.values() if not images.has(swarm, image)]
    older: list[str] = []
    if base and not lacking:  # the base counts as a source: without it this cannot be told
        base_id, root = images.inspect(swarm, base)["Id"], settings.lesson_files() / "dockercoins"
        older = [
            image
            for service, image in wanted.items()
            if not images.is_current(swarm, root / service, image, base_id)
        ]
    return {"name": f"{settings.docker_id()}/dockercoins", "lacking": lacking, "older": older}


@line("stack")
def _stack(swarm: Swarm) -> Facts:
    name = settings.stack_name()
    found = swarm.services(label=f"{stack.NAMESPACE}={name}")
    there = {each["Spec"]["Name"] for each in found}
    counts = stack.running(swarm, name).values()
    return {
        "name": name,
        "found": found,
        "others": [each["Spec"]["Name"] for each in found if not ownership.is_ours(each)],
        "lacking": [each for each in images.SERVICES if f"{name}_{each}" not in there],
        "running": sum(run for run, _ in counts),
        "away": " ".join(phases.taking_no_task(swarm.nodes())),
        "wanted": sum(wanted for _, wanted in counts),
    }


@line("ports")
def _ports(swarm: Swarm) -> Facts:
    services = ports.services(swarm, settings.stack_name()).values()
    ours = {port for service in services for port in ports.of_service(service)}
    wanted = ports.WANTED.values()
    taken = [port for port in wanted if port not in ours and ports.in_use(port)]
    return {"taken": taken, "ports": sorted(ours or wanted)}


@line("virtual addresses")
def _virtual_addresses(swarm: Swarm) -> Facts:
    kernel = (Path("/proc/net/ip_vs"), Path("/sys/module/ip_vs"))
    return {
        "simulated": swarm.provenance != "engine",
        "elsewhere": not (sys.platform.startswith("linux") and swarm.url.startswith("unix://")),
        "ipvs": any(map(Path.exists, kernel)),
    }


_OF_MANAGER = (_base_image, _images, _stack, _ports, _virtual_addresses)
