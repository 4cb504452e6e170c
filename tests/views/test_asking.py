"""Claims about a question that can be answered in a notebook."""

from dataclasses import replace
from typing import Any

import pytest

from labkit.base.errors import BadValue, LabError
from labkit.lessons.checks import Choice, Question
from labkit.views.cards import asking, workbench
from labkit.views.cards.asking import Asked
from tests.acting import HOSTILE
from tests.views.acted import QUESTION

HOSTILE_QUESTION = replace(QUESTION, text=HOSTILE, choices=(Choice("a", HOSTILE, HOSTILE),))


class Learner:
    """Who answers, and what was taken of it."""

    def __init__(
        self, question: Question = QUESTION, chosen: Choice | None = None, why: str = ""
    ) -> None:
        self.noted: list[tuple[str, str]] = []
        #: What keeps it from being noted, if anything.
        self.trouble: LabError | None = None
        #: Whether the recording has answered by now.
        self.answered = False
        self.asked = Asked(question, chosen, why, self.note)
        self.radio, self.why, self.said = self.asked._buttons.children

    def note(self, key: str, why: str) -> bool:
        if self.trouble:
            raise self.trouble
        self.noted.append((key, why))
        return self.answered

    @property
    def sees(self) -> str:
        return str(self.said.value)


def test_what_is_chosen_is_noted_at_once():
    learner = Learner()
    assert learner.radio.value is None
    assert "Nothing is marked wrong" in learner.sees

    learner.radio.value = "25"

    assert learner.noted == [("25", "")]
    assert learner.sees.startswith("Noted: About 25 s.")
    assert learner.asked.choice == QUESTION.choice("25")


def test_a_reason_goes_with_the_choice():
    learner = Learner()
    learner.radio.value = "25"
    learner.why.value = "ten seconds saved"
    assert learner.noted == [("25", ""), ("25", "ten seconds saved")]


def test_a_reason_alone_is_nothing_yet_and_is_not_lost():
    learner = Learner()
    learner.why.value = "because"
    assert learner.noted == []
    assert learner.sees == "Choose first; the reason goes with it."
    learner.radio.value = "45"
    assert learner.noted == [("45", "because")]


def test_a_mind_may_be_changed():
    learner = Learner()
    for key in ("25", "45", "25"):
        learner.radio.value = key
    assert [key for key, _ in learner.noted] == ["25", "45", "25"]
    assert learner.sees.startswith("Noted: About 25 s.")


def test_a_choice_after_the_recording_has_answered_is_said_not_to_count():
    learner = Learner()
    learner.answered = True

    learner.radio.value = "25"

    assert learner.sees == (
        "Noted: About 25 s. The recording had answered already, so this does not count."
    )
    asked = Asked(QUESTION, QUESTION.choice("25"), "", learner.note, late=True)
    assert "does not count" in asked._noted.value
    known = Asked(QUESTION, QUESTION.choice("25"), "", learner.note, answered=True)
    assert known._noted.value == "Noted: About 25 s."


def test_asked_anew_it_shows_what_was_chosen_and_notes_nothing():
    """As when the notebook is run again from the top."""
    learner = Learner(chosen=QUESTION.choice("45"), why="I know")
    assert learner.radio.value == "45"
    assert learner.why.value == "I know"
    assert learner.sees.startswith("Noted: About 45 s.")
    assert learner.noted == []


def test_a_choice_that_cannot_be_kept_says_so_and_is_none():
    """An error of a button is shown to nobody, and a choice that is shown is believed."""
    learner = Learner()
    learner.radio.value = "25"
    learner.trouble = LabError("to keep it.", "No space left on\x1b[31m it.", "make room.")

    learner.radio.value = "45"

    assert learner.sees == "Not noted: No space left on\\x1b[31m it. Try: make room."
    assert learner.asked.choice == QUESTION.choice("25")
    learner.trouble = BadValue("LABKIT_STACK is a name")
    learner.why.value = "for a reason"
    assert learner.sees == "Not noted: LABKIT_STACK is a name"
    learner.trouble = None
    learner.why.value = "for this reason"
    assert learner.sees.startswith("Noted: About 45 s.")
    assert learner.noted == [("25", ""), ("45", "for this reason")]


def test_hostile_choices_and_reasons_are_text():
    """What widgets show is text; what cannot be seen is spelled out, what is noted is whole."""
    learner = Learner(HOSTILE_QUESTION)
    ((label, key),) = learner.radio.options

    learner.radio.value = key
    learner.why.value = HOSTILE

    for text in (label, learner.sees):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert learner.noted[-1] == ("a", HOSTILE)
    assert "<script>" not in learner.asked._card._repr_html_()


def test_a_cell_shows_the_card_and_then_the_buttons(monkeypatch: pytest.MonkeyPatch):
    shown: list[Any] = []
    monkeypatch.setattr(asking, "_display", shown.append)
    monkeypatch.setattr(workbench, "_display", lambda bundle, **_: shown.append(bundle))
    learner = Learner()

    learner.asked._ipython_display_()

    card, controls = shown
    assert card is learner.asked._card
    assert controls["text/plain"] == "(With a kernel, an answer can be chosen here.)"
    model = controls["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model == learner.asked._buttons.model_id
    assert 'labkit.question("pairs", choose="25")' in repr(learner.asked)
