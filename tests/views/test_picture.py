"""Claims about pictures: what a view shows, and how little of it travels."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labkit.recordings import phases, ps
from labkit.recordings.recording import (
    Back,
    Ended,
    Gap,
    HashesSeen,
    Header,
    Marked,
    Recording,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.values import Snapshot, UpdateStatus
from labkit.views.state import picture as picture_module
from labkit.views.state.looks import LOOKS, looks_of
from labkit.views.state.picture import Picture
from tests.acting import ActedSwarm
from tests.values import service, task

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
HEADER = Header(service="dc_worker", service_id="serviceid", engine="acted", started=START)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def play(seconds: float, **options: Any) -> tuple[Recording, list[dict], Picture]:
    """Record an acted update for some seconds; return the news of each quarter second too."""
    clock = Clock()
    swarm = ActedSwarm(now=clock, **options)
    recording, picture, news, taken = Recording(HEADER), Picture(HEADER), [], 0
    for _ in range(int(seconds * 4)):
        recording.observe(swarm.snapshot("dc_worker"))
        picture.take(recording.changes[taken:])
        taken = len(recording.changes)
        news.append(picture.news())
        clock.now += timedelta(seconds=0.25)
    return recording, news, picture


def settled() -> Recording:
    """Record an acted update to its end."""
    recording, _, _ = play(16)
    recording.add(Ended(START + timedelta(seconds=16), "The update has settled."))
    return recording


def follow(page: dict, news: dict) -> dict:
    """Do what the page does with news."""
    tasks = {task[0]: task for task in [*page.get("tasks", []), *news.get("tasks", [])]}
    steps = list(page.get("steps", []))
    for step in news.get("steps", []):
        if steps and steps[-1][0] == step[0]:
            steps.pop()
        steps.append(step)
    longer = {key: [*page.get(key, []), *news.get(key, [])] for key in APPENDED}
    small = {key: value for key, value in news.items() if key not in APPENDED}
    return {**page, **small, **longer, "tasks": list(tasks.values()), "steps": steps}


APPENDED = ("moves", "gone", "windows", "speed")


def in_order(whole: dict) -> dict:
    return whole | {key: sorted(whole[key]) for key in ("tasks", "moves", "gone")}


def last_moves(whole: dict) -> dict[int, list]:
    return {move[0]: move for move in whole["moves"]}


def test_news_add_up_to_the_whole() -> None:
    """A page that follows the news has what a page that loads late is given."""
    _, news, picture = play(16)
    page: dict = {}
    for each in news:
        page = follow(page, each)

    heading = {key: picture.whole()[key] for key in ("service", "engine", "badge", "origin")}
    assert in_order(page | heading) == in_order(picture.whole())


def test_the_table_is_that_of_docker_service_ps() -> None:
    """At every moment of an update, wording, order and lineage included."""
    for seconds in (1, 2.25, 5.5, 9, 16):
        recording, _, picture = play(seconds)
        now = START + timedelta(seconds=seconds + 3)

        shown = [row for _, row in picture.table(now)]
        assert shown == ps.rows(recording.current, "dc_worker", now)


def test_a_task_says_who_it_is_and_whose_place_it_took() -> None:
    _, _, picture = play(16)
    entries = {entry[1]: entry for entry in picture.whole()["tasks"]}
    new = next(entry for entry in entries.values() if entry[2] == 4 and entry[7] == "update")
    old = next(entry for entry in entries.values() if entry[0] == new[8])
    images, nodes = picture.whole()["images"], picture.whole()["nodes"]

    assert images[new[4]] == ["lab/dockercoins_worker:1.1", 2]
    assert images[old[4]] == ["lab/dockercoins_worker:1.0", 0]
    assert (old[2], nodes[new[5]]) == (4, "node-1")


def test_a_task_moves_through_its_stages() -> None:
    """Each state is seen once, with when it was seen and what it means."""
    _, _, picture = play(16)
    whole = picture.whole()
    number = next(e[0] for e in whole["tasks"] if e[2] == 2 and e[7] == "update")

    assert [whole["kinds"][move[2]] for move in whole["moves"] if move[0] == number] == [
        ["preparing", "ready", "waiting"],
        ["starting", "running", "starting"],
        ["running", "running", "running"],
    ]


def test_a_failed_task_has_its_error_and_exit_code() -> None:
    picture = Picture(HEADER)
    failed = task(1, state="failed", error="task: non-zero exit (1)", exit_code=1)
    picture.take([TaskSeen(START, failed)])

    news = picture.news()

    assert news["kinds"][news["moves"][0][2]][2] == "failed"
    assert news["moves"][0][4:] == ["task: non-zero exit (1)", 1]


def test_what_swarm_has_forgotten_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of the forgotten tasks stay; a page hears which were dropped."""
    monkeypatch.setattr(picture_module, "MOST_FORGOTTEN", 2)
    picture = Picture(HEADER)
    page: dict = {}
    for number in range(5):
        seen = replace(task(1), id=f"task-{number}")
        picture.take([TaskSeen(START, seen), TaskForgotten(START, seen.id)])
        page = follow(page, picture.news())

    assert [entry[1] for entry in picture.whole()["tasks"]] == ["task-3", "task-4"]
    assert page["dropped"] == [2]
    assert picture.whole()["gone"] == [[3, 0], [4, 0]]


