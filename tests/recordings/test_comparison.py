"""Recordings side by side: each has its numbers, counted from the start of its own update."""

from datetime import timedelta

import pytest

from labkit.base.errors import BadValue, RecordingProblem
from labkit.recordings import comparison
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.recordings.values import UpdateConfig
from tests.looks import recorded
from tests.values import at


def one_at_a_time(begin: float = 10) -> Recording:
    """Two replicas, one of which is always there; six seconds by the engine's clock."""
    began, ended = begin - 0.1, begin + 5.9
    return recorded(
        {
            0: ["service 1.0", "1.0-1 shutdown", "1.0-2"],
            1: ["1.0-1 running"],
            begin: [f"service 1.1 updating begun {began}"],
            begin + 1: ["1.0-1 shutdown"],
            begin + 2: ["forgotten 1.0-1", "1.1-1"],
            begin + 3: ["1.0-2 shutdown"],
            begin + 4: ["forgotten 1.0-2", "1.1-2"],
            begin + 6: [f"service 1.1 completed begun {began} ended {ended}"],
            begin + 9: ["forgotten 1.1-1..2"],
        }
    )


def in_pairs() -> Recording:
    """Both at once, and none comes back; then it is paused."""
    looks = {
        0: ["service 1.0 completed", "1.0-1..2"],
        3: ["service 1.1 updating"],
        4: ["1.0-1..2 shutdown"],
        8: ["service 1.1 paused"],
    }
    return recorded(looks, update_config=UpdateConfig(parallelism=2, delay="5s"))  # type: ignore[arg-type]


def test_two_updates_in_numbers() -> None:
    one, pairs = comparison.compare([one_at_a_time(), in_pairs()], ["one", "pairs"])

    assert (one.name, one.began, one.state) == ("one", at(10), "completed")
    assert one.total == timedelta(seconds=6), "by the engine's clock"
    assert one.touched == 2
    assert (one.fewest, one.most) == (1, 2), "what was before and after the update is no part of it"
    assert one.tags == ("1.0", "1.1")
    assert one.steps == [(0, 2), (1, 1), (2, 2), (3, 1), (4, 2), (9, 0)]
    assert (pairs.name, pairs.began, pairs.state) == ("pairs", at(3), "paused")
    assert pairs.total == timedelta(seconds=5), "by labkit's clock, as the engine gives no end"
    assert pairs.touched == 0, "their tasks ended, and no other took their place"
    assert (pairs.fewest, pairs.most) == (0, 2)
    assert pairs.tags == ("1.0",)
    assert pairs.steps == [(0, 2), (1, 0)]
    assert (pairs.hashes_lost, pairs.speed) == (None, [])


def test_the_same_update_at_another_time_is_the_same_run() -> None:
    early, late = comparison.compare([one_at_a_time(10), one_at_a_time(500)], ["a", "b"])
    assert late.steps == early.steps
    assert late.began - early.began == timedelta(seconds=490)


def test_the_speed_is_counted_from_the_start_of_the_update_too() -> None:
    made = one_at_a_time()
    for second in range(17):
        made.add(HashesSeen(at(second), 30 * min(second, 10), 500.0 + second))

    (run,) = comparison.compare([made])

    told = dict(run.speed)
    assert told[-8] == pytest.approx(30)
    assert told[0] == pytest.approx(15), "it stops when the update begins"
    assert told[4] == pytest.approx(0)
    assert run.hashes_lost == pytest.approx(180)


def test_an_update_that_goes_on_has_no_total_yet() -> None:
    (run,) = comparison.compare([recorded({0: ["service 1.1 updating", "1.0-1"]})])
    assert (run.total, run.state, run.fewest, run.steps) == (None, "updating", 1, [(0, 1)])


def test_without_names_they_are_told_apart_by_what_was_asked_and_then_by_number() -> None:
    runs = comparison.compare([one_at_a_time(), in_pairs(), one_at_a_time()])
    assert [run.name for run in runs] == [
        "dc_worker 1.0 → 1.1, 1 at a time",
        "dc_worker 1.0 → 1.1, 2 at a time, delay 5s",
        "dc_worker 1.0 → 1.1, 1 at a time (2)",
    ]


def test_an_update_of_all_at_once_that_changes_no_tag_says_so() -> None:
    looks = {0: ["service 1.0", "1.0-1"], 1: ["service 1.0 updating"]}
    made = recorded(looks, update_config=UpdateConfig(parallelism=0))
    assert comparison.name_of(made) == "dc_worker 1.0, all at a time"


def test_a_recording_without_an_update_is_refused() -> None:
    with pytest.raises(RecordingProblem, match="a recording in which nothing was updated"):
        comparison.compare([one_at_a_time(), recorded({0: ["service 1.0", "1.0-1"]})])


@pytest.mark.parametrize("names", [[], ["one"], ["one", "two", "three"]])
def test_names_are_as_many_as_the_recordings(names: list[str]) -> None:
    with pytest.raises(BadValue, match=f"2 recordings, but {len(names)} names"):
        comparison.compare([one_at_a_time(), in_pairs()], names)
