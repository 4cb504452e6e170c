"""A question that can be answered in the cell that asks it."""

from collections.abc import Callable
from typing import Any

import ipywidgets
from IPython import display as ipython

from labkit.base.errors import LabError
from labkit.lessons.checks import Choice, Question
from labkit.views.cards.cards import Card, question
from labkit.views.cards.workbench import show_controls
from labkit.views.live import page
from labkit.views.state.words import plain

#: Takes the key of what was chosen, and the learner's reason; returns whether that was too late
#: to be a prediction. Raises `LabError` where it cannot.
Take = Callable[[str, str], bool]

_display: Callable[..., object] = ipython.display
_WIDE = {"width": "auto", "max_width": "100%"}


class Asked:
    """A question as a cell shows it. What is chosen is noted at once, and may be changed.

    `choice` is what was noted; where that failed, or came after the recording had answered,
    the line below says so.
    """

    def __init__(
        self,
        asked: Question,
        chosen: Choice | None,
        why: str,
        take: Take,
        *,
        late: bool = False,
        answered: bool = False,
    ) -> None:
        self._question = asked
        self._take = take
        self._answered = answered
        self.choice = chosen
        self._card: Card = question(asked)
        self._radio = ipywidgets.RadioButtons(
            options=[(plain(each.label), each.key) for each in asked.choices],
            value=chosen.key if chosen else None,
            layout=_WIDE,
        )
        self._why = ipywidgets.Text(
            value=why,
            description="Because",
            placeholder="one sentence, for yourself",
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": "auto", "max_width": "60ch"},
        )
        self._noted = ipywidgets.Label(value=self._words(late=late))
        self._buttons = ipywidgets.VBox([self._radio, self._why, self._noted])
        self._buttons.add_class("labkit-asked")  # with this the card does without its list
        page.answer_at_once(self._buttons)
        self._radio.observe(self._changed, names="value")
        self._why.observe(self._changed, names="value")

    def _changed(self, _: Any) -> None:
        if self._radio.value is None:  # a reason alone says nothing
            self._noted.value = "Choose first; the reason goes with it."
            return
        chosen = self._question.choice(self._radio.value)
        try:
            late = self._take(chosen.key, self._why.value)
        except LabError as problem:  # an exception here would be invisible
            what = problem.found or problem.expected  # an error of one sentence has only that
            tried = f" Try: {problem.try_next}" if problem.try_next else ""
            self._noted.value = plain(f"Not noted: {what}{tried}")
            return
        self.choice = chosen
        self._noted.value = self._words(late=late)

    def _words(self, *, late: bool) -> str:
        if self.choice is None:
            has = "has answered already" if self._answered else "will answer"
            return f"Nothing is marked wrong: your own recording {has}."
        noted = f"Noted: {plain(self.choice.label)}."
        if late:
            return f"{noted} The recording had answered already, so this does not count."
        if self._answered:
            return noted
        return f"{noted} You may change it until the recording answers."

    def _ipython_display_(self) -> None:
        _display(self._card)
        show_controls(self._buttons, "an answer can be chosen here.")

    def __repr__(self) -> str:
        return repr(self._card)
