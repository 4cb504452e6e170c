"""All routes of the Engine API, and how a request is answered, by whatever way it came."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from swarmsim.api import versions
from swarmsim.api.http import LARGEST_JSON, Answer, Call, ClientGone, Routes
from swarmsim.api.routes import (
    always,
    blobs,
    containers,
    images,
    logs,
    networks,
    nodes,
    services,
    swarm,
    system,
)
from swarmsim.go.errors import ApiError
from swarmsim.go.times import stamp

_MODULES = (
    *(system, services, nodes, swarm, networks, blobs),
    *(containers, logs, images, always),
)
#: What has a body that is read piece by piece: build contexts, and archives that are refused.
_OF_ANY_SIZE = re.compile(r"/(build|images/load|images/create)$")
_VERSIONED = re.compile(r"/v([0-9.]+)(/.*)", re.DOTALL)


def all_routes() -> Routes:
    """The table of all routes."""
    table = Routes()
    for module in _MODULES:
        table.include(module.routes)
    return table


_ROUTES = all_routes()


async def answer(call: Call) -> Answer | None:
    """Answer a request; `None` where the route has sent everything itself.

    A refusal is an answer, too. Raises `ClientGone`, and errors that are bugs.
    """
    try:
        call.engine.catch_up()
        found = await _route(call)
        return found and replace(found, body=found.content())
    except ApiError as problem:
        return refused(call, problem)
    except ClientGone:
        raise
    except OSError as problem:  # such as a full disk
        return refused(call, ApiError(500, _of_machine(problem)))


def largest_body(call: Call) -> float:
    """How many bytes the body of a request may have."""
    return math.inf if _OF_ANY_SIZE.search(call.target) else LARGEST_JSON


def refused(call: Call, problem: ApiError) -> Answer | None:
    """The answer that says what went wrong; `None` once a stream has begun, which just ends."""
    if call.streaming:
        return None
    return Answer({"message": problem.message}, problem.status)


def headers(call: Call) -> dict[str, str]:
    """What every answer says of the engine: its time, and where a route was found, what it is."""
    time = {"Labkit-Time": stamp(call.engine.now)}
    if not call.found:
        return time
    return {
        "Api-Version": versions.API_VERSION,
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Docker/{call.engine.version} (linux)",
        **time,
    }


async def _route(call: Call) -> Answer | None:
    versioned = _VERSIONED.fullmatch(call.target)
    version, path = versioned.groups() if versioned else ("", call.target)
    route = _ROUTES.find(call.method, path)
    if route is None:
        raise ApiError(404, "page not found")
    handler, call.path = route
    call.found = True
    versions.require(version or versions.API_VERSION)
    return await handler(call)


def _of_machine(problem: OSError) -> str:
    """Return what the machine refused, as Go says it: `open /a/b: permission denied`."""
    reason = (problem.strerror or str(problem)).lower()
    return f"open {problem.filename}: {reason}" if problem.filename else f"write: {reason}"
