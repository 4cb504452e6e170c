"""A recorder sees what changes, loses nothing, and says how it ended."""

import errno
import itertools
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from labkit.base import browser, jobs
from labkit.base.errors import BadValue, NoEngine, NotFound, NotSettled, RecordingProblem
from labkit.base.jobs import Firm
from labkit.recordings.recorder import Recorder, poller, recorder
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import (
    Back,
    Ended,
    Gap,
    HashesSeen,
    Marked,
    ServiceRemoved,
    ServiceSeen,
    TaskSeen,
)
from labkit.recordings.values import RollbackConfig, Service, Snapshot, UpdateConfig
from tests.values import at, recording, service, snapshot, status, task
from tests.waiting import until

BEFORE = snapshot(0, service(), task(1), task(2))
UPDATING = snapshot(1, service("1.1", update_status=status("updating")), task(1, "1.1"), task(2))
DONE = snapshot(
    2,
    service("1.1", update_status=status("completed", message="update completed")),
    task(1, "1.1"),
    task(2, "1.1"),
)

ANEW = snapshot(3, replace(service(), id="another"), task(1, "2.0"))


class Scripted:
    """A source that answers what it is told to, the last answer again and again."""

    def __init__(self, *answers: Snapshot | Exception) -> None:
        self.answers = list(answers)
        self.looks = 0
        self.speed = 1.0
        self.events_seen = threading.Event()

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        assert name == "dc_worker"
        assert known is None or known.name == name
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def no_engine() -> NoEngine:
    return NoEngine("an engine.", "none.", docker_says="connection refused")


def not_found() -> NotFound:
    return NotFound("a service.", "none.", docker_says="service x not found", status=404)


def test_it_stops_by_itself_when_the_update_has_settled_and_says_why() -> None:
    with Recorder(Scripted(BEFORE, UPDATING, DONE), "dc_worker") as made:
        why = made.wait(timeout=10)
    assert why == "The update has settled: completed (update completed)."
    assert not made.alive
    assert made.recording.running_by_tag()[-1][1] == {"1.0": 0, "1.1": 2}


def test_a_write_is_recorded_before_the_tasks_that_came_of_it() -> None:
    """Even where it comes between the question for the service and the one for its tasks."""
    three, scaled = (task(1), task(2), task(3)), replace(service(), replicas=3, version=2)
    early, late = snapshot(1, service(), *three), snapshot(1, scaled, *three)
    with Recorder(Scripted(BEFORE, early, late), "dc_worker", until=None) as made:
        made.wait_for(lambda recording: len(recording.tasks) == 3, "three tasks", timeout=10)
    seen = [
        type(each) for each in made.recording.changes if isinstance(each, ServiceSeen | TaskSeen)
    ]
    assert seen[-2:] == [ServiceSeen, TaskSeen]


def test_it_can_be_started_and_stopped_twice_and_stopped_before_it_was_started() -> None:
    started = Recorder(Scripted(BEFORE), "dc_worker").start()
    assert started.start() is started
    assert started.stop() is started.stop()
    assert started.why == "It was stopped."
    assert Recorder(Scripted(BEFORE), "dc_worker").stop().ended is None


def test_every_change_is_in_the_file_before_it_ends(tmp_path: Path) -> None:
    """A killed process loses nothing: the file is complete while the recorder still runs."""
    path = tmp_path / "new" / "r.jsonl"
    made = Recorder(Scripted(BEFORE, UPDATING), "dc_worker", path, until=None).start()
    made.wait_for(lambda r: "1.1-1" in r.tasks, "the new task")
    assert Recording.load(path) == made.recording
    made.stop()
    assert Recording.load(path).ended is not None


def test_an_engine_that_goes_away_and_comes_back_is_a_gap() -> None:
    source = Scripted(BEFORE, no_engine(), no_engine(), UPDATING, DONE)

    with Recorder(source, "dc_worker") as made:
        made.wait(timeout=10)

    kinds = [type(change) for change in made.recording.changes]
    assert kinds.count(Gap) == kinds.count(Back) == 1
    (gap,) = made.recording.gaps()
    assert gap[2] == "connection refused"
    assert gap[1] is not None


