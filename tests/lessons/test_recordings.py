"""The recordings that come with the lesson are of a real engine, and show what its text says."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from labkit import lessons
from labkit.base import settings
from labkit.lessons import checks
from labkit.lessons.checks.attempts import attempts
from labkit.lessons.notebooks import cells
from labkit.recordings import story
from labkit.recordings.recording import Recording
from tests.whole.books import SHOWN

FOLDER = settings.lesson_files() / "notebooks" / "recordings"
FILES = sorted(FOLDER.glob("*.jsonl"))
#: Which recording answers which question, as the notebooks' own would.
ANSWERS = {
    "00-scaled": ["scale-touched"],
    "01-rolling": ["rolling-missing", "rolling-order", "rolling-completed"],
    "02-pairs": ["pairs-completed"],  # the notebook asks the model about batches
    "02-all-at-once": ["parallelism-zero"],
    "02-no-delay": ["no-delay"],
    "03-rolled-back": ["bugged-slots", "which-flags", "budget", "rollback-again"],
    "04-removed": ["stack-rm"],
    "05-redeployed": ["redeploy-new", "twelve-new"],
}
_WHILE_IT_RUNS = re.compile(r"\*\*While it runs \((\d+) s\)")


def load(name: str) -> Recording:
    return Recording.load(FOLDER / f"{name}.jsonl")


def took(name: str) -> timedelta:
    """How long the update of a recording took, by the engine's clock."""
    total = attempts(load(name))[-1].total
    assert total is not None
    return total


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recording_is_whole_and_of_a_real_engine(path: Path) -> None:
    recording = Recording.load(path)
    assert recording.header.provenance == "engine"
    assert recording.header.service == "dc_worker"
    assert recording.torn_lines == 0
    assert recording.ended is not None
    assert not recording.gaps()


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_every_lesson_has_one(step: lessons.Step) -> None:
    assert [path for path in FILES if path.name.startswith(step.notebook[:2])]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recording_answers_the_questions_of_its_lesson(name: str) -> None:
    recording = load(name)
    read = {each: checks.QUESTIONS[each].read(recording).choice for each in ANSWERS[name]}
    assert read == {each: SHOWN[each] for each in ANSWERS[name]}


def test_the_riddle_is_solved_by_its_own_config() -> None:
    exercise = checks.EXERCISES["read-backwards"]
    recording = Recording.load(settings.lesson_files() / "notebooks" / exercise.shipped)
    config = attempts(recording)[-1].config
    answer = {"parallelism": config.parallelism, "delay": "4s", "order": config.order}

    evidence = checks.Evidence(
        recording=recording, service=recording.service, answer=answer, now=recording.last_at
    )

    assert config.delay == timedelta(seconds=4)
    assert exercise.judge(evidence).passed


def test_the_times_that_the_text_states_are_those_that_were_measured() -> None:
    """Each was on an engine at rest; another machine takes a little longer."""
    rolling, pairs, prompt = took("01-rolling"), took("02-pairs"), took("02-no-delay")
    tail = story.from_last_start_to_end(load("02-pairs"), "1.0")

    assert 5 <= story.from_last_start_to_end(load("01-rolling"), "1.1").total_seconds() < 6
    assert 11 <= tail.total_seconds() < 12
    assert 24 < (pairs - prompt).total_seconds() < 30
    for each in attempts(load("02-pairs"))[-1].changeovers:
        assert 2.5 < each.took.total_seconds() < 6, f"about four seconds, but slot {each.slot}"
    assert 35 < rolling.total_seconds() < 60


@pytest.mark.parametrize(
    ("number", "name"), [(1, "01-rolling"), (2, "02-pairs"), (3, "03-rolled-back")]
)
def test_a_note_says_how_long_an_update_takes(number: int, name: str) -> None:
    step = lessons.STEPS[number]
    book = cells.read(settings.lesson_files() / "notebooks" / f"{step.notebook}.ipynb")
    stated = [
        int(seconds)
        for cell in book["cells"]
        if cells.is_note(cell)
        for seconds in _WHILE_IT_RUNS.findall(cells.text(cell))
    ]

    measured = took(name).total_seconds()

    assert stated
    assert all(abs(each - measured) < 0.2 * measured for each in stated), (stated, measured)
