"""The room, drawn: the spread of predictions of each question, and who is stuck where. Pure.

Once for a terminal, once as a page that can be read from the back row. Aliases, names and
answers come from other people's files, so they are text and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from labkit.lessons.journal import Wording
from labkit.lessons.room import Room, Stuck, advise
from labkit.views.live import page as assets
from labkit.views.state.words import for_html, plain
from labkit.views.static.document import document

Wordings = Mapping[str, Wording]

#: Characters of the longest bar, of an answer, a title and a question in a terminal.
_BAR = 30
_ANSWER = 40
_TITLE = 70
_TEXT = 240
_SHOWN = "the recordings showed this"
_SOMETIMES = "some recordings showed this"


class Answer(NamedTuple):
    """An answer to a question, and how many chose it."""

    key: str
    label: str
    chosen: int
    #: How many recordings showed it.
    shown: int


def text(room: Room, wordings: Wordings) -> str:
    """Return the room for a terminal."""
    lines = [_summary(room)]
    for name in room.questions:
        lines += ["", *_question_in_text(room, name, wordings)]
    if room.exercises:
        lines += ["", "Exercises"]
    for name in room.exercises:
        lines += _exercise_in_text(room, name, wordings)
    return "\n".join(lines)


def page(room: Room, wordings: Wordings) -> str:
    """Return the room as a page of its own, which asks for nothing outside of itself."""
    inside = "".join(_content(room, wordings))
    body = f'<main class="labkit-watch labkit-room">{inside}</main>'
    return document("The room", assets.style(("view", "room")), body)


def facts(room: Room, wordings: Wordings) -> dict[str, Any]:
    """Return the room for a machine: texts as they are, times in RFC 3339."""
    done = room.done
    return {
        "learners": room.aliases,
        "files_skipped": room.skipped,
        "torn_lines": room.torn,
        "questions": [
            {
                "name": name,
                "step": room.step_of(name),
                "text": _wording(name, wordings).text,
                "answers": [each._asdict() for each in answers(room, name, wordings)],
                "advice": advise(room.guesses(name))._asdict(),
            }
            for name in room.questions
        ],
        "exercises": [
            {
                "name": name,
                "step": room.step_of(name),
                "title": _wording(name, wordings).title,
                "passed": done[name],
                "stuck": [_stuck_facts(each) for each in _stuck(room, name)],
            }
            for name in room.exercises
        ],
    }


def answers(room: Room, question: str, wordings: Wordings) -> list[Answer]:
    """Return the answers to a question: those that are offered, in their order, then others.

    One that nobody chose is there, too: it says that nobody believes that.
    """
    wording, spread, shown = (
        _wording(question, wordings),
        room.spread(question),
        room.shown(question),
    )
    keys = dict.fromkeys([*wording.choices, *spread, *shown])
    return [Answer(key, wording.choice(key), spread.get(key, 0), shown.get(key, 0)) for key in keys]


def advice(room: Room, question: str, wordings: Wordings) -> str:
    """Return what to do next after a question, in a sentence."""
    what, key = advise(room.guesses(question))
    wording = _wording(question, wordings)
    if what == "wait":
        return "No recording has answered yet: let them run it and compare."
    if what == "move on":
        return "Nearly all said what the recordings showed: move on."
    if what == "explain":
        return "The answers are spread: explain anew, in other words, and ask again."
    belief = wording.beliefs.get(key, "")
    return f"Most said “{wording.choice(key)}”: address that. {belief}".rstrip()


# ---- for a terminal ----------------------------------------------------------------


def _summary(room: Room) -> str:
    count = len(room.aliases)
    words = ["1 learner" if count == 1 else f"{count} learners"]
    if room.skipped:
        words.append(f"{room.skipped} other {'file' if room.skipped == 1 else 'files'} left out")
    if room.torn:
        words.append(f"{room.torn} torn {'line' if room.torn == 1 else 'lines'} left out")
    return ", ".join(words) + "."


def _question_in_text(room: Room, name: str, wordings: Wordings) -> Iterator[str]:
    wording = _wording(name, wordings)
    yield f"{room.step_of(name)} · {plain(wording.title, _TITLE)}"
    if wording.text and wording.text != wording.title:
        yield f"  {plain(wording.text, _TEXT)}"
    found = answers(room, name, wordings)
    labels = [plain(each.label, _ANSWER) for each in found]
    wide, most = max(map(len, labels)), max(each.chosen for each in found) or 1
    for each, label in zip(found, labels, strict=True):
        bar = "█" * max(round(each.chosen / most * _BAR), 1 if each.chosen else 0)
        note = f"  ← {said}" if (said := _shown(room, name, each)) else ""
        yield f"  {label:{wide}}  {bar:{_BAR}} {each.chosen:>3}{note}"
    yield f"  {plain(advice(room, name, wordings))}"


def _exercise_in_text(room: Room, name: str, wordings: Wordings) -> Iterator[str]:
    title = plain(_wording(name, wordings).title, _TITLE)
    yield f"  {room.step_of(name)} · {title}: {_passed(room, name)}"
    for each in _stuck(room, name):
        yield f"      {plain(each.alias)}: {_how(each)}"


# ---- as a page ---------------------------------------------------------------------


def _content(room: Room, wordings: Wordings) -> Iterator[str]:
    yield f'<h1>The room</h1><p class="labkit-quiet">{for_html(_summary(room))}</p>'
    for name in room.questions:
        yield from _question(room, name, wordings)
    if room.exercises:
        yield "<h2>Exercises</h2>"
        yield from _exercises(room, wordings)


def _question(room: Room, name: str, wordings: Wordings) -> Iterator[str]:
    wording = _wording(name, wordings)
    yield f"<section><h2>{room.step_of(name)} · {for_html(wording.title)}</h2>"
    if wording.text and wording.text != wording.title:
        yield f"<p>{for_html(wording.text)}</p>"
    found = answers(room, name, wordings)
    total = sum(each.chosen for each in found) or 1
    rows = "".join(_bar(each, total, _shown(room, name, each)) for each in found)
    said = "1 prediction" if total == 1 else f"{total} predictions"
    yield f"<table><caption>{said}</caption><tbody>{rows}</tbody></table>"
    yield f'<p class="labkit-advice">{for_html(advice(room, name, wordings))}</p></section>'


def _bar(answer: Answer, total: int, shown: str) -> str:
    note = f'<span class="labkit-shown">◂ {shown}</span>' if shown else ""
    share = f"{100 * answer.chosen / total:.1f}%"
    bar = f'<span class="labkit-bar" style="--share:{share}"></span>' if answer.chosen else ""
    return (
        f'<tr data-shown="{"yes" if shown else "no"}">'
        f'<th scope="row" class="labkit-answer">{for_html(answer.label)}{note}</th>'
        f'<td class="labkit-count">{answer.chosen}</td><td aria-hidden="true">{bar}</td></tr>'
    )


def _exercises(room: Room, wordings: Wordings) -> Iterator[str]:
    yield (
        '<table><thead><tr><th scope="col">Exercise</th>'
        '<th scope="col" class="labkit-done">Passed</th>'
        '<th scope="col">Stuck</th></tr></thead><tbody>'
    )
    for name in room.exercises:
        title = f"{room.step_of(name)} · {for_html(_wording(name, wordings).title)}"
        stuck = "<br>".join(
            f"<b>{for_html(each.alias)}</b>: {for_html(_how(each))}" for each in _stuck(room, name)
        )
        yield (
            f'<tr class="labkit-who"><th scope="row">{title}</th>'
            f"<td>{for_html(_passed(room, name))}</td><td>{stuck or 'nobody'}</td></tr>"
        )
    yield "</tbody></table>"


# ---- in words ----------------------------------------------------------------------


def _wording(name: str, wordings: Wordings) -> Wording:
    """Return what a question or an exercise says; its name where it is not known here."""
    return wordings.get(name) or Wording(name)


def _shown(room: Room, question: str, answer: Answer) -> str:
    """Return whether recordings showed an answer, in words."""
    if not answer.shown:
        return ""
    return _SHOWN if len(room.shown(question)) == 1 else _SOMETIMES


def _stuck(room: Room, exercise: str) -> list[Stuck]:
    return [each for each in room.stuck() if each.exercise == exercise]


def _passed(room: Room, exercise: str) -> str:
    passed = len(room.done[exercise])
    tried = passed + len(_stuck(room, exercise))
    return f"{passed} of {tried} passed"


def _how(stuck: Stuck) -> str:
    checks = "1 check" if stuck.checks == 1 else f"{stuck.checks} checks"
    hints = "1 hint" if stuck.hints == 1 else f"{stuck.hints} hints"
    return f"{stuck.outcome}, {checks}, {hints}, since {_clock(stuck.since)}"


def _clock(at: datetime) -> str:
    """Return a time as the clock on the wall has it."""
    return f"{at.astimezone():%H:%M}"


def _stuck_facts(stuck: Stuck) -> dict[str, Any]:
    return {
        "alias": stuck.alias,
        "outcome": stuck.outcome,
        "checks": stuck.checks,
        "hints": stuck.hints,
        "since": stuck.since.isoformat(),
        "last": stuck.last.isoformat(),
    }
