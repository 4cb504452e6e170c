"""Claims about cards: what a check, a comparison, a hint, a solution or an exercise says."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from labkit.lessons import Hint, Solution, checks
from labkit.lessons.checks import Compared, Reading
from labkit.lessons.checks.finding import Finding
from labkit.views.cards import cards
from tests.acting import HOSTILE
from tests.views.acted import QUESTION, READING, Page, assert_text_only


def shown(card: cards.Card) -> str:
    """What somebody reads on a card."""
    return Page(card._repr_html_()).text


# ---- what a check says -------------------------------------------------------------


@pytest.mark.parametrize(
    ("finding", "mark"),
    [
        (Finding("passed", "it took 12.0 s.", "Five at a time."), "✓ passed"),
        (Finding("not yet", "it took 50.0 s.", "One at a time.", "more at a time."), "… not yet"),
        (
            Finding("not attempted", "no update.", "Nothing can be judged.", "update it."),
            "○ not attempted",
        ),
    ],
    ids=lambda value: getattr(value, "outcome", ""),
)
def test_a_finding_is_a_sign_and_words_and_no_colour_alone(finding: checks.Finding, mark: str):
    said = shown(cards.finding(finding))
    assert said.startswith(mark)
    assert f"Seen: {finding.saw}Why: {finding.because}" in said
    assert said.endswith(f"Try: {finding.try_next}" if finding.try_next else finding.because)


def test_each_outcome_has_an_edge_of_its_own():
    moods = {
        cards.finding(finding)._repr_html_().rpartition("data-mood=")[2][:6]
        for finding in (
            Finding("passed", "a", "b"),
            Finding("not yet", "a", "b", "c"),
            Finding("not attempted", "a", "b", "c"),
        )
    }

    assert len(moods) == 3


# ---- predictions -------------------------------------------------------------------


def test_a_comparison_says_what_was_said_what_was_believed_and_what_was_seen():
    said = shown(cards.compared(Compared(QUESTION, QUESTION.choice("25"), READING)))
    assert "You said “About 25 s”. That takes the delay to come between pairs." in said
    assert "The recording shows: the update took 45.1 s." in said
    assert said.endswith("Why: Each updater sleeps.Try: set the delay to 0s.")


def test_what_was_predicted_is_said_to_be_so_and_nothing_predicted_to_be_nothing():
    so = shown(cards.compared(Compared(QUESTION, QUESTION.choice("45"), READING)))
    nothing = shown(cards.compared(Compared(QUESTION, None, READING)))
    assert "You said “About 45 s”. The recording agrees." in so
    assert "You made no prediction" in nothing


def test_a_question_in_a_terminal_says_how_to_choose():
    assert repr(cards.question(QUESTION)).splitlines() == [
        "How long do `pairs` take?",
        "  25: About 25 s",
        "  45: About 45 s",
        'Choose with labkit.question("pairs", choose="25")',
    ]


def test_a_questions_choices_are_on_the_card_until_there_are_buttons():
    """The style sheet, which every card brings, hides the list then."""
    card = cards.question(QUESTION)._repr_html_()
    assert '<ul class="labkit-choices"><li>About 25 s</li><li>About 45 s</li></ul>' in card
    assert ":has(.labkit-asked:not(.jupyter-widgets-disconnected)) .labkit-choices" in card
    assert "first." in card.split('<p class="labkit-gone">')[1]


# ---- hints, solutions, exercises ---------------------------------------------------


def test_a_hint_says_how_things_stand_first():
    said = shown(cards.hint(Hint("The service runs 1.0.", "Look at the slots.", 1, 3)))
    assert said == "Hint 1 of 3The service runs 1.0.Look at the slots."


def test_a_solution_is_words_and_code_in_their_order():
    card = cards.solution(
        Solution("Half", (("markdown", "**Why.** *So*.\n\nThen:"), ("code", "x = 'a < b'\ny = 2")))
    )
    assert shown(card) == "A solution · HalfWhy. So.Then:x = 'a < b'\ny = 2"
    assert "<p><b>Why.</b> <i>So</i>.</p><p>Then:</p><pre><code>x = " in card._repr_html_()


def test_an_exercise_says_what_to_do_what_was_prepared_and_what_can_be_called():
    exercise = checks.EXERCISES["twelve-seconds"]
    said = shown(cards.exercise(exercise, ["dc_worker removed"]))
    assert said.startswith("Exercise · Twelve seconds a slot")
    assert "What was prepareddc_worker removed." in said
    for name in ("check", "hint", "solution"):
        assert f'labkit.{name}("twelve-seconds")' in said


# ---- text --------------------------------------------------------------------------


def test_lines_that_begin_as_items_are_a_list():
    card = cards.solution(Solution("x", (("markdown", "Two:\n\n- **a**: 1\n- b\n\nend"),)))
    assert "<p>Two:</p><ul><li><b>a</b>: 1</li><li>b</li></ul><p>end</p>" in card._repr_html_()


def test_text_from_an_engine_is_never_markup():
    """Wherever it stands: in a finding, in a reading, in what was prepared, in code."""
    exercise = checks.EXERCISES["twelve-seconds"]
    reading = Reading("45", HOSTILE, HOSTILE, HOSTILE)
    for card in (
        cards.finding(Finding("not yet", HOSTILE, HOSTILE, HOSTILE)),
        cards.compared(Compared(QUESTION, None, reading)),
        cards.exercise(exercise, [HOSTILE]),
        cards.hint(Hint(HOSTILE, HOSTILE, 1, 1)),
        cards.solution(Solution(HOSTILE, (("markdown", HOSTILE), ("code", HOSTILE)))),
    ):
        page = assert_text_only(card._repr_html_())
        assert "$x$ &amp; %{y}" in page.text


# ---- in Jupyter --------------------------------------------------------------------


def test_jupyter_shows_what_comes_back_as_a_card_and_a_terminal_as_lines():
    shell = InteractiveShell.instance()
    try:
        cards.enable()
        finding = Finding("passed", "it took 12.0 s.", "Five at a time.")
        data, _ = shell.display_formatter.format(finding)
    finally:
        InteractiveShell.clear_instance()

    assert 'data-mood="good"' in data["text/html"]
    assert data["text/plain"] == str(finding)


def test_without_jupyter_nothing_is_registered():
    cards.enable()  # and raises nothing
