"""Claims about the words for what was counted and measured."""

from datetime import timedelta

import pytest

from labkit.base.rules import counted, listed, seconds


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ([], "no slot"),
        ([3], "slot 3"),
        ([7, 3], "slots 7 and 3"),
        ([1, 4, 7, 9], "slots 1, 4, 7 and 9"),
        ([1, 4, 7, 9, 10], "slots 1, 4, 7 and 2 others"),
    ],
)
def test_a_few_slots_are_listed_as_given_and_more_are_counted(slots, words):
    """There is never just one more: its number is as short."""
    assert listed(slots) == words
    assert listed(iter(slots)) == words


@pytest.mark.parametrize(("count", "words"), [(0, "no slots"), (1, "1 slot"), (2, "2 slots")])
def test_a_count_has_its_thing(count, words):
    assert counted(count, "slot") == words


def test_a_measured_time_has_one_decimal():
    assert seconds(timedelta(seconds=27.44)) == "27.4 s"
