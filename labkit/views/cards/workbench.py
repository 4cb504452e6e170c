"""An exercise as a cell shows it: what is asked for, and what there is to watch."""

from __future__ import annotations

from collections.abc import Callable

from IPython import display as ipython

from labkit.views.cards.cards import Card
from labkit.views.live.replay import Replay
from labkit.views.live.watch import Watch

_display: Callable[..., object] = ipython.display


class Workbench:
    """What `labkit.exercise` returns; `view` is live, or a recording to be played."""

    def __init__(self, card: Card, view: Watch | Replay) -> None:
        self._card = card
        self.view = view

    def _ipython_display_(self) -> None:
        _display(self._card)
        _display(self.view)

    def __repr__(self) -> str:
        return repr(self._card)