def test_a_task_that_is_listed_again_is_said_to_be() -> None:
    """A manager that has just become the leader may leave one out for a moment."""
    picture = Picture(HEADER)
    picture.take([TaskSeen(START, task(1)), TaskForgotten(START, task(1).id)])
    assert picture.news()["gone"] == [[0, 0]]

    picture.take([TaskSeen(START, task(1))])
    assert [entry[0] for entry in picture.news()["tasks"]] == [0]
    assert picture.whole()["gone"] == []


def test_the_speed_is_drawn_from_the_samples() -> None:
    picture = Picture(HEADER)
    for second in range(10):
        at = START + timedelta(seconds=second)
        picture.take([HashesSeen(at, hashes=33 * second, now=1e9 + second)])

    assert {rate for _, rate in picture.news()["speed"]} == {33.0}


def test_marks_stand_at_the_moment_they_are_about() -> None:
    picture = Picture(HEADER)
    for seconds, label in ((9, "second"), (3, "first \u202e")):
        of = START + timedelta(seconds=seconds)
        picture.take([Marked(START + timedelta(seconds=20), of, label)])

    assert picture.news()["marks"] == [[3000, "first \\u202e"], [9000, "second"]]


def test_the_budget_and_the_last_waits_are_the_updaters() -> None:
    """The tenth slot's task is seen running at 11 s; the acted engine ends the update at 13 s."""
    _, news, picture = play(16)
    waits = [each["settling"] for each in news if each.get("settling")]

    assert waits == [{"delay": 11_000, "monitor": 16_000}]
    assert picture.whole()["settling"] is None
    assert picture.whole()["budget"] == {
        "of": "update",
        "failures": 0,
        "tolerated": 0,
        "slots": 10,
        "action": "pause",
        "ratio": 0.0,
        "missed": 0,
        "uncounted": [],
        "watched": True,
    }


def test_the_sentence_is_that_of_all_tasks() -> None:
    """Counted along, and not anew for every news."""
    for seconds in (0.5, 1.5, 2.25, 5.5, 11.5, 16):
        recording, _, picture = play(seconds)
        described = phases.describe(recording.service, recording.current)

        assert picture.whole()["status"]["sentence"] == described


def test_nothing_travels_when_nothing_happens() -> None:
    _, news, _ = play(16)

    assert news[1] == {}
    assert news[-1] == {}


def test_an_update_of_ten_tasks_travels_in_two_kilobytes() -> None:
    """After the first picture no news is heavier than 2 kB."""
    _, news, _ = play(16)

    assert max(len(json.dumps(each)) for each in news[1:]) <= 2000


