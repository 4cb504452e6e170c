"""All routes of the Engine API, and how a request is answered, by whatever way it came."""

import math
import re
from contextlib import nullcontext
from dataclasses import replace

from swarmsim.api import versions
from swarmsim.api.http import LARGEST_JSON, Answer, Call, ClientGone, Routes
from swarmsim.api.routes import always, containers, images, logs, networks, system, volumes
from swarmsim.api.routes.swarm import blobs, nodes, services, swarm
from swarmsim.go.errors import ApiError
from swarmsim.go.times import stamp

_MODULES = (
    *(system, services, nodes, swarm, networks, blobs),
    *(containers, logs, images, volumes, always),
)
#: What has a body that is read piece by piece: build contexts, and archives that are refused.
_OF_ANY_SIZE = re.compile(r"/(build|images/load|images/create)$")
_LOGS = re.compile(r"/logs$")
_VERSIONED = re.compile(r"/v([0-9.]+)(/.*)", re.DOTALL)


_ROUTES = Routes()
for _module in _MODULES:
    _ROUTES.include(_module.routes)


async def answer(call: Call) -> Answer | None:
    """Answer a request; `None` where the route has sent everything itself.

    A refusal is an answer, too. Raises `ClientGone`, and errors that are bugs.
    """
    try:
        call.engine.catch_up()
        with call.engine.runtime.used() if _uses_tasks(call) else nullcontext():
            found = await _route(call)
        return found and replace(found, body=found.content())
    except ApiError as problem:
        return refused(call, problem)
    except ClientGone:
        raise
    except OSError as problem:  # such as a full disk; in Go's words: `open /a: permission denied`
        what = f"open {problem.filename}" if problem.filename else "write"
        reason = (problem.strerror or str(problem)).lower()
        return refused(call, ApiError(500, f"{what}: {reason}"))


def _uses_tasks(call: Call) -> bool:
    """Whether a request changes something, or reads what tasks write; none does if it is read."""
    return call.method not in ("GET", "HEAD") or bool(_LOGS.search(call.target))


def largest_body(call: Call) -> float:
    """How many bytes the body of a request may have."""
    return math.inf if _OF_ANY_SIZE.search(call.target) else LARGEST_JSON


def refused(call: Call, problem: ApiError) -> Answer | None:
    """The answer that says what went wrong; `None` once a stream has begun, which just ends."""
    if call.streaming:
        return None
    problem = versions.refusal(call.version or versions.API_VERSION, problem)
    return Answer({"message": problem.message}, problem.status)


def headers(call: Call, answer: Answer) -> dict[str, str]:
    """What an answer says of the engine: its time, and where a route was found, what it is."""
    found = {"Labkit-Time": stamp(call.engine.now)}
    if call.found:
        found |= {
            "Api-Version": versions.API_VERSION,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": f"Docker/{call.engine.version} (linux)",
        }
    if answer.content_type and (answer.content() or call.streaming):
        found["Content-Type"] = answer.content_type
    return found | dict(answer.headers)


async def _route(call: Call) -> Answer | None:
    versioned = _VERSIONED.fullmatch(call.target)
    version, path = versioned.groups() if versioned else ("", call.target)
    route = _ROUTES.find(call.method, path)
    if route is None:
        raise ApiError(404, "page not found")
    handler, call.route, call.path = route
    call.found = True
    call.version = version or versions.API_VERSION
    versions.require(call.version)
    call.query = versions.fitting(versions.QUERIES, call.route, call.version, call.query)
    call.queries = versions.fitting(versions.QUERIES, call.route, call.version, call.queries)
    found = await handler(call)
    body = found and versions.fitting(versions.ANSWERS, call.route, call.version, found.body)
    return found and replace(found, body=body)
