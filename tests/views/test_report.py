"""Claims about progress as it is drawn, and about the lab report."""

from dataclasses import replace
from typing import Any

import pytest

from labkit import views
from labkit.base.errors import LabError
from labkit.lessons.journal import Event, Item, Progress
from labkit.recordings.recording import Recording
from labkit.views.cards import report
from labkit.views.cards.report import MOST_CHARTS, Report
from tests.acting import HOSTILE
from tests.values import at
from tests.views.acted import Page, assert_text_only, play, settled

PLAN = (
    Item(1, "question", "first-slot", "Which slot goes first?"),
    Item(
        *(2, "question", "pairs", "How long do pairs take?"),
        text="Ten replicas, two at a time, 5 s between them.",
        choices={"25s": "about 25 seconds", "45s": "about 45 seconds"},
    ),
    Item(2, "exercise", "half-time", "In half the time"),
)
NOTEBOOKS = {1: "rolling-updates", 2: "updates-in-parallel"}
#: What a drawing says of itself; a chart is several `<svg>`, one in another.
DRAWING = 'aria-label="dc_worker, from 0:00'


def event(kind: Any, name: str, *, step: int = 2, **more: Any) -> Event:
    return Event(at=at(0), kind=kind, step=step, name=name, **more)


COMPARED = event(
    "compared",
    "pairs",
    choice="25s",
    answer="45s",
    saw="Slots 1 and 2 went first, at 0.4 s.",
    because="Each worker sleeps after its slot.",
    try_next="Set the delay to 0.",
    recording="recordings/pairs.jsonl",
)


def made(*events: Event, recordings: dict[str, Recording] | None = None, **more: Any) -> Report:
    progress = Progress.of(events, PLAN, NOTEBOOKS)
    return Report(progress, events, recordings or {}, **more)


# ---- progress ----------------------------------------------------------------------


def test_progress_is_a_table_with_signs_and_words():
    """A state is told by a sign and by a word, and by no colour alone."""
    seen = event("compared", "first-slot", step=1, choice="one", answer="one")
    progress = Progress.of([seen, COMPARED], PLAN, NOTEBOOKS)
    page = Page(views.ProgressTable(progress)._repr_html_())

    assert "✓1 · rolling-updates1 of 1 predictionall done" in page.text
    row = "→2 · updates-in-parallel1 of 1 prediction, 0 of 1 exerciseIn half the time"
    assert row in page.text
    assert "✓Which slot goes first? · as predicted" in page.text
    assert "●How long do pairs take? · not as predicted" in page.text
    assert "○In half the time · open" in page.text
    assert page.names.count("caption") == 1
    assert ("scope", "row") in page.attributes


def test_what_is_not_in_words_is_not_read_aloud():
    page = Page(views.ProgressTable(Progress.of([], PLAN))._repr_html_())
    assert page.names.count("tr") == 3
    assert page.attributes.count(("aria-hidden", "true")) == 5


def test_hints_and_a_solution_that_was_seen_stand_beside_an_exercise():
    events = [event("hinted", "half-time", rung=n) for n in (1, 2)] + [event("solved", "half-time")]
    html = views.ProgressTable(Progress.of(events, PLAN))._repr_html_()
    assert "open, 2 hints, solution seen" in html


def test_progress_in_a_terminal_is_the_same_in_lines():
    progress = Progress.of([], (Item(1, "question", "x", "\x1b[31mred"),))
    assert repr(views.ProgressTable(progress)) == ("→ 1  0 of 1 prediction  next: \\x1b[31mred")


def test_a_lesson_without_items_has_a_sentence():
    assert "There is nothing to do" in views.ProgressTable(Progress.of([], ()))._repr_html_()


# ---- the report --------------------------------------------------------------------


def test_a_prediction_stands_beside_what_the_recording_showed():
    said = event("predicted", "pairs", choice="25s", why="Five pairs,\nfive seconds each.")
    text = Page(made(said, COMPARED).page).text

    assert "Ten replicas, two at a time" in text
    assert "You said “about 25 seconds”." in text
    assert "Five pairs,five seconds each." in text
    assert "The recording showed: about 45 seconds" in text
    assert "Slots 1 and 2 went first, at 0.4 s." in text
    assert "Each worker sleeps after its slot." in text
    assert "Try: Set the delay to 0." in text


def test_code_in_what_the_lesson_says_is_set_as_such_and_a_learners_own_words_are_not():
    said = event("predicted", "pairs", choice="25s", why="`five` *times*")
    page = made(said, replace(COMPARED, try_next="Set `delay` to *0s*.")).page
    assert "<b>Try:</b> Set <code>delay</code> to <i>0s</i>." in page
    assert "<blockquote>`five` *times*</blockquote>" in page


CHOSE_25S, CHOSE_45S = (
    event("predicted", "pairs", choice=choice, why=f"Because of {choice}.")
    for choice in ("25s", "45s")
)


