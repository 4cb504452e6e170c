"""What a learner sees who moves the settings of an update, and who then runs it."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

import labkit
from labkit.api import doing
from labkit.base.errors import BadValue, NoEngine
from labkit.swarm.client import Swarm
from labkit.views.cards import explorer
from labkit.views.cards.explorer import Explorer
from tests.played import worker_spec
from tests.simulated import simulated_swarm
from tests.waiting import until


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Explorer:
    """What is explored where there is no engine."""

    def none() -> Swarm:
        raise NoEngine("a Docker engine.", "nothing answers.")

    monkeypatch.setattr(doing, "current_swarm", none)
    return labkit.explore("dc_worker")


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Swarm]:
    """A simulated engine with a worker of four replicas that run 1.0, and another service."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    with simulated_swarm() as swarm:
        worker = worker_spec(
            "1.0", 4, Labels={"labkit.lab": "true"}, UpdateConfig={"Parallelism": 2}
        )
        del worker["TaskTemplate"]["Networks"]
        swarm.post("/services/create", worker)
        monkeypatch.setattr(doing, "_current", swarm)
        yield swarm


def move(shown: Explorer, **values: Any) -> None:
    """Move some settings, as the page does."""
    shown.settings.values = shown.settings.values | values


def test_with_no_engine_the_lessons_worker_is_made_up_and_cannot_be_run(made_up: Explorer) -> None:
    assert "10 slots touched, never fewer than 9 replicas" in made_up._words.value
    assert "made-up" in made_up._said.value
    assert made_up._run.disabled
    assert made_up.settings.values["image"] == "lab/dockercoins_worker:1.1"


def test_what_is_moved_is_predicted_drawn_and_put_in_words_and_commands(made_up: Explorer) -> None:
    before = made_up._picture.value

    move(made_up, parallelism=5, delay=3, order="start-first")

    assert made_up._picture.value != before
    assert "<svg" in made_up._picture.value
    assert "never fewer than 10 replicas" in made_up._words.value
    command, lines = made_up._situation.ways(made_up.settings.values)
    assert command.replace("\\\n  ", "") == (
        "docker service update --image lab/dockercoins_worker:1.1 --update-parallelism=5 "
        "--update-delay=3s --update-order=start-first dc_worker"
    )
    assert lines == (
        "worker:\n  image: lab/dockercoins_worker:1.1\n  deploy:\n    replicas: 10\n"
        "    update_config:\n      parallelism: 5\n      delay: 3s\n      order: start-first\n"
    )
    assert "--update-delay=3s" in made_up._picture.value


@pytest.mark.parametrize(
    ("does", "tag", "says"),
    [
        ("dies", "bugged", "Predicted: rollback_completed"),
        ("unhealthy", "stuck", "Predicted: rollback_completed"),
        # ten slots, each of which has to be killed
        ("ignores", "deaf", "Predicted: completed after 14"),
    ],
)
def test_what_the_new_image_does_decides(made_up: Explorer, does: str, tag: str, says: str) -> None:
    (field,) = (field for field in made_up.settings.fields if field["name"] == "does")
    move(made_up, failure_action="rollback", does=does, image=field["images"][does])
    assert field["images"][does] == f"lab/dockercoins_worker:{tag}"
    assert says in made_up._words.value


def test_how_many_slots_are_bad_is_drawn_at_once_and_what_chance_does_follows(made_up, monkeypatch):
    monkeypatch.setattr(explorer, "_REST", 0)
    monkeypatch.setattr(explorer, "_KEEP_AFTER", 0)

    async def moving() -> tuple[str, str]:
        move(made_up, failure_action="rollback", does="dies", slots=1)
        at_once = made_up._words.value
        assert made_up._seeds
        await made_up._seeds
        return at_once, made_up._words.value

    at_once, later = asyncio.run(moving())

    assert "Chance" not in at_once
    assert re.search(r"\d to \d+ slots touched", later)
    assert "Chance decides" in later


def test_what_is_moved_again_before_that_is_what_is_said(made_up, monkeypatch):
    monkeypatch.setattr(explorer, "_REST", 0)
    monkeypatch.setattr(explorer, "_KEEP_AFTER", 0)

    async def moving() -> None:
        move(made_up, failure_action="rollback", does="dies", slots=1)
        first = made_up._seeds
        move(made_up, does="runs")
        assert first
        assert made_up._seeds
        await made_up._seeds
        assert first.cancelled()

    asyncio.run(moving())

    assert "Predicted: completed" in made_up._words.value


def test_what_swarm_would_refuse_is_a_sentence_and_not_markup(made_up: Explorer) -> None:
    move(made_up, image="<b>:1")
    assert "the name of an image" in made_up._words.value
    assert "<b>" not in made_up._words.value
    move(made_up, image="lab/w:2")
    assert "Predicted: completed" in made_up._words.value


def test_a_saved_notebook_keeps_words_command_and_picture(made_up: Explorer) -> None:
    kept = made_up._still()
    assert kept["text/plain"] == "<labkit.explore of dc_worker>"
    for part in ("Predicted: completed", "docker service update", "data:image/svg+xml"):
        assert part in kept["text/html"]


def test_a_global_service_is_refused(swarm: Swarm) -> None:
    spec = {"Name": "each", "Mode": {"Global": {}}}
    swarm.post("/services/create", spec | {"TaskTemplate": {"ContainerSpec": {"Image": "a:1"}}})
    with pytest.raises(BadValue, match="each is global"):
        labkit.explore("each")


@pytest.mark.usefixtures("swarm")
def test_it_begins_with_the_settings_of_the_service() -> None:
    shown = labkit.explore("dc_worker")
    assert shown.settings.values["replicas"] == 4
    assert shown.settings.values["parallelism"] == 2
    assert "--update-parallelism" not in shown._picture.value


def test_it_is_run_once_asked_and_the_recording_is_laid_over_the_prediction(swarm: Swarm) -> None:
    shown = labkit.explore("dc_worker")
    move(shown, parallelism=4)
    version = swarm.service("dc_worker")["Version"]

    shown._run.click()

    assert [each.description for each in shown._buttons.children] == ["Yes, run it", "No"]
    assert "This updates dc_worker now" in shown._said.value
    assert "does not have lab/dockercoins_worker:1.1" in shown._said.value
    shown._no.click()
    shown._run.click()
    assert swarm.service("dc_worker")["Version"] == version, "nothing was changed by asking"
    shown._yes.click()
    until(lambda: "Run the cell again" in shown._said.value, "the update to be compared")
    predicted, seen = shown._compared.runs if shown._compared else ({}, {})
    assert (predicted["name"], seen["name"]) == ("predicted", "seen")
    assert seen["fewest"] == predicted["fewest"] == 0
    assert "labkit-facts" in shown._live.children[0].value
    assert "labkit-facts" in shown._still()["text/html"]


def test_what_the_engine_refuses_is_said(swarm: Swarm) -> None:
    shown = labkit.explore("dc_worker")
    swarm.delete(f"/services/{swarm.service('dc_worker')['ID']}")
    shown._run.click()
    shown._yes.click()
    assert "dc_worker" in shown._said.value
    assert shown._live.children == ()
