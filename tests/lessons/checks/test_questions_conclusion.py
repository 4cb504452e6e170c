"""What a removal and a deploy of a running stack do to its tasks, read off recordings."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from labkit.base.errors import NotSettled
from labkit.lessons.checks import QUESTIONS
from labkit.recordings.recording import Recording
from labkit.recordings.values import Snapshot, Task
from tests.lessons.checks.lesson import began, redeployed, removed, rolling, scaled
from tests.values import recording, service, snapshot, task

RM = QUESTIONS["stack-rm"]
SAME = QUESTIONS["redeploy-new"]
TWELVE = QUESTIONS["twelve-new"]

# ---- removed -----------------------------------------------------------------------


def test_all_tasks_are_told_together_and_counted():
    saw = RM.read(removed().recording).saw

    assert saw.startswith("10 tasks were told to stop within 0.0 s, and ")


def going(slot: int) -> Task:
    return replace(task(slot), desired_state="remove")


def told_in_groups(size: int) -> Recording:
    """Six tasks of a removed service, so many told to stop every five seconds."""
    looks: list[Snapshot] = [snapshot(0, service(replicas=6), *map(task, range(1, 7)))]
    for first in range(1, 7, size):
        at, group = first * 5, range(first, first + size)
        rest = [task(slot) for slot in range(first + size, 7)]
        looks.append(snapshot(at, None, *map(going, group), *rest))
        looks.append(snapshot(at + 2, None, *rest))
    return recording(*looks)


@pytest.mark.parametrize(("size", "choice"), [(1, "slots"), (2, "pairs"), (3, ""), (6, "together")])
def test_tasks_that_are_told_in_turn_are_told_from_those_told_together(size: int, choice: str):
    assert RM.read(told_in_groups(size)).choice == choice


def test_tasks_that_are_stopping_still_are_waited_for():
    made = began()
    made.cluster.remove_service(made._service.id)
    made.wait(1)

    with pytest.raises(NotSettled):
        RM.read(made.recording)


def test_what_was_scaled_away_before_does_not_count():
    made = scaled()
    made.update(replicas=10)
    made.cluster.remove_service(made._service.id)
    made.wait(60)

    assert RM.read(made.recording).choice == "together"


def test_a_service_without_tasks_shows_no_order():
    made = began()
    made.update(replicas=0)
    made.cluster.remove_service(made._service.id)
    made.wait(60)

    assert RM.read(made.recording).choice == ""


# ---- the same again ----------------------------------------------------------------


def test_a_deploy_of_the_same_after_an_update_makes_no_task():
    made = rolling()
    made.update()

    assert SAME.read(made.recording).choice == "none"


def test_another_image_makes_all_tasks_of_worker_anew():
    reading = SAME.read(rolling().recording)

    assert reading.choice == "worker"
    assert reading.saw == "10 tasks of worker are new."
    assert "another one" in reading.because


def test_a_forced_update_makes_all_tasks_of_worker_anew_though_the_same_is_asked_for():
    made = began()
    made.update(force=True)
    reading = SAME.read(made.recording)

    assert reading.choice == "worker"
    assert reading.because.startswith("More than the image")


def test_a_deploy_of_the_same_is_read_though_a_scale_followed():
    made = redeployed()
    made.update(replicas=12)

    assert SAME.read(made.recording).choice == "none"


def test_another_image_that_is_just_written_is_not_over():
    made = began()
    made.update("1.1", seconds=0)

    with pytest.raises(NotSettled):
        SAME.read(made.recording)


# ---- twelve ------------------------------------------------------------------------


def test_the_new_slots_are_named_and_the_others_counted():
    saw = TWELVE.read(scaled().recording).saw

    assert saw == "2 tasks are new, in slots 11 and 12; 10 went on."


def test_what_to_try_names_no_stack():
    """A learner's may be called otherwise."""
    tried = TWELVE.read(scaled().recording).try_next

    assert "of the whole stack" in tried
    assert not re.search(r"\bdc\b", tried)


def test_with_another_image_all_twelve_are_new():
    made = began()
    made.update("1.1", replicas=12)
    reading = TWELVE.read(made.recording)

    assert reading.choice == "twelve"
    assert reading.because.startswith("The image differs as well")


def test_with_a_forced_update_all_twelve_are_new_too():
    made = began()
    made.update(replicas=12, force=True)
    reading = TWELVE.read(made.recording)

    assert reading.choice == "twelve"
    assert reading.because.startswith("More than the replica count")


def test_another_number_answers_for_itself():
    made = began()
    made.update(replicas=11)
    reading = TWELVE.read(made.recording)

    assert reading.choice == ""
    assert reading.saw == "1 task is new, in slot 11; 10 went on."
