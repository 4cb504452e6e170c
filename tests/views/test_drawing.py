"""Claims about the drawing that stands where there is no kernel: SVG, charts on one axis."""

import re
from dataclasses import replace

import pytest

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Ended, Gap, HashesSeen, Marked
from labkit.views import Snapshot
from labkit.views.parts import CHARTS, module
from labkit.views.parts.axis import Axis
from labkit.views.parts.slots import MOST_ROWS
from labkit.views.state import words
from labkit.views.state.looks import LOOKS
from labkit.views.static.drawing import drawing, labels
from tests.acting import HOSTILE, HOSTILE_TAG
from tests.values import at, recording, service, snapshot, status, task
from tests.views.acted import (
    HEADER,
    START,
    after,
    curves,
    drawn,
    every,
    failing,
    hostile,
    percent,
    play,
    settled,
    texts,
    titled,
    titles,
)


@pytest.mark.parametrize("parts", [("phases", "replicas", "slots"), *((each,) for each in CHARTS)])
def test_charts_stand_under_one_another_each_with_its_name(update, parts):
    names = [text for text in texts(drawn(update, *parts)) if text[0].isupper()]
    assert names == [module(part).TITLE for part in parts]


def test_a_legend_fits_into_a_cell_beside_a_view(update: Recording) -> None:
    """In px, with six for a letter."""
    state = Snapshot.of(update).state
    legend = module("slots").svg(state, Axis.of(state), "p").legend
    told = [re.findall(r'<text x="([\d.]+)".*?>([^<]+)<', line) for line in legend]
    assert [words for line in told for _, words in line][-1] == "monitor window"
    assert all(float(x) + 6 * len(words) < 460 for line in told for x, words in line)


def test_of_all_charts_one_with_nothing_in_it_is_left_out(update: Recording) -> None:
    made = recording(snapshot(0, service(), task(1)))
    for second in range(5):  # of which a point is made, and of a point no line
        made.add(HashesSeen(at(second), second * 4, float(second)))

    assert len(Snapshot.of(made).state["speed"]) == 1
    assert module("speed").TITLE not in texts(drawn(made))
    assert module("speed").TITLE not in texts(drawn(update))
    assert drawing(Snapshot.of(update).state, ["head", "table"]) is None


def test_a_band_is_as_high_as_its_replicas(update: Recording) -> None:
    """In the end ten of ten run 1.1: from the axis to the top of the tens."""
    band = next(iter(titled(drawn(update, "replicas"), "1.1")))
    last = band.findall("{*}rect")[-1]
    assert (float(last.get("y") or ""), float(last.get("height") or "")) == (6.0, 84.0)


def test_a_step_stands_where_its_time_is(update: Recording) -> None:
    """The first new replica ran 1.8 seconds after the beginning of sixteen."""
    band = next(iter(titled(drawn(update, "replicas"), "1.1")))
    begins = update.running_by_tag()[2][0] - START
    share = 6 + 92.5 * begins.total_seconds() / 16
    assert percent(band.findall("{*}rect")[0].get("x")) == pytest.approx(share, abs=0.01)


def test_each_tag_has_its_colour_under_its_pattern(update: Recording) -> None:
    """So that a drawing can be read without colour."""
    patterns = every(drawn(update, "replicas"), "pattern")[:3]
    colours = {each[0].get("style", "").removeprefix("fill:") for each in patterns}
    assert colours <= {look.colour for look in LOOKS}
    assert len(colours) == len({each[1].get("d") for each in patterns}) == 3


def test_two_drawings_of_one_page_keep_their_patterns_apart(update: Recording) -> None:
    ids = [
        {each.get("id") for each in drawn(of).iter() if each.get("id")}
        for of in (update, play(9)[0])
    ]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_a_failed_attempt_has_a_cross_where_it_failed(update: Recording) -> None:
    """What failed before the recording has none: slot 3 of the update has that in its history."""
    crosses = [each for each in every(drawn(failing(), "slots"), "g") if each.get("data-failed")]
    assert [cross.get("data-failed") for cross in crosses] == ["dc_worker.1"]
    assert percent(crosses[0][1].get("x")) == pytest.approx(6 + 92.5 / 2, abs=0.01)
    assert not [each for each in drawn(update).iter() if each.get("data-failed")]


