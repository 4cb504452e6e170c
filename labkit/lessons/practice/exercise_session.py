"""The exercise that a learner works on: brought to where it begins, and watched from then on.

    .labkit/exercises/half-the-time-1/
        1.jsonl     the worker, from the beginning of the exercise
        2.jsonl     a copy that goes on, after the kernel was restarted, and so on

Each beginning has a folder of its own. A check reads what is recorded here, no matter who
updated the service, and from where.
"""

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from labkit.base import echo, settings
from labkit.base.errors import LabError
from labkit.base.files import unused
from labkit.base.jobs import poll
from labkit.lessons import checks, coins
from labkit.lessons.checks import Evidence, Exercise, Finding
from labkit.lessons.practice import activity_log
from labkit.lessons.steps import steps
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, Header
from labkit.recordings.update.phases import described
from labkit.recordings.values import Service
from labkit.swarm.client import Swarm
from labkit.swarm.images import images

_POLL_SECONDS = 0.2
#: So long a recorder may need to see what the engine has just written.
_CATCH_UP_SECONDS = 5.0
#: So long after a command its update may be about to begin.
_FRESH_SECONDS = 1.5

_recorder: Recorder | None = None


def begin(swarm: Swarm, exercise: Exercise) -> list[str]:
    """Bring worker and files to where an exercise begins, and record from there on.

    Returns what was done, in sentences.
    """
    stop()
    with echo.muted():  # what was done is said in sentences; an engine's lines would bury the task
        built = [steps.build_edited(swarm, image) for image in exercise.begins.images]
        of, begins = steps.STEPS[exercise.step], exercise.begins
        done = steps.reset(swarm, replace(of, tag=begins.tag, edits=begins.edits))
    folder = _new_folder(exercise)
    activity_log.note(exercise, "began", recording=folder)  # first: the recorder goes by it
    _record(swarm, exercise, folder)
    return [*filter(None, built), *done]


def begin_shipped(exercise: Exercise) -> Recording:
    """Begin an exercise about a shipped recording, and return that. Needs no engine."""
    shown = Recording.load(_shipped(exercise))
    folder = _new_folder(exercise)
    with contextlib.suppress(OSError):  # the report draws what is there, and says what is not
        folder.mkdir(parents=True)
        shutil.copy(_shipped(exercise), folder / "1.jsonl")
    activity_log.note(exercise, "began", recording=folder)
    return shown


def stop() -> None:
    """End the recording of the exercise that was worked on, if there is one."""
    global _recorder
    if _recorder:
        _recorder.stop("The exercise is over.")
    _recorder = None


def restart(swarm: Swarm, step: steps.Step, *, forget: bool = False) -> list[str]:
    """Bring stack and files to where a step begins; returns what was done.

    Its questions are asked again, and what was done counts; with `forget`, all that was done
    of it and of later steps is open again.
    """
    stop()
    done = steps.reset(swarm, step)
    before = activity_log.progress()
    activity_log.note_reset(step.number, forget=forget)  # no exercise has the worker any more
    if forget and activity_log.progress() != before:
        done.append(
            "this step and later ones are open again in your progress; "
            "the journal keeps what you did"
        )
    return done


def recorder() -> Recorder:
    """Return what records the exercise that has begun in this kernel."""
    assert _recorder is not None, "it is asked for after the beginning"
    return _recorder


def is_recording() -> bool:
    """Whether an exercise is being recorded in this kernel."""
    return _recorder is not None and _recorder.alive


def resume(swarm: Swarm) -> Recorder | None:
    """Record on the exercise that has the worker; returns what does, if there is one to go on."""
    exercise = checks.EXERCISES.get(activity_log.begun_last())
    folder = begun(exercise) if exercise else None
    if exercise and folder:
        _go_on(swarm, exercise, folder)
    return _recorder


