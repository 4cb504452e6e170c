"""An exercise as a cell shows it: what is asked for, and a live view of the worker."""

from __future__ import annotations

from collections.abc import Callable

from IPython import display as ipython

from labkit.views.cards import Card
from labkit.views.watch import Watch

_display: Callable[..., object] = ipython.display


class Workbench:
    """What `labkit.exercise` returns; `view` is the live view, where there is one to watch."""

    def __init__(self, card: Card, view: Watch | None) -> None:
        self._card = card
        self.view = view

    def _ipython_display_(self) -> None:
        _display(self._card)
        if self.view is not None:
            _display(self.view)

    def __repr__(self) -> str:
        return repr(self._card)
