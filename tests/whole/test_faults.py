"""What goes wrong around a recording: nothing recorded is lost, and it says why."""

from typing import Any

import pytest

from labkit.base.settings import LAB_LABEL
from labkit.recordings import story
from labkit.recordings.recorder import Recorder
from labkit.swarm import services, stack
from labkit.swarm.client import Swarm
from tests.conftest import on_a_real_engine
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)

NOBODY_HAS = "lab/nobody-has-this:1.0"


def create(
    swarm: Swarm, name: str, image: str, *, stack_name: str = "", replicas: int = 2, **template: Any
) -> None:
    labels = {LAB_LABEL: "test"}
    if stack_name:
        labels["com.docker.stack.namespace"] = stack_name
    swarm.post(
        "/services/create",
        {
            "Name": name,
            "Labels": labels,
            "TaskTemplate": {"ContainerSpec": {"Image": image}, **template},
            "Mode": {"Replicated": {"Replicas": replicas}},
        },
    )


@pytest.fixture(scope="module")
def swarm(either: Swarm) -> Swarm:
    return either


@pytest.fixture
def worker(coins_images: str) -> str:
    return f"{coins_images}/dockercoins_worker:1.0"


def test_whoever_comes_in_the_middle_of_an_update_sees_it_to_its_end(swarm, service_named, worker):
    """As after a restart of the kernel: the second recorder knows nothing of the first."""
    create(swarm, service_named, worker)
    until(lambda: swarm.snapshot(service_named).running_by_tag().total() == 2, "replicas to run")
    services.update(swarm, service_named, force=True)
    until(lambda: swarm.snapshot(service_named).service.update_status, "the update to begin")

    with Recorder(swarm, service_named) as recorder:
        why = recorder.wait(timeout=60)

    assert why == "The update has settled: completed (update completed)."


@on_a_real_engine
def test_an_image_that_does_not_exist_pauses_the_update_and_docker_says_why(
    swarm: Swarm, service_named: str, worker: str
) -> None:
    create(swarm, service_named, worker)
    until(lambda: swarm.snapshot(service_named).running_by_tag().total() == 2, "replicas to run")

    with Recorder(swarm, service_named) as recorder:
        services.update(swarm, service_named, image=NOBODY_HAS)
        why = recorder.wait(timeout=60)

    assert why.startswith("The update has settled: paused (update paused due to failure")
    assert any(NOBODY_HAS in error for error in story.errors(recorder.recording))


def test_a_stack_that_is_removed_in_mid_update_ends_the_recording(swarm, unique, worker):
    name = f"{unique}_worker"
    create(swarm, name, worker, stack_name=unique)
    until(lambda: swarm.snapshot(name).running_by_tag().total() == 2, "replicas to run")

    with Recorder(swarm, name) as recorder:
        services.update(swarm, name, force=True)
        recorder.wait_for_update("updating")
        stack.rm(swarm, unique)
        why = recorder.wait(timeout=60)

    assert why == "The service was removed, and its last task is gone."
    assert len(recorder.recording.tasks) >= 3
