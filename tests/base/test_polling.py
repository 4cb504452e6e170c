"""Whoever waits looks at once, and once more when the time is up."""

import time

import pytest

from labkit.base import jobs


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves; gives what has been slept."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 100 + sum(slept))
    return slept


def test_the_first_look_is_at_once_and_the_last_when_the_time_is_up() -> None:
    assert list(jobs.poll(1.25, every=0.5)) == [0, 0.5, 1, 1.5]


def test_with_no_time_there_is_one_look(clock: list[float]) -> None:
    assert list(jobs.poll(0, every=0.5)) == [0]
    assert clock == []


def test_whoever_has_seen_enough_does_not_sleep_again(clock: list[float]) -> None:
    for waited in jobs.poll(10, every=0.5):
        if waited == 1:
            break
    assert clock == [0.5, 0.5]
