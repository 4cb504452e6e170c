"""What docker-py does with an engine, its well-known traps included."""

import secrets
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.services import Service
from docker.types import (
    ContainerSpec,
    Resources,
    RestartPolicy,
    RollbackConfig,
    ServiceMode,
    TaskTemplate,
)
from docker.types import UpdateConfig as PyUpdateConfig

from tests.conformance.engines import REPOSITORY, Engine, seconds
from tests.conformance.play import OLD
from tests.waiting import until

IMAGE = f"{REPOSITORY}:print-old"
ENGINES = [pytest.param("real", marks=pytest.mark.engine), "simulated"]
pytestmark = pytest.mark.parametrize("engine_name", ENGINES)


@pytest.fixture
def client(engine: Engine) -> docker.DockerClient:
    return engine.client


@pytest.fixture
def service(client: docker.DockerClient) -> Iterator[Service]:
    """A service with what a careless update would drop."""
    made = client.services.create(
        IMAGE,
        name=f"y{secrets.token_hex(4)}",
        labels={"kept": "yes"},
        env=["A=1"],
        mode=ServiceMode("replicated", 0),
        update_config=PyUpdateConfig(parallelism=2),
    )
    yield made
    made.remove()


@pytest.fixture
def image(engine: Engine) -> str:
    """An image whose tasks run until they are told to stop."""
    return engine.image(OLD)


def spec(service: Service) -> dict[str, Any]:
    service.reload()
    found = service.attrs["Spec"]
    assert isinstance(found, dict)
    return found


def test_it_speaks_the_version_of_the_engine(client: docker.DockerClient) -> None:
    assert client.ping()
    assert client.api.api_version == client.version()["ApiVersion"]
    assert client.info()["Swarm"]["ControlAvailable"]
    assert client.swarm.attrs["Spec"]["Name"] == "default"
    assert [node.attrs["Spec"]["Role"] for node in client.nodes.list()] == ["manager"]


def test_its_configs_are_not_the_engines_defaults(client: docker.DockerClient) -> None:
    """No limit of parallelism, go on after failures, no restarts; the command is the entrypoint."""
    made = client.services.create(
        IMAGE,
        command=["python", "actor.py"],
        name=f"y{secrets.token_hex(4)}",
        mode=ServiceMode("replicated", 0),
        update_config=PyUpdateConfig(),
        rollback_config=RollbackConfig(monitor=seconds(3)),
        restart_policy=RestartPolicy(),
    )
    found = spec(made)
    made.remove()

    config = {
        "Parallelism": 0,
        "FailureAction": "continue",
        "MaxFailureRatio": 0,
        "Order": "stop-first",
    }
    assert found["UpdateConfig"] == config
    assert found["RollbackConfig"] == {**config, "Monitor": seconds(3)}
    template = found["TaskTemplate"]
    assert template["RestartPolicy"] == {
        "Condition": "none",
        "Delay": 0,
        "MaxAttempts": 0,
        "Window": 0,
    }
    assert template["ContainerSpec"]["Command"] == ["python", "actor.py"]
    assert "Args" not in template["ContainerSpec"]


def test_an_update_fills_in_defaults(service: Service) -> None:
    """So a label makes the task template another one, and all tasks would be replaced."""
    before = spec(service)
    service.update(labels={"new": "label"})
    after = spec(service)

    assert before["TaskTemplate"].keys() < after["TaskTemplate"].keys()
    assert after["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"] == seconds(10)
    assert after["TaskTemplate"]["RestartPolicy"]["Delay"] == seconds(5)
    assert after["Labels"] == {"new": "label"}, "a dict takes the place of the old one"
    assert after["RollbackConfig"]["Monitor"] == seconds(5)


def test_a_stale_service_is_out_of_sequence(client: docker.DockerClient, service: Service) -> None:
    stale = client.services.get(service.id)
    service.update(labels={"first": "1"})
    with pytest.raises(APIError) as refused:
        stale.update(labels={"second": "2"})
    assert refused.value.status_code == 500
    assert refused.value.explanation == "rpc error: code = Unknown desc = update out of sequence"


