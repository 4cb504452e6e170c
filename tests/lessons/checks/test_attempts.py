"""Claims about the updates that are cut out of a long recording."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceRemoved, ServiceSeen, TaskSeen
from labkit.recordings.values import Snapshot
from tests.lessons.checks.cases import Case, cases, play
from tests.looks import Looks, recorded
from tests.played import CRASHES, DEAF, RUNS, Played
from tests.values import at

SECOND = timedelta(seconds=1)
#: What an attempt has under the name that the file has for it.
PLAIN = ("state", "total", "touched", "fewest", "failures", "errors", "by_hand", "rolled_back")


ATTEMPTS = [pytest.param(case, id=claim) for _, claim, case in cases("attempts.yaml")]


@pytest.mark.parametrize("case", ATTEMPTS)
def test_of_attempts(case: Case) -> None:
    recording = play(case).recording
    if "looked" in case:
        recording = looked_at(recording, case["looked"] * SECOND)

    for found, claimed in zip(attempts(recording), case["attempts"], strict=True):
        known = facts(found)
        for fact, value in claimed.items():
            if fact in ("seconds", "stops"):
                least, most = value
                assert least <= min(known[fact]) <= max(known[fact]) <= most, fact
            else:
                assert known[fact] == value, fact


def facts(of: Attempt) -> dict[str, Any]:
    """What can be claimed of an attempt, by the words of the file."""
    return {name: getattr(of, name) for name in PLAIN} | {
        "from": of.before.tag,
        "to": of.tag,
        "replicas": [of.before.replicas, of.requested.replicas],
        "parallelism": of.config.parallelism,
        "changeovers": len(of.changeovers),
        "seconds": [of.total / SECOND] if of.total else [],
        "stopped": len(of.stops),
        "stopping": len(of.stopping),
        "stops": [each / SECOND for each in of.stops.values()],
    }


def thinned(recording: Recording, keep: Callable[[int], bool]) -> Recording:
    """A recording of which only some changes were seen."""
    seen = Recording(recording.header)
    for number, change in enumerate(recording.changes):
        if keep(number):
            seen.add(change)
    return seen


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

    assert (only.before.tag, only.tag, only.state) == ("1.0", "1.1", "completed")


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
    looks: Looks = {
        0: ["service 1.0"],
        1: ["no service"],
        2: [{"is": "service 1.0", "id": "s2", "version": 20}],
        9: [{"is": "service 1.1", "id": "s2", "version": 30}],
        10: [{"is": "service 1.1 updating begun 9", "id": "s2", "version": 31}],
    }
    recording = recorded(looks)

    (only,) = attempts(recording)

    assert (only.before.id, only.before.tag, only.tag) == ("s2", "1.0", "1.1")
    assert only.recording.header.started == at(9)


def test_tasks_that_are_seen_a_look_before_their_update_are_touched_by_it():
    """In every slot, though the older task comes to the cut with the newer one."""
    looks: Looks = {
        0: ["service 1.0", "1.0-1..10"],
        1: ["1.0-1..10 told shutdown", "1.1-1..10 ready told ready"],
        2: ["service 1.1 updating begun 1"],
    }

    (only,) = attempts(recorded(looks))

    assert only.touched == 10


def test_a_task_that_stops_between_two_looks_took_less_than_one():
    looks = {0: ["service 1.0", "1.0-1"], 2: ["service 1.1 updating"], 3: ["1.0-1 shutdown"]}
    recording = recorded(looks, replicas=1)
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


def test_a_task_that_failed_was_not_stopped():
    made = Played("1.0")
    made.update("bad", CRASHES, parallelism=5)
    (only,) = attempts(made.recording)
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
                    f"t{number}", does, failure_action=action, parallelism=parallelism, seconds=wait
                )
            case ("scale", replicas):
                made.update(replicas=replicas, seconds=wait)
            case _ if made.cluster.services and made.recording.service.previous_image:
                made.roll_back(seconds=wait)
    return made.recording


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


# ---- what an update did to each slot ---------------------------------------------


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
