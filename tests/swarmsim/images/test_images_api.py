"""Images over the API, as docker-py, labkit and the docker command line ask for them."""

import gzip
import json
import os
import shutil
import subprocess

import pytest
from docker.errors import APIError, BuildError, ImageNotFound

from labkit.base import errors, settings
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.claims import each_claim
from tests.swarmsim.raw import archive_of

COINS = settings.lesson_files() / "dockercoins"


@pytest.fixture
def swarm(client) -> Swarm:
    return Swarm(client, "unix://in-process")


# ---- labkit --------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["rng", "worker"])
def test_labkit_takes_no_name_from_an_image_of_somebody_else(swarm, tmp_path, service):
    name = f"lab/dockercoins_{service}:1.0"
    (tmp_path / "Dockerfile").write_text("FROM busybox\n")
    theirs = swarm.client.images.build(path=str(tmp_path), tag=name)[0].id
    with pytest.raises(errors.NotOurs, match=f"no image called {name}"):
        images.build_all(swarm, "lab", COINS)
    with pytest.raises(errors.NotOurs, match=name):
        images.ensure(swarm, {name: COINS / service})
    assert images.made_by_labkit(swarm) == {}, "nothing was built before that was seen"
    assert images.inspect(swarm, name)["Id"] == theirs


def test_an_image_that_a_learner_has_built_with_docker_is_the_labs(swarm):
    name = "lab/dockercoins_worker:1.0"
    theirs = swarm.client.images.build(path=str(COINS / "worker"), tag=name)[0].id
    assert name in images.made_by_labkit(swarm)
    assert images.ensure(swarm, {name: COINS / "worker"})
    assert images.inspect(swarm, name)["Id"] != theirs


def test_a_lab_removes_what_it_has_built_and_nothing_of_another(swarm, monkeypatch, tmp_path):
    """With the same Docker ID, on the same engine; and nothing that was built on its images."""
    for home in ("rng", "hasher"):
        monkeypatch.setenv("LABKIT_HOME", str(tmp_path / home))
        images.build(swarm, COINS / home, f"lab/dockercoins_{home}:1.0")
    (tmp_path / "Dockerfile").write_text("FROM lab/dockercoins_hasher:1.0\nLABEL a=b\n")
    heir = swarm.client.images.build(path=str(tmp_path))[0].id
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "third"))
    assert images.remove_images(swarm) == []
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "rng"))
    assert images.remove_images(swarm) == ["lab/dockercoins_rng:1.0"]
    assert set(images.made_by_labkit(swarm)) >= {"lab/dockercoins_hasher:1.0", heir}


def test_labkit_pushes_what_is_there_and_is_told_what_is_not(swarm, capsys):
    images.build(swarm, COINS / "rng", "lab/rng:1", say=None)
    images.push(swarm, "lab/rng:1")
    assert "nothing leaves this machine" in capsys.readouterr().out
    assert images.inspect(swarm, "lab/rng:1")["RepoDigests"]
    with pytest.raises(errors.LabError) as caught:
        images.push(swarm, "lab/nosuch:1")
    assert caught.value.docker_says == ("An image does not exist locally with the tag: lab/nosuch")


# ---- docker-py -----------------------------------------------------------------------


