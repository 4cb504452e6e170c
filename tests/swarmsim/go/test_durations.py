"""Durations are text or timedelta to a learner, and nanoseconds only on the wire."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmsim.go import durations
from swarmsim.go.errors import BadValue
from tests.claims import each_claim


@each_claim(__file__, "read", "text", "nanoseconds")
def test_text_means_what_go_reads_in_it(text: str, nanoseconds: int) -> None:
    assert durations.to_nanoseconds(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 s", " 5s", "5x", "five", "+", "--5s", "1m-3s", "٥s", "2562048h"]
)
def test_text_that_go_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.to_nanoseconds(text)


@pytest.mark.parametrize("number", [5, 5.0, None])
def test_a_bare_number_is_refused_because_its_unit_would_be_a_guess(number: object) -> None:
    with pytest.raises(BadValue, match="text such as '5s'"):
        durations.to_nanoseconds(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=2), "2h0m0s"),
        (timedelta(milliseconds=500), "500ms"),
        (timedelta(microseconds=3), "3µs"),
        (timedelta(seconds=1, milliseconds=500), "1.5s"),
        (timedelta(0), "0s"),
        (-timedelta(seconds=5), "-5s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(duration: timedelta, text: str) -> None:
    assert durations.to_text(duration) == text


@given(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
def test_writing_and_reading_gives_the_same_duration(duration: timedelta) -> None:
    assert durations.to_timedelta(durations.to_text(duration)) == duration
    assert durations.from_nanoseconds(durations.to_nanoseconds(duration)) == duration
