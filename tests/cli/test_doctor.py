"""What `labkit doctor` finds, and what it makes of it."""

import json
import os
import shutil
import time
from collections import namedtuple
from pathlib import Path
from typing import cast

import psutil
import pytest
import requests

from labkit.base import errors
from labkit.cli import doctor
from labkit.cli.doctor import engine, machine
from labkit.recordings.values import Node, Task
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images
from tests.values import task


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, and no registry to wait for, unless a test names one."""
    monkeypatch.setenv("LABKIT_ENGINE", "tcp://127.0.0.1:1")
    monkeypatch.setattr(requests, "get", lambda *_, **__: None)


def line_of(name: str) -> doctor.Line:
    return next(line for line in doctor.examine() if line.name == name)


def test_a_verdict_is_a_word_as_well_as_a_mark():
    line = doctor.Line("disk", "limited", "1.0 GiB free", "make room.")
    assert str(line) == "! limited disk: 1.0 GiB free\n            → make room."


def test_what_is_missing_or_limited_says_how_to_mend_it():
    for line in doctor.examine():
        assert bool(line.mend) == (line.verdict != "ok"), line


def test_a_registry_that_does_not_answer_is_no_reason_to_fail(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", refuse)

    assert line_of("registry").verdict == "limited"


def test_a_full_disk_is_seen(monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 1024**3))
    assert line_of("disk").verdict == "limited"


def test_a_home_that_is_still_to_be_made_is_measured_where_it_will_be(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "new" / "home"))
    assert line_of("disk")


def test_a_home_that_nothing_can_be_written_to_is_seen(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file" / "home"))
    assert line_of("disk").verdict == "missing"


def test_a_package_that_is_too_old_is_named(monkeypatch):
    versions = {"docker": "0.1"}
    monkeypatch.setattr(machine, "version", lambda name: versions.get(name, "999"))
    line = line_of("packages")
    assert line.verdict == "missing"
    assert line.saw.startswith("docker is 0.1, not >=")


# ---- what will be slow -------------------------------------------------------------


@pytest.mark.parametrize(
    ("quota", "load", "verdict", "saw"),
    [
        ("max 100000", 0.5, "ok", "4 cores, load 0.5"),
        ("max 100000", 4.5, "limited", "4 cores, load 4.5"),
        ("100000 100000", 0.5, "limited", "1 core, load 0.5"),
        ("250000 100000", 0.5, "ok", "2.5 cores, load 0.5"),
        ("nonsense", 0.5, "ok", "4 cores, load 0.5"),
    ],
)
def test_too_few_cores_and_a_busy_machine_are_seen(
    monkeypatch, tmp_path, quota: str, load: float, verdict: str, saw: str
):
    """A container may use less than the machine has: its quota is what counts."""
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(machine, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(psutil, "getloadavg", lambda: (load, 9.0, 9.0))
    line = line_of("processor")
    assert (line.verdict, line.saw[: len(saw)]) == (verdict, saw)


class Far:
    """An engine that answers after so many seconds, by a clock that it moves."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = iter(seconds)
        self.now = 0.0

    def get(self, _: str) -> None:
        self.now += next(self._seconds)


@pytest.mark.parametrize(
    ("seconds", "verdict", "saw"),
    [((0.02, 0.004, 0.3), "ok", "after 4 ms"), ((0.3, 0.25, 0.4), "limited", "after 250 ms")],
)
def test_an_engine_that_is_far_away_is_seen(monkeypatch, seconds, verdict, saw):
    """One slow answer is chance; when the best of three is slow, views are late."""
    far = Far(*seconds)
    monkeypatch.setattr(time, "perf_counter", lambda: far.now)
    line = engine._answer(cast(Swarm, far))
    assert (line.verdict, line.saw[: len(saw)]) == (verdict, saw)


# ---- what will be missing ----------------------------------------------------------


def test_what_the_page_needs_is_installed_or_named(monkeypatch, tmp_path):
    assert line_of("browser parts").verdict == "ok"
    monkeypatch.setattr(machine, "jupyter_config_path", lambda: [str(tmp_path)])
    monkeypatch.setattr(machine, "jupyter_path", lambda _: [str(tmp_path)])
    line = line_of("browser parts")
    assert line.verdict == "limited"
    assert line.saw.startswith("labkit's server extension, labkit, anywidget, @jupyter-widgets/")


def test_a_lesson_without_a_recording_is_named(tmp_path):
    """A room without Docker has something to show if each lesson has one."""
    (tmp_path / "recordings").mkdir()
    for name in ("00-start-here", "01-rolling-updates", "02-in-parallel"):
        (tmp_path / f"{name}.ipynb").touch()
    (tmp_path / "recordings" / "00-scaled.jsonl").write_text("{}")
    (tmp_path / "recordings" / "01-torn.jsonl").touch()

    line = machine._recordings(tmp_path)
    assert (line.verdict, line.saw) == ("limited", "none of lesson 01, 02")

    for number in ("01", "02"):
        (tmp_path / "recordings" / f"{number}-b.jsonl").write_text("{}")
    assert machine._recordings(tmp_path).saw == "each of 3 lessons has one to show"
    assert machine._recordings(tmp_path / "none").verdict == "limited"


