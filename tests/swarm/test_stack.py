"""Stacks are deployed and removed whole, and only those that are the lab's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from labkit.base import settings
from labkit.base.errors import BadComposeFile, EngineRefused, LabError, NotOurs, NotSettled
from labkit.swarm import ownership, stack
from labkit.swarm.client import Swarm
from labkit.swarm.stack import removing
from tests.waiting import until

pytestmark = pytest.mark.engine

LABELLED = """
services:
  web:
    image: lab/none:1
    deploy: {replicas: 0, labels: {labkit.lab: ""}}
networks:
  default: {labels: {labkit.lab: ""}}
"""
UNLABELLED = """
services:
  web:
    image: lab/none:1
    deploy: {replicas: 0}
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of its own for the notes of what labkit deployed."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def name(swarm: Swarm, unique: str) -> Iterator[str]:
    """The name of a stack that is gone afterwards, whoever deployed it."""
    yield unique
    for kind, each in stack_of(swarm, unique):
        ownership.note(ownership.identity(each), {})
        assert kind
    stack.rm(swarm, unique, show_command=False)


def stack_of(swarm: Swarm, name: str) -> list[tuple[str, dict[str, Any]]]:
    label = [f"{stack.NAMESPACE}={name}"]
    return [
        (kind, each)
        for kind in ("services", "networks", "configs", "secrets")
        for each in swarm.get(f"/{kind}", filters={"label": label})
    ]


def picture(swarm: Swarm, name: str) -> str:
    """All that the engine holds of a stack, to be compared with itself later."""
    return json.dumps(stack_of(swarm, name), sort_keys=True)


