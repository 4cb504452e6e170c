"""Images: what the engine says is shown, what fails is told in Docker's words."""

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from labkit.base import errors, settings
from labkit.lessons import workspace
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images
from swarmsim.go import references
from tests.claims import each_claim
from tests.conftest import on_a_real_engine
from tests.dockers import docker, needs_docker

ROOT = settings.lesson_files() / "dockercoins"


@pytest.fixture(scope="module")
def swarm(either: Swarm) -> Swarm:
    return either


# ---- what the engine says ----------------------------------------------------------


def said(*messages: dict) -> list[str]:
    return list(images._lines(messages, images._Answer()))


def test_a_build_is_shown_in_whole_lines():
    assert said(
        {"stream": "Step 1/2 : FROM x"},
        {"stream": "\n"},
        {"stream": " ---> 12\nStep 2"},
        {"stream": "/2 : RUN y\n"},
        {"stream": "an end without a line break"},
    ) == ["Step 1/2 : FROM x", " ---> 12", "Step 2/2 : RUN y", "an end without a line break"]


def test_the_colour_of_standard_error_is_not_shown():
    assert said({"stream": "\x1b[91mno such file\n\x1b[0m"}) == ["no such file"]


def test_progress_bars_are_left_out_and_what_became_of_each_layer_is_not():
    assert said(
        {"status": "Pulling from library/python", "id": "3.13-alpine"},
        {"status": "Downloading", "id": "ab12", "progressDetail": {"current": 1, "total": 9}},
        {"status": "Pull complete", "id": "ab12", "progressDetail": {}},
        {"status": "Digest: sha256:00"},
    ) == ["3.13-alpine: Pulling from library/python", "ab12: Pull complete", "Digest: sha256:00"]


@each_claim(__file__, "parts", "image", "parts")
def test_the_engine_takes_a_name_in_two_parts(image, parts):
    """Repository, and tag or digest; a colon before a slash is a port."""
    assert images._split(image) == tuple(parts)


@each_claim(__file__, "tagged", "image", "tagged")
def test_a_bare_name_means_latest(image: str, tagged: str) -> None:
    assert references.with_tag(image) == tagged


def test_a_file_that_cannot_be_sent_is_an_answer_and_no_traceback():
    """The SDK reads the folder of a build while it sends it."""

    def start():
        raise OSError("Can not read file in context: /worker/secret.key")

    answer = images._follow(None, start, None)
    assert answer.error == "Can not read file in context: /worker/secret.key"


# ---- what an image is made from ----------------------------------------------------


def test_a_source_is_another_when_a_file_or_the_base_is(tmp_path):
    (tmp_path / "worker.py").write_text("one")
    first = images.source_hash(tmp_path, "sha256:base")
    assert images.source_hash(tmp_path, "sha256:base") == first
    assert images.source_hash(tmp_path, "sha256:other") != first
    (tmp_path / "worker.py").write_text("two")
    second = images.source_hash(tmp_path, "sha256:base")
    assert second != first
    (tmp_path / "worker.py").rename(tmp_path / "other.py")
    assert images.source_hash(tmp_path, "sha256:base") != second


def test_caches_and_hidden_files_are_no_source(tmp_path):
    (tmp_path / "worker.py").write_text("one")
    first = images.source_hash(tmp_path, "sha256:base")
    for name in (".ipynb_checkpoints", "__pycache__"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "worker.py").write_text("changed")
    assert images.source_hash(tmp_path, "sha256:base") == first


def test_a_build_needs_a_dockerfile(tmp_path):
    with pytest.raises(errors.LabError, match="a folder with a Dockerfile"):
        images.build(None, tmp_path / "nothing", "lab/x")


# ---- the base image ----------------------------------------------------------------


@pytest.fixture
def debian(monkeypatch, tmp_path) -> Path:
    """A Debian with root, mmdebstrap and a package source; gives its /etc/apt."""
    release = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(baseimage, "_os_release", lambda: release)
    monkeypatch.setattr(baseimage, "_ETC_APT", tmp_path)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text("Types: deb")
    return tmp_path


@pytest.mark.usefixtures("debian")
def test_debian_as_root_can_make_a_base_image():
    assert baseimage.why_not("x86_64") == ""
    assert baseimage.name() == "labkit/python:debian-bookworm"


