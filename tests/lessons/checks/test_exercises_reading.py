"""The chart that is read backwards: untouched, each known mistake, the solution."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.lessons.checks.exercise import Evidence
from labkit.lessons.checks.exercises import EXERCISES
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, ServiceSeen
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
    "answer", [UpdateConfig(**DREW_IT), {**DREW_IT, "delay": timedelta(seconds=4.5)}]
)
def test_the_solution_passes_as_a_config_or_with_a_timedelta_too(riddle, answer):
    assert check(NAME, riddle, answer=answer).passed


def test_its_recording_is_shipped_and_it_asks_for_an_answer():
    assert EXERCISES[NAME].shipped
    assert EXERCISES[NAME].asks


@settings(max_examples=20)
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


def test_an_update_is_waited_for_until_it_begins():
    """The engine of a busy machine may take seconds before it says that it is updating."""
    made = Played("1.0")
    seen, service = made.recording, made.recording.service
    asked = replace(service, image=service.image.replace("1.0", "1.1"), update_status=None)
    late = made.now + timedelta(seconds=30)

    assert not Evidence(recording=seen, service=service, now=late).pending
    seen.add(ServiceSeen(made.now, asked))
    assert Evidence(recording=seen, service=asked, now=late).pending


def test_nothing_is_waited_for_in_a_recording_that_has_ended(riddle):
    """Its last look is its last moment, so it would be fresh for ever."""
    over = Recording(riddle.recording.header, list(riddle.recording.changes))
    over.add(Ended(riddle.recording.last_at, "The update has settled."))
    assert not Evidence(recording=over, service=over.service, now=over.last_at).pending
