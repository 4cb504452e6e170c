"""A lab for understanding how Docker Swarm updates a service.

>>> import labkit                                                   # doctest: +SKIP
>>> view = labkit.watch("dc_worker")
>>> labkit.update("dc_worker", image="lab/dockercoins_worker:1.1")

The names below are what a learner meets. Each is loaded when it is first used, so that
a pure module (`labkit.recordings.story`) can be imported without Docker and without widgets.
"""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Behaviour": "swarmsim.model",
    "RollbackConfig": "labkit.recordings.values",
    "UpdateConfig": "labkit.recordings.values",
    "build": "labkit.api.doing",
    "check": "labkit.api.learning",
    "compare": "labkit.api.learning",
    "connect": "labkit.api.doing",
    "deploy": "labkit.api.doing",
    "exercise": "labkit.api.learning",
    "hint": "labkit.api.learning",
    "logs": "labkit.api.doing",
    "predict": "labkit.api.doing",
    "progress": "labkit.api.learning",
    "push": "labkit.api.doing",
    "question": "labkit.api.learning",
    "record": "labkit.api.doing",
    "remove": "labkit.api.doing",
    "report": "labkit.api.learning",
    "reset": "labkit.api.doing",
    "rollback": "labkit.api.doing",
    "show": "labkit.api.doing",
    "solution": "labkit.api.learning",
    "update": "labkit.api.doing",
    "watch": "labkit.api.doing",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"labkit has no {name!r}; it has {', '.join(_HOMES)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