def test_the_rooms_log_is_off_on_or_in_vain(monkeypatch, tmp_path):
    assert line_of("room's log").saw.startswith("off")

    monkeypatch.setenv("LABKIT_CLASS", str(tmp_path / "class"))
    monkeypatch.setenv("LABKIT_ALIAS", "ada")
    assert line_of("room's log").verdict == "limited"
    assert not (tmp_path / "class").exists(), "looking makes nothing"

    (tmp_path / "class").mkdir()
    line = line_of("room's log")
    assert (line.verdict, line.saw) == ("ok", f"on, in {tmp_path / 'class'}, as ada")

    monkeypatch.setenv("LABKIT_ALIAS", "a b")
    assert line_of("room's log").verdict == "limited"

    monkeypatch.delenv("LABKIT_ALIAS")
    assert "drawn at the first check" in line_of("room's log").saw
    assert not (tmp_path / ".labkit").exists(), "looking draws no alias"


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
    assert {"storage", "base image", "images", "stack", "ports"} <= lines.keys()
    assert {"engine's answer", "virtual addresses"} <= lines.keys()


@pytest.mark.engine
def test_an_engine_that_is_no_manager_is_missing_one(swarm: Swarm, monkeypatch):
    def refuse(_: Swarm) -> None:
        raise errors.NotAManager("a manager.", "a worker.", "promote it.")

    monkeypatch.setattr(Swarm, "require_manager", refuse)
    monkeypatch.setenv("LABKIT_ENGINE", swarm.url)

    line = line_of("swarm manager")

    assert (line.verdict, line.saw, line.mend) == ("missing", "a worker.", "promote it.")


@pytest.mark.engine
def test_images_of_other_sources_are_rebuilt_by_up_and_doctor_says_so(
    swarm: Swarm, coins_images: str, monkeypatch
):
    monkeypatch.setenv("LABKIT_DOCKER_ID", coins_images)
    assert engine._images(swarm).verdict == "ok"
    assert engine._base_image(swarm).verdict == "ok"

    monkeypatch.setattr(images, "source_hash", lambda *_: "other")
    line = engine._images(swarm)

    assert line.verdict == "limited"
    assert line.saw.startswith(f"{coins_images}/dockercoins_rng:1.0, ")
    assert "rebuilds" in line.mend


@pytest.mark.engine
def test_a_base_image_that_is_lacking_is_said_to_be_made_or_pulled(swarm: Swarm, monkeypatch):
    monkeypatch.setattr(images, "base_there", lambda _: "")
    monkeypatch.setattr(baseimage, "why_not", lambda _: "")
    assert "makes one" in engine._base_image(swarm).mend

    monkeypatch.setattr(baseimage, "why_not", lambda _: "this is no Debian")
    assert "a registry; none can be made here: this is no Debian" in engine._base_image(swarm).mend


@pytest.mark.engine
def test_a_stack_that_is_not_there_or_not_ours_is_said_to_be(swarm, service_named, monkeypatch):
    monkeypatch.setenv("LABKIT_STACK", service_named)
    line = engine._stack(swarm)
    assert (line.verdict, line.saw) == ("limited", f"{service_named} is not deployed")

    label = {stack.NAMESPACE: service_named}
    spec = {
        "Name": f"{service_named}_worker",
        "Labels": label,
        "Mode": {"Replicated": {"Replicas": 0}},
        "TaskTemplate": {"ContainerSpec": {"Image": "labkit.invalid/none:1.0"}},
    }
    swarm.post("/services/create", spec)
    line = engine._stack(swarm)
    assert (line.verdict, line.saw) == (
        "missing",
        f"{service_named}_worker deployed by somebody else",
    )


ALL, HALF = "10 of 10 replicas of dc run", "5 of 10 replicas of dc run"


@pytest.mark.parametrize(
    ("running", "availability", "verdict", "saw"),
    [
        (2, "active", "ok", ALL),
        (1, "active", "limited", HALF),
        (2, "pause", "limited", f"{ALL}. n is paused: it keeps its tasks, and gets no new ones."),
    ],
)
def test_replicas_that_do_not_run_are_counted(monkeypatch, running, availability, verdict, saw):
    class Deployed:
        def services(self, label: str) -> list[dict]:
            assert label == f"{stack.NAMESPACE}=dc"
            labels = {"labkit.lab": "true"}
            status = {"DesiredTasks": 2}
            return [
                {"ID": name, "Spec": {"Name": name, "Labels": labels}, "ServiceStatus": status}
                for name in (f"dc_{each}" for each in images.SERVICES)
            ]

        def task_values(self, label: str) -> list[Task]:
            ids = [each["ID"] for each in self.services(label)]
            run = (task(slot, service_id=each) for each in ids for slot in range(running))
            return [task(9, service_id=ids[0], lost=True), *run]

        def nodes(self) -> tuple[Node, ...]:
            return (Node(id="n", name="n", availability=availability),)

    monkeypatch.setenv("LABKIT_STACK", "dc")
    line = engine._stack(cast(Swarm, Deployed()))

    assert (line.verdict, line.saw[: len(saw)]) == (verdict, saw)