@pytest.mark.parametrize(
    ("answers", "engines", "reasons"),
    [
        # told at once, if the connection was lost between two polls
        ([BEFORE, BEFORE, UPDATING], "one two", ["Another engine answers now."]),
        ([BEFORE, no_engine(), UPDATING], "one two", ["connection", "Another engine"]),
        # the same engine with the stack deployed anew meanwhile, as after a kernel restart
        ([BEFORE, no_engine(), ANEW], "one one", ["connection", "Another service has the name"]),
        ([BEFORE, no_engine(), UPDATING], "one one", ["connection"]),
    ],
)
def test_nothing_of_another_engine_is_recorded_and_a_gap_says_so(
    answers: list, engines: str, reasons: list[str], tmp_path: Path
) -> None:
    source = Scripted(*answers)
    identity = iter(engines.split())
    source.identity = lambda: next(identity, engines.split()[-1])  # type: ignore[attr-defined]
    path = tmp_path / "r.jsonl"

    with Recorder(source, "dc_worker", path, until=None) as made:
        until(lambda: source.looks > len(answers), "all answers")
        trouble = made.engine_trouble
        made._record_sample(5, 1000.0)

    read = Recording.load(path)
    gaps = read.gaps()
    assert [gap[2][: len(reason)] for gap, reason in zip(gaps, reasons, strict=True)] == reasons
    alone = reasons[-1] == "connection"
    assert (gaps[-1][1] is None, "Begin a recording" in trouble) == (not alone, not alone)
    assert {task.tag for task in read.current} == ({"1.1", "1.0"} if alone else {"1.0"})
    assert hashes(read) == ([5] if alone else [])


def test_a_removed_service_ends_the_recording_when_its_last_task_is_gone() -> None:
    stopping = snapshot(1, None, task(1, desired_state="remove"))
    with Recorder(Scripted(BEFORE, stopping, not_found()), "dc_worker") as made:
        why = made.wait(timeout=10)
    assert why == "The service was removed, and its last task is gone."
    assert sum(isinstance(change, ServiceRemoved) for change in made.recording.changes) == 1


def test_an_unknown_service_is_refused_at_once() -> None:
    with pytest.raises(NotFound):
        Recorder(Scripted(not_found()), "dc_worker")


def test_a_recorder_that_dies_says_so_to_whoever_waits() -> None:
    made = Recorder(Scripted(BEFORE, ZeroDivisionError("broken")), "dc_worker").start()

    with pytest.raises(ZeroDivisionError):
        made.wait(timeout=10)
    until(lambda: not made.alive, "the thread to end")
    assert made.why == "The recorder died: broken"
    with pytest.raises(ZeroDivisionError):
        made.wait_for(lambda _: True, "nothing")


def test_waiting_in_vain_says_what_for_and_how_far_things_are() -> None:
    with Recorder(Scripted(UPDATING), "dc_worker") as made, pytest.raises(NotSettled) as caught:
        made.wait_for_replicas("1.1", 10, timeout=0.2)
    assert caught.value.expected == "10 replicas of dc_worker to run 1.1, within 0.2 s."
    assert caught.value.found == "Updating: 1 of 2 replicas run 1.1."


