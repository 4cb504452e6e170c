"""Claims about view states: what a view shows, and how little of it travels."""

import json
from dataclasses import replace
from typing import Any

import pytest

from labkit.recordings import ps
from labkit.recordings.recording.changes import (
    Back,
    Ended,
    Gap,
    HashesSeen,
    Marked,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.update import phases
from labkit.recordings.values import Snapshot, UpdateStatus
from labkit.views.state import view_state as module
from labkit.views.state.looks import LOOKS, looks_of
from labkit.views.state.view_state import ViewState
from tests.values import service, task
from tests.views.acted import HEADER, START, after, follow, in_order, play


def applied(*changes: Any) -> dict:
    """The delta of some changes, the first of their recording."""
    state = ViewState(HEADER)
    state.apply(changes)
    return state.delta()


def test_deltas_add_up_to_the_full_state() -> None:
    """A page that follows the deltas has what a page that loads late is given."""
    _, deltas, state = play(16)
    page: dict = {}
    for each in deltas:
        page = follow(page, each)
    heading = {key: state.full()[key] for key in ("service", "engine", "badge", "origin")}
    assert in_order(page | heading) == in_order(state.full())


def test_the_table_is_that_of_docker_service_ps() -> None:
    """At every moment of an update, wording, order and lineage included."""
    for seconds in (1, 2.25, 5.5, 9, 16):
        recording, _, state = play(seconds)
        now = after(seconds + 3)
        shown = [row for _, row in state.table(now)]
        assert shown == ps.rows(recording.current, "dc_worker", now)


def test_a_task_says_who_it_is_and_whose_place_it_took() -> None:
    _, _, state = play(16)
    entries = {entry[1]: entry for entry in state.full()["tasks"]}
    new = next(entry for entry in entries.values() if entry[2] == 4 and entry[7] == "update")
    old = next(entry for entry in entries.values() if entry[0] == new[8])
    images, nodes = state.full()["images"], state.full()["nodes"]

    assert images[new[4]] == ["lab/dockercoins_worker:1.1", 2]
    assert images[old[4]] == ["lab/dockercoins_worker:1.0", 0]
    assert (old[2], nodes[new[5]]) == (4, "node-1")


def test_a_task_moves_through_its_stages() -> None:
    """Each state is seen once, with when it was seen and what it means."""
    _, _, state = play(16)
    whole = state.full()
    number = next(e[0] for e in whole["tasks"] if e[2] == 2 and e[7] == "update")

    assert [whole["kinds"][move[2]] for move in whole["moves"] if move[0] == number] == [
        ["preparing", "ready", "waiting"],
        ["starting", "running", "starting"],
        ["running", "running", "running"],
    ]


def test_a_failed_task_has_its_error_and_exit_code() -> None:
    failed = task(1, state="failed", error="task: non-zero exit (1)", exit_code=1)
    deltas = applied(TaskSeen(START, failed))
    assert deltas["kinds"][deltas["moves"][0][2]][2] == "failed"
    assert deltas["moves"][0][4:] == ["task: non-zero exit (1)", 1]


def test_what_swarm_has_forgotten_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of the forgotten tasks stay; a page hears which were dropped."""
    monkeypatch.setattr(module, "MOST_FORGOTTEN", 2)
    state = ViewState(HEADER)
    page: dict = {}
    for number in range(5):
        seen = replace(task(1), id=f"task-{number}")
        state.apply([TaskSeen(START, seen), TaskForgotten(START, seen.id)])
        page = follow(page, state.delta())

    assert [entry[1] for entry in state.full()["tasks"]] == ["task-3", "task-4"]
    assert page["dropped"] == [2]
    assert state.full()["gone"] == [[3, 0], [4, 0]]


def test_a_task_that_is_listed_again_is_said_to_be() -> None:
    """A manager that has just become the leader may leave one out for a moment."""
    state = ViewState(HEADER)
    state.apply([TaskSeen(START, task(1)), TaskForgotten(START, task(1).id)])
    assert state.delta()["gone"] == [[0, 0]]
    state.apply([TaskSeen(START, task(1))])
    assert [entry[0] for entry in state.delta()["tasks"]] == [0]
    assert state.full()["gone"] == []


def test_the_speed_is_drawn_from_the_samples() -> None:
    samples = (HashesSeen(after(n), hashes=33 * n, now=1e9 + n) for n in range(10))
    assert {rate for _, rate in applied(*samples)["speed"]} == {33.0}


def test_marks_stand_at_the_moment_they_are_about() -> None:
    marks = (
        Marked(after(20), after(of), label) for of, label in ((9, "second"), (3, "first \u202e"))
    )
    assert applied(*marks)["marks"] == [[3000, "first \\u202e"], [9000, "second"]]


def test_the_budget_and_the_last_waits_are_the_updaters() -> None:
    """The tenth slot's task is seen running at 11 s; the acted engine ends the update at 13 s."""
    _, deltas, state = play(16)
    waits = [each["settling"] for each in deltas if each.get("settling")]

    assert waits == [{"delay": 11_000, "monitor": 16_000}]
    assert state.full()["settling"] is None
    assert state.full()["budget"] == {
        "of": "update",
        "title": "Failures",
        "words": ["No failure was tolerated, and none was counted."],
        "failures": 0,
        "tolerated": 0,
        "action": "pause",
        "ratio": 0.0,
        "missed": 0,
        "uncounted": [],
        "watched": True,
    }


def test_the_sentence_is_that_of_all_tasks() -> None:
    """Counted along, and not anew for every deltas."""
    for seconds in (0.5, 1.5, 2.25, 5.5, 11.5, 16):
        recording, _, state = play(seconds)
        described = phases.describe(recording.service, recording.current)
        assert state.full()["status"]["sentence"] == described


def test_nothing_travels_when_nothing_happens() -> None:
    _, deltas, _ = play(16)
    assert deltas[1] == {}
    assert deltas[-1] == {}


def test_an_update_of_ten_tasks_travels_in_two_kilobytes() -> None:
    """After the first state no delta is heavier than 2 kB."""
    _, deltas, _ = play(16)
    assert max(len(json.dumps(each)) for each in deltas[1:]) <= 2000


def test_what_travels_does_not_grow_with_the_service() -> None:
    """Of a thousand slots, one that changes costs as much as one of ten."""
    _, ten, _ = play(4)
    _, thousand, _ = play(4, slots=1000)
    assert len(json.dumps(thousand[-1])) <= 1.2 * max(len(json.dumps(each)) for each in ten[1:])


def test_steps_count_what_runs_by_tag() -> None:
    """The chart's steps are those of the recording."""
    recording, _, state = play(16)
    whole = state.full()
    tags = [tag for tag, _, _ in whole["tags"]]
    steps = [
        (at, {tag: count for tag, count in zip(tags, counts, strict=False) if count})
        for at, counts in whole["steps"]
    ]

    assert steps == [
        (round((at - START).total_seconds() * 1000), {tag: n for tag, n in counts.items() if n})
        for at, counts in recording.running_by_tag()
    ]


def test_phases_say_when_the_update_status_changed() -> None:
    _, _, state = play(16)
    assert [phase[:3] for phase in state.full()["phases"]] == [
        [0, "", ""],
        [1000, "updating", "update in progress"],
        [13_000, "completed", "update completed"],
    ]


def test_a_second_update_is_a_phase_of_its_own() -> None:
    """Also when it was begun so soon that the first was never seen to end."""
    seen = (
        ServiceSeen(at, service(update_status=UpdateStatus(state="updating", started_at=at)))
        for at in (after(1), after(5))
    )
    phases = [phase[:2] for phase in applied(*seen)["phases"]]
    assert phases == [[1000, "updating"], [5000, "updating"]]


def test_the_first_phase_is_what_the_recording_began_with() -> None:
    """It may be that of an update that was over long before."""
    old = UpdateStatus(state="completed", started_at=after(-3600))
    delta = applied(ServiceSeen(START, service(update_status=old)))
    (phase,) = delta["phases"]
    assert (*phase[:2], *phase[4:]) == (0, "completed", "before: completed", "", "")
    assert delta["budget"] is None


def test_a_task_that_gets_another_node_stays_one_row() -> None:
    """A global task's row goes by its node; it moves, and is not lost on the way."""
    state = ViewState(HEADER)
    page: dict = {}
    for node in ("", "n1"):
        state.apply([TaskSeen(START, replace(task(1), id="t", slot=None, node_id=node))])
        page = follow(page, state.delta())

    assert [entry[2] for entry in page["tasks"]] == ["n1"]
    assert page["tasks"] == state.full()["tasks"]


def test_a_gap_lasts_until_the_engine_is_back() -> None:
    state = ViewState(HEADER)
    state.apply([Gap(after(1), "connection refused")])
    assert state.delta()["gaps"] == [[1000, None, "connection refused"]]
    state.apply([Back(after(3))])
    assert state.delta()["gaps"] == [[1000, 3000, "connection refused"]]


def test_the_end_says_why() -> None:
    assert applied(Ended(after(9), "It was stopped."))["end"] == {
        "at": 9000,
        "why": "It was stopped.",
        "died": False,
    }


def test_a_removed_service_keeps_its_last_picture() -> None:
    """Rows go as Swarm forgets them; the steps stay."""
    recording, _, state = play(16)
    before = len(recording.changes)
    recording.observe(Snapshot(at=after(20), service=None, tasks=()))
    state.apply(recording.changes[before:])
    deltas = state.delta()

    assert len(deltas["gone"]) == 21
    assert deltas["phases"][-1][:2] == [20_000, "removed"]
    assert deltas["status"]["sentence"] == "The service is removed."
    assert len(state.full()["steps"]) > 10


def test_a_tag_looks_the_same_in_every_recording() -> None:
    assert looks_of(["1.0", "1.1"])["1.1"] == looks_of(["1.1", "bugged"])["1.1"]


def test_tags_look_different_while_there_are_looks() -> None:
    tags = ["1.0", "1.1", "bugged", "latest", "v0.1", "2.0", "a", "b"]
    assert set(looks_of(tags).values()) == set(LOOKS)
    assert len(looks_of([*tags, "one more"])) == 9


def test_looks_differ_in_colour_and_in_pattern() -> None:
    assert len({look.colour for look in LOOKS}) == len({look.pattern for look in LOOKS}) == 8


@pytest.mark.parametrize(
    ("what", "kept"), [("image", "images"), ("node", "nodes"), ("state", "kinds"), ("tag", "tags")]
)
def test_what_each_poll_brings_whole_is_bounded(what: str, kept: str) -> None:
    """Else a file with 10,000 different ones would become a page of gigabytes."""
    state = ViewState(HEADER)
    for n in range(600):
        given = {"tag": {"tag": f"{n}"}, "image": {"image": f"lab/{n}:1"}}.get(what, {what: f"{n}"})
        state.apply([TaskSeen(after(n), task(1, **given))])
    assert len(state.delta()[kept]) == {"tags": 51}.get(kept, 501)
    assert "others" in json.dumps(state.full()[kept][-1])
