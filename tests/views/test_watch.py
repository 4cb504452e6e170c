"""Claims about the live view, without a browser: what it sends, and when it ends."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from labkit.base.errors import BadValue
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Ended, Marked, TaskSeen
from labkit.views import Watch
from labkit.views.live import watch as watch_module
from labkit.views.parts import PARTS
from tests.acting import HOSTILE, ActedSwarm
from tests.views.acted import HEADER, START
from tests.waiting import until


class ByHand:
    """A recorder that looks when the test says so."""

    def __init__(self, **options: Any) -> None:
        self.time = START
        self.swarm = ActedSwarm(now=self.now, **options)
        self.recording = Recording(HEADER)
        self.error: Exception | None = None
        self.file_trouble = ""
        self.why = ""
        self.last_seen = START
        self.listeners: list[Callable[[], None]] = []
        self.look()

    def subscribe(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def now(self) -> datetime:
        return self.time

    def look(self, seconds: float = 0) -> None:
        self.time += timedelta(seconds=seconds)
        self.last_seen = self.time
        self.recording.observe(self.swarm.snapshot("dc_worker"))

    def mark(self, label: str, of: datetime | None = None) -> None:
        self.recording.add(Marked(self.time, of or self.time, label))

    def tell(self) -> None:
        for listener in self.listeners:
            listener()

    def end(self, why: str = "The update has settled.") -> None:
        self.why = why
        self.recording.add(Ended(self.time, why))
        self.tell()

    def die(self, problem: Exception) -> None:
        self.error, self.why = problem, f"The recorder died: {problem}"
        self.tell()


_OF_OTHERS: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def of_others() -> None:
    _OF_OTHERS.update(threading.enumerate())


def watched(recorder: Any, **more: Any) -> Watch:
    return Watch(recorder, **more)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[ByHand]:
    """A recorder whose views have ended, thread and all, before what is patched is put back."""
    del monkeypatch
    made = ByHand()
    yield made
    made.end()
    until(lambda: not _threads(), "the threads of the views to end")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The messages that views send; those of other modules' tests may still send, too."""
    messages: list[dict] = []

    def send(view: Watch, content: dict, **_: object) -> None:
        if isinstance(view._recorder, ByHand):
            messages.append(content)

    monkeypatch.setattr(Watch, "send", send)
    return messages


@pytest.fixture
def watch(recorder: ByHand, sent: list[dict]) -> Watch:
    """A view, of which messages are sent to nobody."""
    del sent
    return watched(recorder)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict, dict]]:
    """What cells display, and how."""
    made: list[tuple[dict, dict]] = []
    monkeypatch.setattr(watch_module, "_display", lambda data, **how: made.append((data, how)))
    return made


def test_a_view_begins_with_what_the_recording_has(recorder: ByHand, sent: list[dict]) -> None:
    whole = watched(recorder).get_state("view_state")["view_state"]
    assert len(whole["tasks"]) == len(whole["moves"]) == 11
    assert whole["status"]["sentence"] == "No update is under way: 10 of 10 replicas run 1.0."
    assert sent == []


def test_a_view_is_told_of_changes(recorder: ByHand, sent: list[dict]) -> None:
    """The recorder's call wakes the view's own thread, which sends what changed."""
    watched(recorder)
    recorder.look(1.1)
    recorder.tell()

    delta = until(lambda: [each for each in sent if "moves" in each], "the delta")[0]
    assert [task[2] for task in delta["tasks"]] == [1]
    assert {delta["kinds"][move[2]][2] for move in delta["moves"]} == {"stopping", "waiting"}
    assert delta["status"]["state"] == "updating"


def test_messages_are_numbered_without_a_gap(watch: Watch, recorder: ByHand, sent: list[dict]):
    """A page knows from the number that it has missed one."""
    for _ in range(5):
        recorder.look(0.5)
        watch.step()
    watch.pulse()
    assert [each["seq"] for each in sent] == list(range(1, len(sent) + 1))
    assert watch.full()["seq"] == len(sent)


def test_a_page_that_loads_late_is_given_what_is(watch: Watch, recorder: ByHand, sent: list[dict]):
    """The widget's state is worked out when it is asked for: a reload shows live rows."""
    recorder.look(12)
    watch.step()
    state = watch.get_state()["view_state"]
    assert state["steps"][-1][1][-1] == 10
    assert state["seq"] == sent[-1]["seq"]


def test_nothing_is_sent_when_nothing_happened(watch: Watch, recorder: ByHand, sent: list[dict]):
    recorder.look()
    assert watch.step() == {}
    assert sent == []