def test_docker_py_builds_lists_tags_and_removes(client, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM python:3\nLABEL a=b\n")
    image, said = client.images.build(path=str(tmp_path), tag="x:1")
    assert {"stream": "Successfully tagged x:1\n"} in list(said)
    assert image.tag("y", "2")
    image.reload()
    assert image.tags == ["x:1", "y:2"]
    assert [found.id for found in client.images.list(filters={"label": "a=b"})] == [image.id]
    assert image.history()[0]["CreatedBy"] == "LABEL a=b"
    client.images.remove("y:2")
    client.images.remove(image.id)
    with pytest.raises(ImageNotFound, match="No such image: x:1"):
        client.images.get("x:1")
    assert client.images.prune() == {"ImagesDeleted": None, "SpaceReclaimed": 0}


def test_docker_py_is_told_what_cannot_be_had(client, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM nosuch:1\n")
    with pytest.raises(BuildError, match="no such host"):
        client.images.build(path=str(tmp_path))
    (tmp_path / "Dockerfile").write_text("FOO\n")
    with pytest.raises(APIError, match="parse error line 1: unknown instruction: FOO") as caught:
        client.images.build(path=str(tmp_path))
    assert caught.value.status_code == 400
    with pytest.raises(APIError, match="no such host") as caught:
        client.images.pull("nosuch", tag="1")
    assert caught.value.status_code == 500
    with pytest.raises(APIError, match="no such host"):
        client.images.get_registry_data("lab/nosuch:1")


def test_docker_py_pulls_and_pushes(client):
    image = client.images.pull("python", tag="3.13-alpine")
    assert image.attrs["RepoTags"] == ["python:3.13-alpine"]
    image.tag("lab/python", "mine")
    image.reload()
    said = client.images.push("lab/python", tag="mine", stream=True, decode=True)
    digest = [message["aux"]["Digest"] for message in said if "aux" in message]
    assert [client.images.get_registry_data("lab/python:mine").id] == digest


def test_archives_are_refused_with_a_sentence(client):
    image = client.images.pull("alpine", tag="3")
    for refused in (
        lambda: list(image.save()),
        lambda: list(image.save(named="alpine:3")),
        lambda: client.images.load(bytes(3_000_000)),
        lambda: client.api.import_image_from_data(bytes(3_000_000), repository="imp"),
    ):
        with pytest.raises(APIError, match="neither saves, loads nor imports") as caught:
            refused()
        assert caught.value.status_code == 501


def test_a_pull_says_that_no_registry_was_asked(client):
    said = [line["status"] for line in client.api.pull("alpine", tag="3", stream=True, decode=True)]
    assert said[0] == "Pulling from library/alpine"
    assert said[1] == "swarmsim simulated engine: this machine's own programs stand in for it"


# ---- bytes ---------------------------------------------------------------------------


def _context(**files: str) -> bytes:
    return archive_of({name: content.encode() for name, content in files.items()})


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_context_may_be_compressed(client, packed):
    body = packed(_context(Dockerfile="FROM python:3\n"))
    answer = client.api._post(client.api._url("/build"), data=body, params={"t": "x:1"})
    assert answer.status_code == 200
    assert client.images.get("x:1")


@each_claim(__file__, "refused", "dockerfile", "params", "status", "message")
def test_a_build_that_cannot_begin_is_refused(client, dockerfile, params, status, message):
    body = params["body"].encode() if "body" in params else _context(Dockerfile=dockerfile)
    asked = {key: value for key, value in params.items() if key != "body"}
    answer = client.api._post(client.api._url("/build"), data=body, params=asked)
    assert (answer.status_code, answer.json()["message"]) == (status, message)


def test_a_large_context_is_taken_and_leaves_nothing_behind(client, engine):
    body = archive_of({"big": bytes(20_000_000), "Dockerfile": b"FROM python:3\n"})
    answer = client.api._post(client.api._url("/build"), data=body)
    assert answer.status_code == 200
    assert sorted(path.name for path in engine.images.folder.iterdir()) == [
        "files",
        "images",
        "index.json",
        "layers",
    ]


# ---- the docker command line ---------------------------------------------------------


@pytest.mark.skipif(not shutil.which("docker"), reason="no docker command")
def test_the_docker_command_line_sees_nothing_strange(served, tmp_path):
    def run(*words: str) -> str:
        done = subprocess.run(
            ["docker", *words],
            env={**os.environ, "DOCKER_HOST": served.url, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    (tmp_path / "Dockerfile").write_text("FROM python:3\nCOPY a.txt /\n")
    (tmp_path / "a.txt").write_text("text")
    assert run("build", "-t", "lab/x:1", str(tmp_path)).endswith("Successfully tagged lab/x:1")
    image_id = run("build", "-q", "-t", "lab/x:1", str(tmp_path))
    assert run("image", "inspect", "-f", "{{.Id}}", "lab/x:1") == image_id
    run("tag", "lab/x:1", "lab/x:2")
    rows = [json.loads(line) for line in run("images", "--format", "json", "lab/*").splitlines()]
    assert sorted((row["Tag"], row["Size"]) for row in rows) == [("1", "4B"), ("2", "4B")]
    assert "COPY file:" in run("history", "--no-trunc", "lab/x:1")
    assert "digest: sha256:" in run("push", "lab/x:1")
    assert run("pull", "lab/x:1").splitlines()[-2:] == [
        "Status: Image is up to date for lab/x:1",
        "docker.io/lab/x:1",
    ]
    assert run("rmi", "lab/x:2") == "Untagged: lab/x:2"
    assert "Deleted: sha256:" in run("rmi", "lab/x:1")