@pytest.mark.parametrize(
    ("events", "says", "never"),
    [
        ([CHOSE_25S], "Not compared", "The recording showed"),
        ([CHOSE_25S, CHOSE_45S], "You said “about 45 seconds”.Because of 45s.", "about 25"),
        (
            [replace(COMPARED, choice="")],
            "You made no prediction.The recording showed: about 45 seconds",
            "You said",
        ),
        # nor is the reason that came with what was chosen after the recording had answered
        ([CHOSE_25S, COMPARED, CHOSE_45S], "“about 25 seconds”.Because of 25s.", "of 45s"),
        ([replace(CHOSE_25S, choice="of-old")], "You said “of-old”.", "25 seconds"),
        ([COMPARED, event("reset", "")], "open (done before)", "Not compared"),
        (
            [replace(COMPARED, choice=""), replace(CHOSE_45S, outcome="late")],
            "You chose “about 45 seconds” after the recording had answered.",
            "You said",
        ),
        (
            [CHOSE_25S, COMPARED, replace(CHOSE_45S, outcome="late"), COMPARED],
            "You said “about 25 seconds”.Because of 25s.",
            "of 45s",
        ),
        ([event("began", "half-time")], "Begun, but not checked yet.", "Outcome"),
    ],
)
def test_what_is_said_of_what_was_done(events: list[Event], says: str, never: str):
    text = Page(made(*events).page).text
    assert says in text
    assert never not in text


def test_an_exercise_has_its_outcome_its_reason_and_the_help_that_was_taken():
    text = Page(
        made(
            event("began", "half-time"),
            event("checked", "half-time", outcome="not yet", saw="It took 100 s."),
            event("hinted", "half-time", rung=1),
            event("checked", "half-time", outcome="passed", saw="It took 50 s."),
            event("checked", "half-time", outcome="not yet", saw="It took 200 s."),
            event("solved", "half-time"),
        ).page
    ).text

    assert "Outcome: passed" in text
    assert "It took 50 s." in text
    assert "It took 200 s." not in text
    assert "3 checks, 1 hint, the solution was seen" in text


def test_a_recording_is_drawn_once_and_referred_to():
    again = event("checked", "half-time", outcome="passed", recording=COMPARED.recording)
    page = made(COMPARED, again, recordings={COMPARED.recording: settled()}).page
    assert page.count("<figure") == page.count(DRAWING) == 1
    assert page.count('href="#chart-1"') == 2
    assert "Chart 1 · pairs.jsonl" in page
    assert "Completed: 10 of 10 replicas run 1.1." in page


def test_a_report_needs_no_script_and_nothing_from_outside():
    page = made(COMPARED, recordings={COMPARED.recording: settled()}).page
    found = Page(page)

    assert {"script", "link", "img", "iframe", "object"} & set(found.names) == set()
    loads = [value for name, value in found.attributes if name in ("src", "href", "data")]
    assert "#chart-1" in loads
    assert all(value.startswith("#") for value in loads)
    assert "@import" not in page
    assert "url(http" not in page
    assert len(page) < 100_000, "plotly.js stays out"


@pytest.mark.parametrize(("provenance", "badges"), [("engine", 0), ("simulated", 1)])
def test_a_chart_says_where_its_recording_is_from_and_what_is_torn(provenance, badges):
    recording = settled()
    recording.header = replace(recording.header, provenance=provenance)
    recording.torn_lines = 2
    page = made(COMPARED, recordings={COMPARED.recording: recording}).page
    assert page.count('class="labkit-made"') == badges
    assert "2 lines of the file could not be read" in page


def test_a_recording_that_is_gone_is_said_in_a_sentence_without_a_path():
    page = made(event("compared", "pairs", recording="/home/ada/lab/pairs.jsonl")).page
    assert "It cannot be drawn: the file is missing" in page
    assert "/home/ada" not in page


def test_too_many_charts_are_counted():
    events = [event("checked", "half-time", recording=f"{n}.jsonl") for n in range(MOST_CHARTS + 3)]
    page = made(*events).page
    assert page.count("<figure") == MOST_CHARTS
    assert "3 more recordings are not drawn here." in page


def test_no_text_is_markup():
    recording, _, _ = play(9, hostile=True)
    words: dict[str, Any] = {
        "saw": HOSTILE,
        "because": HOSTILE,
        "try_next": HOSTILE,
        "choice": HOSTILE,
    }
    events = [
        event("predicted", "pairs", why=HOSTILE, choice=HOSTILE),
        event("compared", "pairs", answer=HOSTILE, recording=HOSTILE, **words),
        event("checked", "half-time", outcome=HOSTILE, recording="b" + HOSTILE, **words),
    ]
    pairs = Item(2, "question", "pairs", HOSTILE, HOSTILE, {"x": HOSTILE})
    plan = [pairs, Item(2, "exercise", "half-time", HOSTILE)]
    progress = Progress.of(events, plan, {2: HOSTILE})

    for html in (
        Report(progress, events, {HOSTILE: recording}).page,
        views.ProgressTable(progress)._repr_html_(),
    ):
        assert_text_only(html)


def test_a_report_of_nothing_says_that_nothing_was_done():
    text = Page(made().page).text
    assert text.count("Nothing done here yet.") == 2


def test_a_report_says_when_it_was_made_if_it_is_told():
    assert "Made 2026-03-01 09:00 UTC." in made(now=at(0)).page
    assert "Made " not in made().page


def test_a_report_is_saved_to_a_file_or_refused_with_a_sentence(tmp_path, monkeypatch, capsys):
    """It says where; in a notebook there is a link as well."""
    shown: list[Any] = []
    monkeypatch.setattr(report, "_display", shown.append)
    monkeypatch.chdir(tmp_path)
    made(COMPARED).save("report.html")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == f"{tmp_path}/report.html: open it in a browser.\n"
    assert not shown
    monkeypatch.setattr(report, "get_ipython", object)
    made(COMPARED).save(tmp_path / "report.html")
    assert "href='report.html'" in shown[0]._repr_html_()

    for path in (tmp_path / "none" / "report.html", "nul\0.html"):
        with pytest.raises(LabError, match="an existing folder"):
            made().save(path)
