"""The chart that is read backwards: untouched, each known mistake, the solution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.lessons.checks.exercise import Evidence
from labkit.lessons.checks.exercises import EXERCISES
from labkit.recordings.recording import Ended, Recording
from labkit.recordings.values import UpdateConfig
from tests.lessons.checks.seen import check
from tests.played import Played

NAME = "read-backwards"
DREW_IT: dict[str, Any] = {"parallelism": 3, "delay": "4s", "order": "start-first"}


@pytest.fixture(scope="module")
def riddle() -> Played:
    made = Played("1.0")
    made.update("1.1", **DREW_IT)
    return made


@pytest.mark.parametrize(
    "answer",
    [None, ..., {"parallelism": ..., "delay": ..., "order": ...}, {**DREW_IT, "delay": ...}],
)
def test_untouched_it_is_not_attempted(riddle, answer):
    assert check(NAME, riddle, answer=answer).outcome == "not attempted"


@pytest.mark.parametrize(
    "answer",
    [
        DREW_IT,
        UpdateConfig(**DREW_IT),
        {**DREW_IT, "delay": "3.5s"},
        {**DREW_IT, "delay": timedelta(seconds=4.5)},
    ],
)
def test_the_solution_passes_as_a_mapping_or_a_config(riddle, answer):
    found = check(NAME, riddle, answer=answer)

    assert found.passed
    assert "3 slots at a time" in found.saw
    assert "the new task first" in found.saw


@pytest.mark.parametrize(("parallelism", "why"), [(1, "no more than 1 slot "), (2, "2 slots")])
def test_fewer_updaters_could_not_have_drawn_it(riddle, parallelism, why):
    found = check(NAME, riddle, answer={**DREW_IT, "parallelism": parallelism})

    assert found.outcome == "not yet"
    assert "3 slots changed over at the same time (slots 3, 8 and 9)" in found.saw
    assert why in found.because


@pytest.mark.parametrize(("parallelism", "slots"), [(5, 5), (0, 10), (20, 10)])
def test_more_updaters_would_have_begun_with_more_slots(riddle, parallelism, slots):
    found = check(NAME, riddle, answer={**DREW_IT, "parallelism": parallelism})

    assert found.outcome == "not yet"
    assert f"{slots} slots would have changed over at once" in found.because


def test_the_order_is_held_against_one_slot(riddle):
    found = check(NAME, riddle, answer={**DREW_IT, "order": "stop-first"})

    assert found.outcome == "not yet"
    assert "in slot 3 the new task ran 0.8 s after the update began" in found.saw
    assert "the old one had ended 4.2 s after it" in found.saw


@pytest.mark.parametrize("delay", ["0s", "2s", "9s"])
def test_another_delay_is_held_against_the_pause(riddle, delay):
    found = check(NAME, riddle, answer={**DREW_IT, "delay": delay})

    assert found.outcome == "not yet"
    assert "it was 4.0 s" in found.saw
    assert f"delay of {delay}" in found.because


def test_a_delay_from_start_to_start_is_held_against_the_end(riddle):
    """It includes the changeover; the end has the delay without one."""
    found = check(NAME, riddle, answer={**DREW_IT, "delay": "5s"})

    assert found.outcome == "not yet"
    assert "`completed` came 9." in found.saw
    assert "it would have come 11.0 s after it" in found.because
    assert "a delay *and* a changeover" in found.try_next


def test_what_the_chart_cannot_show_is_not_judged(riddle):
    answer = {**DREW_IT, "failure_action": "rollback", "max_failure_ratio": 0.5, "monitor": "5.5s"}

    assert check(NAME, riddle, answer=answer).passed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({**DREW_IT, "parallelism": -1}, "not -1"),
        ({**DREW_IT, "delay": 4}, "not 4"),
        ({**DREW_IT, "delay": "four"}, "is not a duration"),
        ({**DREW_IT, "order": "new first"}, "start-first"),
        ({"paralelism": 3}, "no 'paralelism'"),
        ("3, 4s", "not '3, 4s'"),
    ],
)
def test_what_swarm_would_refuse_is_said_in_its_words(riddle, answer, said):
    found = check(NAME, riddle, answer=answer)

    assert found.outcome == "not yet"
    assert said in found.saw


def test_a_recording_with_no_update_holds_no_riddle():
    assert check(NAME, Played("1.0"), answer=DREW_IT).outcome == "not attempted"


def test_its_recording_is_shipped_and_it_asks_for_an_answer():
    assert EXERCISES[NAME].shipped
    assert EXERCISES[NAME].asks


@settings(max_examples=30)
@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from(["stop-first", "start-first"]),
    st.integers(0, 3),
)
def test_the_config_that_drew_a_chart_is_read_off_it(parallelism, delay, order, seed):
    """The judge looks at the tasks, so what it accepts is what was in force."""
    config = {"parallelism": parallelism, "delay": f"{delay}s", "order": order}
    made = Played("1.0", seed=seed)
    made.update("1.1", **config, seconds=400)

    assert check(NAME, made, answer=config).passed
    other = "stop-first" if order == "start-first" else "start-first"
    assert not check(NAME, made, answer={**config, "order": other}).passed
    assert not check(NAME, made, answer={**config, "delay": f"{delay + 3}s"}).passed
    if 0 < parallelism < 10:
        assert not check(NAME, made, answer={**config, "parallelism": parallelism + 1}).passed


def test_nothing_is_waited_for_in_a_recording_that_has_ended(riddle):
    """Its last look is its last moment, so it would be fresh for ever."""
    over = Recording(riddle.recording.header, list(riddle.recording.changes))
    over.add(Ended(riddle.recording.last_at, "The update has settled."))

    assert not Evidence(recording=over, service=over.service, now=over.last_at).pending
