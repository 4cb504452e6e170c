"""What a learner does, noted: in the journal, and in the room's log where that is on."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from labkit.base import echo, settings
from labkit.base.errors import BadValue, LabError, NotSettled, RecordingProblem
from labkit.lessons import checks, room
from labkit.lessons.checks import Choice, Exercise, Question
from labkit.lessons.journal import BEGINS, LATE, Event, Item, Journal, Kind, Progress
from labkit.lessons.steps.steps import STEPS, Step
from labkit.recordings.recording import Recording

T = TypeVar("T")

_FILE = "progress.jsonl"

#: The exercises that bring the worker somewhere.
_ON_WORKER = {name for name, each in checks.EXERCISES.items() if not each.shipped}

#: Whether it was said that the journal cannot be written.
_told = False


def journal() -> Journal:
    """Return the learner's journal."""
    return Journal(settings.state_dir() / _FILE)


def note(of: Question | Exercise, kind: Kind, **more: Any) -> None:
    """Note that something was done with a question or an exercise.

    `recording` may be a path; it is kept relative to the folder of the journal.
    """
    where = ""
    if path := more.pop("recording", None):
        folder, whole = settings.state_dir().absolute(), Path(path).absolute()
        where = str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)
    _note(kind=kind, step=of.step, name=of.name, recording=where, **more)


def note_reset(step: int, *, forget: bool = False) -> None:
    """Note that a step begins anew; with `forget`, that what was done from there on is open."""
    _note(kind="forgot" if forget else "reset", step=step)


def _note(**what: Any) -> None:
    """Add an event to the journal and the room; where the first fails, say so once, and go on.

    What a check has found is not to be lost with the note of it.
    """
    global _told
    event = Event(at=datetime.now(UTC), **what)
    try:
        journal().add(event)
    except LabError as problem:
        if not _told:
            echo.warn(f"Your progress is not kept. {problem}")
        _told = True
    room.note(event)


def plan() -> list[Item]:
    """Return what there is to do in the lesson, in its order; a notebook's questions first."""
    questions = [
        Item(
            *(each.step, "question", each.name, each.title, each.text),
            choices={choice.key: choice.label for choice in each.choices},
            beliefs={choice.key: choice.belief for choice in each.choices},
        )
        for each in checks.QUESTIONS.values()
    ]
    exercises = [
        Item(each.step, "typed" if each.typed else "exercise", each.name, each.title, each.task)
        for each in (*checks.TYPED.values(), *checks.EXERCISES.values())
    ]
    return sorted(questions + exercises, key=lambda item: item.step)


def progress() -> Progress:
    """Return what is done, and what is next."""
    notebooks = {step.number: step.notebook[3:].replace("-", " ").capitalize() for step in STEPS}
    return Progress.of(journal().events(), plan(), notebooks)


def recordings(events: Iterable[Event]) -> dict[str, Recording]:
    """Return the recordings that events name and that can be read, by the name they have there.

    An exercise names the folder with all that was recorded of it.
    """
    found = {}
    for name in {event.recording for event in events if event.recording}:
        place = settings.state_dir() / name
        path = newest(place) if place.is_dir() else place
        with contextlib.suppress(RecordingProblem):
            if path:
                found[name] = Recording.load(path)
    return found


def newest(folder: Path, since: datetime | None = None) -> Path | None:
    """Return the numbered recording in a folder that was written to last, if it was since then."""
    return max(_numbered(folder, since), key=written, default=None)


def _numbered(folder: Path, since: datetime | None) -> Iterator[Path]:
    ours = (each for each in folder.glob("*.jsonl") if each.stem.rpartition("-")[2].isdecimal())
    return (each for each in ours if not since or written(each) > since)


def written(path: Path) -> datetime:
    """Return when a file was last written to."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def since_begun(of: Question | Exercise, *kinds: Kind) -> list[Event]:
    """Return the events of some kinds since its step began anew, or was forgotten."""
    found: list[Event] = []
    for event in journal().events():
        if event.opens(of.step):
            found = []
        elif event.name == of.name and event.kind in kinds:
            found.append(event)
    return found


def last(of: Question | Exercise, *kinds: Kind) -> Event | None:
    """Return the newest of these events."""
    return next(reversed(since_begun(of, *kinds)), None)


def answered(question: Question) -> bool:
    """Whether a question was compared, or what was recorded since its step began answers it."""
    compared = last(question, "compared") is not None
    if compared or question.afterwards:
        return compared
    began = [event.at for event in journal().events() if event.opens(question.step)]
    seen = _numbered(settings.state_dir() / "recordings", began[-1]) if began else ()
    return any(_answers(question, path, path.stat().st_mtime_ns) for path in seen)


@lru_cache
def _answers(question: Question, path: Path, written_at: int) -> bool:
    """Whether a recording that was written to last then answers a question."""
    with contextlib.suppress(LabError):  # not settled, or no recording that can be read
        return bool(question.read(_as_of(path, written_at)).choice)
    return False


@lru_cache(maxsize=8)
def _as_of(path: Path, _: int) -> Recording:
    return Recording.load(path)


def begun_step() -> tuple[Step, datetime, datetime]:
    """Return the step that began last, when it did, and when the last exercise since then did.

    Raises `NotSettled` where none has begun.
    """
    events = journal().events()
    resets = [number for number, event in enumerate(events) if event.kind in BEGINS]
    if not resets:
        raise NotSettled(
            "a notebook that has begun.",
            "none has, so there is nothing to resume.",
            "run the notebook from its first cell.",
        )
    since = events[resets[-1] :]
    began = [event.at for event in since if event.kind in (*BEGINS, "began")]
    return STEPS[since[0].step], began[0], began[-1]


def begun_last() -> str:
    """Return the name of the exercise that has the worker; `""` for none.

    That is the one that began last, unless the lesson was reset since: resetting a step
    moves the worker there.
    """
    found = ""
    for event in journal().events():
        if event.kind in BEGINS:
            found = ""
        elif event.kind == "began" and event.name in _ON_WORKER:
            found = event.name
    return found


def chosen(question: Question) -> tuple[Choice | None, Choice | None]:
    """Return the learner's prediction, and the choice that came too late where there is none.

    In time is what was chosen before the recording had answered: after that one knows.
    """
    known = {choice.key: choice for choice in question.choices}
    events = since_begun(question, "predicted", "compared")
    keys = [event.choice for event in events if event.outcome != LATE]
    answered = [event.choice for event in events if event.kind == "compared"]
    prediction = known.get((answered[:1] or keys[-1:] or [""])[0])
    late = [event.choice for event in events if event.kind == "predicted" and event.outcome == LATE]
    return prediction, None if prediction or not late else known.get(late[-1])


def question(name: str) -> Question:
    """Return a question by its name. Raises `BadValue`, naming those there are."""
    return _named("question", checks.QUESTIONS, name)


def exercise(name: str) -> Exercise:
    """Return an exercise by its name. Raises `BadValue`, naming those there are."""
    return _named("exercise", checks.EXERCISES, name)


def checked(name: str) -> Exercise:
    """Return what can be checked by its name: an exercise, or a step that is typed."""
    return _named("exercise", checks.EXERCISES | checks.TYPED, name)


def _named(what: str, known: Mapping[str, T], name: object) -> T:
    if isinstance(name, str) and name in known:
        return known[name]
    raise BadValue(f"the {what}s are {', '.join(map(repr, known))}, not {name!r}")
