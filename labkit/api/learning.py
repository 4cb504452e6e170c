"""What a learner calls to learn: predictions, exercises, and what came of them.

As in `labkit.api.doing`, each call uses the engine that `labkit.connect` found last.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.api import doing
from labkit.base import echo, settings
from labkit.base.errors import BadValue, NotSettled
from labkit.base.jobs import PATIENCE
from labkit.lessons import Hint, Solution, checks, room
from labkit.lessons.journal import LATE
from labkit.lessons.practice import activity_log, exercise_session, helping
from labkit.recordings.recording import Recording
from labkit.recordings.update.phases import described

if TYPE_CHECKING:
    from labkit.recordings.recorder import Recorder
    from labkit.swarm.client import Swarm
    from labkit.views import Replay, Watch
    from labkit.views.cards.asking import Asked
    from labkit.views.cards.report import ProgressTable, Report
    from labkit.views.cards.workbench import Workbench

#: So long `check` waits for what is on its way; a notebook's cell has a little more.
_CHECK_SECONDS = PATIENCE


def question(name: str, *, choose: str | None = None, why: str = "") -> Asked:
    """Ask a question of the lesson, to be answered before the next cell runs.

    A choice in the notebook is saved at once; `choose` does the same where nothing can be
    clicked. Nothing is marked wrong: `compare` shows it beside what happened.
    """
    from labkit.views.cards.asking import Asked

    wanted = activity_log.question(name)

    def take(key: str, reason: str) -> bool:
        late = activity_log.answered(wanted)
        outcome = LATE if late else ""
        activity_log.note(wanted, "predicted", choice=key, why=reason, outcome=outcome)
        return late

    if choose is not None:
        take(wanted.choice(choose).key, why)
    noted = activity_log.last(wanted, "predicted")
    prediction, late = activity_log.chosen(wanted)
    why = noted.why if noted else ""
    given = {"late": bool(late), "answered": activity_log.answered(wanted)}
    return Asked(wanted, prediction or late, why, take, **given)


def compare(name: str, recording: doing.Shown | None = None) -> checks.Compared:
    """Show a prediction beside what a recording says; by default, the last recording.

    Raises `NotSettled` while that recording has no answer yet.
    """
    wanted = activity_log.question(name)
    given = recording if recording is not None else doing.last_recorder()
    if given is None:
        raise BadValue("there is no recording yet: give one, such as what labkit.watch returned")
    prediction, late = activity_log.chosen(wanted)
    reading = wanted.read(doing.recording_of(given))
    found = checks.Compared(wanted, prediction, reading, late)
    activity_log.note(
        wanted,
        "compared",
        outcome=LATE if late else "",
        answer=reading.choice,
        **asdict(reading) | {"choice": prediction.key if prediction else ""},
        seconds=checks.newest_took(doing.recording_of(given)),
        recording=_file_of(given),
    )
    _show_cards()
    return found


def recorded(name: str) -> Recording:
    """Return the recording that answered a question last, as `compare` has read it.

    It is on disk, so a kernel that was restarted has it too. Raises `NotSettled` before that.
    """
    wanted = activity_log.question(name)
    event = activity_log.last(wanted, "compared")
    if event is None or not event.recording:
        raise NotSettled(
            f"a recording that answered {name}.",
            "this notebook has compared none with it.",
            f'run the cell with `labkit.compare("{name}", …)`.',
        )
    return Recording.load(settings.state_dir() / event.recording)


def exercise(name: str) -> Workbench:
    """Begin an exercise: prepare the worker and your files, and watch from there.

    You can begin it again at any time. Any update of the service counts, a `docker` command
    in a terminal too.
    """
    from labkit.views.cards.workbench import Workbench

    begun = activity_log.exercise(name)
    return Workbench(begun, _Desk(begun))


class _Desk:
    """What the buttons of an exercise do: the same as the calls."""

    def __init__(self, of: checks.Exercise) -> None:
        self._of = of
        self._recorder: Recorder | None = None

    def begin(self) -> tuple[Iterable[str], Watch | Replay]:
        from labkit.views import Replay, Watch

        if self._of.shipped:
            return (), Replay(exercise_session.begin_shipped(self._of), self._of.parts)
        done = exercise_session.begin(doing.current_swarm(), self._of)
        self._recorder = exercise_session.recorder()
        return done, Watch(self._recorder)

    def state(self) -> str:
        seen = self._recorder
        return (seen.why or described(seen.recording)) if seen else ""

    def follow(self, listener: Callable[[], None]) -> None:
        if self._recorder:
            self._recorder.subscribe(listener)

    def check(self, say: Callable[[str], None]) -> checks.Finding:
        return _checked(self._of, None, say)

    def help(self, kind: str) -> Hint | Solution:
        if kind == "solution":
            return helping.solution(self._of)
        return helping.hint(_swarm_of(self._of), self._of)

    def stuck(self, *, over: bool) -> None:
        activity_log.note(self._of, "unstuck" if over else "stuck")


def check(name: str, answer: object = None) -> checks.Finding:
    """Say how an exercise stands: passed, not yet, or not attempted; and why.

    It reads what was recorded and the live service, never your code; it waits for what is under
    way, and changes nothing. Some exercises ask for an `answer`, by default the notebook's
    variable of that name. A step of the lesson that you type in a terminal has a check, too.
    """
    from labkit.views.cards.meanwhile import Meanwhile

    wanted = activity_log.checked(name)
    with Meanwhile() as meanwhile:
        found = _checked(wanted, answer, meanwhile.say)
    _show_cards()
    return found


def _checked(of: checks.Exercise, answer: object, say: Callable[[str], None]) -> checks.Finding:
    if of.asks and answer is None:
        answer = vars(sys.modules["__main__"]).get("answer")
    if of.typed:
        return exercise_session.check_typed(doing.current_swarm(), of, doing.last_recorder())
    return exercise_session.check(_swarm_of(of), of, answer, seconds=_CHECK_SECONDS, say=say)


def hint(name: str) -> Hint:
    """Return the next hint for an exercise, from a question to nearly the answer."""
    wanted = activity_log.exercise(name)
    found = helping.hint(_swarm_of(wanted), wanted)
    _show_cards()
    return found


def solution(name: str) -> Solution:
    """Return a solution of an exercise, with its reasons. Others count as well."""
    found = helping.solution(activity_log.exercise(name))
    _show_cards()
    return found


def stuck(name: str, *, over: bool = False) -> None:
    """Ask your instructor for help with an exercise; `over` takes it back.

    They see it where they have turned the room on, as the first notebook then says.
    """
    _Desk(activity_log.exercise(name)).stuck(over=over)
    if not room.sign():
        echo.say("No instructor sees this: no room is on (LABKIT_CLASS).")
    elif not over:
        echo.say("Your instructor sees that you ask for help.")


def progress() -> ProgressTable:
    """Return what you have done, and what is next. It is kept on this machine only."""
    from labkit.views.cards.report import ProgressTable

    return ProgressTable(activity_log.progress())


def report() -> Report:
    """Return the lab report: your predictions, findings and charts, on one page.

    `.save("report.html")` writes it; the page needs nothing but a browser.
    """
    from labkit.views.cards.report import Report

    log, now = activity_log, datetime.now().astimezone()
    events = log.journal().events()
    notes = room.handed_in(events)
    return Report(log.progress(), events, log.recordings(events), now=now, notes=notes)


def _swarm_of(exercise: checks.Exercise) -> Swarm | None:
    """Return the swarm that an exercise is done on; `None` if it is about a recording."""
    return None if exercise.shipped else doing.current_swarm()


def _show_cards() -> None:
    from labkit.views.cards import cards

    cards.enable()


def _file_of(given: object) -> Path | None:
    if isinstance(given, str | Path):
        return Path(given)
    path = getattr(given, "path", None)
    return path if isinstance(path, Path) else None
