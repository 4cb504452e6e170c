"""A lab for understanding how Docker Swarm updates a service.

>>> import labkit                                                   # doctest: +SKIP
>>> view = labkit.watch("dc_worker")
>>> labkit.update("dc_worker", image="lab/dockercoins_worker:1.1")

The names below are what a learner meets. Each is loaded when it is first used, so that
a pure module (`labkit.recording`) can be imported without Docker and without widgets.
"""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Behaviour": "labkit.rollout",
    "RollbackConfig": "labkit.model",
    "UpdateConfig": "labkit.model",
    "build": "labkit.api",
    "check": "labkit.learning",
    "compare": "labkit.learning",
    "connect": "labkit.api",
    "deploy": "labkit.api",
    "exercise": "labkit.learning",
    "hint": "labkit.learning",
    "logs": "labkit.api",
    "predict": "labkit.api",
    "progress": "labkit.learning",
    "push": "labkit.api",
    "question": "labkit.learning",
    "record": "labkit.api",
    "remove": "labkit.api",
    "report": "labkit.learning",
    "reset": "labkit.api",
    "rollback": "labkit.api",
    "show": "labkit.api",
    "solution": "labkit.learning",
    "update": "labkit.api",
    "watch": "labkit.api",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"labkit has no {name!r}; it has {', '.join(_HOMES)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
