"""How things stand while a cell waits: one line that is replaced, and then goes."""

from collections.abc import Callable
from typing import Any, Self

from IPython import display as ipython
from IPython.core.getipython import get_ipython

from labkit.base import echo
from labkit.views.pages import render
from labkit.views.state.words import plain

_html: Callable[[str], object] = ipython.HTML
_display: Callable[..., Any] = ipython.display


class Meanwhile:
    """Shows a progress line, in a notebook or in a terminal, and removes it at the end.

    >>> with Meanwhile() as meanwhile:       # doctest: +SKIP
    ...     meanwhile.say("Updating: 3 of 10 replicas run 1.1.")
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._said = ""

    def say(self, sentence: str) -> None:
        """Show a sentence in place of the one before."""
        if sentence == self._said:
            return
        self._said = sentence
        if get_ipython() is None:
            echo.replace_line(plain(sentence))
            return
        html = _html(render("cards/meanwhile.html", sentence=sentence))
        if self._handle is None:
            self._handle = _display(html, display_id=True)
        else:
            self._handle.update(html)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.update(_html(""))
        elif self._said:
            echo.replace_line()