def test_a_bar_tells_its_task_states_and_error() -> None:
    told = next(text for text in titles(drawn(failing())) if "· bugged" in text)

    assert told.split("\n") == [
        "dc_worker.1 · bugged · node-1",
        "0:02 new (told to: shutdown)",
        "0:03 starting (told to: shutdown)",
        "0:05 failed, exit code 1",
        "task: non-zero exit (1)",
    ]


def test_stages_differ_in_more_than_their_colour(update: Recording) -> None:
    """Waiting is an outline, starting lower, stopping dim and hatched, running full."""
    bars = list(titled(drawn(update, "slots"), "dc_worker.1 "))
    pieces = [rect for bar in bars for rect in bar.findall("{*}rect")]
    plain = [it for it in pieces if it.get("fill-opacity") is None and it.get("stroke")]
    stopping = [it for it in pieces if it.get("fill-opacity") == "0.35"]
    hatch = [it for it in pieces if (it.get("fill") or "").endswith("-hatch)")]
    waiting = [it for it in pieces if it.get("stroke-dasharray")]

    assert len(stopping) == len(hatch) == len(waiting) == 1
    assert waiting[0].get("fill") == "none"
    assert len({piece.get("height") for piece in plain}) == 3, "waiting, starting, running"


def test_two_tasks_of_one_slot_at_one_time_share_its_row(update: Recording) -> None:
    """The older above; where only one is, it has the row to itself."""
    old, new = titled(drawn(update, "slots"), "dc_worker.1 ")
    tall, short = (float(rect.get("height") or "") for rect in old.findall("{*}rect")[:2])
    waits = new.findall("{*}rect")[0]
    assert short == pytest.approx(tall / 2, abs=0.02)
    assert float(waits.get("y") or "") > float(old.findall("{*}rect")[1].get("y") or "") + short


def test_of_many_slots_the_latest_are_drawn_and_it_says_so() -> None:
    played, _, _ = play(120 * 0.05 + 2, slots=120, pace=0.05)
    told = texts(drawn(played, "slots"))
    rows = [text for text in told if text.isdecimal()]
    assert "Only the 60 most recently active of 120 slots are drawn." in told
    assert "116" in rows
    assert len(rows) <= MOST_ROWS


def test_a_crash_loop_leaves_the_other_slots_their_bars() -> None:
    """One slot with a thousand dead tasks: its last ones are drawn, and all of slot 2."""
    deaths = [task(1, "bugged", "failed", id=f"dead-{n}", created_at=at(n)) for n in range(1000)]
    polls = (snapshot(n + 1, service(), task(2), dead) for n, dead in enumerate(deaths))
    root = drawn(recording(snapshot(0, service(), task(2)), *polls), "slots")
    assert "Only the last 250 tasks of each slot are drawn." in texts(root)
    assert len([each for each in root.iter() if each.get("data-failed")]) == 250
    assert list(titled(root, "dc_worker.2"))


def test_the_ribbon_shows_what_was_before_as_such() -> None:
    before = status("completed", message="update completed")
    made = recording(snapshot(0, service(update_status=before), task(1)))
    made.add(Ended(at(10), "done"))
    assert "before: completed" in texts(drawn(made, "phases"))


def test_a_rollback_has_a_look_and_a_sign_of_its_own() -> None:
    root = drawn(failing(), "phases")
    bands = {each.get("data-state"): each for each in every(root, "svg") if each.get("data-state")}
    fills = {state: band.findall("{*}rect")[0].get("fill") for state, band in bands.items()}

    assert (fills["updating"] or "").endswith("-updating)")
    assert (fills["rollback_started"] or "").endswith("-rollback_started)")
    assert "↶ rollback started" in texts(root)
    assert "0:05 to 0:10: rollback started\ngone wrong" in "\n".join(titles(root))


