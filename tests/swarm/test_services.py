"""Updates and rollbacks change what was asked for, and nothing else."""

import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest

from labkit.base.errors import BadValue, EngineRefused, LabError, NotOurs
from labkit.base.settings import LAB_LABEL
from labkit.lessons import workspace
from labkit.lessons.steps.edits import EDITS
from labkit.recordings.values import RollbackConfig, UpdateConfig
from labkit.swarm import services
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests import values
from tests.conftest import on_a_real_engine
from tests.waiting import until

Make = Callable[..., str]


@pytest.fixture(scope="module")
def swarm(either: Swarm) -> Swarm:
    return either


@pytest.fixture
def make(swarm: Swarm, service_named: str, coins_images: str) -> Make:
    """Make a service with the parts that docker-py is known to drop or to fill with defaults."""

    def create(*, replicas: int = 0, labels: dict[str, str] | None = None) -> str:
        labels = {LAB_LABEL: "test", "kept": "yes"} if labels is None else labels
        image = f"{coins_images}/dockercoins_worker:1.0"
        made = values.spec(service_named, image, replicas, Labels=labels)
        made["TaskTemplate"]["ContainerSpec"] |= {
            "Env": ["A=1", "B=2"],
            "Labels": {"inner": "kept"},
            "Mounts": [{"Type": "tmpfs", "Target": "/scratch"}],
        }
        swarm.post("/services/create", made)
        return service_named

    return create


@pytest.fixture
def name(make: Make) -> str:
    """The name of a service without replicas."""
    return make()


def running(swarm: Swarm, name: str) -> set[str]:
    return {t.id for t in swarm.snapshot(name).tasks if t.running and t.desired_state == "running"}


def image(swarm: Swarm, name: str) -> str:
    return str(spec(swarm, name)["TaskTemplate"]["ContainerSpec"]["Image"])


def spec(swarm: Swarm, name: str) -> dict[str, Any]:
    found = swarm.service(name)["Spec"]
    assert isinstance(found, dict)
    return found


def test_the_first_scale_restarts_no_task(swarm: Swarm, make: Make) -> None:
    """docker-py sends filled-in defaults back, and so replaces every task here."""
    name = make(replicas=2)
    before = until(lambda: (len(got := running(swarm, name)) == 2 and got) or None, "two replicas")
    services.update(swarm, name, replicas=3)
    after = until(lambda: (len(got := running(swarm, name)) == 3 and got) or None, "three replicas")
    assert before < after
    assert swarm.snapshot(name).service.update_status is None


def test_an_update_changes_what_was_asked_for_and_nothing_else(swarm: Swarm, name: str) -> None:
    before = spec(swarm, name)

    services.update(swarm, name, image="lab/other:2.0", update_config=UpdateConfig(parallelism=2))

    after = spec(swarm, name)
    assert after["TaskTemplate"]["ContainerSpec"].pop("Image") == "lab/other:2.0"
    assert after.pop("UpdateConfig")["Parallelism"] == 2
    del before["TaskTemplate"]["ContainerSpec"]["Image"]
    assert after == before


def test_some_fields_of_a_config_leave_the_others_as_they_are(swarm: Swarm, name: str) -> None:
    """As the flags of the lesson's third step do, after the file has set two at a time."""
    services.update(swarm, name, update_config=UpdateConfig(parallelism=2, delay="5s"))  # type: ignore[arg-type]

    services.update(
        swarm,
        name,
        update_config={"failure_action": "rollback"},
        rollback_config={"parallelism": 2, "monitor": "20s", "max_failure_ratio": 0.2},
    )

    found = swarm.snapshot(name).service
    assert found is not None
    assert found.update_config == UpdateConfig(
        parallelism=2,
        delay="5s",  # type: ignore[arg-type]
        failure_action="rollback",
    )
    assert found.rollback_config == RollbackConfig(
        parallelism=2,
        monitor="20s",  # type: ignore[arg-type]
        max_failure_ratio=0.2,
    )


def test_every_action_says_the_docker_command_that_does_the_same(swarm, name, capsys):
    services.update(
        swarm,
        name,
        update_config={"failure_action": "rollback"},
        rollback_config={"parallelism": 2, "monitor": "20s", "max_failure_ratio": 0.2},
    )
    services.update(swarm, name, image="lab/w:1.1", replicas=1, force=True)
    services.rollback(swarm, name)

    lines = capsys.readouterr().out.replace(" \\\n   ", "").splitlines()
    commands = [line for line in lines if line.startswith("$")]
    assert commands == [
        "$ docker service update --update-failure-action=rollback --rollback-parallelism=2 "
        f"--rollback-monitor=20s --rollback-max-failure-ratio=0.2 {name}",
        f"$ docker service update --image lab/w:1.1 --replicas=1 --force {name}",
        f"$ docker service rollback {name}",
    ]