def test_packages_come_from_where_the_distributions_own_come_from(debian):
    (debian / "sources.list.d" / "other.sources").write_text("Types: deb")
    assert baseimage._package_source() == debian / "sources.list.d" / "debian.sources"
    (debian / "sources.list.d" / "debian.sources").unlink()
    assert baseimage._package_source() is None
    (debian / "sources.list").write_text("deb …")
    assert baseimage._package_source() == debian / "sources.list"


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize(
    ("what", "replacement", "reason"),
    [
        ("_os_release", dict, "not Debian or Ubuntu"),
        ("platform.machine", lambda: "aarch64", "the engine is x86_64 and this machine aarch64"),
        ("shutil.which", lambda _name: None, "apt-get install mmdebstrap"),
        ("os.geteuid", lambda: 1000, "needs root"),
    ],
)
def test_where_no_base_image_can_be_made_the_reason_is_named(
    monkeypatch, what, replacement, reason
):
    monkeypatch.setattr(f"labkit.swarm.images.baseimage.{what}", replacement)
    assert reason in baseimage.why_not("x86_64")


def test_an_engine_that_goes_away_during_the_import_is_said(monkeypatch):
    class Gone:
        def import_image(self, **_options):
            raise requests.ConnectionError("Remote end closed connection")

    monkeypatch.setattr(baseimage, "_unpack_packages", lambda _target, _recipe: None)
    with pytest.raises(errors.LabError, match="Remote end closed connection"):
        baseimage.make(Gone(), "labkit/python:debian-bookworm")


class NoPythonAnywhere(Swarm):
    """An engine with no image and no registry."""

    def __init__(self) -> None:
        super().__init__(None, "unix:///nowhere")

    def info(self) -> dict[str, str]:
        return {"Architecture": "x86_64"}

    def get(self, path, **_options):
        raise errors.NotFound("", "", docker_says=f"no such thing: {path}", status=404)


def test_without_any_base_image_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setattr(baseimage, "_os_release", dict)
    monkeypatch.setattr(images, "pull", lambda *_args, **_options: "no such host")
    with pytest.raises(errors.LabError) as caught:
        images.base_image(NoPythonAnywhere())
    assert caught.value.docker_says == "no such host"
    assert baseimage.OFFICIAL in caught.value.expected
    assert f"tag it {baseimage.OFFICIAL}" in caught.value.try_next
    assert "none can be made here" in caught.value.found


@on_a_real_engine
def test_a_base_image_made_from_packages_has_what_the_services_import(swarm: Swarm):
    reason = baseimage.why_not(swarm.info()["Architecture"])
    if reason:
        pytest.skip(f"only Debian or Ubuntu can make one: {reason}")
    there = baseimage.name()  # where no registry had the official one, `labkit up` has made it
    made = "" if images.has(swarm, there) else f"{baseimage.PYTHON.repository}:test"
    try:
        if made:
            baseimage.make(swarm.client.api, made)
        image = made or there
        program = (
            "import asyncio, hashlib, http.server, json, sys; print(sys.version_info >= (3, 11))"
        )
        output = swarm.client.containers.run(image, ["python", "-c", program], remove=True)
        assert output == b"True\n"
        assert image in images.made_by_labkit(swarm), "so that `down --all` finds it"
    finally:
        if made:
            swarm.delete(f"/images/{made}")


# ---- build, tag, push --------------------------------------------------------------


@pytest.fixture
def learner(swarm: Swarm, coins_images: str, unique: str) -> Iterator[str]:
    """A Docker ID of a learner's own; the images under it are removed afterwards."""
    assert coins_images != unique
    yield unique
    images.remove_images(swarm, unique)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the worker that may be changed."""
    return Path(shutil.copytree(ROOT / "worker", tmp_path / "worker"))


@on_a_real_engine
def test_a_build_shows_the_command_and_each_step(swarm, learner, folder, capsys):
    image = f"{learner}/dockercoins_worker:1.1"
    built = images.build(swarm, folder, image)
    command, *lines = capsys.readouterr().out.replace(" \\\n", "").splitlines()
    assert command.startswith(f"$ docker image build -t {image}")
    assert command.endswith(str(folder))
    assert lines[0].startswith("Step 1/")
    assert f"Successfully tagged {image}" in lines
    assert images.inspect(swarm, image)["Id"] == built
    assert image in images.made_by_labkit(swarm)


@needs_docker
@on_a_real_engine
def test_the_build_that_the_lesson_shows_works_as_it_is_typed(
    swarm, learner, tmp_path, monkeypatch, capsys
):
    """Where no registry answers, a learner's Dockerfile names the base that the engine has."""
    base, image = images.base_image(swarm), f"{learner}/dockercoins_worker:typed"
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    workspace.refresh(base)
    folder = workspace.mine("worker")
    docker(swarm, f"image build -t {image} {folder}")
    assert images.tags(swarm, f"{learner}/dockercoins_worker") == ["typed"]
    images.build(swarm, folder, image)
    command, first, *_ = capsys.readouterr().out.replace(" \\\n   ", "").splitlines()
    assert command == f"$ docker image build -t {image} {folder}"
    assert first.endswith(f"PYTHON_IMAGE={base}")


