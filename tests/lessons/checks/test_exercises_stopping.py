"""The exercise about tasks that do not stop: untouched, each known mistake, the solution."""

from __future__ import annotations

import pytest

from swarmsim.model import Behaviour
from tests.lessons.checks.seen import check, notice
from tests.played import CRASHES, DEAF, RUNS, Played

NAME = "twelve-seconds"


@pytest.fixture
def made() -> Played:
    """Ten replicas of an image that ignores SIGTERM."""
    return Played("deaf", DEAF)


def test_untouched_it_is_not_attempted(made):
    found = check(NAME, made)

    assert found.outcome == "not attempted"
    assert "runs deaf" in found.saw


def test_the_solution_passes(made):
    made.update("hearing", RUNS, parallelism=5)
    made.update(force=True)

    found = check(NAME, made)

    assert found.passed
    assert "10 tasks of hearing were told to stop, and each had ended within 3." in found.saw
    assert "SIGTERM" in found.because


def test_a_short_grace_period_passes_and_says_what_it_costs(made):
    """Whatever is killed after one second is quick as well, and loses what it has in hand."""
    killed_soon = Behaviour(stops_after="1s", stop_code=137)  # type: ignore[arg-type]
    made.update("short", killed_soon, parallelism=5)
    made.update(force=True)

    found = check(NAME, made)

    assert found.passed
    assert "They were killed (exit code 137)" in found.because


def test_after_the_first_update_it_is_the_old_image_that_was_told_to_stop(made):
    made.update("hearing", RUNS, parallelism=5)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "took 13.3 s to end (exit code 137: they were killed)" in found.saw
    assert "It is the old task that is told to stop" in found.because
    assert "the tasks of hearing have to stop" in found.try_next


def test_nothing_is_said_of_new_tasks_of_deaf_before_they_have_to_stop(made):
    """The image may have been built anew under its own name."""
    made.update("deaf", RUNS, parallelism=5, force=True)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "these were there before the update" in found.because
    assert "that the update to deaf made shows when they have to stop" in found.because
    assert "find the line of worker.py" in found.try_next


def test_deaf_may_be_mended_under_its_own_name(made):
    made.update("deaf", RUNS, parallelism=5, force=True)
    made.update(parallelism=5, force=True)

    assert check(NAME, made).passed


def test_deaf_tasks_that_an_update_has_made_are_said_to_be_deaf_too(made):
    made.update("deaf", parallelism=5, force=True)
    made.update(parallelism=5, force=True)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "which the update to deaf had made, were told to stop" in found.saw
    assert "The tasks of deaf that this update made do not end on SIGTERM either" in found.because
    assert "main()" in found.try_next


def test_of_old_and_of_mended_tasks_in_one_update_the_old_ones_are_late(made):
    """An update that the next one interrupts leaves both."""
    made.update("hearing", RUNS, parallelism=2, seconds=20)
    made.update("again", RUNS, parallelism=10)

    found = check(NAME, made)

    assert "had made" not in found.saw
    assert "does what its image says; what again says shows" in found.because


def test_an_image_that_is_deaf_as_well_is_named(made):
    made.update("hearing", DEAF, parallelism=5)
    made.update("again", RUNS)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "which the update to hearing had made, were told to stop" in found.saw
    assert "tasks of hearing that this update made do not end on SIGTERM either" in found.because
    assert "main()" in found.try_next


def test_while_tasks_still_stop_it_is_not_judged(made):
    made.update("hearing", RUNS, parallelism=5, seconds=2)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "5 tasks did not end yet" in found.saw


def test_tasks_that_should_have_stopped_long_ago_are_late_already(made):
    """With start-first the update is completed before the old tasks are gone."""
    made.update("hearing", RUNS, parallelism=0, order="start-first", seconds=9)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "had not ended 8." in found.saw


def test_a_few_quick_slots_are_not_enough(made):
    made.update("hearing", RUNS, parallelism=5)
    made.update("bad", CRASHES, parallelism=1)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "was paused" in found.saw


def test_a_scale_is_no_update(made):
    made.update(replicas=12)

    found = check(NAME, made)

    assert found.outcome == "not yet"
    assert "scaled from 10 to 12" in found.saw


def test_an_earlier_update_that_was_quick_counts(made):
    made.update("hearing", RUNS, parallelism=5)
    made.update("deaf-2", DEAF)
    made.update("other", RUNS)

    assert check(NAME, made).passed


def test_it_notices_what_is_built_and_what_runs(made):
    built = {"1.0", "1.1", "deaf", "hearing"}

    assert "no other image of yours" in notice(NAME, made, tags={"1.0", "1.1", "deaf"})
    assert "has an image hearing, but the service still runs deaf" in notice(NAME, made, tags=built)
    made.update("hearing", RUNS, parallelism=5)
    assert "Have tasks of hearing been told to stop yet" in notice(NAME, made, tags=built)
