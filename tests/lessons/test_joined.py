"""Recordings that follow one another are one, and what came between them was seen by nobody."""

from __future__ import annotations

from labkit.lessons.checks.attempts import attempts
from labkit.lessons.practice.joined import joined
from labkit.recordings.recording import Ended, Header, Recording
from labkit.recordings.values import Snapshot
from tests.played import Played
from tests.values import at, recording, service, snapshot, task


def test_one_part_is_the_whole_and_stays_as_it_is() -> None:
    made = Played()
    made.update("1.1")
    before = list(made.recording.changes)

    whole = joined([made.recording])

    assert whole.changes == before
    assert whole is not made.recording
    assert made.recording.changes == before


def test_between_two_parts_there_is_a_gap() -> None:
    first = recording(snapshot(0, service(), task(1), task(2)))
    first.add(Ended(at(1), "The kernel was restarted."))
    second = recording(snapshot(60, service(), task(1), task(2)))

    whole = joined([first, second])

    assert whole.gaps() == [(at(0), at(60), "Nothing was recorded here.")]
    assert not any(isinstance(change, Ended) for change in whole.changes)


def test_the_end_of_the_last_part_is_the_end_of_the_whole() -> None:
    first = recording(snapshot(0, service(), task(1)))
    second = recording(snapshot(60, service(), task(1)))
    second.add(Ended(at(61), "The exercise is over."))

    assert joined([first, second]).ended
    assert not joined([second, first]).ended


def test_tasks_that_the_next_part_does_not_find_are_gone() -> None:
    first = recording(snapshot(0, service(), task(1), task(2)))
    second = recording(snapshot(60, service(), task(1, "1.1")))

    whole = joined([first, second])

    assert whole.listed == {"1.1-1"}
    assert whole.running_by_tag()[-1][1] == {"1.0": 0, "1.1": 1}


def test_a_service_of_that_name_that_is_another_is_made_anew() -> None:
    first = recording(snapshot(0, service(), task(1)))
    header = Header(service="dc_worker", service_id="s2", engine="a test", started=at(60))
    second = Recording(header)
    second.observe(snapshot(60, service(id="s2"), task(1, "1.1")))

    whole = joined([first, second])

    assert whole.service is not None
    assert whole.service.id == "s2"


def test_an_empty_part_says_nothing() -> None:
    first = recording(snapshot(0, service(), task(1)))
    nothing = Recording(header=first.header)

    assert joined([first, nothing]).changes == first.changes


def test_an_update_that_nobody_saw_begin_is_no_attempt() -> None:
    """It may have been anything: how many replicas ran in its midst is not known."""
    made = Played()
    made.update("1.1")
    seen = len(made.recording.changes)
    made.update("1.2", parallelism=2)
    back = len(made.recording.changes)
    made.update("1.3", parallelism=5)

    found = attempts(joined([part(made, 0, seen), part(made, back, len(made.recording.changes))]))

    assert [attempt.tag for attempt in found] == ["1.1", "1.3"]


def part(made: Played, start: int, end: int) -> Recording:
    """What a recorder has that looked first after so many changes, and last after as many."""
    before = Recording(made.recording.header)
    for change in made.recording.changes[:start]:
        before.add(change)
    seen = Recording(made.recording.header)
    if start:
        seen.observe(Snapshot(at=before.last_at, service=before.service, tasks=before.current))
    for change in made.recording.changes[start:end]:
        seen.add(change)
    return seen
