"""An exercise as a card that one works from: its buttons, how things stand, what they said.

What a button asks for is done in a job of its own, so that no cell waits for a check that
waits. The answer goes into the cell's output as a card, which a saved notebook keeps; the
buttons are there with a kernel only, and each has a call that does the same.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import ipywidgets
from IPython import display as ipython

from labkit.base.errors import LabError
from labkit.base.jobs import Job
from labkit.base.rules import unmarked
from labkit.lessons import room
from labkit.lessons.checks import Exercise, Finding
from labkit.views.cards import cards
from labkit.views.cards.cards import Card
from labkit.views.live import page
from labkit.views.live.replay import Replay
from labkit.views.live.watch import Watch
from labkit.views.state.words import plain

#: What the button says that asks the instructor for help, before and after.
_STUCK, _ASKED = "I'm stuck", "You asked for help: take it back"

_display: Callable[..., Any] = ipython.display
_html: Callable[[str], object] = ipython.HTML


class _Desk(Protocol):
    """Where an exercise is done; each call may take as long as its engine does."""

    #: Begins it, anew if need be; returns what was done, and a view of what is watched.
    def begin(self) -> tuple[Iterable[str], Watch | Replay]: ...
    #: Returns how the service stands, in a sentence; `""` if there is none.
    def state(self) -> str: ...
    #: Calls a listener after each change, from the job that sees it.
    def follow(self, listener: Callable[[], None]) -> None: ...
    #: Says how it stands; meanwhile `say` receives what it waits for.
    def check(self, say: Callable[[str], None]) -> Finding: ...
    #: Returns the next hint, or the solution.
    def help(self, kind: str) -> Any: ...
    #: Asks the instructor for help, or takes that back.
    def stuck(self, *, over: bool) -> None: ...


class Workbench:
    """What `labkit.exercise` returns; `view` is live, or a recording to be played."""

    def __init__(self, begun: Exercise, desk: _Desk) -> None:
        self._exercise, self._desk = begun, desk
        done, self.view = desk.begin()
        self._card = cards.exercise(begun, done)
        self._displayed: dict[str, str] = {}
        self._state = ipywidgets.Label(layout={"width": "auto"})
        self._buttons = [
            self._button("Check", "check", self._check),
            self._button("Hint", "hint", lambda: cards.hint(desk.help("hint"))),
            self._button("Solution", "solution", lambda: cards.solution(desk.help("solution"))),
            self._button("Start again", "exercise", self._begin),
        ]
        self._stuck = self._toggle()
        shown = [*self._buttons, self._stuck] if room.sign() else self._buttons
        self._controls = ipywidgets.VBox([ipywidgets.HBox(shown), self._state])
        self._controls.add_class("labkit-tools")  # with this the card does without its calls
        page.answer_at_once(self._controls)
        self._follow()

    def _button(self, label: str, call: str, act: Callable[[], Card]) -> Any:
        tooltip = f'labkit.{call}("{self._exercise.name}")'
        made = ipywidgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        made.on_click(lambda _: self.press(act))
        return made

    def _toggle(self) -> Any:
        made = ipywidgets.ToggleButton(description=_STUCK, layout={"width": "auto"})
        made.tooltip = f'Your instructor sees it: labkit.stuck("{self._exercise.name}")'

        def pressed(change: Any) -> None:
            made.description = _ASKED if change["new"] else _STUCK
            self._desk.stuck(over=not change["new"])

        made.observe(pressed, names="value")
        return made

    # ---- what the buttons do ---------------------------------------------------------

    def press(self, act: Callable[[], Card]) -> Job:
        """Do what a button asks for and show what comes of it; only one thing at a time."""
        for button in self._buttons:
            button.disabled = True
        return Job.of(lambda: self._run(act), "exercise").start()

    def _run(self, act: Callable[[], Card]) -> None:
        try:
            said = act()
        except Exception as problem:  # it would be invisible here
            what = str(problem) if isinstance(problem, LabError) else repr(problem)
            said = Card("way", "**That did not work**", what, cells=[("markdown", unmarked(what))])
        self._show("said", said)
        for button in self._buttons:
            button.disabled = False
        self._tell()

    def _check(self) -> Card:
        self._say("Checking …")
        found = self._desk.check(lambda sentence: self._say(f"Waiting. {sentence}"))
        self._stuck.value = self._stuck.value and not found.passed
        return cards.finding(found)

    def _begin(self) -> Card:
        self._say("Starting again: this takes a few seconds …")
        done, view = self._desk.begin()
        if isinstance(view, Watch) and isinstance(self.view, Watch):
            view.take_place_of(self.view)
            self.view = view
        self._stuck.value = False
        self._card = cards.exercise(self._exercise, done)
        self._show("card", self._card)
        self._follow()
        return Card("rest", "Started again.", "Started again.")

    # ---- how things stand ------------------------------------------------------------

    def _follow(self) -> None:
        self._desk.follow(self._tell)
        self._tell()

    def _tell(self) -> None:
        """Say how the service stands, unless a button is at work, which says what it does."""
        if not self._buttons[0].disabled:
            self._say(self._desk.state())

    def _say(self, sentence: str) -> None:
        self._state.value = plain(sentence)

    # ---- in a cell -------------------------------------------------------------------

    def _show(self, where: str, card: Card) -> None:
        if where in self._displayed:
            self._put(where, card, update=True)

    def _put(self, where: str, what: Any, **how: bool) -> None:
        display_id = self._displayed.setdefault(where, uuid.uuid4().hex)
        _display(what, display_id=display_id, metadata=page.lasting(display_id), **how)

    def _ipython_display_(self) -> None:
        self._displayed.clear()
        self._put("card", self._card)
        show_controls(self._controls, "there are buttons here: Check, Hint, Solution, Start again.")
        self._put("said", _html(""))
        _display(self.view)

    def __repr__(self) -> str:
        return repr(self._card)


def show_controls(controls: Any, instead: str) -> None:
    """Display widgets; where none can be, as in an export, a sentence stands in their place."""
    shown = controls._repr_mimebundle_()
    _display({**shown, "text/plain": f"(With a kernel, {instead})"}, raw=True)
