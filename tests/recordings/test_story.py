"""The numbers that the lesson reads out of a recording."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from labkit.base.errors import NotSettled
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, HashesSeen
from tests.claims import each_claim
from tests.looks import recorded
from tests.values import START, at, recording, service, snapshot, task


@each_claim(__file__, "told", "case")
def test_of_a_recording(case: dict[str, Any]) -> None:
    made = recorded(case["looks"])
    for fact in case.keys() - {"looks"}:
        expected = case[fact]
        if isinstance(expected, dict) and "not settled" in expected:
            with pytest.raises(NotSettled, match=expected["not settled"]):
                read(made, fact)
        else:
            assert read(made, fact) == expected, fact


def read(made: Recording, fact: str) -> Any:
    """What a recording tells, by the words of the file."""
    name, _, tag = fact.partition(" ")
    if name == "counted":
        return [counts.total() for _, counts in made.running_by_tag()]
    return plain(getattr(story, name)(made, *([tag] if tag else [])))


def plain(value: Any) -> Any:
    """A value as the file has it."""
    match value:
        case story.Update(began=began, ended=ended, status=status, total=total):
            times = {"began": began, "ended": ended, "total": total}
            return {name: plain(each) for name, each in times.items()} | {"state": status.state}
        case timedelta():
            return value.total_seconds()
        case datetime():
            return (value - START).total_seconds()
        case set():
            return sorted(value)
        case list():
            return [plain(each) for each in value]
    return value


def updated(*samples: tuple[float, int], clock_set: float = 0) -> Recording:
    """An update from second 10 to second 20, and what was seen of the counter.

    In the midst of it the page's clock is set, by so many seconds.
    """
    looks = {0: "service 1.0", 10: "service 1.1 updating", 20: "service 1.1 completed"}
    made = recorded({second: [told, "1.0-1 running"] for second, told in looks.items()})
    for second, hashes in samples:
        made.add(HashesSeen(at(second), hashes, 500.0 + second + (second > 15) * clock_set))
    made.add(Ended(at(20), "It was stopped."))
    return made


def test_hashes_lost_are_those_of_the_speed_before_less_those_that_were_made() -> None:
    """30 a second before, 20 a second in the ten seconds of the update."""
    before = [(second, 30 * second) for second in range(4, 11)]

    slower = updated(*before, *((10 + s, 300 + 20 * s) for s in range(1, 11)))
    faster = updated(*before, *((10 + s, 300 + 40 * s) for s in range(1, 11)))
    unknown = updated(*before, *((10 + s, 300 + 20 * s) for s in range(1, 11)), clock_set=3600)

    assert story.hashes_lost(slower) == pytest.approx(100)
    assert story.hashes_lost(faster) == pytest.approx(-100)
    assert story.hashes_lost(unknown) is None


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [(9, 270), (10, 300), (15, 400), (20, 500)],
        [(0, 0), (3, 90), (6, 180), (15, 400), (20, 500)],
        [(0, 0), (5, 150), (10, 300), (15, 400)],
        [(0, 0), (5, 150), (10, 300), (15, 40), (20, 140)],
    ],
    ids=[
        "never seen",
        "hardly seen before",
        "not seen when it began",
        "not seen at its end",
        "redis was started again",
    ],
)
def test_hashes_lost_are_unknown_where_the_counter_does_not_tell(samples: list[tuple[float, int]]):
    assert story.hashes_lost(updated(*samples)) is None


def test_hashes_lost_are_unknown_while_the_update_goes_on() -> None:
    made = recorded({5: ["service 1.0 updating", "1.0-1"]})
    for second in range(10):
        made.add(HashesSeen(at(second), 30 * second, 500.0 + second))
    assert story.hashes_lost(made) is None


def test_samples_between_two_tasks_of_one_look_make_no_second_moment() -> None:
    """Slot 1 arrives and slot 2 sets out in one look; a sample came while it was taken."""
    begins = ["service 1.1 updating", "1.0-1 told shutdown", "1.1-1 ready told ready", "1.0-2"]
    goes_on = ["1.0-1 shutdown", "1.1-1 running", "1.0-2 told shutdown", "1.1-2 ready told ready"]
    made, seen = recorded({0: begins}), recorded({0: begins, 1: goes_on})
    for change in seen.changes[len(made.changes) :]:
        made.add(HashesSeen(at(0.9), 1, 1.0))
        made.add(change)

    assert story.most_at_once(made, "1.1") == 1


def test_what_came_before_the_first_look_does_not_hide_history() -> None:
    old = task(1, "bugged", "failed", error="task: non-zero exit (1)")
    made = recording()
    made.add(HashesSeen(at(-1), 1, 1.0))
    made.observe(snapshot(0, service(), task(1), old))
    assert story.errors(made) == []