@on_a_real_engine
@pytest.mark.parametrize("shown", [True, False])
def test_a_step_that_fails_is_shown_with_its_output(swarm, learner, folder, capsys, shown):
    dockerfile = folder / "Dockerfile"
    text = dockerfile.read_text()
    dockerfile.write_text(text + "RUN echo about to fail >&2 && python -c 'exit(3)'\n")
    with pytest.raises(errors.BuildFailed) as caught:
        images.build(
            swarm, folder, f"{learner}/dockercoins_worker:x", **({} if shown else {"say": None})
        )
    assert "RUN echo about to fail" in caught.value.found
    assert caught.value.docker_says.endswith("returned a non-zero code: 3")
    assert "\nabout to fail\n" in capsys.readouterr().out, "shown even by a quiet build"
    assert not images.has(swarm, f"{learner}/dockercoins_worker:x")


@on_a_real_engine
@pytest.mark.parametrize(
    ("line", "tag", "docker_says"),
    [
        ("CPOY a b", "worker:x", "unknown instruction: CPOY"),
        ("COPY nothing .", "worker:x", "nothing: file does not exist"),
        ("", "Worker:x", "invalid reference format"),
    ],
)
def test_what_the_engine_will_not_build_is_told_in_its_words(
    swarm, learner, folder, line, tag, docker_says
):
    with (folder / "Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"{line}\n")
    with pytest.raises(errors.BuildFailed) as caught:
        images.build(swarm, folder, f"{learner}/{tag}")
    assert docker_says in caught.value.docker_says


def test_only_what_has_changed_is_built_again(swarm, learner, tmp_path):
    root = Path(shutil.copytree(ROOT, tmp_path / "dockercoins"))
    names = [f"{learner}/dockercoins_{each}:1.0" for each in images.SERVICES]
    assert images.build_all(swarm, learner, root) == [f"{name} built" for name in names]
    assert images.build_all(swarm, learner, root) == []
    with (root / "hasher" / "hasher.py").open("a") as source:
        source.write("# changed\n")
    assert images.build_all(swarm, learner, root) == [f"{learner}/dockercoins_hasher:1.0 built"]


def test_an_image_that_took_the_name_is_built_over(swarm, learner):
    """Such as one that a registry gave, or that the learner tagged by mistake."""
    worker = f"{learner}/dockercoins_worker:1.0"
    images.build_all(swarm, learner, ROOT)
    ours = images.inspect(swarm, worker)["Id"]
    repository, _, tag = worker.rpartition(":")
    swarm.post(f"/images/{learner}/dockercoins_rng:1.0/tag", repo=repository, tag=tag)
    assert images.build_all(swarm, learner, ROOT) == [f"{worker} built"]
    assert images.inspect(swarm, worker)["Id"] == ours


def test_removing_one_learners_images_leaves_the_others(swarm, learner, coins_images):
    images.build_all(swarm, learner, ROOT)
    removed = images.remove_images(swarm, learner)
    assert {f"{learner}/dockercoins_{each}:1.0" for each in images.SERVICES} <= set(removed)
    left = images.made_by_labkit(swarm)
    assert not [name for name in left if name.startswith(f"{learner}/")]
    assert f"{coins_images}/dockercoins_worker:1.0" in left
    assert images.has(swarm, images.base_image(swarm)), "others stand on it"


@on_a_real_engine
def test_a_registry_that_does_not_answer_is_told_in_dockers_words(swarm, coins_images, capsys):
    """The engine answers 200 and says it in the stream, which docker-py does not read."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
    image = f"{place}/lab/dockercoins_worker:1.0"
    there = f"{coins_images}/dockercoins_worker:1.0"
    swarm.post(f"/images/{there}/tag", repo=image.rpartition(":")[0], tag="1.0")
    try:
        with pytest.raises(errors.LabError, match="it was not pushed") as caught:
            images.push(swarm, image)
    finally:
        swarm.delete(f"/images/{image}")
    assert "connection refused" in caught.value.docker_says
    assert f"The push refers to repository [{place}/" in capsys.readouterr().out
