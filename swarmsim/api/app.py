"""All routes of the Engine API."""

from __future__ import annotations

from swarmsim.api.http import Routes
from swarmsim.api.routes import (
    blobs,
    containers,
    events,
    images,
    logs,
    networks,
    nodes,
    services,
    swarm,
    system,
    tasks,
)

_MODULES = (
    *(system, services, tasks, nodes, swarm, networks, blobs),
    *(containers, logs, events, images),
)


def all_routes() -> Routes:
    """The table of all routes."""
    table = Routes()
    for module in _MODULES:
        table.include(module.routes)
    return table
