"""Claims about what an update did to each slot."""

from itertools import pairwise

import pytest

from labkit.lessons.checks.attempts import attempts
from tests.played import CRASHES, RUNS, Played


@pytest.mark.parametrize("order", ["stop-first", "start-first"])
def test_the_old_task_has_left_before_the_new_one_runs_only_with_stop_first(order):
    made = Played("1.0")
    made.update("1.1", order=order, delay="4s")

    found = attempts(made.recording)[0].changeovers

    assert sorted(each.slot for each in found) == [*range(1, 11)]
    assert all(earlier.made < later.made for earlier, later in pairwise(found))
    assert all(each.took == each.ran - each.made for each in found)
    assert {each.left < each.ran for each in found} == {order == "stop-first"}


def test_a_slot_whose_new_task_never_ran_and_a_task_of_the_way_back_are_none():
    made = Played("1.0", failure_action="rollback")
    made.update("bad", lambda slot: CRASHES if slot == 3 else RUNS, parallelism=0)

    (only,) = attempts(made.recording)

    assert only.rolled_back
    assert {each.slot for each in only.changeovers} <= {*range(1, 11)}
    made_before_the_way_back = [t for t in only.recording.tasks.values() if t.tag == "bad"]
    assert {each.made for each in only.changeovers} <= {
        task.created_at for task in made_before_the_way_back
    }
