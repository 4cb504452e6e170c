"""Stacks are deployed and removed whole, and only those that are the lab's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from labkit.base import settings
from labkit.base.errors import BadComposeFile, EngineRefused, LabError, NotOurs, NotSettled
from labkit.swarm import ownership, stack
from labkit.swarm.client import Swarm
from labkit.swarm.stack import removing
from tests.conftest import on_a_real_engine
from tests.values import spec
from tests.waiting import until

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
SLEEPS = ["python", "-c", "import time; time.sleep(1000)"]


@dataclass
class Mine:
    """A stack under a name that nobody else uses, and the folder of its files."""

    swarm: Swarm
    name: str
    folder: Path
    image: str

    def file(self, text: str, name: str = "compose.yml") -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def running(self, more: str) -> str:
        """The text of a file whose `web` runs."""
        runs = f"image: {self.image}\n    command: {json.dumps(SLEEPS)}\n    {more}"
        return LABELLED.replace("image: lab/none:1", runs)

    def deploy(self, text: str = LABELLED, **options: Any) -> None:
        stack.deploy(self.swarm, [self.file(text)], self.name, **options)

    def rm(self, **options: Any) -> None:
        stack.rm(self.swarm, self.name, **options)

    @property
    def label(self) -> str:
        return f"{stack.NAMESPACE}={self.name}"

    def held(self) -> list[dict[str, Any]]:
        """All that the engine holds of it."""
        return [
            each
            for kind in ("services", "networks", "configs", "secrets")
            for each in self.swarm.get(f"/{kind}", filters={"label": [self.label]})
        ]

    def picture(self) -> str:
        """The same, to be compared with itself later, once the engine writes to it no more."""
        addresses = self.swarm.service(f"{self.name}_web")["Endpoint"].get("VirtualIPs")
        return json.dumps(self.held(), sort_keys=True) if addresses else ""

    def settled(self) -> str:
        return until(self.picture, "the engine to allot addresses")

    def replicas(self) -> int:
        return sum(task.running for task in self.swarm.task_values(service=f"{self.name}_web"))


@pytest.fixture(scope="module")
def swarm(either: Swarm) -> Swarm:
    return either


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of its own for the notes of what labkit deployed."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def mine(swarm: Swarm, unique: str, coins_images: str, tmp_path: Path) -> Iterator[Mine]:
    """A stack that is gone afterwards, whoever deployed it."""
    made = Mine(swarm, unique, tmp_path, f"{coins_images}/dockercoins_worker:1.0")
    yield made
    for each in made.held():
        ownership.note(ownership.identity(each), {})
    made.rm(show_command=False)


def test_the_docker_command_that_does_the_same_is_shown(mine, capsys):
    mine.deploy(prune=True)
    first = capsys.readouterr().out.replace("\\\n", "").splitlines()[0]
    file = mine.folder / "compose.yml"
    assert first.split() == f"$ docker stack deploy -c={file} --prune {mine.name}".split()
    mine.rm()
    assert f"$ docker stack rm {mine.name}\n" in capsys.readouterr().out


@on_a_real_engine
def test_a_deploy_right_after_rm_works(mine: Mine) -> None:
    two = mine.running("init: true").replace("replicas: 0", "replicas: 2")
    for _ in range(2):
        mine.deploy(two)
        until(lambda: mine.replicas() == 2, "two tasks to run")
        mine.rm()
        assert mine.held() == []
        assert mine.swarm.tasks(label=mine.label) == []
        label = {"label": [mine.label]}
        assert mine.swarm.get("/containers/json", filters=label, all="true") == []


@on_a_real_engine
def test_rm_says_what_it_waits_for_and_gives_up_when_the_time_is_up(mine, capsys):
    mine.deploy(mine.running("stop_grace_period: 4s").replace("replicas: 0", "replicas: 1"))
    until(mine.replicas, "a task")
    with pytest.raises(NotSettled, match="still there: 1 task, 1 container, 1 network"):
        mine.rm(timeout=timedelta(seconds=1.5))
    assert "Waiting for 1 task, 1 container, 1 network …" in capsys.readouterr().out


def test_rm_of_what_is_not_there_says_so_in_dockers_words(swarm, unique, capsys):
    stack.rm(swarm, unique, show_command=False)
    assert capsys.readouterr().out == f"Nothing found in stack: {unique}\n"


def test_rm_is_content_with_what_somebody_else_has_just_removed(mine: Mine) -> None:
    mine.deploy()
    services = mine.swarm.services(label=mine.label)
    for _ in range(2):
        removing.remove_all(mine.swarm, "service", services)
    mine.rm()
    assert mine.held() == []


def test_a_stack_that_is_not_there_is_an_error_that_names_those_that_are(mine: Mine) -> None:
    mine.deploy()
    for table in (stack.services, stack.ps):
        with pytest.raises(LabError, match=mine.name) as problem:
            table(mine.swarm, "no-such-stack")
        assert problem.value.docker_says == "Nothing found in stack: no-such-stack"


@pytest.mark.parametrize("text", [LABELLED, UNLABELLED])
def test_a_stack_that_somebody_else_deployed_is_never_touched(mine: Mine, text: str) -> None:
    """As `docker stack deploy` makes it of a file without the lab's label."""
    labels = {stack.NAMESPACE: mine.name}
    mine.swarm.post("/services/create", spec(f"{mine.name}_web", "lab/none:1", 0, Labels=labels))
    (before,) = until(mine.held, "the service")
    with pytest.raises(NotOurs, match=f"service {mine.name}_web"):
        mine.deploy(text)
    with pytest.raises(NotOurs, match="somebody else deployed it"):
        mine.rm()
    (after,) = mine.held()
    assert after["Spec"] == before["Spec"]


