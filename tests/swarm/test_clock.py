"""The time by an engine's own clock: as it tells it, later as the seconds go by, never back."""

from datetime import timedelta

import pytest

from labkit.swarm.client.clock import Clock
from tests.values import START, at


class Hand:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def clock(hand: Hand) -> Clock:
    return Clock(lambda: START - timedelta(days=1), hand)


def test_until_an_engine_tells_its_time_it_is_this_machine_s(clock: Clock) -> None:
    assert clock.now() == START - timedelta(days=1)
    assert not clock.own


def test_between_two_answers_it_goes_on_in_real_time(clock: Clock, hand: Hand) -> None:
    clock.set(at(0))
    hand.seconds += 3
    assert clock.now() == at(3)
    assert clock.own
    assert clock.age == 3


def test_a_clock_that_hurries_is_late_between_answers_and_right_with_the_next(clock, hand):
    clock.set(at(0))
    hand.seconds += 1
    assert clock.now() == at(1)
    clock.set(at(20))
    assert clock.now() == at(20)


def test_an_answer_that_was_overtaken_puts_nothing_back(clock: Clock, hand: Hand) -> None:
    clock.set(at(10))
    seen = clock.now()
    clock.set(at(9.5))
    assert clock.now() == seen
    hand.seconds += 2
    assert clock.now() == at(11.5)


def test_a_slow_clock_waits_for_its_engine(clock: Clock, hand: Hand) -> None:
    """At half the speed of real time it is ahead for a moment, and never by more."""
    seen = []
    for step in range(10):
        clock.set(at(step))
        seen.append(clock.now())
        hand.seconds += 2
        seen.append(clock.now())

    assert seen == sorted(seen)
    assert seen[-1] <= at(9 + 2)


def test_an_engine_that_was_started_again_has_another_clock(clock: Clock) -> None:
    clock.set(at(3600))
    assert clock.now() == at(3600)
    clock.set(at(60))
    assert clock.now() == at(60)
