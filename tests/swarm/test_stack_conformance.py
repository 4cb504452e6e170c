"""The specs that reach the engine are those that `docker stack deploy` sends.

Each set of files in `stacks/` is deployed twice under one name on a real engine,
with the docker command line and with labkit, and what the engine then holds is compared
whole. Only ids, times, the addresses and ports that the engine allots, and the number of
a version are evened out.
"""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from labkit.swarm import services, stack
from labkit.swarm.client import Swarm
from tests.claims import claims, each_claim
from tests.dockers import docker, needs_docker
from tests.waiting import until

pytestmark = [pytest.mark.engine, needs_docker]

STACKS = Path(__file__).parent / "stacks"
VARIABLES = {
    "SET": "value",
    "EMPTY": "",
    "COUNT": "0",
    "PASSED": "passed on",
    # ports that no lab on this engine has
    "LABKIT_WEBUI_PORT": "28900",
    "LABKIT_RNG_PORT": "28901",
    "LABKIT_HASHER_PORT": "28902",
}
KINDS = ("services", "networks", "configs", "secrets")
#: The one range of addresses that a file asks for; any other is the engine's choice.
ASKED_FOR = "10.213.7.0/24"
ALLOTTED = {"ID", "Id", "CreatedAt", "UpdatedAt", "Created", "LastExecution", "Version", "Addr"}

#: What docker's command line 28.2 reads from a file and sends to no engine; later ones do send it.
UNSENT = {"OomScoreAdj"}


@pytest.fixture
def outside(swarm: Swarm) -> Iterator[None]:
    """A network, a config and a secret that the files declare as external."""
    made = [
        "/networks/"
        + swarm.post("/networks/create", {"Name": "lab-outside", "Driver": "overlay"})["Id"],
        "/configs/" + swarm.post("/configs/create", {"Name": "lab-outside", "Data": "YQ=="})["ID"],
        "/secrets/" + swarm.post("/secrets/create", {"Name": "lab-outside", "Data": "YQ=="})["ID"],
    ]
    yield
    for path in made:
        swarm.delete(path)


@pytest.fixture
def name(swarm: Swarm, unique: str) -> Iterator[str]:
    """The name of a stack that is gone afterwards."""
    yield unique
    remove(swarm, unique)


def remove(swarm: Swarm, name: str) -> None:
    def gone() -> bool:
        with suppress(AssertionError):  # docker gives up where a task still uses a network
            docker(swarm, f"stack rm {name}")
        return not any(held(swarm, name).values())

    until(gone, "the stack to be gone")


def by_docker(swarm: Swarm, name: str, files: list[Path], *flags: str) -> str:
    where = (f"--compose-file={path}" for path in files)
    words = shlex.join([*where, *flags, name])
    return docker(swarm, f"stack deploy --detach {words}", **VARIABLES)


def by_labkit(swarm: Swarm, name: str, files: list[Path], **options: Any) -> None:
    stack.deploy(swarm, files, name, env={**os.environ, **VARIABLES}, **options)


def held(swarm: Swarm, name: str) -> dict[str, list[Any]]:
    """What the engine holds of a stack."""
    label = [f"{stack.NAMESPACE}={name}"]
    return {kind: swarm.get(f"/{kind}", filters={"label": label}) for kind in KINDS}


def allotted(found: dict[str, list[Any]]) -> dict[str, list[Any]] | None:
    """What was found, once the engine has given each service its addresses and ports."""
    done = all(
        service["Endpoint"].get("Spec")
        or service["Spec"]["EndpointSpec"] == {"Mode": "dnsrr"}  # needs neither
        for service in found["services"]
    )
    return found if done else None


def evened(swarm: Swarm, name: str) -> dict[str, Any]:
    """What the engine holds of a stack, without what it allots by itself."""
    found = until(lambda: allotted(held(swarm, name)), "the engine to allot addresses and ports")
    for network in found["networks"]:
        network.pop("Containers", None)  # what runs just now, and on which nodes
        network.pop("Peers", None)
    ids = {
        each.get("ID") or each["Id"]: each.get("Spec", each)["Name"]
        for kind in KINDS
        for each in swarm.get(f"/{kind}")
    }
    return flat(
        {
            kind: {each.get("Spec", each)["Name"]: even(each, ids) for each in things}
            for kind, things in found.items()
        }
    )


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of some JSON by its path, so that a difference names its field."""
    if isinstance(value, dict) and value:
        entries: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and value:
        entries = enumerate(value)
    else:
        return {path: value}
    return {
        place: leaf for key, each in entries for place, leaf in flat(each, f"{path}/{key}").items()
    }


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields in which two differ; a field that is not there shows as `…`."""
    return {
        place: (one.get(place, ...), other.get(place, ...))
        for place in sorted(one.keys() | other.keys())
        if one.get(place, ...) != other.get(place, ...)
    }


