"""The recordings that the questions of the lesson are asked of, on labkit's model of Swarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from labkit.recordings.recording import Recording, ServiceSeen
from labkit.recordings.values import Service
from swarmsim.model import Behaviour
from tests.played import CRASHES, RUNS, Played

PAIRS: dict[str, Any] = {"parallelism": 2, "delay": "5s"}
FLAGS: dict[str, Any] = {"parallelism": 2, "monitor": "20s", "max_failure_ratio": 0.2}
SLOW = Behaviour(healthy_after="60s")  # type: ignore[arg-type]


def began(tag: str = "1.0", **config: Any) -> Played:
    """Ten replicas that have been looked at for a second."""
    made = Played(tag, **config)
    made.wait(1)
    return made


def scaled() -> Played:
    made = began()
    made.update(replicas=12)
    return made


def rolling() -> Played:
    made = began()
    made.update("1.1")
    return made


def pairs() -> Played:
    made = began("1.1")
    made.update("1.0", **PAIRS)
    return made


def one_slow() -> Played:
    """As `pairs`, but slot 3 takes a minute."""
    made = began("1.1")
    made.update("1.0", lambda slot: SLOW if slot == 3 else RUNS, **PAIRS)
    return made


def all_at_once() -> Played:
    made = began()
    made.update("1.1", parallelism=0)
    return made


def no_delay() -> Played:
    made = began("1.1")
    made.update("1.0", parallelism=2)
    return made


def rolled_back() -> Played:
    made = began(**PAIRS)
    made.update(failure_action="rollback", rollback=FLAGS)
    made.update("bugged", CRASHES)
    return made


def removed() -> Played:
    made = began()
    made.cluster.remove_service(made._service.id)
    made.wait(60)
    return made


def redeployed() -> Played:
    made = began()
    made.update()
    return made


#: What the lesson does before each question is answered, and the choice that it shows.
LESSON: dict[str, tuple[Callable[[], Played], str]] = {
    "scale-touched": (scaled, "none"),
    "rolling-missing": (rolling, "one"),
    "rolling-order": (rolling, "any"),
    "rolling-completed": (rolling, "window"),
    "pairs-completed": (pairs, "later"),
    "pairs-batches": (one_slow, "goes-on"),
    "parallelism-zero": (all_at_once, "none"),
    "no-delay": (no_delay, "every"),
    "bugged-slots": (rolled_back, "two"),
    "which-flags": (rolled_back, "action"),
    "budget": (rolled_back, "two"),
    "rollback-again": (rolled_back, "refused"),
    "stack-rm": (removed, "together"),
    "redeploy-new": (redeployed, "none"),
    "twelve-new": (scaled, "two"),
}


@cache
def recorded(name: str) -> Recording:
    """What the lesson does before a question is answered, as a recording; it is not changed."""
    return LESSON[name][0]().recording


def cut(recording: Recording, changes: int) -> Recording:
    """The first so many changes of a recording."""
    part = Recording(recording.header)
    for change in recording.changes[:changes]:
        part.add(change)
    return part


def completed(recording: Recording, later: float) -> Recording:
    """A recording whose update was completed so many seconds later than it was."""
    moved = Recording(recording.header)
    for change in recording.changes:
        if isinstance(change, ServiceSeen):
            change = replace(change, service=_completed(change.service, later))
        moved.add(change)
    return moved


def _completed(service: Service, later: float) -> Service:
    status = service.update_status
    if status is None or status.completed_at is None:
        return service
    done = status.completed_at + timedelta(seconds=later)
    return replace(service, update_status=replace(status, completed_at=done))
