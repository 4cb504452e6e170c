"""Finding an engine, or starting one.

`auto` takes the first that answers: the one that `DOCKER_HOST` or the docker context
names, then a private one (`private.py`). What `labkit up` chose is remembered
(`state.py`), so that every later command and notebook talks to the same engine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from labkit import echo
from labkit.engines import membership, nodes, state
from labkit.engines.places import Kind, Place, places, private
from labkit.errors import NoEngine
from labkit.swarm import Swarm

__all__ = ["Engine", "connect", "down", "find", "nodes", "places", "private", "up"]


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers."""

    kind: Kind
    swarm: Swarm
    #: Why it was looked for there, such as "DOCKER_HOST names it".
    why: str
    #: Places before it where nothing answers.
    in_vain: tuple[Place, ...] = ()

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
    where = places(choice)
    for number, place in enumerate(where):
        if swarm := place.swarm():
            _warn_of_a_dead_host(where[:number], place)
            return Engine(place.kind, swarm, place.why, tuple(where[:number]))
        if place.url and place.url == state.read().engine:
            # another engine would be a surprise: the stack is on this one
            raise _gone(place)
    raise _none(where)


def _warn_of_a_dead_host(in_vain: list[Place], used: Place) -> None:
    """Say that it is not the engine of `DOCKER_HOST`, where that is set and does not answer."""
    if os.environ.get("DOCKER_HOST") and in_vain:
        echo.warn(f"No engine answers at {in_vain[0]}; this is the one at {used}.")


def up(choice: str | None = None, *, joinable: bool = False) -> Engine:
    """Find or start an engine and make it a swarm; says each thing that it does.

    A `joinable` swarm is one that nodes in containers can join. The caller holds
    `state.locked()`. Raises `NoEngine` with what to do when there is none and none can be
    started, and `NotAManager` for a worker.
    """
    engine = _found_or_started(places(choice))
    for place in engine.in_vain:
        echo.say(f"No engine answers at {place}.")
    echo.say(f"Engine: {engine.swarm.about()} at {engine.url} ({engine.why}).")
    # a private engine's bridge is its own, and stays as it is: its swarm can always be joined
    created = membership.ensure(engine.swarm, joinable=joinable or engine.kind == "private")
    if created:
        echo.say("It was in no swarm; made it a swarm of one node.")
    _remember(engine, created=created)
    return engine


def down(*, everything: bool = False) -> None:
    """Leave the swarm if labkit made it, and stop the private engine; says what it does.

    With `everything`, all that the private engine keeps is deleted. The caller holds
    `state.locked()` and has removed the stacks.
    """
    known = state.read()
    if known.kind == "yours" and known.swarm_created:
        echo.say(membership.leave(Swarm.at(known.engine)))
    engine = private()
    if engine.folder.exists():
        was_running = engine.process() is not None
        if everything:
            engine.remove()
            echo.say("Removed the private engine, with its images.")
        else:
            engine.stop()
            if was_running:
                echo.say("Stopped the private engine. It keeps its images for the next time.")
    state.forget()


def _found_or_started(where: list[Place]) -> Engine:
    for number, place in enumerate(where):
        if swarm := place.swarm() or _started(place):
            return Engine(place.kind, swarm, place.why, tuple(where[:number]))
    raise _none(where)


def _started(place: Place) -> Swarm | None:
    """Start the private engine, if this is it and it may be started."""
    if place.kind != "private" or private().why_not():
        return None
    echo.say("Starting a private engine, which takes some seconds …")
    return private().start()


def _remember(engine: Engine, *, created: bool) -> None:
    """Note which engine is used. What `up` made on another one is no longer ours to remove."""
    known = state.read()
    if known.engine != engine.url:
        if known.engine:
            echo.say(f"What an earlier `labkit up` made at {known.engine} stays there.")
        known = state.State()
    known.engine, known.kind = engine.url, engine.kind
    known.swarm_created = known.swarm_created or created
    state.write(known)


def _gone(place: Place) -> NoEngine:
    return NoEngine(
        f"the engine that `labkit up` used, at {place.url}.",
        "nothing answers there.",
        "run `labkit up` again: it starts the engine if it can, or finds another.",
    )


def _none(where: list[Place]) -> NoEngine:
    why_not = private().why_not()
    get_one = "start Docker (Docker Desktop, or the docker service), or point DOCKER_HOST at one."
    return NoEngine(
        "a Docker engine.",
        "nothing answers at " + "; nor at ".join(str(place) for place in where) + ".",
        f"{get_one} {why_not}" if why_not else "run `labkit up`, which starts one of its own.",
    )