def compose_file(folder: Path, text: str, name: str = "compose.yml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def by_somebody_else(swarm: Swarm, name: str) -> None:
    """A service as `docker stack deploy` makes it of a file without the lab's label."""
    swarm.post(
        "/services/create",
        {
            "Name": f"{name}_web",
            "Labels": {stack.NAMESPACE: name},
            "TaskTemplate": {"ContainerSpec": {"Image": "lab/none:1"}},
            "Mode": {"Replicated": {"Replicas": 0}},
        },
    )


def test_the_docker_command_that_does_the_same_is_shown(
    swarm: Swarm, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = compose_file(tmp_path, LABELLED)
    stack.deploy(swarm, [file], name, prune=True, resolve_image="never")
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"$ docker stack deploy -c={file} --prune --resolve-image=never {name}"
    stack.ls(swarm)
    stack.services(swarm, name)
    stack.rm(swarm, name)
    said = capsys.readouterr().out
    assert "$ docker stack ls\n" in said
    assert f"$ docker stack services {name}\n" in said
    assert f"$ docker stack rm {name}\n" in said


def test_a_deploy_right_after_rm_works(
    swarm: Swarm, name: str, tmp_path: Path, coins_images: str
) -> None:
    file = compose_file(
        tmp_path,
        f"""
        services:
          web:
            image: {coins_images}/dockercoins_worker:1.0
            command: ["python", "-c", "import time; time.sleep(1000)"]
            init: true
            deploy: {{replicas: 2, labels: {{labkit.lab: ""}}}}
        networks:
          default: {{labels: {{labkit.lab: ""}}}}
        """,
    )
    for _ in range(2):
        stack.deploy(swarm, [file], name)
        until(
            lambda: sum(task.running for task in swarm.task_values(service=f"{name}_web")) == 2,
            "two tasks to run",
        )
        stack.rm(swarm, name)
        label = [f"{stack.NAMESPACE}={name}"]
        assert stack_of(swarm, name) == []
        assert swarm.tasks(label=label[0]) == []
        assert swarm.get("/containers/json", filters={"label": label}, all="true") == []


def test_rm_says_what_it_waits_for_and_gives_up_when_the_time_is_up(
    swarm: Swarm,
    name: str,
    tmp_path: Path,
    coins_images: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = compose_file(
        tmp_path,
        f"""
        services:
          web:
            image: {coins_images}/dockercoins_worker:1.0
            command: ["python", "-c", "import time; time.sleep(1000)"]
            stop_grace_period: 4s
            deploy: {{labels: {{labkit.lab: ""}}}}
        networks:
          default: {{labels: {{labkit.lab: ""}}}}
        """,
    )
    stack.deploy(swarm, [file], name)
    until(lambda: any(task.running for task in swarm.task_values(service=f"{name}_web")), "a task")
    with pytest.raises(NotSettled, match="still there: 1 task, 1 container, 1 network"):
        stack.rm(swarm, name, timeout=timedelta(seconds=1.5))
    assert "Waiting for 1 task, 1 container, 1 network …" in capsys.readouterr().out


def test_rm_of_what_is_not_there_says_so_in_dockers_words(
    swarm: Swarm, unique: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.rm(swarm, unique, show_command=False)
    assert capsys.readouterr().out == f"Nothing found in stack: {unique}\n"


def test_rm_is_content_with_what_somebody_else_has_just_removed(
    swarm: Swarm, name: str, tmp_path: Path
) -> None:
    stack.deploy(swarm, [compose_file(tmp_path, LABELLED)], name)
    services = swarm.services(label=f"{stack.NAMESPACE}={name}")
    for _ in range(2):
        removing.remove_all(swarm, "service", services)
    stack.rm(swarm, name)
    assert stack_of(swarm, name) == []


def test_a_stack_that_is_not_there_is_an_error_that_names_those_that_are(
    swarm: Swarm, name: str, tmp_path: Path
) -> None:
    stack.deploy(swarm, [compose_file(tmp_path, LABELLED)], name)
    for table in (stack.services, stack.ps):
        with pytest.raises(LabError, match=name) as problem:
            table(swarm, "no-such-stack")
        assert problem.value.docker_says == "Nothing found in stack: no-such-stack"


@pytest.mark.parametrize("file", [LABELLED, UNLABELLED])
def test_a_stack_that_somebody_else_deployed_is_never_touched(
    swarm: Swarm, name: str, tmp_path: Path, file: str
) -> None:
    by_somebody_else(swarm, name)
    before = until(lambda: picture(swarm, name), "the service")
    with pytest.raises(NotOurs, match=f"service {name}_web"):
        stack.deploy(swarm, [compose_file(tmp_path, file)], name)
    with pytest.raises(NotOurs, match="somebody else deployed it"):
        stack.rm(swarm, name)
    assert json.loads(picture(swarm, name))[0][1]["Spec"] == json.loads(before)[0][1]["Spec"]
    assert len(stack_of(swarm, name)) == 1


def test_a_file_without_the_label_is_ours_because_labkit_notes_what_it_makes(
    swarm: Swarm, name: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = compose_file(tmp_path, UNLABELLED)
    stack.deploy(swarm, [file], name)
    assert all(
        settings.LAB_LABEL not in ownership.labels(each) for _, each in stack_of(swarm, name)
    )
    assert len(list((home / ".labkit" / "deployed").iterdir())) == 2
    stack.deploy(swarm, [file], name)

    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "somebody else's"))
    with pytest.raises(NotOurs):
        stack.rm(swarm, name)

    monkeypatch.setenv("LABKIT_HOME", str(home))
    stack.rm(swarm, name)
    assert stack_of(swarm, name) == []
    assert list((home / ".labkit" / "deployed").iterdir()) == []


def test_a_file_with_the_label_needs_no_notes(
    swarm: Swarm, name: str, tmp_path: Path, home: Path
) -> None:
    stack.deploy(swarm, [compose_file(tmp_path, LABELLED)], name)
    assert not (home / ".labkit").exists()
    stack.rm(swarm, name)


@pytest.mark.parametrize("kind", ["config", "secret"])
def test_a_config_of_somebody_else_is_not_taken_over_by_its_name(
    swarm: Swarm, name: str, tmp_path: Path, kind: str
) -> None:
    shared = f"{name}-shared"
    made = swarm.post(f"/{kind}s/create", {"Name": shared, "Data": "YQ=="})["ID"]
    text = LABELLED + f"{kind}s: {{c: {{file: ./compose.yml, name: {shared}}}}}\n"
    try:
        with pytest.raises(NotOurs, match=shared):
            stack.deploy(swarm, [compose_file(tmp_path, text)], name)
        assert stack_of(swarm, name) == []
    finally:
        swarm.delete(f"/{kind}s/{made}")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("replicas: 0", "replicas: many", "services.web.deploy.replicas"),
        ("replicas: 0", "replica: 0", "services.web.deploy.replica"),
        ("image: lab/none:1", "image: lab/none:${UNSET:?set it}", "services.web.image"),
        ("image: lab/none:1", "image: x\n    networks: [nowhere]", "services.web.networks.nowhere"),
        ("services:", "services: {", "line 4, column 10"),
    ],
)
def test_a_bad_file_changes_nothing(
    swarm: Swarm, name: str, tmp_path: Path, old: str, new: str, path: str
) -> None:
    good = compose_file(tmp_path, LABELLED + "configs: {c: {file: compose.yml}}")
    stack.deploy(swarm, [good], name)
    before = until(lambda: settled(swarm, name), "the engine to allot addresses")
    # docker would create the network, which comes first, before it met some of these
    bad = LABELLED.replace(old, new).replace("\nnetworks:", "\nnetworks:\n  more: {}")
    with pytest.raises(BadComposeFile) as problem:
        stack.deploy(swarm, [compose_file(tmp_path, bad, "bad.yml")], name, prune=True)
    assert path in [place for place, _ in problem.value.problems]
    assert picture(swarm, name) == before


def settled(swarm: Swarm, name: str) -> str:
    """The picture of a stack, once the engine writes to it no more."""
    service = swarm.service(f"{name}_web")
    return picture(swarm, name) if service["Endpoint"].get("VirtualIPs") else ""


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("networks: {default: {external: true, name: no-such-network}}", "no-such-network"),
        ("configs: {outside: {external: true, name: no-such-config}}", "no-such-config"),
        ("secrets: {outside: {external: true, name: no-such-secret}}", "no-such-secret"),
    ],
)
def test_what_is_declared_external_must_be_there_before_anything_is_made(
    swarm: Swarm, name: str, tmp_path: Path, more: str, what: str
) -> None:
    kind = more.partition(":")[0]
    uses = "" if kind == "networks" else f"\n    {kind}: [outside]"
    text = UNLABELLED.replace("image: lab/none:1", f"image: lab/none:1{uses}") + more
    with pytest.raises(LabError, match=what):
        stack.deploy(swarm, [compose_file(tmp_path, text)], name)
    assert stack_of(swarm, name) == []