def test_a_state_that_lasted_too_short_for_its_name_has_it_above() -> None:
    """An update is completed at the very end of its recording."""
    label = next(each for each in every(drawn(settled(13.5)), "text") if each.text == "✓ completed")
    assert float(label.get("y") or "") < 0
    assert percent(label.get("x")) == 98.5


def test_the_line_of_the_speed_breaks_where_there_is_no_answer() -> None:
    made = recording(snapshot(0, service(), task(1)))
    for second in [*range(10), *range(20, 30)]:
        made.add(HashesSeen(at(second), second * 4, float(second)))
    made.add(Ended(at(30), "done"))
    assert [path.count("M") for path in curves(drawn(made, "speed"))] == [2]


def test_marks_and_gaps_go_across_all_charts(update: Recording) -> None:
    update.changes[-1:] = [
        Gap(after(12), "no route to host"),
        Back(after(14)),
        update.changes[-1],
        Marked(START, after(4), "first pair is done"),
    ]
    root = drawn(update)
    mark = next(each for each in root if each.get("class") == "mark")
    gap = next(each for each in root if each.get("class") == "gap")

    assert mark.findtext("{*}text") == "first pair is done"
    assert percent(mark.findall("{*}line")[0].get("x1")) == pytest.approx(6 + 92.5 / 4, abs=0.01)
    assert gap.findtext("{*}title") == "0:12 to 0:14: nothing was recorded\nno route to host"


def test_labels_do_not_meet() -> None:
    marks = [[ms, "twenty letters of it."] for ms in (1000, 1500, 2000, 9800)]
    found = labels({"marks": marks, "phases": []}, Axis(0, 10_000), states=True)
    assert [level for *_, level, _ in found] == [0, 1, 2, 0]
    assert [side for *_, side in found] == ["start", "start", "start", "end"]


def test_a_drawing_is_told_in_words(update: Recording) -> None:
    label = drawn(update).get("aria-label") or ""

    assert drawn(update).get("role") == "img"
    for words_of_it in (
        "updating since 0:01",
        "At least 9 replicas ran",
        "Completed: 10 of 10 replicas run 1.1.",
    ):
        assert words_of_it in label
    assert "No replicas were seen." in (drawn(Recording(HEADER)).get("aria-label") or "")


def test_hostile_text_stays_text_in_a_drawing() -> None:
    """It is well-formed, and what an engine says is in no element and no attribute of its own."""
    root = drawn(hostile())
    names = {each.tag.rpartition("}")[2] for each in root.iter()}

    assert names <= {
        *("svg", "defs", "pattern", "g", "path", "rect", "line", "use", "text", "title")
    }
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    assert words.plain(HOSTILE_TAG, 60)[:23] + "…" in texts(root)
    assert any(words.plain(HOSTILE) in title for title in titles(root))


def test_the_rows_of_a_global_service_are_its_nodes() -> None:
    tasks = [replace(task(n, node_id=f"id{n}", node=f"node-{n}"), slot=None) for n in (1, 2, 10)]
    made = recording(snapshot(0, service(replicas=None), *tasks))
    made.add(Ended(at(5), "done"))
    shown = texts(drawn(made, "slots"))
    assert [text for text in shown if text.startswith("node-")] == ["node-1", "node-2", "node-10"]


def test_the_axis_has_labels_that_are_easy_to_count_in() -> None:
    assert Axis(0, 52_000).ticks() == [0, 10_000, 20_000, 30_000, 40_000, 50_000]
    assert Axis(0, 3_600_000).ticks()[1] == 600_000
    assert Axis(0, 0).ticks() == [0]
