"""Claims about what a learner has done, and what is next."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit.base.errors import LabError
from labkit.lessons.journal import Event, Item, Journal, Progress, Standing
from tests.claims import each_claim
from tests.values import at

PLAN = (
    Item(1, "question", "first-slot", "Which slot goes first?"),
    Item(1, "exercise", "half-time", "In half the time"),
    Item(2, "question", "pairs", "How long do pairs take?"),
    Item(2, "question", "completed", "When does it say completed?"),
    Item(3, "exercise", "bad-image", "Survive a bad image"),
)
KINDS = ("began", "predicted", "compared")
NAMES = {1: "rolling-updates", 2: "updates-in-parallel", 3: "rolling-back"}


def event(kind: Any, name: str = "", *, step: int = 1, **more: Any) -> Event:
    return Event(at=at(0), kind=kind, step=step, name=name, **more)


def compared(name: str, choice: str = "a") -> Event:
    """A recording answers a; that was predicted, unless another choice is given."""
    return event("compared", name, choice=choice, answer="a")


def checked(name: str, outcome: str) -> Event:
    return event("checked", name, outcome=outcome)


def standing(name: str, *events: Event) -> Standing:
    standings = Progress.of(events, PLAN).standings
    return next(each for each in standings if each.item.name == name)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "new" / "journal.jsonl")


# ---- the journal -------------------------------------------------------------------


def test_every_field_of_an_event_comes_back(journal: Journal):
    full = Event(
        at=at(1.5),
        kind="compared",
        step=2,
        name="pairs",
        outcome="",
        choice="50s",
        answer="70s",
        why="Two at a time: ten by two.\nÜ \u2028",
        rung=0,
        saw="It took 70 s.",
        because="The delay comes after each slot.",
        try_next="Set the delay to 0.",
        recording="recordings/a.jsonl",
    )
    short = event("reset", step=0)
    journal.add(full)
    journal.add(short)

    assert journal.events() == [full, short]


def test_a_journal_that_was_never_written_has_no_events(journal: Journal):
    assert journal.events() == []
    assert not journal.path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_its_owner_may_read_a_journal(journal: Journal):
    """The learner's own sentences are in it."""
    journal.add(event("began", "half-time"))
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_reader_forgives_what_is_torn_or_of_a_newer_labkit(journal: Journal):
    journal.add(event("began", "half-time"))
    row = json.loads(journal.path.read_text())
    others = [
        row | {"a new field": 1},
        row | {"kind": "of a newer labkit"},
        row | {"step": "1"},
        row | {"step": True},
        row | {"name": None},
        row | {"at": "yesterday"},
        row | {"at": "2026-03-01T09:00:00"},
        {"kind": "began", "step": 1},
    ]
    text = "".join(json.dumps(each) + "\n" for each in others)
    journal.path.write_text(text + '{"kind": "beg')

    assert journal.events() == [event("began", "half-time")]


def test_a_sentence_without_end_is_cut_and_its_event_kept(journal: Journal):
    journal.add(event("predicted", "pairs", why="ü" * 1_000_000))
    assert len(journal.events()[0].why) == 5000


def test_what_cannot_be_kept_is_said_in_sentences(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="to keep your progress in"):
        Journal(tmp_path / "file" / "journal.jsonl").add(event("began", "half-time"))
    with pytest.raises(LabError, match="to read your progress in"):
        Journal(tmp_path).events()


# ---- what is done ------------------------------------------------------------------


@each_claim(__file__, "question", "does", "state", "done")
def test_a_question_is_done_when_the_recording_has_answered(does, state, done):
    assert_stands("pairs", does, state, done)


@each_claim(__file__, "exercise", "does", "state", "done")
def test_an_exercise_is_done_when_it_has_passed_once(does, state, done):
    """The lesson goes on, and a later check finds another service."""
    assert_stands("half-time", does, state, done)


def assert_stands(name: str, does: list[str], state: str, done: bool) -> None:
    """Hold that an item stands so after what was done: a kind of event, or what a check found."""
    found = standing(name, *did(name, does))

    assert (found.state, found.done) == (state, done)


def did(name: str, does: list[str]) -> list[Event]:
    """The events of one item; a comparison has the prediction that was made before the first."""
    events: list[Event] = []
    choice = next((each for each in does if each in ("predicted", "compared")), "")
    for each in does:
        if each == "late":
            events.append(event("predicted", name, choice="b", outcome="late"))
        elif each == "compared":
            events.append(compared(name, "a" if choice == "predicted" else ""))
        else:
            events.append(event(each, name) if each in KINDS else checked(name, each))
    return events


