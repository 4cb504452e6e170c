"""Claims about the updates that are cut out of a long recording."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.recordings.recording import Recording, ServiceRemoved, ServiceSeen, TaskSeen
from labkit.recordings.values import Snapshot
from tests import values
from tests.played import CRASHES, DEAF, RUNS, Played

SECOND = timedelta(seconds=1)


def made_by(made: Played) -> list[Attempt]:
    return attempts(made.recording)


def ways(found: list[Attempt]) -> list[tuple[str, str, str]]:
    """From which tag to which each of them went, and how it ended."""
    return [(each.before.tag, each.tag, each.state) for each in found]


def thinned(recording: Recording, keep: Callable[[int], bool]) -> Recording:
    """A recording of which only some changes were seen."""
    seen = Recording(recording.header)
    for number, change in enumerate(recording.changes):
        if keep(number):
            seen.add(change)
    return seen


# ---- which there are -----------------------------------------------------------------


def test_without_an_update_there_is_no_attempt():
    made = Played("1.0")
    made.wait(30)

    assert made_by(made) == []


def test_a_scale_and_another_config_are_no_attempts():
    made = Played("1.0")
    made.update(replicas=12)
    made.update(parallelism=5)

    assert made_by(made) == []


def test_each_update_is_one_attempt_with_its_own_numbers():
    made = Played("1.0")
    made.update("1.1")
    made.update("1.2", parallelism=5)

    first, second = made_by(made)

    assert ways([first, second]) == [("1.0", "1.1", "completed"), ("1.1", "1.2", "completed")]
    assert (first.touched, first.fewest, first.config.parallelism) == (10, 9, 1)
    assert (second.touched, second.fewest, second.config.parallelism) == (10, 5, 5)
    assert first.total > 3 * second.total
    assert len(first.changeovers) == len(second.changeovers) == 10
    assert not first.by_hand
    assert not first.rolled_back


def test_an_update_that_is_replaced_by_another_stays_one_of_its_own():
    made = Played("1.0")
    made.update("1.1", seconds=10)
    made.update("1.2")

    first, second = made_by(made)

    assert ways([first, second]) == [("1.0", "1.1", "updating"), ("1.1", "1.2", "completed")]
    assert first.total is None
    assert first.touched < 10
    assert second.touched == 10


def test_an_automatic_rollback_belongs_to_its_update():
    made = Played("1.0", failure_action="rollback")
    made.update("bad", CRASHES)

    (only,) = made_by(made)

    assert ways([only]) == [("1.0", "bad", "rollback_completed")]
    assert only.rolled_back
    assert not only.by_hand
    assert only.failures >= 1
    assert only.errors == ["task: non-zero exit (1)"]


def test_a_rollback_by_hand_is_an_attempt_of_its_own():
    made = Played("1.0")
    made.update("1.1")
    made.roll_back()

    _, second = made_by(made)

    assert ways([second]) == [("1.1", "1.0", "rollback_completed")]
    assert second.by_hand
    assert not second.rolled_back


def test_a_rollback_by_hand_of_an_update_under_way_is_another_attempt():
    made = Played("1.0")
    made.update("1.1", seconds=10)
    made.roll_back()

    first, second = made_by(made)

    assert first.state == "updating"
    assert second.by_hand
    assert second.touched == first.touched


def test_an_update_that_was_under_way_at_the_first_look_is_none():
    """When it began, and what there was before, is not known."""
    made = Played("1.0")
    made.update("1.1", seconds=10)
    whole = made.recording
    seen = Recording(whole.header)
    looked = whole.last_at
    seen.observe(Snapshot(at=looked, service=whole.service, tasks=whole.current))
    made.wait(100)
    for change in whole.changes:
        if change.at > looked:
            seen.add(change)

    assert seen.service.update_status.state == "completed"
    assert attempts(seen) == []


def test_an_update_of_which_only_the_end_was_seen_is_an_attempt():
    made = Played("1.0")
    made.update("1.1")
    recording = made.recording
    over = [
        number
        for number, change in enumerate(recording.changes)
        if isinstance(change, ServiceSeen)
        and change.service.update_status
        and change.service.update_status.settled
    ]
    first_look = 1 + len(recording.current)
    seen = thinned(recording, lambda number: number < first_look or number >= over[0])

    (only,) = attempts(seen)

    assert ways([only]) == [("1.0", "1.1", "completed")]


def test_the_removal_of_the_service_ends_the_last_attempt():
    made = Played("1.0")
    made.update("1.1", seconds=10)
    recording = made.recording
    recording.add(ServiceRemoved(made.now))

    (only,) = attempts(recording)

    assert only.recording.service is None
    assert only.state == "updating"


def test_a_service_that_is_made_anew_has_been_updated_only_when_it_is():
    """Its creation is no part of its first update."""
    old = values.service("1.0")
    again = values.service("1.0", id="s2", version=20)
    asked = values.service("1.1", id="s2", version=30)
    under_way = values.service(
        "1.1", id="s2", version=31, update_status=values.status("updating", started_at=values.at(9))
    )
    recording = values.recording(
        values.snapshot(0, old),
        values.snapshot(1, None),
        values.snapshot(2, again),
        values.snapshot(9, asked),
        values.snapshot(10, under_way),
    )

    (only,) = attempts(recording)

    assert (only.before.id, only.before.tag, only.tag) == ("s2", "1.0", "1.1")
    assert only.recording.header.started == values.at(9)


def test_a_scale_before_the_first_update_is_no_part_of_it():
    made = Played("1.0")
    made.update(replicas=12)
    made.update("1.1")

    (only,) = made_by(made)

    assert only.before.replicas == only.requested.replicas == 12


# ---- its numbers ---------------------------------------------------------------------


def test_what_comes_after_an_update_does_not_change_how_few_ran_in_it():
    made = Played("1.0")
    made.update("1.1", order="start-first")
    made.update(replicas=4)

    (only,) = made_by(made)

    assert only.fewest == 10


def test_a_deaf_task_takes_ten_seconds_more_to_stop():
    made = Played("deaf", DEAF)
    made.update("hearing", RUNS, parallelism=5)
    made.update("again", RUNS)

    slow, quick = made_by(made)

    assert len(slow.stops) == len(quick.stops) == 10
    assert min(slow.stops.values()) - max(quick.stops.values()) > 9 * SECOND


def test_a_task_that_the_update_before_has_told_to_stop_is_none_of_this_ones():
    """With start-first an update is over while old tasks still stop."""
    made = Played("deaf", DEAF)
    made.update("hearing", RUNS, parallelism=5, order="start-first", seconds=9)
    made.update("again", RUNS)

    first, second = made_by(made)

    assert len(first.stopping) == 10
    assert first.stops == {}
    assert len(second.stops) == 10
    assert max(second.stops.values()) < 5 * SECOND
    assert second.stopping == {}


def test_a_task_that_stops_between_two_looks_took_less_than_one():
    old, now = values.service("1.0", replicas=1), values.status("updating")
    recording = values.recording(
        values.snapshot(0, old, values.task(1)),
        values.snapshot(2, values.service("1.1", replicas=1, update_status=now), values.task(1)),
        values.snapshot(
            3,
            values.service("1.1", replicas=1, update_status=now),
            values.task(1, state="shutdown"),
        ),
    )

    (only,) = attempts(recording)

    assert list(only.stops.values()) == [timedelta(0)]


def looked_at(recording: Recording, every: timedelta) -> Recording:
    """The same as one would see it who looks only so often."""
    seen, now = Recording(recording.header), Recording(recording.header)
    look = recording.changes[0].at
    for change in recording.changes:
        while change.at > look:
            seen.observe(Snapshot(at=look, service=now.service, tasks=now.current))
            look += every
        now.add(change)
    seen.observe(Snapshot(at=look, service=now.service, tasks=now.current))
    return seen


@pytest.mark.parametrize("every", [0.1, 1, 6, 15])
@pytest.mark.parametrize("order", ["stop-first", "start-first"])
@pytest.mark.parametrize(("does", "least", "most"), [(RUNS, 3, 4), (DEAF, 13, 14)])
def test_how_long_a_task_took_to_stop_does_not_depend_on_how_often_one_looks(
    does, least, most, order, every
):
    """A clock that hurries leaves seconds between two looks."""
    made = Played("1.0", does)
    made.update("1.1", order=order, delay="15s", seconds=400)

    (only,) = attempts(looked_at(made.recording, every * SECOND))

    assert len(only.stops) == 10
    assert min(only.stops.values()) >= least * SECOND
    assert max(only.stops.values()) <= most * SECOND


def test_the_tasks_of_a_rollback_are_told_in_the_order_of_the_rollback_config():
    made = Played("1.0")
    made.update(order="start-first", rollback={"order": "stop-first"})
    made.update("1.1")
    made.roll_back()

    back = attempts(looked_at(made.recording, 6 * SECOND))[-1]

    assert back.by_hand
    assert len(back.stops) == 10
    assert 3 * SECOND <= min(back.stops.values()) <= max(back.stops.values()) <= 4 * SECOND


def test_slots_that_a_scale_takes_away_are_told_when_that_is_seen():
    """There is no new task whose creation dates it."""
    made = Played("1.0")
    made.update("1.1")
    made.update(replicas=4)

    (only,) = made_by(made)

    assert len(only.stops) == 16
    assert 3 * SECOND <= min(only.stops.values()) <= max(only.stops.values()) <= 4 * SECOND


def test_a_task_that_failed_was_not_stopped():
    made = Played("1.0")
    made.update("bad", CRASHES, parallelism=5)

    (only,) = made_by(made)
    failed = {each for each, task in only.recording.tasks.items() if task.state == "failed"}

    assert failed
    assert not failed & (only.stops.keys() | only.stopping.keys())


# ---- whatever was seen ---------------------------------------------------------------

BEHAVIOURS = st.sampled_from([RUNS, CRASHES, DEAF])
ACTIONS = st.sampled_from(["pause", "rollback", "continue"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), BEHAVIOURS, ACTIONS, st.integers(0, 5)),
        st.tuples(st.just("scale"), st.integers(0, 12)),
        st.tuples(st.just("roll back")),
    ),
    max_size=4,
)


def played(steps: list[tuple], waits: list[float]) -> Recording:
    made = Played("1.0")
    for number, (step, wait) in enumerate(zip(steps, waits, strict=False)):
        match step:
            case ("update", does, action, parallelism):
                made.update(
                    f"t{number}",
                    does,
                    failure_action=action,
                    parallelism=parallelism,
                    seconds=wait,
                )
            case ("scale", replicas):
                made.update(replicas=replicas, seconds=wait)
            case _ if made.cluster.services and made.recording.service.previous_image:
                made.roll_back(seconds=wait)
    return made.recording


@settings(max_examples=60)
@given(STEPS, st.lists(st.floats(0, 60), min_size=4, max_size=4), st.data())
def test_whatever_was_seen_every_change_belongs_to_one_attempt_at_most(steps, waits, data):
    """Attempts follow one another, none has a change of another, and none raises."""
    whole = played(steps, waits)
    missed = data.draw(st.sets(st.integers(0, len(whole.changes) - 1), max_size=40))
    seen = thinned(whole, lambda number: number not in missed)

    found = attempts(seen)

    owned = [
        [change for change in each.recording.changes if any(change is c for c in seen.changes)]
        for each in found
    ]
    flat = [id(change) for changes in owned for change in changes]
    assert len(flat) == len(set(flat))
    places = {id(change): place for place, change in enumerate(seen.changes)}
    assert [places[each] for each in flat] == sorted(places[each] for each in flat)
    for each in found:
        assert isinstance(each.recording.changes[0], ServiceSeen)
        assert each.states
        assert each.touched >= 0
        assert each.failures >= 0
        assert each.fewest >= 0
        assert all(length >= timedelta(0) for length in each.stops.values())
        assert not each.stops.keys() & each.stopping.keys()
        assert {changeover.slot for changeover in each.changeovers} <= {
            change.task.slot for change in each.recording.changes if isinstance(change, TaskSeen)
        }
        each.under_way(seen.last_at)
