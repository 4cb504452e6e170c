"""Finding an engine, or starting one.

`auto` takes the first that works: the one that `DOCKER_HOST` or the docker context
names, if it can be a swarm (`locations.py`), then a private one (`private.py`), then a
simulated one (`simulated.py`), and says plainly that it is not Docker, and why it passed over
the others. What `labkit up` chose is remembered (`state.py`), so that every later command and
notebook talks to the same engine, and one of the lab's own that died is started again.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.base import browser, echo, settings
from labkit.base.errors import LabError, NoEngine
from labkit.engines import membership, page, ports, state
from labkit.engines.locations import OWN, EngineLocation, Kind
from labkit.engines.locations import locations as locations
from labkit.engines.locations import private as private
from labkit.engines.locations import simulated as simulated
from labkit.engines.simulated import WHAT_IT_IS as WHAT_IT_IS
from labkit.swarm.client import Swarm


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    kind: Kind
    swarm: Swarm
    #: Why it was looked for there, such as "DOCKER_HOST names it".
    why: str

    @property
    def url(self) -> str:
        """Where it listens, as `DOCKER_HOST` would say it."""
        return self.swarm.url


def what_it_is(*, acts: bool = False) -> tuple[str, ...]:
    """Return what labkit prints of a simulated engine; `acts` if its tasks only act."""
    if not browser.is_here():
        return WHAT_IT_IS
    name, simulated, real, missing = page.WHAT_IT_IS
    return name, simulated, page.NOTHING_RUNS if acts else real, missing


def connect(choice: str | None = None) -> Swarm:
    """Return a manager of the swarm that `up` used, or that the environment names.

    Finds and never starts. Raises `NoEngine` or `NotAManager` with how to get one.
    """
    swarm = find(choice).swarm
    swarm.require_manager()
    return swarm


def find(choice: str | None = None) -> Engine:
    """Return the first engine that answers, whether it is a swarm manager or not.

    `choice` is as in `labkit up --engine`, and `LABKIT_ENGINE` by default. Raises
    `NoEngine` when none answers, naming every place that was looked at.
    """
    where, passed_over = locations(choice), list[str]()
    for location in where:
        found = location.connect()
        if isinstance(found, Swarm):
            if os.environ.get("DOCKER_HOST") and passed_over:
                echo.warn(f"{passed_over[0]} This is the one at {location}.")
            return Engine(location.kind, found, location.why)
        if location.url and location.url == state.read().engine:
            # another engine would be a surprise: the stack is on this one
            raise NoEngine(
                f"the engine that `labkit up` used, at {location.url}.",
                "nothing answers there.",
                "run `labkit up` again: it starts the engine if it can, or finds another.",
            )
        passed_over.append(found)
    raise _none(where, passed_over)


def up(choice: str | None = None, *, nodes: int = 1) -> Engine:
    """Find or start an engine and make it a swarm; says each thing that it does.

    Of more than one node the swarm is one that nodes in containers can join, or a simulated
    one that has them. The caller holds `state.locked()`. Raises `NoEngine` with what to do
    when there is none and none can be started, and `NotAManager` for a worker.
    """
    where = locations(choice)
    wake()
    engine = _found_or_started(where, nodes)
    echo.say(f"Engine: {engine.swarm.about()} at {engine.url} ({engine.why}).")
    if engine.kind == "simulated":
        for line in what_it_is():
            echo.say(line)
        _say_of_a_real_one(where)
        if os.environ.get("LABKIT_SPEED") and settings.speed() != engine.swarm.speed:
            echo.say(
                "- It keeps the speed it was started with, whatever LABKIT_SPEED says now; "
                "`labkit down`, then `labkit up` changes it."
            )
    # a private engine's bridge is its own, and stays as it is: its swarm can always be joined
    created = membership.ensure(engine.swarm, joinable=nodes > 1 or engine.kind == "private")
    if created:
        count = len(engine.swarm.get("/nodes"))
        size = "one node" if count == 1 else f"{count} nodes"
        echo.say(f"It was not part of a swarm; made it a swarm of {size}.")
    if engine.kind == "simulated":
        _require_nodes(engine.swarm, nodes)
    _remember(engine, created=created)
    return engine


def would_take(choice: str | None = None) -> tuple[EngineLocation, bool, tuple[str, ...]]:
    """Return the place that `up` would take, and whether an engine answers there already.

    The last are the sentences why the places before it were passed over. Starts nothing.
    Raises `NoEngine` as `up` does.
    """
    where, passed_over = locations(choice), list[str]()
    for location, found in _usable(where, passed_over):
        return location, found is not None, tuple(passed_over)
    raise _none(where, passed_over)


def wake() -> None:
    """Let the lab's own engines go on if somebody has halted them."""
    for own in () if browser.is_here() else OWN.values():
        own().wake()


def deploy(swarm: Swarm, files: Sequence[Path], name: str, **options: Any) -> None:
    """Deploy a stack as `labkit.swarm.stack.deploy` does, and lead its ports."""
    from labkit.swarm import stack

    try:
        others = stack.deploy(swarm, files, name=name, **options)
    except BaseException:  # refused halfway, perhaps
        with suppress(LabError):  # the first problem is the one to be said
            lead_ports(swarm)
        raise
    if others:
        lead_ports(swarm)


