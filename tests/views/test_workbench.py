"""Claims about an exercise as a card: what its buttons do, and what is shown meanwhile."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labkit.base.errors import LabError
from labkit.lessons.checks import EXERCISES, Finding
from labkit.lessons.practice.helping import Hint, Solution
from labkit.views import Replay
from labkit.views.cards import workbench
from labkit.views.cards.workbench import Workbench
from tests.acting import HOSTILE
from tests.views.acted import settled
from tests.waiting import until

EXERCISE = EXERCISES["half-the-time"]
NOT_YET = Finding("not yet", "nine of ten.", "One is missing.", "wait.")


class Learner:
    """Who presses buttons, and what they see; also the desk, whose engine is slow at will."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = 0
        self.service = "Ten replicas run 1.0."
        self.finding = NOT_YET
        self.trouble: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()
        self.listeners: list[Callable[[], None]] = []
        self.shown: list[Any] = []
        self.asked: list[bool] = []
        monkeypatch.setattr(workbench, "_display", self.display)
        self.bench = Workbench(EXERCISE, self)
        self.bench._ipython_display_()

    def display(self, what: Any, **_: Any) -> "Learner":
        self.shown.append(what)
        return self

    update = display

    # ---- the desk

    def begin(self) -> tuple[list[str], Replay]:
        self.began += 1
        return [f"begun {self.began} times"], Replay(settled())

    def state(self) -> str:
        return self.service

    def follow(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def check(self, say: Callable[[str], None]) -> Finding:
        say("3 of 10 replicas run 1.1.")
        assert self.go_on.wait(20)
        if self.trouble:
            raise self.trouble
        return self.finding

    def help(self, kind: str) -> Hint | Solution:
        return Hint("", "Look.", 1, 3) if kind == "hint" else Solution("Half", (("code", "x = 1"),))

    def stuck(self, *, over: bool) -> None:
        self.asked.append(not over)

    # ---- what is seen

    @property
    def sees(self) -> str:
        return str(self.bench._state.value)

    def press(self, label: str) -> None:
        button = next(each for each in self.bench._buttons if each.description == label)
        button.click()

    @property
    def free(self) -> bool:
        return not any(button.disabled for button in self.bench._buttons)


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    return Learner(monkeypatch)


def test_a_card_has_four_buttons_and_each_names_the_call_that_does_the_same(learner: Learner):
    said = {button.description: button.tooltip for button in learner.bench._buttons}

    assert said == {
        "Check": 'labkit.check("half-the-time")',
        "Hint": 'labkit.hint("half-the-time")',
        "Solution": 'labkit.solution("half-the-time")',
        "Start again": 'labkit.exercise("half-the-time")',
    }


def test_without_a_room_nobody_is_asked_for_help(learner: Learner):
    buttons, _ = learner.bench._controls.children
    assert len(buttons.children) == 4


@pytest.mark.parametrize(
    ("label", "asks"), [("Hint", True), ("Check", False), ("Start again", False)]
)
def test_help_is_asked_for_until_it_is_taken_back_or_not_needed(monkeypatch, label, asks):
    monkeypatch.setenv("LABKIT_CLASS", "/nowhere")
    monkeypatch.setenv("LABKIT_ALIAS", "ada")
    learner = Learner(monkeypatch)
    stuck = learner.bench._controls.children[0].children[-1]
    learner.finding = replace(NOT_YET, outcome="passed")
    for value in (True, False, True):
        stuck.value = value
    learner.press(label)
    until(lambda: learner.free, "the button to be done")

    assert learner.asked == [True, False, True] if asks else [True, False, True, False]
    assert ("take it back" in stuck.description) == stuck.value == asks
    assert "**ada**" in str(learner.bench)
    assert "labkit.stuck" in learner.bench._card._repr_html_()


@pytest.mark.parametrize(
    ("label", "says"),
    [("Check", "nine of ten."), ("Hint", "Hint 1 of 3: Look."), ("Solution", "x = 1")],
)
def test_a_button_shows_its_card_in_the_cell(learner: Learner, label: str, says: str):
    learner.press(label)
    until(lambda: learner.free, "the button to be done")
    assert says in str(learner.shown[-1])


def test_a_check_that_waits_says_what_for_and_holds_up_no_cell(learner: Learner):
    learner.go_on.clear()
    learner.press("Check")
    until(lambda: learner.sees == "Waiting. 3 of 10 replicas run 1.1.", "what is waited for")
    assert not learner.free, "one thing at a time"
    learner.go_on.set()
    until(lambda: learner.sees == learner.service, "the check to be done", 20)


def test_how_the_service_stands_is_shown_as_it_changes(learner: Learner):
    assert learner.sees == "Ten replicas run 1.0."
    learner.service = f"Nine run 1.1. {HOSTILE}"
    learner.listeners[-1]()
    assert learner.sees.startswith("Nine run 1.1.")
    assert "\u202e" not in learner.sees


def test_start_again_begins_anew_and_says_what_was_prepared(learner: Learner):
    learner.press("Start again")
    until(lambda: learner.free, "it to have begun")
    assert learner.began == 2
    assert "begun 2 times." in str(learner.shown[-2]), "in the card of the exercise"
    assert len(learner.listeners) == 2


@pytest.mark.parametrize("problem", [LabError("a swarm.", "it is gone.", "wait."), ValueError("x")])
def test_what_goes_wrong_is_said_in_the_cell(learner: Learner, problem: Exception):
    """An exception in a callback is seen by nobody."""
    learner.trouble = problem
    learner.press("Check")
    until(lambda: learner.free, "the check to be done")
    assert "did not work" in learner.shown[-1]._repr_html_()
    assert ("it is gone" in str(learner.shown[-1])) == isinstance(problem, LabError)


def test_where_there_are_no_buttons_a_sentence_stands_in_their_place(learner: Learner):
    """As in an HTML export; the card beside it names the calls."""
    (bundle,) = (each for each in learner.shown if isinstance(each, dict))
    assert "VBox" not in bundle["text/plain"]
    assert "Check, Hint, Solution, Start again" in bundle["text/plain"]
    assert "labkit.check(&#34;half-the-time&#34;)" in learner.shown[0]._repr_html_()