def test_a_pulse_says_when_the_engine_was_last_seen(watch, recorder, sent):
    recorder.look(0.5)
    watch.pulse()
    assert sent[-1]["seen"] == round(recorder.last_seen.timestamp() * 1000)
    assert "moves" not in sent[-1]


def test_a_full_disk_is_said_with_every_message(watch: Watch, recorder: ByHand, sent: list[dict]):
    watch.pulse()
    recorder.file_trouble = "[Errno 28] No space left on device"
    watch.pulse()
    assert sent[0]["trouble"] == ""
    assert "No space left on device" in sent[1]["trouble"]


def test_a_page_that_missed_a_message_gets_the_full_state(watch, monkeypatch):
    flushed: list[str] = []
    monkeypatch.setattr(Watch, "send_state", lambda _, key: flushed.append(key))
    watch._handle_custom_msg({"want": "full"}, [])
    assert flushed == ["view_state"]


def test_the_last_messages_are_sent_once_more(watch: Watch, recorder: ByHand, sent: list[dict]):
    """For a page that was not listening yet; in their order, as they were."""
    for _ in range(3):
        recorder.look(0.5)
        watch.step()
    first = list(sent)
    watch.repeat()
    assert sent == first + first


def test_what_is_sent_once_more_has_a_bound(recorder, sent, monkeypatch):
    """However much has happened, it is the newest messages of so many bytes."""
    monkeypatch.setattr(watch_module, "_KEPT", 1000)
    watch = watched(recorder)
    for _ in range(20):
        recorder.look(0.5)
        watch.step()
    first = list(sent)
    watch.repeat()
    again = sent[len(first) :]

    assert sum(len(json.dumps(each)) for each in again) <= 1000
    assert again == first[-len(again) :]


def test_very_much_travels_in_parts(sent: list[dict], monkeypatch: pytest.MonkeyPatch) -> None:
    """A message takes so many changes; the thread goes on until all have been sent."""
    monkeypatch.setattr(watch_module, "MOST", 10)
    recorder = ByHand(slots=30, at_once=30)
    watch = watched(recorder)
    recorder.look(1.1)  # thirty old tasks are told to stop, thirty new ones are made
    recorder.tell()

    until(lambda: sum(len(each.get("moves", [])) for each in sent) == 60, "all moves")
    assert max(len(each.get("moves", [])) for each in sent) <= 10
    recorder.end()
    until(lambda: not _threads(), "the thread to end")
    assert watch.full()["end"] is not None


def test_all_that_is_left_is_sent_at_the_end(recorder, sent, monkeypatch):
    monkeypatch.setattr(watch_module, "MOST", 1)
    watch = watched(recorder)
    for _ in range(3):  # no delta: there was no gap
        recorder.recording.add(Back(recorder.time))
    recorder.look(12)
    recorder.end("It was stopped.")

    until(lambda: not _threads(), "the thread to end")
    assert sent[-1]["end"]["why"] == "It was stopped."
    assert len(watch.full()["moves"]) == 11 + sum(len(each.get("moves", [])) for each in sent)


def test_a_mark_is_shown_and_recorded(watch: Watch, recorder: ByHand, sent: list[dict]) -> None:
    recorder.look(2)
    watch.mark("the first is done")
    watch.step()
    assert recorder.recording.marks() == [(recorder.time, "the first is done")]
    assert sent[-1]["marks"] == [[2000, "the first is done"]]


def test_a_page_may_put_a_mark_where_it_was_clicked(watch: Watch, recorder: ByHand) -> None:
    """At the moment that was clicked, however late the kernel hears of it."""
    recorder.look(9)
    watch._handle_custom_msg({"mark": "here", "at": 4000}, [])
    assert recorder.recording.marks() == [(START + timedelta(seconds=4), "here")]


@pytest.mark.parametrize(
    "nonsense", [{"mark": "", "at": 1}, {"mark": 3, "at": 1}, {"mark": "x"}, {}, None, "mark"]
)
def test_what_is_no_mark_is_ignored(watch: Watch, recorder: ByHand, nonsense: Any) -> None:
    watch._handle_custom_msg(nonsense, [])
    assert recorder.recording.marks() == []


def test_a_mark_after_the_end_is_in_the_snapshot(watch: Watch, recorder: ByHand, shown: list):
    watch._ipython_display_()
    recorder.end()
    until(lambda: len(shown) == 2, "the snapshot")
    watch.mark("afterthought")
    assert "afterthought" in shown[-1][0]["text/html"]


