"""A Docker engine with a swarm, simulated: for lessons, and for tests of Swarm tooling.

    Engine       an engine: in this process (`client()`), or on a socket (`serve(url)`)
    Behaviour    what a task does: how it ends, how it takes a stop signal, its health
    Cluster      the rules of Swarm alone, as a pure model

`python -m swarmsim --socket PATH` serves one that runs real processes. README.md tells more.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarmsim.face import Engine
    from swarmsim.model import Behaviour, Cluster

__all__ = ["Behaviour", "Cluster", "Engine"]

#: Loaded when asked for: who needs the model does not load an engine.
_HOMES = {
    "Behaviour": "swarmsim.model",
    "Cluster": "swarmsim.model",
    "Engine": "swarmsim.face",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
