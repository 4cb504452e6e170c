"""Claims about the line that says how things stand while a cell waits."""

import io
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from labkit.base import echo
from labkit.views.cards import meanwhile
from labkit.views.cards.meanwhile import Meanwhile
from tests.acting import HOSTILE
from tests.views.acted import Page, assert_text_only


class Notebook:
    """What a cell shows: the newest HTML of each output, and how often it changed."""

    def __init__(self) -> None:
        self.outputs: list[str] = []
        self.changes = 0

    def display(self, html: Any, *, display_id: bool) -> Any:
        assert display_id
        self.outputs.append(html.data)
        return self

    def update(self, html: Any) -> None:
        self.changes += 1
        self.outputs[-1] = html.data


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    shown = Notebook()
    monkeypatch.setattr(meanwhile, "get_ipython", lambda: object())
    monkeypatch.setattr(meanwhile, "_display", shown.display)
    return shown


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(echo, "sys", SimpleNamespace(stderr=shown))
    return shown


def test_in_a_notebook_it_is_one_line_that_is_replaced_and_goes(notebook: Notebook):
    with Meanwhile() as line:
        line.say("3 of 10 replicas run 1.1.")
        line.say("4 of 10 replicas run 1.1.")
        assert [Page(each).text for each in notebook.outputs] == ["4 of 10 replicas run 1.1."]
    assert notebook.outputs == [""]


def test_what_was_said_already_is_not_sent_again(notebook: Notebook):
    with Meanwhile() as line:
        for _ in range(50):
            line.say("It waits.")
        assert notebook.changes == 0


def test_who_says_nothing_shows_nothing(notebook: Notebook):
    with Meanwhile():
        pass
    assert notebook.outputs == []


def test_it_goes_when_the_cell_is_interrupted(notebook: Notebook):
    with suppress(KeyboardInterrupt), Meanwhile() as line:
        line.say("It waits.")
        raise KeyboardInterrupt
    assert notebook.outputs == [""]


def test_in_a_terminal_the_line_is_written_over_and_cleared(terminal: Terminal):
    with Meanwhile() as line:
        line.say("3 of 10.")
        line.say("4 of 10.")
    assert terminal.getvalue() == "\r\x1b[K3 of 10.\r\x1b[K4 of 10.\r\x1b[K"


def test_where_nobody_looks_nothing_is_written(monkeypatch: pytest.MonkeyPatch):
    pipe = io.StringIO()
    monkeypatch.setattr(echo, "sys", SimpleNamespace(stderr=pipe))
    with Meanwhile() as line:
        line.say("It waits.")
    assert pipe.getvalue() == ""


def test_text_from_an_engine_steers_neither(notebook, terminal, monkeypatch):
    line = Meanwhile()
    line.say(HOSTILE)
    monkeypatch.setattr(meanwhile, "get_ipython", lambda: None)
    Meanwhile().say(HOSTILE)

    assert_text_only(notebook.outputs[0])
    assert "<script>window.hacked=1</script>" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()