def remove(swarm: Swarm, name: str, **options: Any) -> None:
    """Remove a stack as `labkit.swarm.stack.rm` does; its ports then lead nowhere."""
    from labkit.swarm import stack

    stack.rm(swarm, name, **options)
    lead_ports(swarm)


def lead_ports(swarm: Swarm) -> None:
    """Make `localhost` lead to what the lab's private engine publishes now.

    Its ports are open in a network of its own only; those of any other engine are there already.
    Where a part of that network is missing, `up` mends it first.
    """
    if browser.is_here() or swarm.url != (own := private()).url:
        return
    published = ports.published(swarm)
    if published == own.network.forwarded():
        return  # to look at all of the network takes as long as a deploy
    if (process := own.process()) and own.network.is_whole(process.pid):
        own.network.forward(published)


def down(*, everything: bool = False, stays: bool = False) -> None:
    """Leave the swarm if labkit made it, and stop the lab's own engines; says what it does.

    With `everything`, all that those keep is deleted. What `up` made on yours is remembered if
    it `stays`. The caller holds `state.locked()` and has removed the stacks.
    """
    known = state.read()
    if known.kind == "yours" and known.swarm_created and not stays:
        echo.say(membership.leave(Swarm.at(known.engine)))
    for name, own in OWN.items():
        engine = own()
        if engine.folder.exists():
            was_running = engine.process() is not None
            if everything:
                engine.remove()
                echo.say(f"Removed the {name} engine, with its images.")
            else:
                engine.stop()
                if was_running:
                    echo.say(f"Stopped the {name} engine. It keeps its images for the next time.")
    if not stays:
        state.forget()


def _found_or_started(where: list[EngineLocation], nodes: int) -> Engine:
    """Return the first engine that works; says why others do not. Raises `NoEngine`."""
    passed_over: list[str] = []
    for location, found in _usable(where, passed_over):
        while passed_over:
            echo.say(passed_over.pop(0))
        try:
            return Engine(location.kind, _started(location, found, nodes), location.why)
        except LabError as problem:
            if location is where[-1] or location.url == state.read().engine:
                raise
            OWN[location.kind]().stop()
            last_line = (problem.docker_says.splitlines() or [problem.found])[-1]
            passed_over.append(f"The engine at {location} does not start: {last_line}")
    raise _none(where, passed_over)


def _usable(
    where: list[EngineLocation], passed_over: list[str]
) -> Iterator[tuple[EngineLocation, Swarm | None]]:
    """Yield the places to take, best first, each with the engine that answers there, if one does.

    Where it can be neither taken nor started, the reason is added to those passed over.
    """
    for location in where:
        found = location.connect()
        if isinstance(found, Swarm):
            yield location, found
        elif location.kind not in OWN:
            passed_over.append(found)
        elif why_not := location.why_not():
            passed_over.append(f"{found} {why_not}")
        else:
            yield location, None


def _started(location: EngineLocation, found: Swarm | None, nodes: int) -> Swarm:
    """Start an engine of the lab's own, or mend it if it runs. Raises `LabError`."""
    if location.kind not in OWN:
        assert found
        return found
    if not found:
        known = state.read()
        if known.engine == location.url and known.stacks and location.kind == "simulated":
            echo.say("The simulated engine has ended, and what ran on it is gone with it.")
        seconds = ", which takes a few seconds" if location.kind == "private" else ""
        echo.say(f"Starting a {location.kind} engine{seconds} …")
    return OWN[location.kind]().start(nodes)


def _say_of_a_real_one(where: list[EngineLocation]) -> None:
    """Say that there is a Docker engine by now, where one would be taken in the first place."""
    for location in where:
        if location.kind == "simulated":
            continue
        if isinstance(location.connect(), Swarm) or not location.why_not():
            echo.say(f"- A real one is available now: {location}.")
            return


def _require_nodes(swarm: Swarm, wanted: int) -> None:
    count = len(swarm.get("/nodes"))
    if count < wanted:
        raise LabError(
            f"a simulated swarm of {wanted} nodes.",
            f"the one that runs has {count}, and keeps them until it is stopped.",
            f"`labkit down`, then `labkit up --engine simulated --nodes {wanted}`.",
        )


def _remember(engine: Engine, *, created: bool) -> None:
    """Note which engine is used. What `up` made on another one is no longer ours to remove."""
    known = state.read()
    if known.engine != engine.url:
        if known.kind == "simulated":
            echo.say(f"The simulated engine at {known.engine} keeps running until `labkit down`.")
        elif known.engine:
            echo.say(f"What an earlier `labkit up` made at {known.engine} stays there.")
        known = state.State()
    known.engine, known.kind = engine.url, engine.kind
    known.swarm_created = known.swarm_created or created
    state.write(known)


def _none(where: list[EngineLocation], passed_over: list[str]) -> NoEngine:
    why_not = [location.why_not() for location in where if location.kind != "yours"]
    if "" in why_not:
        ways = ["run `labkit up` in a terminal: it starts an engine of its own."]
    else:
        get_one = "start Docker (Docker Desktop, or the docker service), or point DOCKER_HOST at"
        ways = [f"{get_one} one."]
        if not any(location.kind == "simulated" for location in where):
            ways.append("Without Docker: `labkit up --engine simulated`.")
    return NoEngine("a Docker engine that can run the lab.", " ".join(passed_over), " ".join(ways))