def test_a_changed_config_is_refused_before_anything_changes(
    swarm: Swarm, name: str, tmp_path: Path
) -> None:
    (tmp_path / "motd").write_text("one")
    file = compose_file(tmp_path, LABELLED + "configs: {motd: {file: motd}}")
    stack.deploy(swarm, [file], name)
    before = until(lambda: settled(swarm, name), "the engine to allot addresses")
    (tmp_path / "motd").write_text("two")
    with pytest.raises(LabError, match="content of its file is different now"):
        stack.deploy(swarm, [file], name)
    assert picture(swarm, name) == before


def test_a_changed_mode_is_refused_before_anything_changes(
    swarm: Swarm, name: str, tmp_path: Path
) -> None:
    stack.deploy(swarm, [compose_file(tmp_path, LABELLED)], name)
    before = until(lambda: settled(swarm, name), "the engine to allot addresses")
    text = LABELLED.replace("replicas: 0", "mode: global")
    with pytest.raises(LabError, match="it is replicated, and the file says global"):
        stack.deploy(swarm, [compose_file(tmp_path, text)], name)
    assert picture(swarm, name) == before


def test_what_the_engine_refuses_is_named_with_dockers_own_words(
    swarm: Swarm, name: str, tmp_path: Path
) -> None:
    limits = "resources: {limits: {memory: 1k}}, labels"
    file = compose_file(tmp_path, LABELLED.replace("labels", limits, 1))
    with pytest.raises(EngineRefused, match=f"the service {name}_web to be created") as problem:
        stack.deploy(swarm, [file], name)
    assert "invalid memory value 1024: Must be at least 4MiB" in problem.value.docker_says


def test_what_is_ignored_is_said(
    swarm: Swarm, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.deploy(swarm, [Path(__file__).parent / "stacks" / "ignored.yml"], name)
    said = capsys.readouterr().out
    assert "Ignoring unsupported options: build, cgroup_parent" in said
    assert "Ignoring deprecated options:\n\ncontainer_name: Setting" in said
    assert "depends_on, tmpfs" in said


def test_rm_shows_why_docker_would_not_remove_a_network(
    swarm: Swarm, name: str, tmp_path: Path, coins_images: str
) -> None:
    text = LABELLED.replace("default: {", "default: {attachable: true, ")
    stack.deploy(swarm, [compose_file(tmp_path, text)], name)
    made = swarm.client.containers.run(
        f"{coins_images}/dockercoins_worker:1.0",
        ["python", "-c", "import time; time.sleep(1000)"],
        network=f"{name}_default",
        detach=True,
        init=True,
    )
    try:
        with pytest.raises(NotSettled) as problem:
            stack.rm(swarm, name, timeout=timedelta(seconds=1))
        assert "1 network" in problem.value.found
        assert "is in use by task" in problem.value.docker_says
    finally:
        made.remove(force=True)
