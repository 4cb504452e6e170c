"""Exercises about parallelism and order: untouched, each known mistake, the solution."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.lessons.checks.exercise import Image
from labkit.lessons.checks.exercises import EXERCISES
from labkit.lessons.checks.finding import Finding
from tests.lessons.checks.seen import check, notice
from tests.played import CRASHES, Played

HALF, FEWER = "half-the-time", "never-fewer"


def half(**config: Any) -> Finding:
    """What is said of an update from the config in the compose file, with these changes."""
    made = Played("1.0", parallelism=2, delay="5s")
    made.update("1.1", **config)
    return check(HALF, made)


def fewer(replicas: int = 10, **config: Any) -> Finding:
    made = Played("1.0", replicas=replicas)
    made.update("1.1", **config)
    return check(FEWER, made)


# ---- what both have in common --------------------------------------------------------


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_untouched_it_is_not_attempted(name):
    found = check(name, Played("1.0"))

    assert found.outcome == "not attempted"
    assert "runs 1.0, and nothing was updated" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_what_it_is_to_be_updated_to_is_there_when_it_begins(name):
    """Whoever begins with notebook 2 has not built it."""
    (image,) = EXERCISES[name].begins.images

    assert (image.tag, image.edits) == ("1.1", ("faster",))


def test_an_image_has_the_tag_of_its_last_edit_unless_another_is_given():
    assert Image(("faster", "one bad")).tag == "one-bad"
    assert Image(("faster",), "1.1").tag == "1.1"


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_a_scale_replaces_no_task(name):
    made = Played("1.0")
    made.update(replicas=12)

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "scaled from 10 to 12 replicas" in found.saw
    assert "no task is replaced" in found.because


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_another_config_alone_replaces_no_task(name):
    made = Played("1.0")
    made.update(parallelism=5, order="start-first")

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "another update config than before" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_an_update_that_is_under_way_is_not_judged(name):
    made = Played("1.0")
    made.update("1.1", parallelism=5, order="start-first", seconds=3)

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "is not completed" in found.saw
    assert "5s after the last replica has started" in found.because


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_force_is_not_the_update_that_is_asked_for(name):
    made = Played("1.0")
    made.update(force=True, parallelism=5, order="start-first")

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "replaced 1.0 by 1.0 in 10 slots" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_a_rest_of_the_slots_is_not_the_update_that_is_asked_for(name):
    made = Played("1.0")
    made.update("1.1", seconds=10)
    made.update("1.0", seconds=3)
    made.update("1.1", parallelism=5, order="start-first")

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "touched 8 slots; there were 10 replicas" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_fewer_replicas_are_not_the_update_that_is_asked_for(name):
    made = Played("1.0")
    made.update(replicas=5)
    made.update("1.1", parallelism=5, order="start-first")

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "touched 5 slots; there were 5 replicas" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("pause", "was paused"),
        ("rollback", "was taken back by Swarm"),
        ("continue", "tasks of it failed"),
    ],
)
def test_an_image_that_fails_is_quick_for_nothing(name, action, said):
    made = Played("1.0")
    made.update("bad", CRASHES, parallelism=5, order="start-first", failure_action=action)

    found = check(name, made)

    assert found.outcome == "not yet"
    assert said in found.saw
    assert "labkit.logs" in found.try_next


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_a_rollback_by_hand_goes_by_another_config(name):
    made = Played("1.0")
    made.update("1.1", delay="1s")
    made.roll_back()

    found = check(name, made)

    assert found.outcome == "not yet"
    assert "rollback by hand" in found.saw


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_one_update_that_passes_is_enough_whatever_comes_after_it(name):
    made = Played("1.0")
    made.update("1.1", parallelism=5, order="start-first")
    made.update("1.0", parallelism=1, order="stop-first")
    made.update(replicas=4)

    assert check(name, made).passed


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_it_notices_the_config_that_the_service_has(name):
    made = Played("1.0", parallelism=2, delay="5s")

    assert "parallelism 2, delay 5s, order stop-first" in notice(name, made)


@pytest.mark.parametrize("name", [HALF, FEWER])
def test_each_has_three_hints(name):
    assert len(EXERCISES[name].hints) == 3


# ---- half the time -------------------------------------------------------------------


@pytest.mark.parametrize("parallelism", [3, 5, 10])
def test_several_at_a_time_without_a_delay_pass(parallelism):
    found = half(parallelism=parallelism, delay="0s")

    assert found.passed
    assert "half of that is 22." in found.saw


def test_the_solution_passes_and_says_what_it_cost():
    found = half(parallelism=5, delay="0s")

    assert found.passed
    assert "the update took 13." in found.saw
    assert "Never fewer than 5 replicas ran." in found.saw
    assert "no updater had more than 2 slots" in found.because


def test_all_at_once_passes_and_says_that_nothing_ran():
    found = half(parallelism=0, delay="0s")

    assert found.passed
    assert "For a while no replica ran." in found.saw
    assert "nothing was left to run" in found.because


def test_a_shorter_monitor_window_is_a_way_too():
    found = half(parallelism=2, delay="0s", monitor="1s")

    assert found.passed
    assert "The monitor window is 1s" in found.because


def test_the_new_task_first_is_a_way_too():
    """It is held against an update that stops the old task first, as the default does."""
    found = half(parallelism=1, delay="0s", order="start-first")

    assert found.passed
    assert "10 × 4." in found.saw
    assert "start-first" in found.because


def test_one_at_a_time_is_what_it_is_measured_against():
    found = half(parallelism=1, delay="0s")

    assert found.outcome == "not yet"
    assert "one updater" in found.because


def test_twice_the_parallelism_is_not_half_the_time():
    found = half(parallelism=2, delay="0s")

    assert found.outcome == "not yet"
    assert "the update took 25." in found.saw
    assert "The monitor window at the end does not shrink with it: 5s more." in found.because


@pytest.mark.parametrize("parallelism", [2, 5])
def test_a_delay_that_was_left_in_is_named(parallelism):
    found = half(parallelism=parallelism)

    assert found.outcome == "not yet"
    assert "sleeps a delay of 5s" in found.because
    assert '"delay": "0s"' in found.try_next


def test_a_longer_monitor_window_is_named():
    found = half(parallelism=5, delay="0s", monitor="40s")

    assert found.outcome == "not yet"
    assert "The monitor window is 40s" in found.because


# ---- never fewer ---------------------------------------------------------------------


@pytest.mark.parametrize("parallelism", [1, 2, 0])
def test_start_first_passes_however_many_at_a_time(parallelism):
    found = fewer(parallelism=parallelism, order="start-first")

    assert found.passed
    assert "10 at the worst moment" in found.saw
    assert "The price is room" in found.because


@pytest.mark.parametrize(("replicas", "parallelism"), [(11, 1), (12, 2)])
def test_replicas_to_spare_pass_as_well(replicas, parallelism):
    found = fewer(replicas, parallelism=parallelism)

    assert found.passed
    assert f"{replicas} replicas with parallelism {parallelism} left ten to run" in found.because


def test_a_replica_to_spare_may_come_with_the_update():
    made = Played("1.0")
    made.update("1.1", replicas=11)

    assert check(FEWER, made).passed


@pytest.mark.parametrize(("parallelism", "fewest"), [(1, 9), (2, 8), (0, 0)])
def test_stop_first_leaves_slots_empty(parallelism, fewest):
    found = fewer(parallelism=parallelism)

    assert found.outcome == "not yet"
    assert f"and {fewest} at the worst moment" in found.saw
    assert "stop-first" in found.because
    assert "first?" in found.try_next


def test_too_few_to_spare_are_too_few():
    found = fewer(11, parallelism=2)

    assert found.outcome == "not yet"
    assert "up to 2 of 11 at a time" in found.because


def test_a_scale_down_in_the_update_is_named():
    made = Played("1.0", replicas=12)
    made.update("1.1", replicas=9, order="start-first")
    made.update("1.0", replicas=9)

    found = check(FEWER, made)

    assert found.outcome == "not yet"
    assert "there were 9 replicas" in found.saw
