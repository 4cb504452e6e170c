"""Where an engine may be, in the order in which one is looked for.

auto       DOCKER_HOST, if it is set; else the engine that `labkit up` chose before,
           and the one of the docker context; then the private one; then the simulated one
           (the other way round if `labkit up` chose the simulated one before)
private    the private one
simulated  the simulated one
a URL      that one
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from labkit.base import browser, settings
from labkit.base.errors import BadValue, LabError, NoEngine
from labkit.engines import page, state
from labkit.engines.background import BackgroundEngine
from labkit.engines.private.private import PrivateEngine
from labkit.engines.simulated import SimulatedEngine
from labkit.swarm.client import Swarm
from labkit.swarm.client.connecting import context_trouble

_THE_LABS = "the lab's"
_CHOICES = "auto, private, simulated or a URL (tcp://host)"
Kind = Literal["yours", "private", "simulated", "page"]


@dataclass(frozen=True, slots=True)
class EngineLocation:
    """Where an engine may be. An empty `url` is the docker context's."""

    kind: Kind
    url: str
    #: Why to look there, such as "DOCKER_HOST names it".
    why: str

    def connect(self) -> Swarm | str:
        """Return a connection to an engine that can run the lab, or why there is none."""
        try:
            if self.kind == "page":
                return page.connect()
            swarm = Swarm.at(self.url or None)
        except NoEngine as problem:
            refused = "Permission denied" in problem.docker_says
            advice = f" {problem.docker_says}: are you in the group `docker`?" if refused else ""
            return f"{self._silence()}{advice}"
        # `up` has looked at the one that it chose
        reason = "" if self.url and self.url == state.read().engine else unfit(swarm)
        found = replace(self, url=swarm.url)  # a context's is not known before
        return f"The lab cannot use the engine at {found}: {reason}." if reason else swarm

    def _silence(self) -> str:
        if not self.url:
            silent = "Docker does not answer: it is not running, or not installed."
            return f"{silent} {context_trouble()}".rstrip()
        if self.why.startswith(_THE_LABS):
            return f"The{self.why.removeprefix('the')} is not running."
        return f"No engine answers at {self}."

    def why_not(self) -> str:
        """Return what keeps labkit from starting an engine there, as a sentence, or `""`."""
        if self.kind == "yours":
            return "labkit only starts its own engines."
        return OWN[self.kind]().why_not()

    def __str__(self) -> str:
        return f"{self.url or 'the default address'} ({self.why})"


def private() -> PrivateEngine:
    """Return the private engine of this lab, which may or may not run."""
    return PrivateEngine(settings.state_dir() / "engine")


def simulated() -> SimulatedEngine:
    """Return the simulated engine of this lab, which may or may not run."""
    return SimulatedEngine(settings.state_dir() / "simulated")


#: The engines of the lab's own.
OWN: dict[Kind, Callable[[], BackgroundEngine]] = {"private": private, "simulated": simulated}


def locations(choice: str | None = None) -> list[EngineLocation]:
    """Return where to look for an engine. `choice` is as in `labkit up --engine`.

    Raises `BadValue` for an invalid choice.
    """
    if browser.is_here():
        return [EngineLocation("page", page.URL, "this page has it")]
    wanted = choice or settings.engine_choice()
    if wanted == "auto":
        before = state.read().kind
        own = sorted(OWN, key=lambda kind: kind != before)
        first: dict[str, EngineLocation] = {}
        for each in (*_named(), *map(_own, own)):
            first.setdefault(each.url, each)
        return [*first.values()]
    if wanted in OWN:
        return [_own(wanted)]
    if "://" not in wanted:
        what = "An engine" if choice else "LABKIT_ENGINE"
        raise BadValue(f"{what} must be {_CHOICES}, not {wanted!r}.")
    return [_place(wanted, "you named it")]


def _named() -> list[EngineLocation]:
    host = os.environ.get("DOCKER_HOST")
    if host:
        return [_place(host, "DOCKER_HOST names it")]
    before = state.read().engine
    context = EngineLocation("yours", "", "the docker context names it")
    return [_place(before, "an earlier `labkit up` chose it"), context] if before else [context]


def _own(kind: Kind) -> EngineLocation:
    return EngineLocation(kind, OWN[kind]().url, f"{_THE_LABS} {kind} engine")


def _place(url: str, why: str) -> EngineLocation:
    """Return the location at `url`, which may be one of the lab's own engines."""
    own = {engine().url: kind for kind, engine in OWN.items()}
    return EngineLocation(own.get(url, "yours"), url, why)


def unfit(swarm: Swarm) -> str:
    """Return why the stack could never run on an engine that answers, or `""`."""
    try:
        parts = swarm.get("/version").get("Components") or []
        info = swarm.info()
    except LabError as problem:
        return (problem.docker_says or problem.found).rstrip(".")
    if any(part.get("Name") == "Podman Engine" for part in parts):
        return "it is Podman, which has no swarm"
    if any("name=rootless" in option for option in info.get("SecurityOptions") or []):
        return "it is rootless Docker, on whose overlay networks no task of a swarm runs"
    if info.get("OSType") == "windows":
        return "it runs Windows containers; Docker Desktop can switch to Linux containers"
    return ""
