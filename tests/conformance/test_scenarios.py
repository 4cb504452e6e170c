"""Every scenario holds on each engine, and both tell the same of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.play import Transcript
from tests.conformance.scenario import SCENARIOS

Played = Callable[[str, str], Transcript]

everyone = pytest.mark.parametrize("scenario", SCENARIOS)
at_any_speed = pytest.mark.parametrize(
    "scenario", [name for name, scenario in SCENARIOS.items() if scenario.any_speed]
)


@pytest.mark.engine
@everyone
@pytest.mark.parametrize("on", [["real"]], ids=["real"])
def test_a_real_engine_does_so(played: Played, scenario: str, on: list[str]) -> None:
    assert played(*on, scenario)


@at_any_speed
@pytest.mark.parametrize("on", [["fast"]], ids=["fast"])
def test_the_simulated_engine_does_so_ahead_of_time(
    played: Played, scenario: str, on: list[str]
) -> None:
    assert played(*on, scenario)


@everyone
@pytest.mark.parametrize("on", [["simulated"]], ids=["simulated"])
def test_the_simulated_engine_does_so(played: Played, scenario: str, on: list[str]) -> None:
    assert played(*on, scenario)


@pytest.mark.engine
@everyone
@pytest.mark.parametrize("on", [["real", "simulated"]], ids=["both"])
def test_both_tell_the_same(played: Played, scenario: str, on: list[str]) -> None:
    real, simulated = (played(engine, scenario) for engine in on)

    assert simulated.statuses == real.statuses
    assert simulated.slots == real.slots
    assert simulated.told == real.told
    assert simulated.times.keys() == real.times.keys()
    apart = {
        what: (took.seconds, simulated.times[what].seconds)
        for what, took in real.times.items()
        if abs(took.seconds - simulated.times[what].seconds) > took.late
    }
    assert apart == {}
