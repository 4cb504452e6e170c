"""Requests that the simulated engine refuses whatever it runs, in Docker's words or its own.

What a real engine refuses in the same words is in `tests/conformance/refusals.yaml`.
"""

from typing import Any

import pytest

from tests.claims import each_claim
from tests.swarmsim.raw import Raw


def _split(asked: str) -> tuple[str, str]:
    """Return the method and the target of a request such as `GET /info`."""
    method, _, target = asked.partition(" ")
    return method, target


@each_claim(__file__, "manager", "asked", "body", "status", "says")
def test_a_manager_refuses(raw: Raw, asked: str, body: Any, status: int, says: str):
    reply = raw.send(*_split(asked), body)
    assert (reply.status, reply.message) == (status, says)


@each_claim(__file__, "alone", "asked", "body", "status", "says")
def test_outside_of_a_swarm_an_engine_refuses_and_stays_there(alone, asked, body, status, says):
    reply = alone.send(*_split(asked), body)
    assert (reply.status, reply.message) == (status, says)
    assert alone.get("/info").json["Swarm"]["LocalNodeState"] == "inactive"


@pytest.mark.parametrize(
    "what", ["services", "tasks", "nodes", "configs", "secrets", "swarm", "swarm/unlockkey"]
)
def test_outside_of_a_swarm_everything_about_it_is_unavailable(alone: Raw, what: str):
    reply = alone.get(f"/{what}")
    assert (reply.status, reply.message) == (
        503,
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
        "connect this node to swarm and try again.",
    )