def test_nothing_is_lost_to_a_writer_in_between(swarm: Swarm, name: str) -> None:
    """Each write is done again on the fresh version when the engine says out of sequence."""
    tries = iter(range(100))

    def labelled(found: dict[str, Any], **labels: str) -> dict[str, Any]:
        return found | {"Labels": found["Labels"] | labels}

    def bump(found: dict[str, Any]) -> dict[str, Any]:
        if next(tries) % 2 == 0:  # somebody else writes between this read and its write
            swarm.update_service(name, lambda other: labelled(other, other="was here"))
        return labelled(found, n=str(int(found["Labels"].get("n", "0")) + 1))

    threads = [threading.Thread(target=swarm.update_service, args=(name, bump)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert spec(swarm, name)["Labels"]["n"] == "4"
    assert spec(swarm, name)["Labels"]["other"] == "was here"


def test_force_replaces_every_task_each_time(swarm: Swarm, name: str) -> None:
    services.update(swarm, name, force=True)
    services.update(swarm, name, force=True)
    assert spec(swarm, name)["TaskTemplate"]["ForceUpdate"] == 2


def test_a_rollback_brings_the_previous_spec_back_and_another_one_goes_forward(swarm, name):
    services.update(swarm, name, image="lab/w:1.1")
    services.rollback(swarm, name)
    assert image(swarm, name).endswith("worker:1.0")
    services.rollback(swarm, name)
    assert image(swarm, name) == "lab/w:1.1"


def test_without_a_previous_spec_there_is_nothing_to_roll_back_to(swarm: Swarm, name: str) -> None:
    with pytest.raises(LabError, match="to have a previous spec to go back to"):
        services.rollback(swarm, name)


def test_a_service_that_the_lab_did_not_deploy_is_left_alone(swarm: Swarm, make: Make) -> None:
    name = make(labels={})
    before = swarm.service(name)

    with pytest.raises(NotOurs):
        services.update(swarm, name, replicas=5)
    with pytest.raises(NotOurs):
        services.rollback(swarm, name)
    assert swarm.service(name) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"update_config": {"paralelism": 2}}, "UpdateConfig has no 'paralelism'; it has par"),
        ({"update_config": {"delay": 5}}, "text such as '5s'"),
        ({"rollback_config": {"failure_action": "rollback"}}, "one of pause, continue, not"),
        ({"rollback_config": UpdateConfig(failure_action="rollback")}, "pause, continue, not"),
        ({"update_config": 2}, "is of type UpdateConfig or a mapping of its fields, not 2"),
        ({"replicas": "3"}, "replicas must be a whole number of zero or more, not '3'"),
        ({"replicas": -1}, "replicas must be a whole number of zero or more, not -1"),
        ({"image": 1.1}, "image must be the name of an image such as 'lab/worker:1.1', not 1.1"),
        ({"image": ""}, "image must be the name of an image"),
        ({"image": "lab/Worker:1.1"}, "image must be the name of an image"),
    ],
)
def test_a_value_that_swarm_would_refuse_changes_nothing(swarm, name, change, says):
    before = swarm.service(name)["Version"]
    with pytest.raises(BadValue, match=says):
        services.update(swarm, name, **change)
    assert swarm.service(name)["Version"] == before


def test_an_image_that_nobody_has_is_said_before_its_tasks_are_rejected(swarm, name, capsys):
    services.update(swarm, name, image="lab/no-such-image:9.9")
    said = capsys.readouterr().out
    assert "No such image: lab/no-such-image:9.9" in said
    assert "every new task will be rejected" in said


@on_a_real_engine
def test_logs_are_of_the_task_that_failed_last(swarm, make, tmp_path, capsys):
    """The traceback of a worker whose imports are gone is what a learner must get to see."""
    bugged = f"{make(replicas=1)}:bugged"
    name = bugged.removesuffix(":bugged")
    until(lambda: running(swarm, name), "a replica")
    services.logs(swarm, name)
    assert "Error" not in capsys.readouterr().out

    folder = shutil.copytree(workspace.shipped("worker"), tmp_path / "worker")
    program = folder / "worker.py"
    program.write_text(EDITS["bugged"].apply(program.read_text()))
    images.build(swarm, folder, bugged)
    services.update(swarm, name, image=bugged)
    until(lambda: any(t.state == "failed" for t in swarm.snapshot(name).tasks), "a failed task")

    services.logs(swarm, name)
    printed = capsys.readouterr().out
    assert "NameError" in printed
    assert f"({name}.1, {bugged}: failed, task: non-zero exit (1))" in printed
    swarm.delete(f"/services/{name}")
    swarm.client.images.remove(bugged, force=True)


# ---- rolled back -----------------------------------------------------------------


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
