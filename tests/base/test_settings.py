"""What can be set from outside, and what holds where nothing is."""

import os
from pathlib import Path

import pytest

from labkit.base import settings
from labkit.lessons.journal import Event
from labkit.lessons.room import note
from tests.values import at


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))


def test_a_class_folder_of_nobody_is_a_folder_that_there_is_not(monkeypatch, tmp_path):
    """A learner's work goes on without a room."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LABKIT_CLASS", "~/room")
    assert settings.class_folder() == tmp_path / "room"
    monkeypatch.setenv("LABKIT_CLASS", "~no-such-user/room")
    assert settings.class_folder() == Path("~no-such-user/room")
    note(Event(at=at(0), kind="checked", step=2, name="half-the-time"))


@pytest.mark.parametrize(("text", "speed"), [("", 1), ("20", 20), ("2.5", 2.5), ("1e2", 100)])
def test_a_speed_is_a_number_and_real_time_by_default(monkeypatch, text, speed):
    monkeypatch.setenv("LABKIT_SPEED", text)
    assert settings.speed() == speed


def _a_home(folder: Path) -> Path:
    (folder / ".labkit").mkdir(parents=True)
    return folder


def test_from_a_wheel_the_home_is_the_nearest_folder_that_is_one(tmp_path, monkeypatch):
    monkeypatch.delenv("LABKIT_HOME", raising=False)
    monkeypatch.setattr(settings, "_IN_A_WHEEL", tmp_path)
    mine = _a_home(tmp_path / "mine")
    elsewhere = tmp_path / "elsewhere"
    for folder in (mine / "lab" / "dockercoins", elsewhere):
        folder.mkdir(parents=True)

    monkeypatch.chdir(mine / "lab" / "dockercoins")
    assert settings.home() == mine

    monkeypatch.setattr(os, "geteuid", lambda: mine.stat().st_uid + 1)
    assert settings.home() == mine / "lab" / "dockercoins", "a home of somebody else's is none"

    monkeypatch.chdir(elsewhere)
    assert settings.home() == elsewhere


def test_from_a_checkout_the_home_is_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("LABKIT_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert settings.home() == settings.lesson_files() == settings.SOURCE