def check(
    swarm: Swarm | None,
    exercise: Exercise,
    answer: object = None,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> Finding:
    """Judge an exercise, after waiting for what is on its way, at most so many seconds.

    Meanwhile `say` receives the current state as a sentence. Changes nothing. An exercise
    about a shipped recording needs no swarm.
    """
    folder = begun(exercise)
    if folder is None:
        return Finding(
            "not attempted",
            "the exercise has not begun.",
            "Only what is recorded after its beginning can be judged.",
            f'labkit.exercise("{exercise.name}")',
        )
    for _ in poll(seconds, _POLL_SECONDS):
        found = evidence(swarm, exercise, folder, answer)
        if not found.pending or (swarm and not _records(folder)):
            break
        say(described(found.recording))
    finding = exercise.judge(found)
    if swarm and not finding.passed and not _has_worker(exercise):
        begin_anew = f'`labkit.exercise("{exercise.name}")`: the worker has been reset since then.'
        finding = replace(finding, try_next=begin_anew)
    took = checks.newest_took(found.recording)
    activity_log.note(exercise, "checked", recording=folder, seconds=took, **asdict(finding))
    if finding.passed and _records(folder):
        stop()
    return finding


def check_typed(swarm: Swarm, step: Exercise, seen: Recorder | None) -> Finding:
    """Judge a step that is typed in a terminal, by what was recorded and the service now.

    Without a recorder there is only the service.
    """
    live = _live(swarm)
    if seen:
        _catch_up(seen, live)
    nothing = Recording(
        Header(
            service=steps.STEPS[0].worker, service_id="", engine=swarm.about(), started=swarm.now()
        )
    )
    for _ in poll(_FRESH_SECONDS, _POLL_SECONDS):  # the update status may come a poll later
        recording = seen.recording if seen else nothing
        finding = step.judge(Evidence(recording=recording, service=live, now=swarm.now()))
        if finding.passed:
            break
    activity_log.note(step, "checked", **asdict(finding))
    return finding


def begun(exercise: Exercise) -> Path | None:
    """Return the folder of what was recorded since an exercise began; `None` if it did not."""
    event = activity_log.last(exercise, "began")
    return settings.state_dir() / event.recording if event else None


def evidence(
    swarm: Swarm | None, exercise: Exercise, folder: Path, answer: object = None
) -> Evidence:
    """Return all that is known of an exercise that has begun."""
    if swarm is None:
        shown = Recording.load(_shipped(exercise))
        return Evidence(recording=shown, service=shown.service, answer=answer, now=shown.last_at)
    _go_on(swarm, exercise, folder)
    live = _live(swarm)
    mine = _recorder if _records(folder) else None
    if mine:
        _catch_up(mine, live)
    whole = mine.recording if mine else _so_far(folder)
    return Evidence(
        recording=whole,
        service=live if _has_worker(exercise) else whole.service,
        tags=frozenset(images.tags(swarm, steps.STEPS[0].image("").rstrip(":"))),
        answer=answer,
        now=mine.now() if mine else max(swarm.now(), whole.last_at),
    )


# ---- recording ---------------------------------------------------------------------


def _go_on(swarm: Swarm, exercise: Exercise, folder: Path) -> None:
    """Record on, where a kernel was restarted, or the recorder has died.

    Not after a pass, nor when another exercise has the worker.
    """
    if _records(folder) and recorder().alive:
        return
    if not _has_worker(exercise):
        return
    event = activity_log.last(exercise, "began", "checked")
    if event and event.outcome == "passed":
        return
    whole = _so_far(folder)
    kept = (change for change in whole.changes if not isinstance(change, Ended))
    _record(swarm, exercise, folder, Recording(whole.header).add_all(kept))


def _so_far(folder: Path) -> Recording:
    """Return what was recorded of an exercise. Raises `RecordingProblem` where that is gone."""
    return Recording.load(activity_log.newest(folder) or folder / "1.jsonl")


def _has_worker(exercise: Exercise) -> bool:
    """Whether the worker still belongs to this exercise."""
    return activity_log.begun_last() == exercise.name


def _records(folder: Path) -> bool:
    """Whether what is recorded now is the exercise whose folder this is."""
    return bool(_recorder and _recorder.path and _recorder.path.parent == folder)


def _record(
    swarm: Swarm, exercise: Exercise, folder: Path, before: Recording | None = None
) -> None:
    """Record the worker until something else is done with it, in another kernel maybe."""
    global _recorder
    stop()

    def taken(*_: object) -> str | None:
        return None if _has_worker(exercise) else "The worker was reset."

    path = unused(lambda number: folder / f"{number}.jsonl")
    worker = steps.STEPS[0].worker
    _recorder = coins.recorder(swarm, worker, path, until=taken, before=before).start()


def _catch_up(recorder: Recorder, live: Service | None) -> None:
    """Wait until the recorder has seen what the engine holds by now."""
    for _ in poll(_CATCH_UP_SECONDS, _POLL_SECONDS / 4):
        seen = recorder.recording.service
        if live is None or not recorder.alive or (seen and seen.version >= live.version):
            return


# ---- what else there is ------------------------------------------------------------


def _live(swarm: Swarm) -> Service | None:
    found = steps.look(swarm, steps.STEPS[0].worker)
    return found.service if found else None


def _shipped(exercise: Exercise) -> Path:
    """Return the recording that an exercise is about. Raises `LabError` if it is not there."""
    path = settings.lesson_files() / "notebooks" / exercise.shipped
    if path.exists():
        return path
    raise LabError(
        f"{exercise.shipped}, which the exercise {exercise.name} is about.",
        "the file is not there.",
        "install labkit again: the recording is a part of it.",
    )


def _new_folder(exercise: Exercise) -> Path:
    """Return the folder for what is recorded from this beginning on."""
    home = settings.state_dir() / "exercises"
    return unused(lambda number: home / f"{exercise.name}-{number}")