def test_what_travels_does_not_grow_with_the_service() -> None:
    """Of a thousand slots, one that changes costs as much as one of ten."""
    _, ten, _ = play(4)
    _, thousand, _ = play(4, slots=1000)

    assert len(json.dumps(thousand[-1])) <= 1.2 * max(len(json.dumps(each)) for each in ten[1:])


def test_steps_count_what_runs_by_tag() -> None:
    """The chart's steps are those of the recording."""
    recording, _, picture = play(16)
    whole = picture.whole()
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
    _, _, picture = play(16)

    assert [phase[:3] for phase in picture.whole()["phases"]] == [
        [0, "", ""],
        [1000, "updating", "update in progress"],
        [13_000, "completed", "update completed"],
    ]


def test_a_second_update_is_a_phase_of_its_own() -> None:
    """Also when it was begun so soon that the first was never seen to end."""
    picture = Picture(HEADER)
    for seconds in (1, 5):
        started = START + timedelta(seconds=seconds)
        status = UpdateStatus(state="updating", started_at=started)
        picture.take([ServiceSeen(started, service(update_status=status))])

    seen = [phase[:2] for phase in picture.news()["phases"]]
    assert seen == [[1000, "updating"], [5000, "updating"]]


def test_the_first_phase_is_what_the_recording_began_with() -> None:
    """It may be that of an update that was over long before."""
    picture = Picture(HEADER)
    old = UpdateStatus(state="completed", started_at=START - timedelta(hours=1))
    picture.take([ServiceSeen(START, service(update_status=old))])

    assert [phase[:2] for phase in picture.news()["phases"]] == [[0, "completed"]]
    assert picture.whole()["budget"] is None


def test_a_task_that_gets_another_node_stays_one_row() -> None:
    """A global task's row goes by its node; it moves, and is not lost on the way."""
    picture = Picture(HEADER)
    page: dict = {}
    for node in ("", "n1"):
        picture.take([TaskSeen(START, replace(task(1), id="t", slot=None, node_id=node))])
        page = follow(page, picture.news())

    assert [entry[2] for entry in page["tasks"]] == ["n1"]
    assert page["tasks"] == picture.whole()["tasks"]


def test_a_gap_lasts_until_the_engine_is_back() -> None:
    picture = Picture(HEADER)
    picture.take([Gap(START + timedelta(seconds=1), "connection refused")])
    assert picture.news()["gaps"] == [[1000, None, "connection refused"]]

    picture.take([Back(START + timedelta(seconds=3))])
    assert picture.news()["gaps"] == [[1000, 3000, "connection refused"]]


def test_the_end_says_why() -> None:
    picture = Picture(HEADER)
    picture.take([Ended(START + timedelta(seconds=9), "It was stopped.")])

    assert picture.news()["end"] == {"at": 9000, "why": "It was stopped.", "died": False}


def test_a_removed_service_keeps_its_last_picture() -> None:
    """Rows go as Swarm forgets them; the steps stay."""
    recording, _, picture = play(16)
    before = len(recording.changes)
    recording.observe(Snapshot(at=START + timedelta(seconds=20), service=None, tasks=()))
    picture.take(recording.changes[before:])
    news = picture.news()

    assert len(news["gone"]) == 21
    assert news["phases"][-1][:2] == [20_000, "removed"]
    assert news["status"]["sentence"] == "The service is removed."
    assert len(picture.whole()["steps"]) > 10


def test_a_tag_looks_the_same_in_every_recording() -> None:
    assert looks_of(["1.0", "1.1"])["1.1"] == looks_of(["1.1", "bugged"])["1.1"]


def test_tags_look_different_while_there_are_looks() -> None:
    tags = ["1.0", "1.1", "bugged", "latest", "v0.1", "2.0", "a", "b"]

    assert sorted(looks_of(tags).values()) == list(range(len(LOOKS)))
    assert len(looks_of([*tags, "one more"])) == 9


def test_looks_differ_in_colour_and_in_pattern() -> None:
    assert len({look.colour for look in LOOKS}) == len({look.pattern for look in LOOKS}) == 8