def test_a_file_without_the_label_is_ours_because_labkit_notes_what_it_makes(
    mine: Mine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.deploy(UNLABELLED)
    assert all(settings.LAB_LABEL not in ownership.labels(each) for each in mine.held())
    assert len(list((home / ".labkit" / "deployed").iterdir())) == 2
    mine.deploy(UNLABELLED)

    monkeypatch.setenv("LABKIT_HOME", str(mine.folder / "belongs to somebody else"))
    with pytest.raises(NotOurs):
        mine.rm()

    monkeypatch.setenv("LABKIT_HOME", str(home))
    mine.rm()
    assert mine.held() == []
    assert list((home / ".labkit" / "deployed").iterdir()) == []


def test_a_file_with_the_label_needs_no_notes(mine: Mine, home: Path) -> None:
    mine.deploy()
    assert not (home / ".labkit").exists()


@pytest.mark.parametrize("kind", ["config", "secret"])
def test_a_config_of_somebody_else_is_not_taken_over_by_its_name(mine: Mine, kind: str) -> None:
    shared = f"{mine.name}-shared"
    made = mine.swarm.post(f"/{kind}s/create", {"Name": shared, "Data": "YQ=="})["ID"]
    try:
        with pytest.raises(NotOurs, match=shared):
            mine.deploy(LABELLED + f"{kind}s: {{c: {{file: ./compose.yml, name: {shared}}}}}\n")
        assert mine.held() == []
    finally:
        mine.swarm.delete(f"/{kind}s/{made}")


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
def test_a_bad_file_changes_nothing(mine: Mine, old: str, new: str, path: str) -> None:
    mine.deploy(LABELLED + "configs: {c: {file: compose.yml}}")
    before = mine.settled()
    # docker would create the network, which comes first, before it met some of these
    bad = LABELLED.replace(old, new).replace("\nnetworks:", "\nnetworks:\n  more: {}")
    with pytest.raises(BadComposeFile) as problem:
        stack.deploy(mine.swarm, [mine.file(bad, "bad.yml")], mine.name, prune=True)
    assert path in [place for place, _ in problem.value.problems]
    assert mine.picture() == before


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("networks: {default: {external: true, name: no-such-network}}", "no-such-network"),
        ("configs: {outside: {external: true, name: no-such-config}}", "no-such-config"),
        ("secrets: {outside: {external: true, name: no-such-secret}}", "no-such-secret"),
    ],
)
def test_what_is_declared_external_must_be_there_before_anything_is_made(mine, more, what):
    kind = more.partition(":")[0]
    uses = "" if kind == "networks" else f"\n    {kind}: [outside]"
    with pytest.raises(LabError, match=what):
        mine.deploy(UNLABELLED.replace("image: lab/none:1", f"image: lab/none:1{uses}") + more)
    assert mine.held() == []


def test_a_changed_config_is_refused_before_anything_changes(mine: Mine) -> None:
    text = LABELLED + "configs: {motd: {file: motd}}"
    mine.file("one", "motd")
    mine.deploy(text)
    before = mine.settled()
    mine.file("two", "motd")
    with pytest.raises(LabError, match="content of its file is different now"):
        mine.deploy(text)
    assert mine.picture() == before


def test_a_changed_mode_is_refused_before_anything_changes(mine: Mine) -> None:
    mine.deploy()
    before = mine.settled()
    with pytest.raises(LabError, match="it is replicated, and the file says global"):
        mine.deploy(LABELLED.replace("replicas: 0", "mode: global"))
    assert mine.picture() == before


def test_what_the_engine_refuses_is_named_with_dockers_own_words(mine: Mine) -> None:
    limits = "resources: {limits: {memory: 1k}}, labels"
    with pytest.raises(
        EngineRefused, match=f"the service {mine.name}_web to be created"
    ) as problem:
        mine.deploy(LABELLED.replace("labels", limits, 1))
    assert "invalid memory value 1024: Must be at least 4MiB" in problem.value.docker_says


def test_what_is_ignored_is_said(mine: Mine, capsys: pytest.CaptureFixture[str]) -> None:
    stack.deploy(mine.swarm, [Path(__file__).parent / "stacks" / "ignored.yml"], mine.name)
    said = capsys.readouterr().out
    assert "Ignoring unsupported options: build, cgroup_parent" in said
    assert "Ignoring deprecated options:\n\ncontainer_name: Setting" in said
    assert "depends_on, tmpfs" in said


@on_a_real_engine
def test_rm_shows_why_docker_would_not_remove_a_network(mine: Mine) -> None:
    mine.deploy(LABELLED.replace("default: {", "default: {attachable: true, "))
    made = mine.swarm.client.containers.run(
        mine.image, SLEEPS, network=f"{mine.name}_default", detach=True, init=True
    )
    try:
        with pytest.raises(NotSettled) as problem:
            mine.rm(timeout=timedelta(seconds=1))
        assert "1 network" in problem.value.found
        assert "is in use by task" in problem.value.docker_says
    finally:
        made.remove(force=True)
