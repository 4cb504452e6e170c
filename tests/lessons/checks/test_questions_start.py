"""What a change of the replica count does, read off a recording."""

from __future__ import annotations

import pytest

from labkit.base.errors import NotSettled
from labkit.lessons.checks import QUESTIONS
from labkit.lessons.checks.questions.spec_updates import spec_updates
from labkit.recordings.recording import Back, Gap
from tests.lessons.checks.lesson import began, redeployed, rolled_back, rolling, scaled

TOUCHED = QUESTIONS["scale-touched"]


def test_a_scale_up_names_the_slots_that_are_new():
    reading = TOUCHED.read(scaled().recording)

    assert reading.saw == "slots 11 and 12 got a task, and none of the 10 that ran was touched."


def test_a_scale_down_touches_none_of_those_that_stay():
    made = began()
    made.update(replicas=7)
    reading = TOUCHED.read(made.recording)

    assert reading.choice == "none"
    assert reading.saw == "3 slots were taken away, and none of the 7 others was touched."


def test_of_a_scale_up_and_the_way_back_the_scale_up_is_read():
    made = scaled()
    made.update(replicas=10)

    assert "slots 11 and 12" in TOUCHED.read(made.recording).saw


@pytest.mark.parametrize(("parallelism", "choice"), [(1, "in-turn"), (0, "at-once")])
def test_with_another_image_all_ten_are_touched(parallelism: int, choice: str):
    made = began()
    made.update("1.1", replicas=12, parallelism=parallelism)
    reading = TOUCHED.read(made.recording)

    assert reading.choice == choice
    assert "from 1.0 to 1.1" in reading.because


def test_with_a_forced_update_all_ten_are_touched_too():
    made = began()
    made.update(replicas=12, force=True)
    reading = TOUCHED.read(made.recording)

    assert reading.choice == "in-turn"
    assert reading.because.startswith("More than the replica count")


def test_a_scale_after_an_update_is_read_by_itself():
    made = rolling()
    made.update(replicas=12)

    assert TOUCHED.read(made.recording).choice == "none"


def test_replicas_that_are_on_their_way_are_waited_for():
    made = began()
    made.update(replicas=12, seconds=0.3)

    with pytest.raises(NotSettled):
        TOUCHED.read(made.recording)


# ---- writes ------------------------------------------------------------------------


def test_an_update_is_one_write_though_its_status_comes_later():
    (write,) = spec_updates(rolling().recording)

    assert (write.before.tag, write.after.tag) == ("1.0", "1.1")
    assert write.over
    assert sorted(write.replaced) == list(range(1, 11))


def test_a_rollback_by_swarm_is_no_write_of_its_own():
    assert [write.after.tag for write in spec_updates(rolled_back().recording)] == ["1.0", "bugged"]


def test_the_same_spec_once_more_is_a_write():
    (write,) = spec_updates(redeployed().recording)

    assert write.same
    assert write.over
    assert write.new == []


def test_a_rollback_by_hand_is_a_write():
    made = rolling()
    made.roll_back()

    assert [write.after.tag for write in spec_updates(made.recording)] == ["1.1", "1.0"]


def test_what_is_different_after_a_gap_was_written_unseen():
    made = began()
    first = len(made.recording.changes)
    made.update(replicas=12)
    told = made.recording
    whole = type(told)(told.header)
    for number, change in enumerate(told.changes):
        if number == first:
            whole.add(Gap(change.at, "no answer"))
            whole.add(Back(change.at))
        whole.add(change)

    assert spec_updates(told)
    assert not spec_updates(whole)
