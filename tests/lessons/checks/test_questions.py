"""Every question of the lesson: how it is put, and that the lesson's own recording answers it."""

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.base.errors import NotSettled
from labkit.lessons.checks import QUESTIONS, Compared
from labkit.recordings.recording import Recording
from swarmsim.model import Behaviour
from tests.lessons.checks.lesson import LESSON, cut, recorded
from tests.played import CRASHES, Played

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
SENTENCE = re.compile(r"[.?]$")

each_question = pytest.mark.parametrize("name", QUESTIONS)


def test_there_is_a_recording_for_every_question():
    assert list(LESSON) == list(QUESTIONS)


def test_questions_come_in_the_order_of_the_lesson_and_every_notebook_has_one():
    steps = [question.step for question in QUESTIONS.values()]
    assert steps == sorted(steps)
    assert set(steps) == set(range(len(list(NOTEBOOKS.glob("*.ipynb")))))


@each_question
def test_a_question_has_choices_that_are_told_apart(name: str):
    choices = QUESTIONS[name].choices
    assert len(choices) >= 3
    assert len({choice.key for choice in choices}) == len(choices)
    assert len({choice.label for choice in choices}) == len(choices)
    assert all(choice.key for choice in choices), "an empty key is for none of them"


@each_question
def test_a_question_and_its_beliefs_are_sentences_and_a_label_goes_into_one(name: str):
    question = QUESTIONS[name]

    assert question.text.endswith("?")
    for choice in question.choices:
        assert choice.belief.endswith(".")
        assert len(choice.belief.split()) > 8, "a belief says what is taken to be so"
        assert choice.label[-1] not in ".?!:", f"You said “{choice.label}”. The recording agrees."
        assert len(choice.label) < 90, "it is read beside a radio button"


@each_question
def test_nothing_is_called_wrong(name: str):
    question, reading = QUESTIONS[name], QUESTIONS[name].read(recorded(name))
    texts = [question.text, reading.saw, reading.because, reading.try_next]
    texts += [text for choice in question.choices for text in (choice.label, choice.belief)]
    assert not re.search(r"\b(wrong|incorrect|mistake|false)\b", " ".join(texts), re.IGNORECASE)


@each_question
def test_the_lesson_shows_the_choice_that_it_teaches(name: str):
    question, reading = QUESTIONS[name], QUESTIONS[name].read(recorded(name))
    assert reading.choice == LESSON[name]
    assert Compared(question, question.choice(LESSON[name]), reading).as_predicted


@each_question
def test_a_reading_is_made_of_sentences(name: str):
    reading = QUESTIONS[name].read(recorded(name))
    assert all(SENTENCE.search(t) for t in (reading.saw, reading.because, reading.try_next))
    assert not re.search(r"  |\.\.|None|timedelta", reading.saw + reading.because)


@each_question
def test_what_has_not_begun_is_not_settled(name: str):
    began = cut(recorded("scale-touched"), 11)  # ten replicas, and nothing done
    for nothing in (began, Recording(began.header)):
        with pytest.raises(NotSettled) as raised:
            QUESTIONS[name].read(nothing)
        told = raised.value
        assert all(SENTENCE.search(t) for t in (told.expected, told.found, told.try_next))


#: An identical deploy is one write, at which it is over.
GOES_ON = [name for name in QUESTIONS if name != "redeploy-new"]


@pytest.mark.parametrize("name", GOES_ON)
def test_what_is_not_over_is_not_settled(name: str):
    whole = recorded(name)
    began = len(whole.changes) * 2 // 3
    with pytest.raises(NotSettled):
        QUESTIONS[name].read(cut(whole, began))


@cache
def many() -> Recording:
    """All kinds of updates of one service, until it is removed."""
    made = Played("1.0")
    made.wait(1)
    made.update(replicas=12)
    made.update("1.1", parallelism=3, delay="2s", order="start-first")
    made.update("1.0", parallelism=0, delay="0s", replicas=10)
    made.update("bugged", CRASHES, parallelism=2, order="stop-first")
    made.update("1.0", failure_action="rollback")
    made.update("late", Behaviour(exits_after="8s"), seconds=40)  # type: ignore[arg-type]
    made.update("bugged")
    made.update("1.1", seconds=7)
    made.update("1.0")
    made.roll_back()
    made.update()
    made.cluster.remove_service(made._service.id)
    made.wait(30)
    return made.recording


@given(st.sampled_from(list(QUESTIONS)), st.data())
def test_any_beginning_of_any_recording_is_read_or_is_not_settled(name: str, data: st.DataObject):
    changes = data.draw(st.integers(0, len(many().changes)))
    question = QUESTIONS[name]
    try:
        reading = question.read(cut(many(), changes))
    except NotSettled:
        return

    assert reading.choice in {"", *(choice.key for choice in question.choices)}
    assert reading.saw
    assert reading.because


@each_question
@given(data=st.data())
def test_any_beginning_of_its_own_recording_is_read_or_is_not_settled(name, data):
    whole = recorded(name)
    part = cut(whole, data.draw(st.integers(0, len(whole.changes))))
    try:
        reading = QUESTIONS[name].read(part)
    except NotSettled:
        return

    assert reading.choice in (LESSON[name], "")


@each_question
def test_a_reading_changes_nothing_of_the_recording(name: str):
    whole = recorded(name)
    before = list(whole.changes), dict(whole.tasks), whole.service
    QUESTIONS[name].read(whole)
    assert (list(whole.changes), dict(whole.tasks), whole.service) == before
