"""What a learner calls to learn: predictions, exercises, and what came of them.

As in `labkit.api`, each call uses the engine that `labkit.connect` found last.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labkit import api, checks
from labkit.errors import BadValue
from labkit.lessons import Hint, Solution, bench, diary, helping

if TYPE_CHECKING:
    from labkit.swarm import Swarm
    from labkit.views.asking import Asked
    from labkit.views.progress import ProgressTable
    from labkit.views.report import Report
    from labkit.views.workbench import Workbench

#: So long `check` waits for what is on its way; a notebook's cell has a little more.
_CHECK_SECONDS = 50


def question(name: str, *, choose: str | None = None, why: str = "") -> Asked:
    """Ask a question of the lesson, to be answered before the next cell is run.

    What is chosen in the notebook is noted at once; `choose` does the same where nothing
    can be clicked. Nothing is marked wrong: `compare` shows it beside what happened.
    """
    from labkit.views.asking import Asked

    asked = diary.question(name)

    def take(key: str, reason: str) -> None:
        diary.note(asked, "predicted", choice=key, why=reason)

    if choose is not None:
        take(asked.choice(choose).key, why)
    noted = diary.last(asked, "predicted")
    return Asked(asked, diary.chosen(asked), noted.why if noted else "", take)


def compare(name: str, recording: api.Shown | None = None) -> checks.Compared:
    """Show what was predicted beside what a recording says; without one, the last recorded.

    Raises `NotSettled` while that recording has no answer yet.
    """
    asked = diary.question(name)
    given = recording if recording is not None else api.last_recorder()
    if given is None:
        raise BadValue("there is no recording yet: give one, such as what labkit.watch returned")
    found = checks.Compared(asked, diary.chosen(asked), asked.read(api.recording_of(given)))
    diary.note(
        asked,
        "compared",
        choice=found.chosen.key if found.chosen else "",
        answer=found.reading.choice,
        saw=found.reading.saw,
        because=found.reading.because,
        try_next=found.reading.try_next,
        recording=_file_of(given),
    )
    _show_cards()
    return found


def exercise(name: str) -> Workbench:
    """Begin an exercise: bring worker and your files to where it begins, and watch from there.

    It may be begun anew at any time. Whatever updates the service counts, a `docker`
    command in a terminal too.
    """
    from labkit.views import Replay, Watch
    from labkit.views.cards import exercise as card
    from labkit.views.workbench import Workbench

    begun = diary.exercise(name)
    if begun.shipped:
        shown = Replay(bench.begin_shipped(begun), begun.parts)
        return Workbench(card(begun, ()), shown)
    done = bench.begin(api.swarm(), begun)
    return Workbench(card(begun, done), Watch(bench.recorder()))


def check(name: str, answer: object = None) -> checks.Finding:
    """Say how an exercise stands: passed, not yet, or not attempted; and why.

    It reads what was recorded and the live service, never your code, waits for what is on
    its way, and changes nothing. Some exercises ask for an `answer`.
    """
    from labkit.views.meanwhile import Meanwhile

    wanted = diary.exercise(name)
    with Meanwhile() as meanwhile:
        found = bench.check(
            _swarm_of(wanted), wanted, answer, seconds=_CHECK_SECONDS, say=meanwhile.say
        )
    _show_cards()
    return found


def hint(name: str) -> Hint:
    """Return the next hint for an exercise, from a question to nearly the answer."""
    wanted = diary.exercise(name)
    found = helping.hint(_swarm_of(wanted), wanted)
    _show_cards()
    return found


def solution(name: str) -> Solution:
    """Return a solution of an exercise, with its reasons. Others count as well."""
    found = helping.solution(diary.exercise(name))
    _show_cards()
    return found


def progress() -> ProgressTable:
    """Return what you have done, and what is next. It is kept on this machine only."""
    from labkit.views.progress import ProgressTable

    return ProgressTable(diary.progress())


def report() -> Report:
    """Return the lab report: your predictions, findings and charts, on one page.

    `.save("report.html")` writes it; the page needs nothing but a browser.
    """
    from labkit.lessons.wordings import wordings
    from labkit.views.report import report as drawn

    events, now = diary.journal().events(), datetime.now().astimezone()
    return drawn(diary.progress(), events, diary.recordings(events), wordings(), now=now)


def _swarm_of(exercise: checks.Exercise) -> Swarm | None:
    """Return the swarm that an exercise is done on; `None` if it is about a recording."""
    return None if exercise.shipped else api.swarm()


def _show_cards() -> None:
    from labkit.views import cards

    cards.enable()


def _file_of(given: object) -> Path | None:
    """Return the file of a recording, where it has one."""
    if isinstance(given, str | Path):
        return Path(given)
    path = getattr(given, "path", None)
    return path if isinstance(path, Path) else None