def test_a_hint_that_is_read_twice_counts_once():
    hints = [event("hinted", "half-time", rung=rung) for rung in (1, 1, 2)]
    found = standing("half-time", *hints, event("solved", "half-time"))
    assert (found.hints, found.solved, found.state) == (2, True, "open")


def test_a_notebook_that_is_run_again_asks_its_own_questions_and_takes_nothing_back():
    done = [checked("half-time", "passed"), compared("first-slot"), compared("pairs")]
    again = [*done, event("reset", step=1)]

    assert standing("half-time", *again) == standing("half-time", *done)
    assert standing("pairs", *again) == standing("pairs", *done)
    asked = standing("first-slot", *again)
    assert (asked.state, asked.done, asked.mark) == ("open", True, "✓")
    assert asked.words == "open (done before)"
    never = standing("completed", *done, event("reset", step=2))
    assert (never.done, never.words) == (False, "open")
    redone = standing("first-slot", *again, compared("first-slot", "b"))
    assert (redone.done, redone.words, redone.mark) == (True, "not as predicted", "●")
    twice = standing("first-slot", *again, event("reset", step=1))
    assert twice.done


def test_what_is_forgotten_is_open_again_from_its_step_on():
    done = [checked("half-time", "passed"), compared("pairs"), event("forgot", step=2)]
    assert standing("half-time", *done).done
    assert standing("pairs", *done) == standing("pairs")
    assert not standing("bad-image", checked("bad-image", "passed"), done[-1]).done


def test_a_prediction_that_did_not_come_true_has_a_sign_of_its_own():
    """It is done, and nothing is marked wrong."""
    signs = {
        choice: (found.done, found.mark, found.words)
        for choice in ("a", "b", "")
        for found in [standing("pairs", compared("pairs", choice))]
    }

    assert signs == {
        "a": (True, "✓", "as predicted"),
        "b": (True, "●", "not as predicted"),
        "": (False, "–", "not predicted"),
    }


def test_what_was_not_predicted_in_time_does_not_count_and_holds_nothing_up():
    events = [compared("pairs"), compared("completed", "")]
    found = Progress.of(events, PLAN, NAMES)
    assert (found.counts(2), found.mark(2)) == ("1 of 2 predictions", "·")
    assert found.to_do(2) == "1 not predicted in time"
    assert Progress.of([compared("first-slot", "")], PLAN).next == PLAN[1]


def test_next_is_the_first_item_of_the_lesson_that_is_not_done():
    assert Progress.of([], PLAN).next == PLAN[0]
    assert Progress.of([compared("first-slot")], PLAN).next == PLAN[1]
    assert Progress.of([compared("pairs")], PLAN).next == PLAN[0]
    every = [compared(each.name) for each in PLAN]
    every += [checked(each.name, "passed") for each in PLAN]
    assert Progress.of(every, PLAN).next is None


def test_an_event_of_another_lesson_says_nothing():
    assert Progress.of([event("compared", "nosuch")], PLAN) == Progress.of([], PLAN)


def test_in_a_terminal_there_is_a_line_a_notebook():
    events = [
        compared("first-slot"),
        checked("half-time", "passed"),
        compared("completed"),
        event("reset", step=2),
    ]

    assert str(Progress.of(events, PLAN, NAMES)).splitlines() == [
        "✓ 1 · rolling-updates      1 of 1 prediction, 1 of 1 exercise  all done",
        "→ 2 · updates-in-parallel  1 of 2 predictions                  "
        "next: How long do pairs take?",
        "· 3 · rolling-back         0 of 1 exercise                     next: Survive a bad image",
    ]


def test_a_lesson_without_items_has_nothing_to_do():
    assert str(Progress.of([], ())) == "There is nothing to do in this lesson."
    assert Progress.of([], ()).next is None


def test_progress_is_facts_for_a_machine():
    facts = Progress.of([compared("pairs"), event("reset", step=2)], PLAN).facts()

    assert json.loads(json.dumps(facts)) == facts
    assert facts[2] == {
        "step": 2,
        "kind": "question",
        "name": "pairs",
        "title": "How long do pairs take?",
        "state": "open",
        "done": True,
        "done_before": True,
        "hints": 0,
        "solution_seen": False,
    }
