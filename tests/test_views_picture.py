"""Claims about pictures: what a view shows, and how little of it travels."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from labkit import ps
from labkit.model import Snapshot, UpdateStatus
from labkit.recording import Back, Ended, Gap, Header, Recording, ServiceSeen, TaskSeen
from labkit.views.looks import LOOKS, looks_of
from labkit.views.picture import Picture
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


def follow(whole: dict, news: dict) -> dict:
    """Do what the page does with news."""
    rows = {row[0]: row for row in whole["rows"] if row[0] not in news.get("gone", [])}
    rows |= {row[0]: row for row in news.get("rows", [])}
    steps = list(whole["steps"])
    for step in news.get("steps", []):
        if steps and steps[-1][0] == step[0]:
            steps.pop()
        steps.append(step)
    small = {key: value for key, value in news.items() if key not in ("rows", "gone", "steps")}
    return {**whole, **small, "rows": list(rows.values()), "steps": steps}


def in_order(whole: dict) -> dict:
    return {**whole, "rows": sorted(whole["rows"])}


def printed(whole: dict, now: datetime) -> list[tuple[str, ...]]:
    """The rows as the page shows them."""
    rows = sorted(whole["rows"], key=lambda row: (row[1], -row[2]))
    return [
        (
            *(row[0][:12], *row[3:7]),
            f"{row[7]} {ps.age(now - datetime.fromtimestamp(row[8] / 1000, UTC))} ago",
            *row[9:11],
        )
        for row in rows
    ]


def test_news_add_up_to_the_whole() -> None:
    """A page that follows the news has what a page that loads late is given."""
    _, news, picture = play(16)
    page: dict = {"rows": [], "steps": []}
    for each in news:
        page = follow(page, each)

    heading = {key: picture.whole()[key] for key in ("service", "origin")}
    assert in_order(page | heading) == in_order(picture.whole())


def test_the_rows_are_those_of_docker_service_ps() -> None:
    """At every moment of an update, wording, order and lineage included."""
    for seconds in (1, 2.25, 5.5, 9, 16):
        recording, _, picture = play(seconds)
        now = START + timedelta(seconds=seconds + 3)
        expected = ps.without_clean_history(ps.rows(recording.current, "dc_worker", now))

        assert printed(picture.whole(), now) == [row.cells for row in expected]


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


def test_marks_say_when_the_update_status_changed() -> None:
    _, _, picture = play(16)

    assert [state for _, state in picture.whole()["marks"]] == ["updating", "completed"]


def test_a_second_update_has_a_mark_of_its_own() -> None:
    """Also when it was begun so soon that the first was never seen to end."""
    picture = Picture(HEADER)
    for seconds in (1, 5):
        started = START + timedelta(seconds=seconds)
        status = UpdateStatus(state="updating", started_at=started)
        picture.take([ServiceSeen(started, service(update_status=status))])

    assert picture.news()["marks"] == [[1000, "updating"], [5000, "updating"]]


def test_an_update_that_was_over_before_has_no_mark() -> None:
    """The status of an old update is no event of this recording."""
    picture = Picture(HEADER)
    old = UpdateStatus(state="completed", started_at=START - timedelta(hours=1))
    picture.take([ServiceSeen(START, service(update_status=old))])

    assert picture.news()["marks"] == []
    assert picture.whole()["status"]["state"] == "completed"


def test_a_task_that_gets_another_node_stays_one_row() -> None:
    """A global task's row goes by its node; it moves, and is not lost on the way."""
    picture = Picture(HEADER)
    page: dict = {"rows": [], "steps": []}
    for node in ("", "n1"):
        picture.take([TaskSeen(START, replace(task(1), id="t", slot=None, node_id=node))])
        page = follow(page, picture.news())

    assert [row[3] for row in page["rows"]] == ["dc_worker.n1"]
    assert page["rows"] == picture.whole()["rows"]


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

    assert len(news["gone"]) == 11
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
