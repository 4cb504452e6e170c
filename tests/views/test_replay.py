"""Claims about replays: a recording played again, and marks put into it afterwards."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from labkit.base.errors import BadValue
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, Marked
from labkit.views import Replay, Snapshot
from labkit.views.live import replay
from labkit.views.live.replay import played
from tests.acting import HOSTILE
from tests.views.acted import HEADER, START, after, follow, handed_on, in_order, play

LATER = START + timedelta(days=1)


@pytest.fixture
def file(update: Recording, tmp_path: Path) -> Path:
    path = tmp_path / "update.jsonl"
    update.save(path)
    return path


def end_of(data: dict) -> dict:
    """What the page has when all has been played."""
    page = {**data["first"], "tasks": [*data["first"]["tasks"]]}
    for _, delta in data["frames"]:
        page = follow(page, delta)
    return page


def test_the_frames_add_up_to_the_snapshot_of_the_end(update: Recording) -> None:
    assert in_order(end_of(played(update))) == in_order(Snapshot.of(update).state)


def test_each_look_that_saw_something_is_a_frame_at_its_time(update: Recording) -> None:
    data = played(update)
    looks = {round((change.at - START).total_seconds() * 1000) for change in update.changes}
    times = [at for at, _ in data["frames"]]
    assert times == sorted(set(times))
    assert {0, *times} == looks
    assert data["end"] == 16_000


def test_of_a_long_recording_several_looks_are_one_frame(update, monkeypatch):
    whole = played(update)
    monkeypatch.setattr(replay, "MOST_FRAMES", 5)
    short = played(update)

    assert len(whole["frames"]) > 20
    assert len(short["frames"]) <= 7
    assert short["first"] == whole["first"]
    assert in_order(end_of(short)) == in_order(end_of(whole))


def test_a_replay_begins_with_what_the_first_look_saw(update: Recording) -> None:
    whole = played(update)["first"]
    assert whole["steps"] == [[0, [10, 0]]]
    assert whole["end"] is None
    assert whole["now"] == whole["origin"]


def test_a_recording_that_breaks_off_ends_so(update: Recording) -> None:
    update.changes.pop()
    _, delta = played(update)["frames"][-1]
    assert delta["end"]["died"]


def test_a_recording_of_nothing_can_be_played() -> None:
    data = played(Recording(HEADER))
    assert data["end"] == 0
    assert data["first"]["tasks"] == []
    assert "Nothing has been recorded yet." in Replay(Recording(HEADER)).html


def test_without_a_script_a_replay_is_the_snapshot_of_the_end(update: Recording) -> None:
    assert Replay(update).plain == Snapshot.of(update).plain


def test_the_script_of_a_replay_has_its_frames(update: Recording) -> None:
    replay = Replay(update, ["replicas", "table"])
    assert json.loads(handed_on(replay.html)) == {**played(update), "parts": ["replicas", "table"]}


def test_a_replay_of_ten_replicas_is_light(update: Recording) -> None:
    assert len(Replay(update).html) < 200_000


def test_a_mark_stands_at_its_moment_though_it_was_made_later(update: Recording) -> None:
    replay = Replay(update, clock=lambda: LATER)
    replay.mark("half of them are new", 6.1)
    data = replay.data()
    assert [6100, {"marks": [[6100, "half of them are new"]]}] in data["frames"]
    assert data["end"] == 16_000
    assert "half of them are new" in replay.plain


def test_a_mark_goes_to_the_file(file: Path) -> None:
    Replay(Recording.load(file), path=file, clock=lambda: LATER).mark("look here", 2)
    assert Recording.load(file).marks() == [(after(2), "look here")]


def test_a_mark_after_a_torn_line_is_a_line_of_its_own(file: Path) -> None:
    file.write_text(file.read_text() + '{"kind": "task", "at')
    recording = Recording.load(file)
    Replay(recording, path=file, clock=lambda: LATER).mark("look here", 2)
    again = Recording.load(file)
    assert again.torn_lines == recording.torn_lines == 1
    assert len(again.marks()) == 1


@pytest.mark.parametrize(
    ("label", "seconds", "why"),
    [
        *(("x", moment, "at 0 to 16 seconds") for moment in (-1, 16.5, float("nan"), "2", None)),
        ("  ", 2, "label"),
    ],
)
def test_a_mark_outside_the_recording_or_without_a_label_is_refused(file, label, seconds, why):
    before = file.read_text()
    with pytest.raises(BadValue, match=why):
        Replay(Recording.load(file), path=file).mark(label, seconds)
    assert file.read_text() == before


def test_lines_that_could_not_be_read_are_told(update: Recording) -> None:
    update.torn_lines = 1
    replay = Replay(update)
    says = "1 line of the file could not be read; the rest is shown."
    assert replay.data()["first"]["trouble"] == says
    assert says in replay.plain


def test_hostile_text_stays_text_in_a_replay() -> None:
    recording, _, _ = play(9, hostile=True)
    replay = Replay(recording)
    replay.mark(HOSTILE, 3)
    assert replay.html.count("</script") == 1
    assert "<img src=x" not in replay.html
    assert replay.page.count("</script") == 2


def test_a_mark_of_a_moment_that_never_came_is_seen_at_the_end() -> None:
    """Somebody clicked to the right of now, and the recording ended before."""
    recording = Recording(HEADER)
    recording.add(Marked(START, after(9), "ahead"))
    recording.add(Ended(after(5), "It was stopped."))
    data = played(recording)
    assert max(at for at, _ in data["frames"]) <= data["end"] == 5000
