"""Builds: what they say, what comes of them, and what they leave alone.

What is expected here was seen on Docker Engine 20.10.24, but for RUN and the base images.
"""

import io
import tarfile
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from swarmsim.go import references
from swarmsim.images import Image, Images, trees
from swarmsim.images.build import building, dockerfile
from tests.claims import each_claim
from tests.swarmsim.raw import archive_of

BASE = "FROM python:3\n"


class Builder:
    """Builds from files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.images = Images(folder)
        self.context = folder / "context"
        self.context.mkdir()
        self.messages: list[dict] = []
        self._now = count(10**18, 10**9)

    def file(self, name: str, content: str = "text") -> None:
        path = self.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def build(self, text: str, **options) -> Image | None:
        """Build; return the image, or `None` if a step failed."""
        asked = building.Options(**options)
        file = dockerfile.read(text)
        build = building.Build(self.images, file, self.context, asked, lambda: next(self._now))
        self.messages = list(build.messages())
        ids = [message["aux"]["ID"] for message in self.messages if "aux" in message]
        return None if "error" in self.messages[-1] else self.images.find(ids[-1])

    @property
    def said(self) -> str:
        return "".join(message.get("stream", "") for message in self.messages)

    @property
    def error(self) -> str:
        return self.messages[-1].get("error", "")

    def tree(self, image: Image | None) -> list[str]:
        """The files and links of an image, with their paths."""
        assert image, self.error
        root = self.images.files(image)
        found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
        return sorted(str(path.relative_to(root)) for path in found)


@pytest.fixture
def builder(tmp_path) -> Builder:
    return Builder(tmp_path)


# ---- what it says --------------------------------------------------------------------


def test_each_step_is_said_and_the_same_steps_again_are_cached(builder):
    builder.file("a.txt")
    text = "ARG B=python:3\nFROM ${B}\nENV A=1\nWORKDIR /app\nCOPY a.txt .\nCMD x\n"
    tag = references.read("lab/x:1")
    first = builder.build(text, tags=(tag,))
    steps = [line for line in builder.said.splitlines() if line.startswith("Step")]
    assert steps == [
        "Step 1/6 : ARG B=python:3",
        "Step 2/6 : FROM ${B}",
        "Step 3/6 : ENV A=1",
        "Step 4/6 : WORKDIR /app",
        "Step 5/6 : COPY a.txt .",
        "Step 6/6 : CMD x",
    ]
    assert builder.said.count(" ---> Running in ") == 3, "COPY makes no container"
    assert builder.said.endswith(
        f"Successfully built {first.short_id}\nSuccessfully tagged lab/x:1\n"
    )
    assert builder.messages[-3] == {"aux": {"ID": first.id}}
    again = builder.build(text)
    assert again is first
    assert builder.said.count(" ---> Using cache\n") == 4
    assert builder.build(text, use_cache=False) is not first


def test_a_file_that_was_only_touched_is_the_same_and_one_that_changed_is_not(builder):
    builder.file("a.txt")
    first = builder.build(BASE + "COPY . /app/\n")
    (builder.context / "a.txt").touch()
    assert builder.build(BASE + "COPY . /app/\n") is first
    builder.file("a.txt", "other")
    assert builder.build(BASE + "COPY . /app/\n") is not first


def test_run_is_not_executed_and_said_so(builder, tmp_path):
    proof = tmp_path / "proof"
    assert builder.build(BASE + f"RUN touch {proof}\n")
    assert not proof.exists()
    assert "the simulated engine does not execute RUN" in builder.said


def test_build_arguments_count_only_where_they_are_declared(builder):
    text = "ARG A=1\nFROM python:3\nARG A\nARG B=2\nARG C\nENV X=$A-$B-$C-$D\n"
    image = builder.build(text, build_args={"B": "b", "D": "d"})
    assert "X=1-b--" in image.config["Env"]
    assert "[Warning] One or more build-args [D] were not consumed\n" in builder.said


def test_labels_that_were_asked_for_are_the_last_steps(builder):
    image = builder.build(BASE + "LABEL c=d\n", labels={"b": "x y", "a": "$HOME"})
    assert image.labels == {"a": "$HOME", "b": "x y", "c": "d"}
    assert "Step 3/4 : LABEL a=$HOME\n" in builder.said


# ---- what comes of it ----------------------------------------------------------------


def test_a_config_is_what_docker_makes_of_it(builder):
    image = builder.build(
        BASE
        + 'ENV a="b c" d=e\\ f g=$a\nENV k l m  n\nWORKDIR a\nWORKDIR ../b\n'
        + 'EXPOSE 80 90/udp\nVOLUME /data ["x"]\nUSER bob\nSTOPSIGNAL HUP\n'
        + 'SHELL ["/bin/bash", "-c"]\nCMD echo hi\nENTRYPOINT foo $a\n'
    )
    config = image.config
    assert config["Env"][2:] == ["a=b c", "d=e f", "g=", "k=l m  n"]
    assert config["WorkingDir"] == "/b"
    assert list(config["ExposedPorts"]) == ["80/tcp", "90/udp"]
    assert list(config["Volumes"]) == ["/data", "[x]"]
    assert (config["User"], config["StopSignal"]) == ("bob", "HUP")
    assert config["Cmd"] == ["/bin/bash", "-c", "echo hi"]
    assert config["Entrypoint"] == ["/bin/bash", "-c", "foo $a"]


def test_an_entrypoint_drops_the_command_of_the_base_image_only(builder):
    assert builder.build(BASE + 'ENTRYPOINT ["a"]\n').config["Cmd"] is None
    assert builder.build(BASE + 'CMD ["b"]\nENTRYPOINT ["a"]\n').config["Cmd"] == ["b"]


def test_files_go_where_docker_puts_them(builder):
    builder.file("a.txt")
    builder.file("b.txt")
    builder.file("d/x/y")
    image = builder.build(
        BASE + "WORKDIR /app\nCOPY a.txt new\nCOPY a.txt b.txt sub/\nCOPY d /dir\n"
        "COPY *.txt /all/\nCOPY a.txt /usr/bin\nCOPY d/x .\n"
    )
    assert builder.tree(image) == [
        "all/a.txt",
        "all/b.txt",
        "app/new",
        "app/sub/a.txt",
        "app/sub/b.txt",
        "app/y",
        "dir/x/y",
        "usr/bin/a.txt",
    ]


def test_an_archive_is_copied_and_not_added(builder):
    (builder.context / "a.tar").write_bytes(archive_of({"f/g": b"x"}))
    assert builder.tree(builder.build(BASE + "COPY a.tar /u\n")) == ["u"]
    assert builder.build(BASE + "ADD a.tar /u\n") is None
    assert builder.error == "ADD failed: the simulated engine unpacks no archive: a.tar"


@each_claim(__file__, "steps", "step", "message")
def test_a_step_that_fails_says_why_as_docker_does(builder, step, message):
    builder.file("a.txt")
    builder.file("b.txt")
    assert builder.build(f"{BASE}{step}\n") is None
    assert builder.messages[-1] == {"errorDetail": {"message": message}, "error": message}


@each_claim(__file__, "bases", "text", "message")
def test_a_base_that_cannot_be_had_is_said_as_docker_says_it(builder, text, message):
    assert builder.build(text) is None
    assert builder.error == message


# ---- what it leaves alone ------------------------------------------------------------


def _archive(*members: tuple[str, str, bytes]) -> io.BytesIO:
    """An archive of (name, link or "", content)."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, link, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if link:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, link, 0
            archive.addfile(member, io.BytesIO(content))
    target.seek(0)
    return target


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", "", b"x")],
        [("/evil", "", b"x")],
        [("a/../../evil", "", b"x")],
        [("out", "..", b""), ("out/evil", "", b"x")],
        [("out", "/", b""), ("out/evil", "", b"x")],
        [("out", "{outside}/evil", b""), ("out", "", b"x")],
        [("a", "b/../..", b""), ("b", "a", b""), ("b/evil", "", b"x")],
    ],
)
def test_nothing_that_is_unpacked_leaves_its_folder(tmp_path, members):
    folder, outside = tmp_path / "in" / "folder", tmp_path / "in"
    folder.mkdir(parents=True)
    given = [(name, link.replace("{outside}", str(outside)), data) for name, link, data in members]
    # links in a circle are an error of the system's
    with tarfile.open(fileobj=_archive(*given)) as archive, suppress(OSError):
        trees.unpack(archive, folder)
    assert sorted(path.name for path in outside.iterdir()) == ["folder"]
    assert not Path("/evil").exists()
    assert not (tmp_path / "evil").exists()


def test_a_link_in_the_context_leads_to_no_file_outside(builder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (builder.context / "link").symlink_to(tmp_path / "secret")
    assert builder.build(BASE + "COPY link /x\n") is None
    assert "file not found in build context" in builder.error


def test_no_link_or_wildcard_leads_out_of_the_context(builder, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("of the host")
    builder.file("own/secret", "of the context")
    (builder.context / "link").symlink_to(tmp_path / "outside")
    (builder.context / "secret-link").symlink_to(tmp_path / "outside" / "secret")
    for sources in ("link/secret", "l*nk/secret", "link/*", "secret-link", "secret-l*", "l*nk"):
        assert builder.build(BASE + f"COPY {sources} /app/\n") is None, sources
    image = builder.build(BASE + "COPY */secret /app/\n")
    assert (builder.images.files(image) / "app/secret").read_text() == "of the context"


def test_what_is_copied_through_a_link_has_the_links_name(builder):
    builder.file("a.txt")
    (builder.context / "b.txt").symlink_to("a.txt")
    assert builder.tree(builder.build(BASE + "COPY b.txt /one/\nCOPY b* /two/\n")) == [
        "one/b.txt",
        "two/b.txt",
    ]
