"""Claims about what a check says."""

import pytest

from labkit.base.errors import BadValue
from labkit.lessons.checks.finding import Finding


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
    found = [
        Finding("passed", "a", "b"),
        Finding("not yet", "a", "b", "c"),
        Finding("not attempted", "a", "b", "c"),
    ]

    assert [each.mark for each in found] == ["✓", "…", "○"]


@pytest.mark.parametrize(("saw", "because"), [("", "why"), ("what", "")])
def test_a_finding_without_a_reason_or_an_observation_is_refused(saw, because):
    with pytest.raises(BadValue):
        Finding("passed", saw, because)


@pytest.mark.parametrize("outcome", ["not yet", "not attempted"])
def test_whoever_has_not_passed_is_told_one_thing_to_try(outcome):
    with pytest.raises(BadValue):
        Finding(outcome, "what", "why")
