"""A rollback that Docker refuses is refused in Docker's words."""

import pytest

from labkit.base.errors import EngineRefused
from labkit.base.settings import LAB_LABEL
from labkit.swarm import services
from labkit.swarm.client import Swarm
from tests import values


def test_without_a_previous_spec_docker_s_own_words_are_whole(sim: Swarm) -> None:
    made = sim.post("/services/create", values.spec(replicas=1, Labels={LAB_LABEL: "test"}))

    with pytest.raises(EngineRefused) as caught:
        services.rollback(sim, "dc_worker")

    assert caught.value.docker_says == (
        "rpc error: code = FailedPrecondition desc = "
        f"service {made['ID']} does not have a previous spec"
    )
    assert caught.value.docker_says in str(caught.value)
    assert "Swarm keeps none" in str(caught.value)
    assert sim.service("dc_worker").get("UpdateStatus") is None
