"""Claims about what Swarm's updater does, seen from outside."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.recordings.recording import Recording
from labkit.recordings.update.tracker import UpdateTracker
from labkit.recordings.values import RollbackConfig, Snapshot, UpdateConfig
from swarmsim.model.orchestration.budget import exceeds, tolerated
from tests import looks, values
from tests.claims import each_claim
from tests.values import at

KEYS = {"looks", "config", "rollback", "slots", "failures", "missed", "watched", "budgets"}
KEYS |= {"causes", "follows", "explained_anew", "settles"}


def looked(case: dict[str, Any]) -> list[Snapshot]:
    """What was seen of a case."""
    configs = {
        "update_config": UpdateConfig(**case.get("config", {})),
        "rollback_config": RollbackConfig(**case.get("rollback", {})),
    }
    return looks.snapshots(case["looks"], replicas=5, **configs)


def follow(snapshots: list[Snapshot]) -> UpdateTracker:
    """What is known of the updater after some looks."""
    tracker, recording = UpdateTracker(), Recording(values.recording().header)
    for each in snapshots:
        for change in recording.observe(each):
            tracker.apply(change)
    return tracker


@each_claim(__file__, "updates", "case")
def test_of_an_update(case: dict[str, Any]) -> None:
    assert case.keys() <= KEYS
    seen = looked(case)
    tracker = follow(seen)
    budgets = list(tracker.budgets())

    for fact in case.keys() & {"slots", "failures", "watched"}:
        assert getattr(budgets[0], fact) == case[fact], fact
    if "missed" in case:
        assert budgets[0].missed == tuple(case["missed"])
    if "budgets" in case:
        told = [
            {fact: getattr(budget, fact) for fact in claimed}
            for budget, claimed in zip(budgets, case["budgets"], strict=True)
        ]
        assert told == case["budgets"]
    for task, cause in case.get("causes", {}).items():
        assert tracker.cause(task) == cause, task
    for task, before in case.get("follows", {}).items():
        assert tracker.before(task) == before, task
    if "explained_anew" in case:
        assert tracker.explained_anew() == {*case["explained_anew"]}
    if "settles" in case:
        second = case["settles"]
        settling = tracker.settling()
        assert (settling and settling.monitor) == (second and at(second))
        assert second is None or follow(seen[:-1]).settling() is None


def test_each_updated_slot_has_a_delay_and_a_monitor_window() -> None:
    news = ["service 1.1 updating", "1.0-1 shutdown", "1.1-1 made 1 since 2"]
    case = {"looks": {-1: ["service 1.0", "1.0-1..5"], 2: news}}
    tracker = follow(looked(case | {"config": {"delay": "3s", "monitor": "7s"}}))
    (window,) = tracker.new_windows()
    assert (window.task, window.start, window.until) == ("1.1-1", at(2), (at(5), at(9)))
    assert tracker.new_windows() == []


@pytest.mark.parametrize(
    ("failures", "slots", "ratio", "triggers"),
    [
        (1, 5, 0.2, False),  # this and the next four were measured on a real engine
        (1, 4, 0.25, False),
        (1, 5, 0.19, True),
        (1, 10, 0.0, True),
        (3, 10, 0.2, True),
        (7, 10, 0.7, False),  # in 64 bits 7/10 is more than the 0.7 that is kept in 32
        (10, 10, 1.0, False),
    ],
)
def test_more_than_the_ratio_triggers(failures: int, slots: int, ratio: float, triggers: bool):
    assert exceeds(failures, slots, ratio) is triggers


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_one_failure_more_than_is_tolerated_triggers(slots: int, ratio: float):
    """`tolerated` is the last number that does not, for every size and ratio."""
    most = tolerated(slots, ratio)
    assert 0 <= most <= slots
    assert not exceeds(most, slots, ratio)
    assert most == slots or exceeds(most + 1, slots, ratio)
