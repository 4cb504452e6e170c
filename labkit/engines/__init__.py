"""Finding an engine, or starting one.

`auto` takes the first that answers: the one that `DOCKER_HOST` or the docker context
names, then a private one (`private.py`), then a simulated one (`simulated.py`), and says
plainly that it is not Docker. What `labkit up` chose is remembered (`state.py`), so that
every later command and notebook talks to the same engine.
"""

import os
from dataclasses import dataclass

from labkit.base import echo, settings
from labkit.base.errors import LabError, NoEngine
from labkit.engines import membership, state
from labkit.engines.locations import OWN, EngineLocation, Kind, locations, private, simulated
from labkit.engines.simulated import WHAT_IT_IS
from labkit.swarm.client import Swarm

__all__ = [
    "WHAT_IT_IS",
    "Engine",
    "connect",
    "down",
    "find",
    "locations",
    "private",
    "simulated",
    "up",
    "would_take",
]


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    kind: Kind
    swarm: Swarm
    #: Why it was looked for there, such as "DOCKER_HOST names it".
    why: str
    #: Places before it where nothing answers.
    in_vain: tuple[EngineLocation, ...] = ()

    @property
    def url(self) -> str:
        """Where it listens, as `DOCKER_HOST` would say it."""
        return self.swarm.url


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
    where = locations(choice)
    for number, location in enumerate(where):
        if swarm := location.connect():
            _warn_of_a_dead_host(where[:number], location)
            return Engine(location.kind, swarm, location.why, tuple(where[:number]))
        if location.url and location.url == state.read().engine:
            # another engine would be a surprise: the stack is on this one
            raise _gone(location)
    raise _none(where)


def _warn_of_a_dead_host(in_vain: list[EngineLocation], used: EngineLocation) -> None:
    """Say that it is not the engine of `DOCKER_HOST`, where that is set and does not answer."""
    if os.environ.get("DOCKER_HOST") and in_vain:
        echo.warn(f"No engine answers at {in_vain[0]}; this is the one at {used}.")


def up(choice: str | None = None, *, nodes: int = 1) -> Engine:
    """Find or start an engine and make it a swarm; says each thing that it does.

    Of more than one node the swarm is one that nodes in containers can join, or a simulated
    one that has them. The caller holds `state.locked()`. Raises `NoEngine` with what to do
    when there is none and none can be started, and `NotAManager` for a worker.
    """
    where = locations(choice)
    engine = _found_or_started(where, nodes)
    for location in engine.in_vain:
        why_not = f" {location.why_not()}" if location.kind == "private" else ""
        echo.say(f"No engine answers at {location}.{why_not}")
    echo.say(f"Engine: {engine.swarm.about()} at {engine.url} ({engine.why}).")
    if engine.kind == "simulated":
        for line in WHAT_IT_IS:
            echo.say(line)
        _say_of_a_real_one(where)
        _say_of_another_speed(engine.swarm)
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


def would_take(choice: str | None = None) -> tuple[EngineLocation, bool]:
    """Return the place that `up` would take, and whether an engine answers there already.

    Starts nothing. Raises `NoEngine` as `up` does.
    """
    where = locations(choice)
    number, swarm = _chosen(where)
    return where[number], swarm is not None


def down(*, everything: bool = False) -> None:
    """Leave the swarm if labkit made it, and stop the lab's own engines; says what it does.

    With `everything`, all that those keep is deleted. The caller holds `state.locked()` and
    has removed the stacks.
    """
    known = state.read()
    if known.kind == "yours" and known.swarm_created:
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
    state.forget()


def _found_or_started(where: list[EngineLocation], nodes: int) -> Engine:
    number, swarm = _chosen(where)
    location = where[number]
    return Engine(
        location.kind, swarm or _started(location, nodes), location.why, tuple(where[:number])
    )


def _chosen(where: list[EngineLocation]) -> tuple[int, Swarm | None]:
    """Return which place `up` takes, and the engine that answers there, if one does.

    The first that answers, or is the private one and can be started; only where there is
    none of these the simulated one. Raises `NoEngine`.
    """
    for number, location in enumerate(where):
        if swarm := location.connect():
            return number, swarm
        if location.kind == "private" and not location.why_not():
            return number, None
    for number, location in enumerate(where):
        if location.kind == "simulated" and not location.why_not():
            return number, None
    raise _none(where)


def _started(location: EngineLocation, nodes: int) -> Swarm:
    seconds = ", which takes a few seconds" if location.kind == "private" else ""
    echo.say(f"Starting a {location.kind} engine{seconds} …")
    return OWN[location.kind]().start(nodes)


def _say_of_a_real_one(where: list[EngineLocation]) -> None:
    """Say that there is a Docker engine by now, where one would be taken in the first place."""
    for location in where:
        if location.kind != "simulated" and (location.connect() or not location.why_not()):
            echo.say(f"- A real one is available now: {location}.")
            return


def _say_of_another_speed(swarm: Swarm) -> None:
    """Say that `LABKIT_SPEED` asks for another speed than the engine was started with."""
    if os.environ.get("LABKIT_SPEED") and settings.speed() != swarm.speed:
        echo.say(
            "- It keeps the speed it was started with, whatever LABKIT_SPEED says now; "
            "`labkit down`, then `labkit up` changes it."
        )


def _require_nodes(swarm: Swarm, wanted: int) -> None:
    """Raise `LabError` if a simulated engine that runs already has fewer nodes."""
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


def _gone(location: EngineLocation) -> NoEngine:
    return NoEngine(
        f"the engine that `labkit up` used, at {location.url}.",
        "nothing answers there.",
        "run `labkit up` again: it starts the engine if it can, or finds another.",
    )


def _none(where: list[EngineLocation]) -> NoEngine:
    why_not = [location.why_not() for location in where if location.kind != "yours"]
    if "" in why_not:
        ways = ["run `labkit up`, which starts one of its own."]
    else:
        get_one = "start Docker (Docker Desktop, or the docker service), or point DOCKER_HOST at"
        ways = [f"{get_one} one.", *why_not]
        if not any(location.kind == "simulated" for location in where):
            ways.append("Without Docker: `labkit up --engine simulated`.")
    return NoEngine(
        "a Docker engine.",
        "nothing answers at " + "; nor at ".join(str(location) for location in where) + ".",
        " ".join(ways),
    )
