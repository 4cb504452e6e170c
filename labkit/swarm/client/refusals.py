"""Errors for an engine that does not answer, that refuses, or that manages no swarm."""

import contextlib
import json
from pathlib import Path

from labkit.base import browser, errors
from labkit.base.rules import words
from labkit.swarm.client import wire

#: The engine answers a stale version with this text, and with status 500.
_STALE = "update out of sequence"
_NO_MANAGER = Path(__file__).with_name("no_manager.yaml")


def no_engine(url: str | None, problem: Exception) -> errors.NoEngine:
    """Return the error for an engine that does not answer at `url`."""
    where = url or "the address that DOCKER_HOST or the docker context names"
    start = "start Docker (Docker Desktop, or the docker service), or run `labkit doctor`."
    if where.startswith("page:"):  # a browser's own, whose swarm is gone with it
        start = browser.START_ANOTHER
    return errors.NoEngine(
        f"a Docker engine at {where}.",
        "nothing answers there.",
        start,
        docker_says=_in_words(problem),
    )


def _in_words(problem: Exception) -> str:
    """Return what an error of the SDK says, without the tuples that it is wrapped in."""
    problem = problem.__cause__ if isinstance(problem.__cause__, Exception) else problem
    if isinstance(problem, OSError) and problem.strerror:
        return str(problem)
    parts: list[object] = list(problem.args) or [problem]
    while len(parts) == 1 and isinstance(parts[0], Exception) and parts[0].args:
        parts = list(parts[0].args)
    return ": ".join(str(part).rstrip(".") for part in parts)


def refusal(request: str, answer: wire.Answer) -> errors.LabError:
    """Return the error for an engine's answer to a request, such as `GET /v1.41/info`."""
    says, status = answer.body.decode(errors="replace").strip(), answer.status
    with contextlib.suppress(ValueError, KeyError, TypeError):
        says = json.loads(says)["message"]
    wanted = f"the engine to accept {request}."
    found = f"it answered with status {status}."
    if _STALE in says:
        return errors.OutOfSequence(wanted, found, docker_says=says, status=status)
    if "swarm unlock" in says and status == 503:
        return no_manager("locked", says)
    if "swarm manager" in says and status == 503:
        return no_manager("worker", says)
    kind = errors.NotFound if status == 404 else errors.EngineRefused
    return kind(wanted, found, docker_says=says, status=status)


def no_manager(state: str, docker_says: str) -> errors.NotAManager:
    """Return the error for an engine whose node is in this state of a swarm, or in none."""
    known = words(_NO_MANAGER)
    found, advice = known.get(state, known["other"])
    wanted = "a Docker engine that is a swarm manager."
    return errors.NotAManager(wanted, found.format(state), advice, docker_says=docker_says)