def test_an_update_without_the_current_spec_is_a_rename(service: Service) -> None:
    """And with a name, it drops everything that is not said again; one replica is the default."""
    low = service.client.api
    template = TaskTemplate(ContainerSpec(IMAGE), placement={"Constraints": ["node.role!=manager"]})  # type: ignore[arg-type]
    version = service.attrs["Version"]["Index"]
    with pytest.raises(APIError, match="renaming services is not supported") as refused:
        low.update_service(service.id, version, template)
    assert refused.value.status_code == 501
    service.reload()

    low.update_service(service.id, service.version, template, name=service.name)

    left = spec(service)
    assert left["Mode"] == {"Replicated": {"Replicas": 1}}
    assert left["Labels"] == {}
    assert not left.keys() & {"UpdateConfig", "RollbackConfig", "EndpointSpec"}
    assert "Env" not in left["TaskTemplate"]["ContainerSpec"]


def test_force_counts_from_what_was_read(service: Service) -> None:
    """A second `force_update` without a `reload` is stale."""
    assert service.force_update()
    with pytest.raises(APIError, match="out of sequence"):
        service.force_update()
    assert spec(service)["TaskTemplate"]["ForceUpdate"] == 1


def test_lists_and_errors(client: docker.DockerClient, service: Service) -> None:
    listed = client.services.list(filters={"name": service.name}, status=True)
    with pytest.raises(NotFound) as missing:
        client.services.get("nope")
    with pytest.raises(ImageNotFound):
        client.images.get("lab/nope:1")
    with pytest.raises(APIError) as refused:
        client.services.create(IMAGE, name=service.name)
    with pytest.raises(APIError) as unknown:
        client.services.list(filters={"colour": "red"})

    assert [each.attrs["ServiceStatus"]["DesiredTasks"] for each in listed] == [0]
    assert missing.value.explanation == "service nope not found"
    assert refused.value.status_code == 409
    assert unknown.value.status_code == 400
    assert service.tasks() == []


def test_events_come_as_they_happen(client: docker.DockerClient, service: Service) -> None:
    events = client.events(decode=True, filters={"service": service.id})
    service.update(labels={"a": "b"})
    event = next(iter(events))
    events.close()

    assert (event["Type"], event["Action"], event["scope"]) == ("service", "update", "swarm")
    assert event["Actor"] == {"ID": service.id, "Attributes": {"name": service.name}}
    assert abs(event["timeNano"] / 1e9 - event["time"]) < 1


def test_a_services_container_and_its_networks_are_told_of(client: docker.DockerClient, image: str):
    """In the order in which an engine does things, probes of its health among them."""
    name = f"y{secrets.token_hex(4)}"
    network = client.networks.create(name, driver="overlay")
    here = {"type": ["container", "network"], "scope": ["local"]}
    events = client.events(decode=True, until=_soon(), filters=here)
    probe = {"test": ["CMD", "python", "-c", "pass"], "interval": seconds(1), "retries": 3}
    made = client.services.create(image, name=name, networks=[network.id], healthcheck=probe)
    told: list[str] = []
    for event in events:
        about = event["Actor"]["Attributes"].get("name", "")
        if not about.startswith(name):
            continue
        told.append(event["Action"])
        if event["Action"] == "health_status: healthy":
            made.remove()
        if event["Action"] == "destroy" and event["Type"] == "container":
            break
    events.close()
    until(lambda: _is_removed(client, network.id), "the network to be free")

    command = "python -c pass"
    probed = [f"exec_create: {command}", f"exec_start: {command}", "exec_die"]
    begun = ["create", "create", "connect", "start"]
    assert told[: len(begun) + 4] == [*begun, *probed, "health_status: healthy"]
    ended = [action for action in told[len(begun) + 4 :] if action not in probed]
    # engines after 20.10 announce the end when they have let go of the network
    of_20_10 = client.version()["ApiVersion"] == "1.41"
    first = ["kill", "die", "disconnect"] if of_20_10 else ["kill", "disconnect"]
    assert ended[: len(first)] == first
    assert sorted(ended[:4]) == ["die", "disconnect", "kill", "stop"]
    assert sorted(ended[4:]) == ["destroy", "destroy"]


def _soon() -> int:
    """When to give up following events, so that what does not come fails a test."""
    return int(time.time()) + 90