def even(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [even(each, ids) for each in value]
    if isinstance(value, dict):
        if value.get("PublishMode") == "ingress" and value.get("PublishedPort", 0) >= 30000:
            value = {**value, "PublishedPort": "allotted"}
        if "Subnet" in value and value["Subnet"] != ASKED_FOR:
            value = {**value, "Subnet": "allotted", "Gateway": "allotted"}
        return {
            key: "allotted" if key in ALLOTTED or key.endswith("vxlanid_list") else even(each, ids)
            for key, each in value.items()
            if key not in UNSENT
        }
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("files", claims(__file__, "deployed"), ids="+".join)
@pytest.mark.usefixtures("outside")
def test_the_engine_holds_the_same_as_after_docker_stack_deploy(swarm, name, files):
    paths = [STACKS / file for file in files]
    by_docker(swarm, name, paths)
    theirs = evened(swarm, name)
    remove(swarm, name)
    by_labkit(swarm, name, paths)
    assert differing(evened(swarm, name), theirs) == {}


@each_claim(__file__, "redeployed", "case")
def test_a_redeploy_leaves_what_dockers_would(swarm, name, tmp_path, case):
    text = (STACKS / "two.yml").read_text()
    first, second = tmp_path / "first.yml", tmp_path / "second.yml"
    first.write_text(text)
    for old, new in case.get("change", {}).items():
        assert old in text
        text = text.replace(old, new)
    second.write_text(text)
    by_docker(swarm, name, [first])
    until(lambda: allotted(held(swarm, name)), "nothing that makes docker say: out of sequence")
    docker(swarm, f"service update --detach --force {name}_a")
    until(lambda: allotted(held(swarm, name)), "the engine to allot addresses and ports")
    by_docker(swarm, name, [second], *case.get("flags", ()))
    theirs = evened(swarm, name)
    remove(swarm, name)

    by_labkit(swarm, name, [first])
    services.update(swarm, f"{name}_a", force=True)
    by_labkit(swarm, name, [second], **case.get("options", {}))

    assert differing(evened(swarm, name), theirs) == {}


def test_the_lines_printed_are_dockers(swarm: Swarm, name: str, capsys: pytest.CaptureFixture[str]):
    paths = [STACKS / "old.yml"]
    theirs = by_docker(swarm, name, paths)
    again = by_docker(swarm, name, paths)
    removed = docker(swarm, f"stack rm {name}")
    until(lambda: not any(held(swarm, name).values()), "the stack to be gone")

    def ours(act: Callable[[], None]) -> list[str]:
        act()
        return capsys.readouterr().out.splitlines()

    # docker goes through services in no order, and an id is the engine's to give
    deployed = ours(lambda: by_labkit(swarm, name, paths, show_command=False))
    assert sorted(deployed) == sorted(theirs.splitlines())
    updated = ours(lambda: by_labkit(swarm, name, paths, show_command=False))
    said = sorted(line.partition(" (id:")[0] for line in again.splitlines())
    assert sorted(line.partition(" (id:")[0] for line in updated if "Updating" in line) == said
    gone = ours(lambda: stack.rm(swarm, name, show_command=False))
    assert [line for line in gone if line.startswith("Removing")] == removed.splitlines()


def test_a_missing_registry_is_said_in_dockers_words_once_an_image(swarm, name, tmp_path, capsys):
    file = tmp_path / "compose.yml"
    file.write_text(
        "services: {a: &a {image: registry.invalid/lab:1, deploy: {replicas: 0}}, b: *a}"
    )
    by_labkit(swarm, name, [file])
    assert "could not be accessed" not in capsys.readouterr().out
    by_labkit(swarm, name, [file])
    assert (
        capsys.readouterr().out.count(
            "image registry.invalid/lab:1 could not be accessed on a registry to record\n"
            "its digest. Each node will access registry.invalid/lab:1 independently,\n"
            "possibly leading to different nodes running different\n"
            "versions of the image.\n\n"
        )
        == 1
    )
