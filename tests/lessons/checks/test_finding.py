"""Claims about what a check says."""

from typing import get_args

import pytest

from labkit.base.errors import BadValue
from labkit.lessons.checks.finding import Finding, Outcome


def test_a_finding_says_what_was_seen_why_and_what_to_try():
    found = Finding("not yet", "two slots were empty.", "The order is stop-first.", "start-first.")
    assert str(found) == (
        "… not yet: two slots were empty.\n  The order is stop-first.\n  Try: start-first."
    )
    assert not found.passed


def test_a_pass_has_a_reason_too_and_nothing_to_try():
    found = Finding("passed", "it took 13 s.", "Five slots went at a time.")
    assert found.passed
    assert str(found) == "✓ passed: it took 13 s.\n  Five slots went at a time."


def test_the_three_outcomes_differ_in_a_mark_that_is_no_colour():
    marks = {each: Finding(each, "a", "b", "c").mark for each in get_args(Outcome)}
    assert marks == {"passed": "✓", "not yet": "…", "not attempted": "○"}


@pytest.mark.parametrize(
    "said",
    [
        ("passed", "", "why"),
        ("passed", "what", ""),
        ("not yet", "a", "b"),
        ("not attempted", "a", "b"),
    ],
)
def test_without_an_observation_a_reason_or_a_thing_to_try_it_is_none(said):
    with pytest.raises(BadValue):
        Finding(*said)