def test_a_view_shows_the_parts_that_are_asked_for(recorder: ByHand) -> None:
    """In their own order, whatever the order they were asked for in."""
    assert watched(recorder, parts=["table", "slots"]).parts == ["slots", "table"]
    assert watched(recorder).only("speed").parts == ["speed"]
    assert watched(recorder).parts == list(PARTS)


@pytest.mark.parametrize("parts", [["gantt"], [], "gantt"])
def test_an_unknown_part_names_those_that_exist(recorder: ByHand, parts: Any) -> None:
    with pytest.raises(BadValue, match="head, phases, replicas, slots, speed, budget, table"):
        watched(recorder, parts=parts)


@pytest.mark.parametrize("died", [False, True])
def test_a_view_ends_with_its_recorder(recorder: ByHand, sent: list[dict], died: bool) -> None:
    """It says why, and when the engine was last seen, and sends nothing more."""
    watched(recorder)
    recorder.look(2)
    recorder.die(RuntimeError("of it")) if died else recorder.end("The recorder died: of it")

    until(lambda: sent and sent[-1].get("end"), "the end")
    assert sent[-1]["end"] == {"at": 2000, "why": "The recorder died: of it", "died": died}
    assert sent[-1]["seen"] == round(recorder.last_seen.timestamp() * 1000)
    until(lambda: not _threads(), "the view's thread to end")


def test_the_output_is_replaced_by_a_snapshot_at_the_end(recorder: ByHand, shown: list) -> None:
    """A saved notebook then shows the last state, with no kernel."""
    watched(recorder)._ipython_display_()
    recorder.end()
    until(lambda: len(shown) == 3, "the snapshot")

    (live, first), (lost, _), (still, last) = shown
    assert "labkit.resume()" in lost["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in live
    assert set(still) == {"text/plain", "text/html"}
    assert live["text/plain"] == still["text/plain"] == "<labkit.watch of dc_worker>"
    assert first["display_id"] == last["display_id"]
    assert last["update"] is True


def test_a_view_that_takes_the_place_of_another_is_displayed_there(recorder, sent, shown):
    """And at the end it alone leaves a snapshot."""
    del sent
    first, second = watched(recorder), watched(recorder)
    first._ipython_display_()

    second.take_place_of(first)
    recorder.end()
    until(lambda: not _threads(), "the views to end")

    views = [how for _, how in shown if "display_id" in how]
    assert len({how["display_id"] for how in views}) == 1
    assert [how.get("update") for how in views] == [None, True, True]


def test_a_view_that_ends_while_it_is_displayed_leaves_its_snapshot(recorder, sent, monkeypatch):
    """A snapshot that came before what it replaces would be lost."""
    del sent
    order: list[str] = []
    replaced = threading.Event()

    def display(_: object, *, update: bool = False, **__: object) -> None:
        if update:
            order.append("snapshot")
            replaced.set()
            return
        recorder.end()
        replaced.wait(3 * watch_module.LEAST)
        order.append("view")

    monkeypatch.setattr(watch_module, "_display", display)
    watched(recorder)._ipython_display_()

    assert replaced.wait(5)
    assert order == ["view", "snapshot"]


def test_a_view_that_is_displayed_after_its_end_is_a_snapshot(watch, recorder, shown):
    recorder.end()
    watch._ipython_display_()
    assert "text/html" in shown[-1][0]


def test_two_views_of_a_service_print_alike(recorder: ByHand) -> None:
    """What nbval compares is the text, so nothing in it differs from run to run."""
    assert repr(watched(recorder)) == repr(watched(recorder))


def test_hostile_text_reaches_the_page_as_escapes(watch: Watch, recorder: ByHand) -> None:
    """What could turn the direction of writing or steer a terminal can be seen."""
    recorder.swarm.hostile = True
    recorder.look(2)
    watch.step()
    texts = json.dumps(watch.full(), ensure_ascii=False)

    assert "\u202e" in HOSTILE
    assert "\u202e" not in texts
    assert "\x1b" not in texts
    assert "<script>" in texts


def test_a_change_in_the_midst_of_a_look_is_not_lost(watch: Watch, recorder: ByHand) -> None:
    """The recorder adds change after change; a view may come between two of them."""
    recorder.time += timedelta(seconds=12)
    changes = Recording(recorder.recording.header)
    changes.observe(recorder.swarm.snapshot("dc_worker"))
    for change in changes.changes:
        if isinstance(change, TaskSeen):
            recorder.recording.add(change)
            watch.step()

    assert watch.full()["steps"][-1][1][-1] == 10


def _threads() -> list[str]:
    """The threads of views that are not those of other tests, which may end later."""
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith("watch ") and thread not in _OF_OTHERS
    ]
