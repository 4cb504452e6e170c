"""What questions read off recordings of the lesson, and off others."""

from dataclasses import replace

import pytest

from labkit.base.errors import NotSettled
from labkit.lessons.checks import QUESTIONS
from labkit.lessons.checks.questions.spec_updates import spec_updates
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Gap, ServiceSeen, TaskSeen
from labkit.recordings.values import UpdateConfig
from tests.lessons.checks.cases import Case, cases, play, says
from tests.lessons.checks.lesson import completed
from tests.lessons.checks.lesson import recorded as lesson
from tests.looks import Looks, recorded

CASES = [
    pytest.param(name, case, id=f"{name}: {claim}") for name, claim, case in cases("questions.yaml")
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_of_a_question(name: str, case: Case) -> None:
    recording = play(case).recording
    if "later" in case:
        recording = completed(recording, case["later"])
    if not case.get("settled", True):
        with pytest.raises(NotSettled):
            QUESTIONS[name].read(recording)
        return

    reading = QUESTIONS[name].read(recording)

    assert reading.choice == case.get("choice", reading.choice)
    says(reading, case)


def test_every_question_has_claims() -> None:
    assert QUESTIONS.keys() == {name for name, _, _ in cases("questions.yaml")}


def test_an_update_is_one_write_though_its_status_comes_later():
    (write,) = spec_updates(lesson("rolling-missing"))
    assert (write.before.tag, write.after.tag) == ("1.0", "1.1")
    assert write.over
    assert sorted(write.replaced) == list(range(1, 11))


def test_a_rollback_by_swarm_is_no_write_of_its_own():
    assert [write.after.tag for write in spec_updates(lesson("budget"))] == ["1.0", "bugged"]


def test_the_same_spec_once_more_is_a_write():
    (write,) = spec_updates(lesson("redeploy-new"))
    assert write.same
    assert write.over
    assert write.new == []


def test_a_rollback_by_hand_is_a_write():
    made = play({"does": [{"tag": "1.1"}, "roll back"]})
    assert [write.after.tag for write in spec_updates(made.recording)] == ["1.1", "1.0"]


def test_what_is_different_after_a_gap_was_written_unseen():
    first, told = len(play({}).recording.changes), lesson("scale-touched")
    whole = Recording(told.header)
    for number, change in enumerate(told.changes):
        if number == first:
            whole.add(Gap(change.at, "no answer"))
            whole.add(Back(change.at))
        whole.add(change)

    assert spec_updates(told)
    assert not spec_updates(whole)


def in_order(recording: Recording, slots: list[int]) -> Recording:
    """The same update with the slots in another order."""
    tasks = [c.task for c in recording.changes if isinstance(c, TaskSeen) and c.task.tag == "1.1"]
    taken = list(dict.fromkeys(task.slot for task in tasks))
    new = dict(zip(taken, slots, strict=True))
    changed = Recording(recording.header)
    for change in recording.changes:
        if isinstance(change, TaskSeen):
            change = TaskSeen(change.at, replace(change.task, slot=new[change.task.slot]))
        changed.add(change)
    return changed


def test_all_slots_are_listed_in_their_order():
    reading = QUESTIONS["rolling-order"].read(lesson("rolling-order"))
    slots = [int(word) for word in reading.saw.rstrip(".").split("order ")[1].split(", ")]
    assert sorted(slots) == list(range(1, 11))
    assert slots != sorted(slots)


@pytest.mark.parametrize(
    ("slots", "choice"), [(list(range(1, 11)), "ascending"), (list(range(10, 0, -1)), "descending")]
)
def test_an_order_that_looks_like_a_rule_is_said_to_be_chance(slots: list[int], choice: str):
    reading = QUESTIONS["rolling-order"].read(in_order(lesson("rolling-order"), slots))
    assert reading.choice == choice
    assert reading.because.startswith("That is chance")


def test_a_slow_slot_makes_it_longer_and_no_other_belief_true():
    assert QUESTIONS["pairs-completed"].read(lesson("pairs-batches")).choice == "later"


def two_pairs(second: float, third: float, first: float = 4) -> Recording:
    """Slot 1 runs at `first` and slot 2 at 6 s; slots 3 and 4 are taken at `second` and `third`."""
    looks: Looks = {
        -1: ["service 1.0", "1.0-1..4"],
        0: ["service 1.1 updating"],
        6: ["1.0-1..2 shutdown", f"1.1-1 made 0.1 since {first}", "1.1-2 made 0.1 since 6"],
        11: [
            "1.0-3..4 shutdown",
            f"1.1-3 made {second} since {second + 4}",
            f"1.1-4 made {third} since {third + 4}",
        ],
        20: ["service 1.1 completed ended 20"],
    }
    return recorded(looks, replicas=4, update_config=UpdateConfig(parallelism=2))


def test_a_slot_taken_before_the_slower_of_a_pair_ran_shows_that_nobody_waits():
    reading = QUESTIONS["pairs-batches"].read(two_pairs(4.1, 6.1))
    assert reading.choice == "goes-on"
    assert reading.saw == (
        "slot 3 began 1.9 s before slot 2's updater was free: "
        "the other updater had not waited for it."
    )


def test_slots_taken_only_when_the_slower_of_a_pair_ran_would_show_batches():
    assert QUESTIONS["pairs-batches"].read(two_pairs(6.1, 6.1)).choice == "waits"


def test_the_delay_belongs_to_what_the_next_slot_waits_for():
    reading = QUESTIONS["pairs-batches"].read(lesson("pairs-batches"))
    assert "before slot 1's updater was free" in reading.saw
    slot, seconds = reading.saw.split()[1], float(reading.saw.split()[3])
    assert slot != "1"
    assert 50 < seconds < 65, "a minute's changeover"


def test_equally_fast_pairs_do_not_tell_and_that_is_said():
    reading = QUESTIONS["pairs-batches"].read(two_pairs(6.1, 6.1, first=6))
    assert reading.choice == ""
    assert reading.saw == "slots that changed over together ran within 0.0 s of one another."
    assert "as if they worked in step" in reading.because


def told_in_groups(size: int) -> Recording:
    """Six tasks of a removed service, so many told to stop every five seconds."""
    looks = {0: ["service 1.0", "1.0-1..6"]}
    for first in range(1, 7, size):
        group = f"1.0-{first}..{first + size - 1}"
        looks[first * 5] = ["no service", f"{group} told remove"]
        looks[first * 5 + 2] = [f"forgotten {group}"]
    return recorded(looks, replicas=6)


@pytest.mark.parametrize(("size", "choice"), [(1, "slots"), (2, "pairs"), (3, ""), (6, "together")])
def test_tasks_that_are_told_in_turn_are_told_from_those_told_together(size: int, choice: str):
    assert QUESTIONS["stack-rm"].read(told_in_groups(size)).choice == choice


@pytest.mark.parametrize(("replicas", "choice"), [(3, "together"), (0, "")])
def test_tasks_may_be_told_before_their_service_is_seen_to_be_gone(replicas: int, choice: str):
    """Each poll reads the service before its tasks. Scaling to zero is not a removal."""
    looks = {
        0: ["service 1.0", "1.0-1..3"],
        5: ["1.0-1..3 told remove"],
        7: ["no service"],
        9: ["forgotten 1.0-1..3"],
    }

    assert QUESTIONS["stack-rm"].read(recorded(looks, replicas=replicas)).choice == choice


def test_a_removal_in_a_file_that_lacks_the_service_is_read_all_the_same():
    looks = {0: ["service 1.0", "1.0-1..2"], 5: ["1.0-1..2 told remove"], 7: ["no service"]}
    made = recorded(looks | {9: ["forgotten 1.0-1..2"]}, replicas=2)
    lacking = Recording(made.header)
    for change in made.changes:
        if not isinstance(change, ServiceSeen):
            lacking.add(change)

    assert QUESTIONS["stack-rm"].read(lacking).choice == ""
