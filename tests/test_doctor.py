"""What `labkit doctor` finds, and what it makes of it."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path

import pytest

from labkit import doctor, errors
from labkit.swarm import Swarm


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def verdicts(lines: list[doctor.Line]) -> dict[str, str]:
    return {line.name: line.verdict for line in lines}


def test_a_verdict_is_a_word_as_well_as_a_mark():
    line = doctor.Line("disk", "limited", "1.0 GiB free", "make room.")

    assert str(line) == "! limited disk: 1.0 GiB free\n            → make room."


def test_what_is_missing_or_limited_says_how_to_mend_it(monkeypatch):
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    for line in doctor.examine():
        assert bool(line.mend) == (line.verdict != "ok"), line


def test_a_registry_that_does_not_answer_is_no_reason_to_fail(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise doctor.requests.ConnectionError

    monkeypatch.setattr(doctor.requests, "get", refuse)
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    assert verdicts(doctor.examine())["registry"] == "limited"


def test_a_full_disk_is_seen(monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(9, 9, 1024**3))
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    assert verdicts(doctor.examine())["disk"] == "limited"


def test_a_home_that_is_still_to_be_made_is_measured_where_it_will_be(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "new" / "home"))
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    assert "disk" in verdicts(doctor.examine())


def test_a_home_that_nothing_can_be_written_to_is_seen(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    assert verdicts(doctor.examine())["disk"] == "missing"


def test_a_package_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "0.1" if name == "docker" else "999")
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")

    line = next(line for line in doctor.examine() if line.name == "packages")

    assert line.verdict == "missing"
    assert line.saw.startswith("docker is 0.1, not >=")


def test_the_lines_are_json():
    line = doctor.Line("disk", "ok", "9 GiB free")

    assert json.loads(doctor.as_json([line])) == [
        {"name": "disk", "verdict": "ok", "saw": "9 GiB free", "mend": ""}
    ]


@pytest.mark.engine
def test_a_manager_is_found_with_its_version(swarm: Swarm, monkeypatch):
    monkeypatch.setenv("LABKIT_ENGINE", swarm.url)

    lines = {line.name: line for line in doctor.examine()}

    assert swarm.client.version()["Version"] in lines["engine"].saw
    assert lines["swarm manager"].verdict == "ok"
    assert {"storage", "images", "ports", "virtual addresses"} <= lines.keys()


@pytest.mark.engine
def test_an_engine_that_is_no_manager_is_missing_one(swarm: Swarm, monkeypatch):
    def refuse(_: Swarm) -> None:
        raise errors.NotAManager("a manager.", "a worker.", "promote it.")

    monkeypatch.setattr(Swarm, "require_manager", refuse)
    monkeypatch.setenv("LABKIT_ENGINE", swarm.url)

    line = next(line for line in doctor.examine() if line.name == "swarm manager")

    assert (line.verdict, line.saw, line.mend) == ("missing", "a worker.", "promote it.")
