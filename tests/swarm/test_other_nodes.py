"""What labkit does where a swarm has more than one node, or somebody else's services."""

from datetime import timedelta

import pytest

from labkit.base import settings
from labkit.base.errors import NotSettled
from labkit.engines import nodes
from labkit.swarm import services, stack
from swarmsim import Behaviour
from tests.simulated import simulated_swarm
from tests.values import spec
from tests.waiting import until


def test_rm_names_the_service_of_somebody_else_that_uses_its_network() -> None:
    """At once: it would wait for that in vain."""
    labels = {stack.NAMESPACE: "dc", settings.LAB_LABEL: "true"}
    with simulated_swarm() as swarm:
        made = {"Name": "dc_default", "Driver": "overlay", "Labels": labels}
        joined = {"Networks": [{"Target": swarm.post("/networks/create", made)["Id"]}]}
        for name, of in (("dc_web", labels), ("other", {})):
            asked = spec(name, "web:1", 1, Labels=of)
            asked["TaskTemplate"] |= joined
            swarm.post("/services/create", asked)
        with pytest.raises(NotSettled, match="the service other, which is not part of it"):
            stack.rm(swarm, "dc")
        assert [each["Spec"]["Name"] for each in swarm.services()] == ["other"]


@pytest.mark.parametrize("deed", ["kill", "cut"])
def test_rm_does_not_wait_for_tasks_of_a_node_that_is_down(deed: str) -> None:
    """The engine keeps them for a day, or until the node is back."""
    labels = {stack.NAMESPACE: "dc", settings.LAB_LABEL: "true"}
    with simulated_swarm(nodes=2) as swarm:
        swarm.post("/services/create", spec("dc_web", "web:1", 4, Labels=labels))
        until(lambda: sum(swarm.snapshot("dc_web").running_by_tag().values()) == 4, "replicas")
        nodes.disturb(swarm, deed, "node-2")
        stack.rm(swarm, "dc", timeout=timedelta(seconds=20))
        assert {task.node for task in swarm.task_values()} == {"node-2"}


def test_logs_of_a_task_on_another_node_come_through_the_manager(capsys):
    says = {"web:1": Behaviour(stdout="one\ntwo\n")}
    with simulated_swarm(nodes=2, behaviour=says) as swarm:
        asked = spec("web", "web:1", 1)
        asked["TaskTemplate"]["Placement"] = {"Constraints": ["node.role == worker"]}
        swarm.post("/services/create", asked)
        until(lambda: swarm.snapshot("web").running_by_tag()["1"], "a replica")
        services.logs(swarm, "web")

    assert capsys.readouterr().out.endswith("running)\none\ntwo\n")