def _is_removed(client: docker.DockerClient, network_id: str) -> bool:
    try:
        client.api.remove_network(network_id)
    except NotFound:
        return True
    except APIError:
        return False
    return False


def test_without_a_network_a_container_is_on_the_bridge(client: docker.DockerClient, image: str):
    made = client.services.create(image, name=f"y{secrets.token_hex(4)}")
    container = until(
        lambda: client.containers.list(filters={"name": made.name}), "a container that runs"
    )[0]
    bridge = client.networks.get("bridge")
    settings = container.attrs["NetworkSettings"]
    made.remove()

    assert list(settings["Networks"]) == ["bridge"]
    attached = settings["Networks"]["bridge"]
    assert bridge.attrs["Containers"][container.id]["IPv4Address"] == (
        f"{attached['IPAddress']}/{attached['IPPrefixLen']}"
    )
    assert ip_address(attached["Gateway"]) in ip_network(
        bridge.attrs["IPAM"]["Config"][0]["Subnet"]
    )


@pytest.mark.parametrize("name", ["host", "bridge"])
def test_a_service_may_use_the_networks_that_every_machine_has(client, engine, image, name):
    """The swarm has doubles of them, which are shown to who asks for its scope."""
    double = engine.get(f"/networks/{name}", scope="swarm")
    made = client.services.create(
        image,
        name=f"y{secrets.token_hex(4)}",
        networks=[double["Id"]],
        endpoint_spec={"Mode": "vip"},
    )
    until(lambda: any(t["Status"]["State"] == "running" for t in made.tasks()), "a task to run")
    made.reload()
    (attached,) = made.tasks()[0]["NetworksAttachments"]
    made.remove()

    assert (double["Scope"], double["Driver"], double["Options"]) == ("swarm", name, None)
    assert double["IPAM"] == {"Driver": "", "Options": None, "Config": []}
    assert double["Labels"] == {"com.docker.swarm.predefined": "true"}
    assert engine.get(f"/networks/{name}")["Scope"] == "local"
    assert made.attrs["Endpoint"] == {
        "Spec": {"Mode": "vip"},
        "VirtualIPs": [{"NetworkID": double["Id"]}],
    }
    assert "Addresses" not in attached
    assert attached["Network"]["DriverState"] == {"Name": name}


def test_a_terminal_ends_its_lines_at_the_margin(client: docker.DockerClient, image: str) -> None:
    made = client.services.create(
        image, name=f"y{secrets.token_hex(4)}", tty=True, env=["ACT=print one;complain two"]
    )
    said = until(lambda: _both(b"".join(made.logs(stdout=True, stderr=True))), "both lines")
    made.remove()
    assert sorted(said.splitlines(keepends=True)) == [b"one\r\n", b"two\r\n"]


def _both(said: bytes) -> bytes:
    return said if said.count(b"\n") == 2 else b""


def test_a_name_that_was_taken_from_an_image_is_told_by_its_id(client, engine):
    name = f"lab/y{secrets.token_hex(4)}:1"
    tagged = client.images.get(engine.image(OLD))
    events = client.events(decode=True, until=_soon(), filters={"type": "image"})
    tagged.tag(name)
    client.images.remove(name)
    told: list[tuple[str, str]] = []
    for event in events:
        seen = (event["Action"], event["Actor"]["Attributes"]["name"])
        # others tag images of this engine, too
        if seen == ("tag", name) or (told and seen == ("untag", tagged.id)):
            told.append(seen)
        if len(told) == 2:
            break
    events.close()

    assert told == [("tag", name), ("untag", tagged.id)]


def test_too_little_memory_is_refused_by_each_node_and_not_by_the_swarm(client, image):
    made = client.services.create(
        image,
        name=f"y{secrets.token_hex(4)}",
        resources=Resources(mem_limit=5 << 20),
        restart_policy=RestartPolicy(),
    )

    def rejected() -> list[dict[str, Any]]:
        return [t["Status"] for t in made.tasks() if t["Status"]["State"] == "rejected"]

    status = until(rejected, "a task to be rejected")[0]
    made.remove()

    assert status["Err"] == "Minimum memory limit allowed is 6MB"
