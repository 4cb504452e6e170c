"""What depends on an engine: how far it is, and what of the lesson is on it already."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from labkit import engines
from labkit.base import settings
from labkit.base.errors import LabError
from labkit.cli.doctor.line import A_REAL_ONE, Line
from labkit.engines import ports
from labkit.swarm import ownership, stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images

#: A recorder asks several times a second, and more often while something happens.
_SLOW_SECONDS = 0.1
_TRIES = 3


def lines(engine: engines.Engine) -> Iterator[Line]:
    """Look at an engine that answers, and at what is on it."""
    swarm = engine.swarm
    saw = f"{swarm.about()} at {swarm.url} ({engine.why})"
    if engine.kind == "simulated":
        yield Line("engine", "limited", saw, A_REAL_ONE)
    else:
        yield Line("engine", "ok", saw)
    yield _answer(swarm)
    info = swarm.info()
    yield _storage(info["Driver"])
    yield _manager(swarm)
    if info["Swarm"].get("ControlAvailable"):
        yield from (lines(swarm) for lines in _OF_MANAGER)


def _answer(swarm: Swarm) -> Line:
    """Say how long an engine takes to answer the shortest question; the best of three."""
    took = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        swarm.get("/version")
        took.append(time.perf_counter() - began)
    saw = f"after {1000 * min(took):.0f} ms"
    if min(took) > _SLOW_SECONDS:
        mend = "views will be late: use an engine on this machine or near it, or let it rest."
        return Line("engine's answer", "limited", saw, mend)
    return Line("engine's answer", "ok", saw)


def _storage(driver: str) -> Line:
    if driver == "vfs":
        mend = "it copies whole images; put the lab on a disk such as ext4 or xfs."
        return Line("storage", "limited", "vfs, which is slow and takes much room", mend)
    return Line("storage", "ok", driver)


def _manager(swarm: Swarm) -> Line:
    try:
        swarm.require_manager()
    except LabError as problem:
        return Line("swarm manager", "missing", problem.found, problem.try_next)
    return Line("swarm manager", "ok", "the engine is one")


def _base_image(swarm: Swarm) -> Line:
    if there := images.base_there(swarm):
        return Line("base image", "ok", f"{there} is there, so images can be built")
    chosen = settings.python_image()
    saw = f"no {chosen or baseimage.OFFICIAL}, which images are built on"
    if chosen or (why_not := baseimage.why_not(swarm.info().get("Architecture", ""))):
        because = "" if chosen else f"; none can be made here: {why_not}"
        mend = f"`labkit up` pulls it, which takes a registry{because}."
        return Line("base image", "limited", saw, mend)
    mend = "`labkit up` pulls it, or makes one from this machine's packages in some 20 s."
    return Line("base image", "limited", saw, mend)


def _images(swarm: Swarm) -> Line:
    name = f"{settings.docker_id()}/dockercoins"
    wanted = {service: f"{name}_{service}:{images.FIRST_TAG}" for service in images.SERVICES}
    lacking = [image for image in wanted.values() if not images.has(swarm, image)]
    if lacking:
        return Line("images", "missing", f"no {', '.join(lacking)}", "`labkit up` builds them.")
    if older := [wanted[service] for service in _older(swarm, wanted)]:
        saw = f"{', '.join(older)} built from other sources than those here"
        return Line("images", "limited", saw, "`labkit up` rebuilds them, in some seconds.")
    return Line("images", "ok", f"all five of {name}_…")


def _older(swarm: Swarm, wanted: dict[str, str]) -> list[str]:
    """Return the services whose image is not of the sources that `labkit up` would build."""
    base = images.base_there(swarm)
    if not base:  # it counts as a source, so this cannot be told
        return []
    base_id, root = images.inspect(swarm, base)["Id"], settings.lesson_files() / "dockercoins"
    return [
        service
        for service, image in wanted.items()
        if images.source_of(swarm, image) != images.source_hash(root / service, base_id)
    ]


def _stack(swarm: Swarm) -> Line:
    name = settings.stack_name()
    found = swarm.services(label=f"{stack.NAMESPACE}={name}")
    if others := [each["Spec"]["Name"] for each in found if not ownership.is_ours(each)]:
        saw = f"{', '.join(others)} deployed by somebody else"
        return Line("stack", "missing", saw, "set LABKIT_STACK to a name of your own.")
    there = {each["Spec"]["Name"] for each in found}
    lacking = [each for each in images.SERVICES if f"{name}_{each}" not in there]
    if lacking:
        saw = f"{name} lacks {', '.join(lacking)}" if found else f"{name} is not deployed"
        return Line("stack", "limited", saw, "`labkit up` deploys it, in some seconds.")
    counts = [each["ServiceStatus"] for each in found]
    running = sum(each["RunningTasks"] for each in counts)
    wanted = sum(each["DesiredTasks"] for each in counts)
    saw = f"{running} of {wanted} replicas of {name} run"
    if running < wanted:
        mend = f"wait if it is just being updated; `labkit stack ps {name}` says what keeps it."
        return Line("stack", "limited", saw, mend)
    return Line("stack", "ok", saw)


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


_OF_MANAGER: tuple[Callable[[Swarm], Line], ...] = (
    _base_image,
    _images,
    _stack,
    _ports,
    _virtual_addresses,
)