class Slow(Scripted):
    """A source in which something moves every 50 ms, again and again, and then nothing."""

    def __init__(self, moves: int) -> None:
        super().__init__(BEFORE)
        self.begun, self.moves = time.monotonic(), moves

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        super().snapshot(name, known)
        moved = min(int((time.monotonic() - self.begun) / 0.05), self.moves)
        coming = task(2, "1.1", "starting", desired_state="running", message=f"move {moved}")
        return snapshot(moved, service("1.1"), task(1, "1.1"), coming)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may rest for longer than two seconds; and no pytest limits a cell."""
    monkeypatch.setattr(recorder, "PATIENCE", 2)
    monkeypatch.delenv("PYTEST_VERSION")


@pytest.mark.usefixtures("impatient")
def test_a_wait_goes_on_as_long_as_something_moves_and_says_how_things_stand() -> None:
    """A counter of hashes that goes up moves nothing."""
    said: list[str] = []
    count = itertools.count()
    source = Slow(moves=60)  # in three seconds
    with (
        Recorder(source, "dc_worker", meter=lambda: (next(count), 0.0)) as made,
        pytest.raises(NotSettled, match="1 of 2 replicas run"),
    ):
        made.wait_for_replicas("1.1", 10, say=said.append)

    assert 4 < time.monotonic() - source.begun < 20
    assert set(said) == {"No update is under way: 1 of 2 replicas run 1.1."}


@pytest.mark.usefixtures("impatient")
def test_an_update_may_rest_for_its_delay_and_its_monitor_window() -> None:
    window = timedelta(seconds=1)
    resting = service(
        "1.1",
        update_status=status("updating"),
        update_config=UpdateConfig(monitor=window),
        rollback_config=RollbackConfig(monitor=window),
    )
    begun = time.monotonic()

    with Recorder(Scripted(snapshot(0, resting)), "dc_worker") as made, pytest.raises(NotSettled):
        made.wait()

    assert 3 <= time.monotonic() - begun < 20


def test_under_nbval_a_wait_ends_before_the_cell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", 0.3)
    begun = time.monotonic()
    with Recorder(Slow(moves=1000), "dc_worker") as made, pytest.raises(NotSettled):
        made.wait()
    assert time.monotonic() - begun < 5


def test_waiting_for_what_an_ended_recording_lacks_says_that_it_has_ended() -> None:
    with Recorder(Scripted(BEFORE, UPDATING, DONE), "dc_worker") as made:
        made.wait(timeout=10)
    with pytest.raises(NotSettled) as caught:
        made.wait_for_update("paused")
    assert caught.value.found.startswith("the recording has ended. The update has settled")


def test_an_update_state_that_does_not_exist_names_those_that_do() -> None:
    made = Recorder(Scripted(BEFORE), "dc_worker")
    with pytest.raises(BadValue, match="rollback_completed, not 'rolledback'"):
        made.wait_for_update("rolledback")  # type: ignore[arg-type]


def test_an_answer_that_takes_long_is_a_gap_and_is_not_paid_for_afterwards() -> None:
    """An engine that comes up may let its first caller wait; the next look comes at once."""

    class Slow(Scripted):
        def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
            answer = super().snapshot(name, known)
            if self.looks == 2:
                blocked.wait(0.3)
            return answer

    blocked = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poller, "_BLOCKED", 0.2)
        with Recorder(Slow(UPDATING, UPDATING, UPDATING, DONE), "dc_worker") as made:
            made.wait(timeout=5)

    (gap,) = made.recording.gaps()
    assert gap[2].startswith("The engine took 0 s")
    assert gap[1] is not None
    assert (gap[1] - gap[0]).total_seconds() >= 0.2, "it has the length of the wait"


def test_what_was_recorded_before_goes_on_though_the_service_is_gone_by_now(tmp_path: Path):
    """As after a kernel that was killed while the engine did not answer."""
    before = recording(BEFORE, UPDATING)
    before.add(Gap(at(1.5), "connection refused"))
    path = tmp_path / "r.jsonl"

    with Recorder(Scripted(not_found()), "dc_worker", path, before=before) as made:
        why = made.wait(timeout=10)

    assert why == "The service was removed, and its last task is gone."
    assert made.recording.changes[: len(before.changes)] == before.changes
    assert [reason for _, _, reason in made.recording.gaps()] == ["connection refused"]
    assert Recording.load(path) == made.recording


def test_listeners_hear_of_changes_and_of_the_end() -> None:
    heard: list[Any] = []
    made = Recorder(Scripted(BEFORE, UPDATING, DONE), "dc_worker")
    made.subscribe(lambda: heard.append(made.recording.ended))

    with made:
        made.wait(timeout=10)

    until(lambda: isinstance(heard[-1], Ended), "the listener to hear of the end")
    assert heard[0] is None


def test_a_full_disk_costs_nothing_already_recorded_and_the_rest_follows(tmp_path, monkeypatch):
    made = Recorder(Scripted(BEFORE), "dc_worker", tmp_path / "r.jsonl")
    live = made._live
    file = live._file
    assert file is not None

    class Full:
        closed = False

        def __init__(self, real: Any) -> None:
            self.real, self.left = real, 20

        def write(self, data: bytes) -> int:
            if not self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            part, self.left = data[: self.left], 0
            return int(self.real.write(part))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    real = file._file
    monkeypatch.setattr(file, "_file", Full(real))
    live.observe(UPDATING)
    assert str(made.file_error) == "[Errno 28] No space left on device"
    assert Recording.load(tmp_path / "r.jsonl").changes == recording(BEFORE).changes

    monkeypatch.setattr(file, "_file", real)
    live.observe(DONE)
    assert made.file_error is None
    assert Recording.load(tmp_path / "r.jsonl") == made.recording
    made.stop()


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_that_was_moved_is_begun_anew_with_all_that_was_recorded(tmp_path, taken):
    path = tmp_path / "r.jsonl"
    made = Recorder(Scripted(BEFORE), "dc_worker", path)
    path.rename(tmp_path / "moved.jsonl")
    if taken:
        path.write_text("precious")

    made._live.observe(UPDATING)

    assert made.path == (tmp_path / "r-1.jsonl" if taken else path)
    assert f"The whole recording is in {made.path}." in made.file_trouble
    assert Recording.load(made.path) == made.recording
    assert not taken or path.read_text() == "precious"
    made._live.observe(DONE)
    made.stop()
    assert Recording.load(made.path) == made.recording


def test_a_file_that_cannot_be_begun_anew_is_begun_when_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    made = Recorder(Scripted(BEFORE), "dc_worker", folder / "r.jsonl")
    (folder / "r.jsonl").unlink()
    folder.rmdir()
    folder.write_text("in the way")

    made._live.observe(UPDATING)
    assert "cannot be written to its file" in made.file_trouble

    folder.unlink()
    made._live.observe(DONE)
    made.stop()
    assert Recording.load(folder / "r.jsonl") == made.recording


def test_a_silent_engine_is_said_with_since_when_and_what_helps() -> None:
    silent = NoEngine("an engine.", "connection refused.", "start it.")
    heard: list[str] = []
    made = Recorder(Scripted(BEFORE, silent, UPDATING, DONE), "dc_worker")
    made.subscribe(lambda: heard.append(made.engine_trouble))
    with made:
        made.wait(timeout=10)

    (said,) = {each for each in heard if each}
    assert "has not answered since" in said
    assert "(connection refused)" in said
    assert "labkit up" in said
    assert made.engine_trouble == ""


@pytest.mark.parametrize(
    ("in_a_browser", "helps"),
    [(False, "`labkit up` does"), (True, "first cell. It starts another")],
)
def test_who_waits_for_a_silent_engine_is_told_what_helps(
    in_a_browser: bool, helps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = NoEngine("an engine.", "connection refused.", "start it.")
    monkeypatch.setattr(browser, "is_here", lambda: in_a_browser)
    monkeypatch.setattr(recorder, "_SILENT", 0.1)
    with Recorder(Scripted(UPDATING, silent), "dc_worker") as made:
        until(lambda: made.engine_trouble, "the engine to be silent")
        with pytest.raises(NotSettled, match="has not answered since") as raised:
            made.wait(timeout=None if in_a_browser else 0.1)

    assert helps in (raised.value.try_next or "")


def test_a_file_that_exists_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("precious")
    with pytest.raises(RecordingProblem, match="File exists"):
        Recorder(Scripted(BEFORE), "dc_worker", tmp_path / "r.jsonl")
    assert (tmp_path / "r.jsonl").read_text() == "precious"


class WithEvents(Scripted):
    """A source whose only event is of the service; at rest a look is two seconds away."""

    def __init__(self, *answers: Snapshot | Exception) -> None:
        super().__init__(*answers)
        self.happen = threading.Event()

    def events(self, **_: list[str]) -> "WithEvents":
        return self

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.happen.wait()
        yield {"Actor": {"Attributes": {"com.docker.swarm.service.name": "dc_worker"}}}

    def close(self) -> None:
        self.happen.set()


def test_an_event_of_a_container_wakes_a_recorder_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "SLOW", 3600.0)
    monkeypatch.setattr(poller, "_HOT", 0.0)
    source = WithEvents(BEFORE)
    with Recorder(source, "dc_worker", until=None) as made:
        until(lambda: source.looks >= 2, "the first looks")
        source.answers = [UPDATING]
        source.happen.set()
        made.wait_for(lambda r: "1.1-1" in r.tasks, "the new task", timeout=10)


def test_it_takes_at_most_a_tenth_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "thread_time", lambda: clock["now"])

    class Slow(Scripted):
        def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
            clock["now"] += 2.0
            return super().snapshot(name, known)

    made = Recorder(Slow(UPDATING), "dc_worker", until=None, now=lambda: datetime.now(UTC))

    pause, rest = islice(made._poller.poll_until_done(), 2)  # as if an event had cut the pause
    assert pause == 20.0
    assert isinstance(rest, Firm)
    assert 19.0 < rest <= pause


@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_the_faster_a_clock_runs_the_more_often_it_is_looked_at(speed: float) -> None:
    """A moment that lasts a second there lasts a twentieth of one here."""
    source = Scripted(BEFORE)
    source.speed = speed
    pause = next(Recorder(source, "dc_worker", until=None)._poller.poll_until_done())
    assert pause == poller.SLOW / speed


def test_an_announced_change_is_awaited_until_it_is_seen() -> None:
    """An event of a container comes up to a tenth of a second before the manager knows."""
    one, two, other = (
        task(slot, "1.1", state) for slot, state in ((1, "running"), (1, "starting"), (2, "failed"))
    )
    made = poller.Pace()
    made.event(10.0, one.id)

    made.changed(10.1, [TaskSeen(at(0), two), TaskSeen(at(0), other)])
    assert made.pause(10.2, moving=True) == poller.ANNOUNCED
    made.changed(10.2, [TaskSeen(at(0), one)])
    assert made.pause(10.3, moving=True) == poller.FAST
    assert made.pause(11.1, moving=True) == poller.STEADY
    assert made.pause(11.1, moving=False) == poller.SLOW
    made.event(12.0, one.id)
    assert made.pause(12.45, moving=True) == poller.FAST


def test_times_are_the_clock_s_that_it_was_given() -> None:
    made = Recorder(Scripted(BEFORE), "dc_worker", until=None, now=lambda: at(7))
    assert made.recording.header.started == at(7)


# ---- marks -------------------------------------------------------------------------


def test_a_mark_is_about_now_unless_it_says_which_moment() -> None:
    made = Recorder(Scripted(BEFORE), "dc_worker", until=None, now=lambda: at(7))

    made.mark("here")
    made.mark("there", of=at(3))

    assert made.recording.changes[-2:] == [
        Marked(at(7), at(7), "here"),
        Marked(at(7), at(3), "there"),
    ]
    made.stop()


def test_a_mark_after_the_end_is_in_the_file_and_about_the_end(tmp_path, capsys):
    path = tmp_path / "r.jsonl"
    heard: list[int] = []
    with Recorder(Scripted(BEFORE, UPDATING, DONE), "dc_worker", path) as made:
        made.wait(timeout=10)
    made.subscribe(lambda: heard.append(len(made.recording.marks())))
    ended = made.recording.ended
    assert ended

    made.mark("it is over")
    assert capsys.readouterr().out == "The recording has ended: the mark is at its end.\n"
    made.mark("<b>first</b> pair", of=at(1))
    assert capsys.readouterr().out == ""

    assert made.recording.marks() == [(at(1), "<b>first</b> pair"), (ended.at, "it is over")]
    assert heard == [1, 2]
    assert made.recording.ended is ended
    assert made.file_error is None
    assert Recording.load(path) == made.recording


def test_a_mark_for_a_file_that_is_no_longer_there_makes_no_other(tmp_path: Path) -> None:
    """A file begun anew would have no header; the mark goes there when the file is back."""
    path = tmp_path / "r.jsonl"
    made = Recorder(Scripted(BEFORE), "dc_worker", path).start()
    made.stop()
    path.rename(tmp_path / "moved.jsonl")

    made.mark("one")
    assert isinstance(made.file_error, FileNotFoundError)
    assert not path.exists()

    (tmp_path / "moved.jsonl").rename(path)
    made.mark("two")
    assert made.file_error is None
    assert Recording.load(path) == made.recording


def test_a_mark_with_nothing_on_it_is_refused_and_changes_nothing() -> None:
    made = Recorder(Scripted(BEFORE), "dc_worker")
    with pytest.raises(BadValue):
        made.mark("  ")
    assert made.recording.marks() == []


# ---- the meter ---------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "EVERY", 0.01)
    monkeypatch.setattr(poller, "SLOW", 0.1)


def hashes(of: Recording) -> list[int]:
    return [change.hashes for change in of.changes if isinstance(change, HashesSeen)]


@pytest.mark.usefixtures("often")
def test_what_the_meter_says_is_recorded_and_what_it_raises_is_passed_over(tmp_path: Path) -> None:
    count = itertools.count(1)

    def says() -> tuple[int, float]:
        number = next(count)
        if number == 2:
            raise OSError("no answer")
        if number == 3:
            return number, math.nan
        return number, 1000.0 + number

    path = tmp_path / "r.jsonl"
    with Recorder(Scripted(BEFORE), "dc_worker", path, until=None, meter=says) as made:
        made.wait_for(lambda r: len(hashes(r)) >= 3, "three samples", timeout=10)

    assert hashes(made.recording)[:3] == [1, 4, 5]
    assert isinstance(made.recording.changes[-1], Ended)
    assert Recording.load(path) == made.recording


def test_a_meter_that_hangs_delays_neither_a_look_nor_the_end() -> None:
    """What it says in the end comes too late, and is not recorded."""
    asked, answer, answered = threading.Event(), threading.Event(), threading.Event()

    def hangs() -> tuple[int, float]:
        asked.set()
        answer.wait()
        answered.set()
        return 1, 1000.0

    made = Recorder(Scripted(BEFORE, UPDATING, DONE), "dc_worker", meter=hangs).start()
    until(asked.is_set, "the meter to be asked")
    assert made.wait(timeout=10).startswith("The update has settled")

    made.stop()
    assert not answered.is_set()
    job = made._metering
    answer.set()
    until(lambda: not job.alive, "the meter's job to end")
    assert answered.is_set()
    assert hashes(made.recording) == []


def test_a_sample_that_comes_with_the_end_is_dropped() -> None:
    made = Recorder(Scripted(BEFORE), "dc_worker").start()
    made.stop()
    made._record_sample(5, 1000.0)
    assert hashes(made.recording) == []


@pytest.mark.usefixtures("often")
def test_a_meter_with_patience_is_asked_again_once_something_moves() -> None:
    """An application that nobody looks at may sleep: asking would keep it awake."""
    asked = itertools.count(1)
    says = Mock(side_effect=lambda: (next(asked), 1000.0), patience=0.2)
    source = Scripted(BEFORE)
    with Recorder(source, "dc_worker", until=None, meter=says) as made:
        until(lambda: made._at_rest(0.2), "nothing to move")
        at_rest, polls = says.call_count, source.looks
        until(lambda: source.looks > polls, "another poll")
        assert at_rest <= says.call_count <= at_rest + 1
        source.answers = [UPDATING]
        until(lambda: says.call_count > at_rest + 3, "the meter to be asked again")


@pytest.mark.usefixtures("often")
def test_a_recorder_that_died_measures_no_more() -> None:
    source = Scripted(BEFORE, UPDATING, ZeroDivisionError("broken"))
    made = Recorder(source, "dc_worker", meter=lambda: (1, 1000.0)).start()
    until(lambda: not made.alive, "the thread to end")

    before = len(made.recording.changes)
    made._record_sample(5, 1000.0)
    assert len(made.recording.changes) == before
    job = made._metering
    until(lambda: not job.alive, "the meter's job to end")
