"""Claims about what a learner calls to learn: predictions, exercises, and what came of them.

Questions, and the exercise about a shipped recording, need no engine. The others are done
on a simulated one whose tasks are acted, in a home of its own.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

import labkit
from labkit import cli
from labkit.api import doing, learning
from labkit.base import settings
from labkit.base.errors import BadValue, LabError, NotSettled
from labkit.lessons import STEPS, Step, checks
from labkit.lessons.journal import Event, Standing
from labkit.lessons.notebooks import cells
from labkit.lessons.practice import activity_log, exercise_session
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.update.phases import settled
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from labkit.views.cards import meanwhile
from swarmsim import Engine
from tests.dockers import docker, needs_docker
from tests.played import Played
from tests.waiting import until
from tests.whole.labs import SPEED, home

MISSING = "rolling-missing"
#: An exercise about a recording, and one about the worker.
RIDDLE, HALF = "read-backwards", "half-the-time"
ANSWER = {"parallelism": 3, "delay": "4s", "order": "start-first"}
#: The calls that are about a question.
ASKS = ("question", "compare", "recorded")
#: What passes the one about the worker.
FIVE_AT_ONCE = {"parallelism": 5, "delay": "0s"}


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a learner who has no engine and has recorded nothing."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setattr(doing, "_recorder", None)
    return tmp_path


def events() -> list[Event]:
    return activity_log.journal().events()


def updated(seconds: float = 200) -> Recording:
    """A recording of an update, so many seconds after it was asked for."""
    made = Played("1.0")
    made.update("1.1", seconds=seconds)
    return made.recording


def swarm() -> Swarm:
    return doing.current_swarm()


def standing(name: str) -> Standing:
    """How an item of the lesson stands."""
    return next(s for s in learning.progress().progress.standings if s.item.name == name)


# ---- questions ---------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_a_click_is_noted_and_compared_with_what_was_recorded() -> None:
    asked = learning.question(MISSING)
    asked._radio.value = "two"
    found = learning.compare(MISSING, updated())

    assert [(e.kind, e.choice, e.answer) for e in events()] == [
        ("predicted", "two", ""),
        ("compared", "two", "one"),
    ]
    assert not found.as_predicted
    assert found.said.startswith("You said “Two”.")
    assert events()[-1].saw == found.reading.saw
    assert standing(MISSING).done


@pytest.mark.usefixtures("alone")
def test_where_nothing_can_be_clicked_a_choice_is_given() -> None:
    asked = learning.question(MISSING, choose="one", why="one at a time")
    assert asked.choice == checks.QUESTIONS[MISSING].choice("one")
    assert (events()[-1].choice, events()[-1].why) == ("one", "one at a time")
    with pytest.raises(BadValue, match="'none', 'one', 'two', 'all', not 'three'"):
        learning.question(MISSING, choose="three")
    assert len(events()) == 1


@pytest.mark.usefixtures("alone")
def test_the_last_choice_counts_and_is_there_when_it_is_asked_again() -> None:
    learning.question(MISSING, choose="all", why="first thought")
    learning.question(MISSING)._radio.value = "none"
    assert learning.question(MISSING)._radio.value == "none"
    assert learning.question(MISSING)._why.value == "first thought"
    found = learning.compare(MISSING, updated())
    assert found.chosen == checks.QUESTIONS[MISSING].choice("none")


@pytest.mark.usefixtures("alone")
def test_who_has_predicted_nothing_is_told_what_was_seen_all_the_same() -> None:
    found = learning.compare(MISSING, updated())
    assert found.chosen is None
    assert found.reading.choice == "one"


@pytest.mark.usefixtures("alone")
def test_what_is_chosen_after_the_recording_has_answered_is_kept_as_late() -> None:
    """Unless the notebook is run again: then the question is asked anew."""
    learning.compare(MISSING, updated())
    assert standing(MISSING).state == "not predicted"

    learning.question(MISSING, choose="one")
    found = learning.compare(MISSING, updated())

    assert (found.chosen, found.as_predicted) == (None, False)
    assert found.said == "You chose “One” after the recording had answered: too late."
    assert [(e.kind, e.choice, e.outcome) for e in events()] == [
        ("compared", "", ""),
        ("predicted", "one", "late"),
        ("compared", "", "late"),
    ]
    assert (standing(MISSING).state, standing(MISSING).done) == ("predicted late", False)
    assert "does not count" in learning.question(MISSING)._noted.value
    activity_log.note_reset(1)
    learning.question(MISSING, choose="one")
    assert learning.compare(MISSING, updated()).as_predicted
    assert standing(MISSING).mark == "✓"


@pytest.mark.usefixtures("alone")
def test_a_recording_is_read_once_and_again_when_it_has_grown(monkeypatch: pytest.MonkeyPatch):
    path = settings.state_dir() / "recordings" / "dc_worker-1.jsonl"
    path.parent.mkdir(parents=True)
    activity_log.note_reset(checks.QUESTIONS[MISSING].step)
    updated(10).save(path)
    load = Mock(side_effect=Recording.load)
    monkeypatch.setattr(Recording, "load", load)

    assert not any(activity_log.answered(checks.QUESTIONS[MISSING]) for _ in range(3))
    path.unlink()
    updated(200).save(path)
    assert all(activity_log.answered(checks.QUESTIONS[MISSING]) for _ in range(3))
    assert load.call_count == 2


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("name", "seconds", "late"),
    [
        (MISSING, 10, False),  # the update goes on
        (MISSING, 200, True),
        ("pairs-completed", 200, False),  # another update answers it
        ("budget", 200, False),  # asked afterwards
    ],
)
def test_late_is_what_is_chosen_once_a_recording_of_this_run_answers(name, seconds, late):
    """Before `compare` too. One of an earlier run, or for a class, does not make it late."""
    path = settings.state_dir() / "recordings" / "dc_worker-1.jsonl"
    path.parent.mkdir(parents=True)
    updated(seconds).save(path)
    activity_log.note_reset(checks.QUESTIONS[name].step)
    key = checks.QUESTIONS[name].choices[0].key
    learning.question(name, choose=key)
    updated(seconds).save(path.with_name("dc_worker-2.jsonl"))
    learning.question(name)._radio.value = checks.QUESTIONS[name].choices[1].key

    assert [event.outcome for event in events()[1:]] == ["", "late" if late else ""]


@pytest.mark.usefixtures("alone")
def test_a_mind_that_is_changed_after_the_recording_has_answered_changes_nothing() -> None:
    learning.question(MISSING, choose="two")
    learning.compare(MISSING, updated())
    learning.question(MISSING, choose="one")
    found = learning.compare(MISSING, updated())
    assert found.chosen == checks.QUESTIONS[MISSING].choice("two")
    assert standing(MISSING).words == "not as predicted"


@pytest.mark.usefixtures("alone")
def test_there_is_nothing_to_compare_with_before_an_update_is_over() -> None:
    with pytest.raises(BadValue, match="no recording yet"):
        learning.compare(MISSING)
    with pytest.raises(NotSettled):
        learning.compare(MISSING, updated(seconds=10))
    assert events() == []


@pytest.mark.usefixtures("alone")
def test_a_recording_is_named_by_its_path_too_and_kept_beside_the_journal() -> None:
    shipped = settings.lesson_files() / "notebooks" / "recordings" / "01-rolling.jsonl"
    mine = settings.state_dir() / "recordings" / "mine.jsonl"
    mine.parent.mkdir(parents=True)
    shutil.copy(shipped, mine)
    with pytest.raises(NotSettled, match="run the cell with"):
        labkit.recorded(MISSING)

    learning.compare(MISSING, str(mine))

    assert labkit.recorded(MISSING) == Recording.load(shipped)
    assert events()[-1].recording == "recordings/mine.jsonl"
    assert "Chart 1 · mine.jsonl" in learning.report().page


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("call", [*ASKS, "exercise", "check", "hint", "solution", "stuck"])
@pytest.mark.parametrize("name", ["nothing", "", None, ["x"]])
def test_an_unknown_name_names_those_there_are(call: str, name: object) -> None:
    with pytest.raises(BadValue) as problem:
        getattr(learning, call)(name)
    known = checks.QUESTIONS if call in ASKS else checks.EXERCISES
    assert all(repr(each) in str(problem.value) for each in known)
    assert events() == []


# ---- an exercise that needs no engine ----------------------------------------------


@pytest.mark.usefixtures("alone")
def test_before_it_has_begun_there_is_nothing_to_judge() -> None:
    found = learning.check(RIDDLE, ANSWER)
    assert found.outcome == "not attempted", found
    assert found.try_next == f'labkit.exercise("{RIDDLE}")'
    assert events() == []


@pytest.mark.usefixtures("alone")
def test_an_answer_is_judged_each_time_by_itself() -> None:
    learning.exercise(RIDDLE)

    said = [learning.check(RIDDLE, each).outcome for each in (None, ..., {"parallelism": 1})]
    passed = learning.check(RIDDLE, ANSWER)

    assert said == ["not attempted", "not attempted", "not yet"]
    assert passed.passed
    assert [e.outcome for e in events()] == ["", *said, "passed"]
    assert learning.check(RIDDLE, None).outcome == "not attempted"
    assert standing(RIDDLE).state == "passed", "what is done stays done"


@pytest.mark.usefixtures("alone")
def test_the_check_button_judges_the_answer_of_the_notebook(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.modules["__main__"], "answer", ANSWER, raising=False)
    bench = learning.exercise(RIDDLE)
    check = next(each for each in bench._buttons if each.description == "Check")
    check.click()
    until(lambda: not check.disabled, "the check to be done")
    assert standing(RIDDLE).state == "passed"


@pytest.mark.usefixtures("alone")
def test_hints_are_a_ladder_whose_last_rung_stays() -> None:
    of = len(checks.EXERCISES[RIDDLE].hints)
    learning.exercise(RIDDLE)

    said = [learning.hint(RIDDLE) for _ in range(of + 1)]

    assert [each.rung for each in said] == [*range(1, of + 1), of]
    assert [each.text for each in said[:of]] == list(checks.EXERCISES[RIDDLE].hints)
    learning.exercise(RIDDLE)
    assert learning.hint(RIDDLE).rung == 1, "it was begun anew"
    activity_log.note_reset(2)
    assert learning.hint(RIDDLE).rung == 1, "the step was"


@pytest.mark.usefixtures("alone")
def test_a_hint_may_come_before_the_exercise() -> None:
    said = learning.hint(RIDDLE)
    assert (said.notice, said.rung) == ("", 1)


@pytest.mark.usefixtures("alone")
def test_each_exercise_has_a_solution_in_words_and_code() -> None:
    for name in checks.EXERCISES:
        kinds = [kind for kind, _ in learning.solution(name).cells]
        assert {*kinds} == {"markdown", "code"}, name
    assert {e.kind for e in events()} == {"solved"}


def test_a_solution_that_is_missing_says_which_tags_are_looked_for(alone, monkeypatch):
    monkeypatch.setattr(settings, "lesson_files", lambda: alone)
    with pytest.raises(LabError, match=f"`solution` and `{RIDDLE}`"):
        learning.solution(RIDDLE)
    assert events() == []


@pytest.mark.usefixtures("alone")
def test_progress_and_report_say_nothing_and_everything() -> None:
    assert "0 of 3 predictions, 0 of 1 exercise, 0 of 1 typed step" in repr(learning.progress())
    assert "Nothing done here yet." in learning.report().page

    learning.question(MISSING, choose="two", why="<b>so</b>")
    learning.exercise(RIDDLE)
    learning.check(RIDDLE, ANSWER)

    assert standing(RIDDLE).done
    page = learning.report().page
    assert "&lt;b&gt;so&lt;/b&gt;" in page
    assert "Outcome: <b>passed</b>" in page
    assert page.count("<figure") == 1, "the recording that the riddle is about"
    assert "cannot be drawn" not in page


# ---- exercises on an engine --------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Step]:
    """A learner on a simulated engine without processes, who has built 1.1 and is at notebook 2."""
    with (
        TemporaryDirectory() as short,  # a socket's path has to be
        Engine(speed=SPEED) as engine,
        engine.serve(f"unix://{short}/s") as url,
        home(tmp_path_factory.mktemp("lab")),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("LABKIT_ENGINE", url)
        patch.setattr(doing, "_current", None)
        patch.setattr(doing, "_recorder", None)
        said = CliRunner().invoke(cli.main, ["up"])
        assert said.exit_code == 0, said.output
        images.build(labkit.connect(), STEPS[2].folder / "worker", STEPS[2].image("1.1"))
        yield STEPS[2]
        exercise_session.stop()


@pytest.fixture
def step(lab: Step, capsys: pytest.CaptureFixture[str]) -> Step:
    """An exercise has just begun; what it printed is there to be read."""
    learning.exercise(HALF)
    assert capsys.readouterr().out == "", "what was prepared is said on its card"
    return lab


def five_at_once(step: Step) -> None:
    labkit.update(step.worker, image=step.image("1.1"), update_config=FIVE_AT_ONCE)


def is_over() -> bool:
    recorder = exercise_session.recorder()
    return settled(recorder.recording, recorder.now()) is not None


def running(tag: str) -> int:
    return swarm().snapshot(STEPS[2].worker).running_by_tag().get(tag, 0)


def folder_of(name: str) -> Path:
    """The folder of what is recorded of an exercise."""
    found = exercise_session.begun(checks.EXERCISES[name])
    assert found is not None
    return found


def recordings_of(name: str) -> list[str]:
    """The files of what is recorded of an exercise."""
    ours = (path for path in folder_of(name).iterdir() if path.stem.isdecimal())
    return sorted(path.name for path in ours)


def test_it_begins_with_ten_replicas_and_a_recorder(step: Step) -> None:
    service = swarm().snapshot(step.worker)
    assert service.running_by_tag() == {"1.0": 10}
    assert exercise_session.recorder().alive
    assert exercise_session.recorder().path == folder_of(HALF) / "1.jsonl"
    assert events()[-1].kind == "began"


def test_a_blank_changes_nothing_and_is_no_attempt(step: Step, capsys: pytest.CaptureFixture[str]):
    before = swarm().service(step.worker)["Version"]
    labkit.update(step.worker, image=step.image("1.1"), update_config={"parallelism": ...})
    assert "A blank is left: update_config['parallelism']" in capsys.readouterr().out
    assert swarm().service(step.worker)["Version"] == before
    assert learning.check(HALF).outcome == "not attempted"


def test_ten_checks_change_nothing_but_the_journal(step: Step) -> None:
    def everything() -> dict[str, bytes]:
        """Everything but what grows by itself, and what is kept of checks."""
        files = (path for path in settings.workspace().rglob("*") if path.is_file())
        names = (path for path in settings.state_dir().glob("exercises/*/*"))
        return {str(each): each.read_bytes() for each in files} | {str(n): b"" for n in names}

    before = everything(), swarm().service(step.worker), len(events())

    said = {learning.check(HALF) for _ in range(10)}

    assert len(said) == 1
    assert (everything(), swarm().service(step.worker)) == before[:2]
    assert len(events()) == before[2] + 10


def test_a_check_waits_for_what_is_on_its_way_and_says_so(step, monkeypatch, capsys):
    """And what has passed stays so, from the files alone; until the step is begun anew."""
    said: list[str] = []
    monkeypatch.setattr(meanwhile.Meanwhile, "say", lambda _, sentence: said.append(sentence))
    five_at_once(step)

    found = learning.check(HALF)

    assert found.passed, found
    assert any("of 10 replicas" in each for each in said), said
    assert standing(HALF).done
    before = sorted(folder_of(HALF).iterdir())
    assert learning.check(HALF).passed
    assert sorted(folder_of(HALF).iterdir()) == before, "there is nothing more to record"
    page = learning.report().page
    assert "Outcome: <b>passed</b>" in page
    assert f"· {folder_of(HALF).name}</figcaption>" in page

    labkit.reset(2)
    assert standing(HALF).state == "passed", "what is done stays done"
    assert learning.check(HALF).outcome == "not attempted"
    capsys.readouterr()
    labkit.reset(1, forget=True)
    assert "later ones are open again in your progress" in capsys.readouterr().out
    assert standing(HALF) == Standing(standing(HALF).item)


def test_a_second_try_that_replaces_nothing_is_said_to_and_begun_anew_it_passes(step, capsys):
    """By the update, and by the check, which says how to go on."""
    labkit.update(step.worker, image=step.image("1.1"), update_config={"parallelism": 2})
    assert "sleeps a delay of 5s" in learning.check(HALF).because
    capsys.readouterr()

    five_at_once(step)

    assert f"Every slot of {step.worker} has 1.1 already" in capsys.readouterr().out
    found = learning.check(HALF)
    assert "the newest update replaced no task" in found.saw
    assert found.try_next.startswith(f'press *Start again* (or call `labkit.exercise("{HALF}")`)')
    learning.exercise(HALF)
    five_at_once(step)
    assert learning.check(HALF).passed


def test_an_update_that_is_under_way_is_not_begun_once_more(step, capsys):
    """Somebody has typed it in a terminal, and runs the notebook's cell as well."""
    asked: dict[str, Any] = {"image": step.image("1.1"), "update_config": {"parallelism": 1}}
    labkit.update(step.worker, **asked)
    until(lambda: running("1.1"), "a slot to be new")
    began = swarm().service(step.worker)["UpdateStatus"]["StartedAt"]
    capsys.readouterr()

    labkit.update(step.worker, **asked)

    said = capsys.readouterr().out
    assert "is being updated to 1.1 already, so the command was not sent." in said
    assert "registry" not in said, "docker warns of what it has sent"
    assert swarm().service(step.worker)["UpdateStatus"]["StartedAt"] == began


@needs_docker
def test_an_update_from_a_terminal_counts_and_so_does_a_restarted_kernel(step: Step) -> None:
    """Nothing of it was done by labkit, and another process judges it."""
    words = f"--image {step.image('1.1')} --update-parallelism 5 --update-delay 0s {step.worker}"
    docker(swarm(), f"service update -d {words}")
    until(is_over, "the update to be over", 60)
    exercise_session.stop()  # and with it all that this kernel knows

    code = f"import labkit; print(labkit.check({HALF!r}))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "✓ passed: " in said.stdout, said.stdout + said.stderr
    assert recordings_of(HALF) == ["1.jsonl", "2.jsonl"]


@pytest.mark.parametrize("by", [pytest.param("docker", marks=needs_docker), "labkit"])
def test_a_step_that_is_typed_is_seen_whoever_sends_it(step: Step, by: str) -> None:
    labkit.reset(3)
    view = labkit.record(step.worker)
    assert learning.check("type-image").outcome == "not attempted"
    assert learning.check("type-flags").outcome == "not attempted"

    if by == "labkit":
        labkit.update(step.worker, image=step.image("1.1"), update_config={"parallelism": 0})
    else:
        words = f"--image {step.image('1.1')} --update-parallelism 0 {step.worker}"
        docker(swarm(), f"service update -d {words}")

    assert learning.check("type-image").passed, view.recording.changes
    assert standing("type-image").done
    view.stop()


def test_a_kernel_that_is_restarted_in_the_midst_of_an_update_goes_on(step: Step) -> None:
    labkit.update(step.worker, image=step.image("1.1"), update_config={"delay": "0s"})
    until(lambda: running("1.1"), "a slot to be new")
    exercise_session.stop()
    found = learning.check(HALF)
    assert found.outcome != "not attempted", found
    assert recordings_of(HALF) == ["1.jsonl", "2.jsonl"]


def forget(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Forget what a kernel knows, as one that is restarted does; returns the new one's names."""
    recorders = [each for each in (doing.last_recorder(), exercise_session._recorder) if each]
    for recorder in recorders:
        recorder._live.close()  # a kernel that is killed writes no end
        recorder.stop()
    monkeypatch.setattr(doing, "_recorder", None)
    monkeypatch.setattr(exercise_session, "_recorder", None)
    monkeypatch.setitem(sys.modules, "__main__", main := ModuleType("__main__"))
    return vars(main)


def test_resume_gives_a_view_back_whose_update_still_runs(lab, monkeypatch, capsys):
    """What the file has is there, what came meanwhile is a gap, and the rest is recorded."""
    labkit.reset(2)
    seen = labkit.watch(lab.worker)
    labkit.update(lab.worker, image=lab.image("1.0"), update_config={"delay": "8s"})
    seen.wait_for_replicas("1.0", 2)
    assert labkit.resume().recording is seen.recording, "nothing was restarted"
    names = forget(monkeypatch)
    capsys.readouterr()

    view = labkit.resume()

    assert "Notebook 2 continues" in capsys.readouterr().out
    assert names["view"] is view
    assert names["recording"] is view.recording is doing.last_recorder().recording
    assert (names["step"].number, names["swarm"]) == (2, swarm())
    assert names["story"].__name__ == "labkit.recordings.story", "it imports what the notebook does"
    assert view.recording.changes[: len(seen.recording.changes)] == seen.recording.changes
    assert view.path != seen.path
    view.wait()
    ((_, back, why),) = view.recording.gaps()
    assert (back is not None, why) == (True, "The recorder was not running.")
    assert story.fewest_running(view.recording) >= 8
    assert Recording.load(view.path) == view.recording


def test_resume_gives_an_ended_view_back_as_it_was(lab: Step, monkeypatch: pytest.MonkeyPatch):
    labkit.reset(2)
    seen = labkit.watch(lab.worker)
    labkit.update(lab.worker, replicas=11)
    why = seen.wait()
    forget(monkeypatch)

    view = labkit.resume()

    assert (view.path, view.recording) == (seen.path, seen.recording)
    assert view.wait() == why
    assert view.ended
    view.mark("afterwards")
    assert [label for _, label in Recording.load(seen.path).marks()] == ["afterwards"]


def test_resume_goes_on_with_an_exercise_that_has_begun(step, monkeypatch):
    five_at_once(step)
    until(lambda: running("1.1"), "a slot to be new")
    names = forget(monkeypatch)

    view = labkit.resume()

    assert view.recording is exercise_session.recorder().recording
    assert names["view"] is view
    assert learning.check(HALF).passed


def test_resume_before_anything_was_watched_gives_no_view(lab, monkeypatch):
    labkit.reset(2)
    names = forget(monkeypatch)
    assert labkit.resume() is None
    assert names["step"] == lab
    assert "view" not in names


@pytest.mark.usefixtures("alone")
def test_resume_where_no_notebook_has_begun_says_so() -> None:
    with pytest.raises(NotSettled, match="run the notebook from its first cell"):
        labkit.resume()


@pytest.mark.usefixtures("lab")
def test_the_settings_that_notebook_5_ends_with_do_what_it_says(capsys: pytest.CaptureFixture[str]):
    step = labkit.reset(5)
    labkit.update(step.worker, replicas=12)
    (cell,) = (
        each for each in cells.read(step.shipped)["cells"] if "production = {" in cells.text(each)
    )
    capsys.readouterr()

    exec(cells.text(cell), {"labkit": labkit, "step": step})

    good, broken, *said = capsys.readouterr().out.splitlines()
    assert good.startswith("Predicted: completed after ")
    assert "never fewer than 10" in broken
    assert [each.partition(": ")[2].strip() for each in said] == [
        "never fewer than the twelve that there are: True",
        "updating → rollback_started → rollback_completed",
        "all run the old tag again: True",
    ]


@pytest.mark.usefixtures("step")
def test_begun_anew_nothing_is_attempted_yet() -> None:
    first = folder_of(HALF)
    learning.exercise(HALF)
    assert folder_of(HALF) != first
    assert learning.check(HALF).outcome == "not attempted"


def test_a_service_that_is_gone_is_said_to_be(step: Step) -> None:
    """Check and hint end soon, and the exercise can be begun anew."""
    swarm().delete(f"/services/{swarm().service(step.worker)['ID']}")

    found = learning.check(HALF)

    assert found.outcome != "passed"
    assert "gone" in found.saw or "not there" in found.saw, found
    assert learning.hint(HALF).rung == 1
    learning.exercise(HALF)
    assert swarm().snapshot(step.worker).running_by_tag() == {"1.0": 10}


@pytest.mark.usefixtures("step")
def test_a_look_back_at_one_exercise_takes_nothing_from_the_next() -> None:
    """The recorder goes on with the exercise that was begun last."""
    learning.exercise("never-fewer")
    recorder = exercise_session.recorder()

    found = learning.check(HALF)
    hint = learning.hint(HALF)

    assert found.outcome == "not attempted", found
    assert found.try_next.startswith(f'`labkit.exercise("{HALF}")`: the worker has been reset')
    assert hint.rung == 1
    assert exercise_session.recorder() is recorder
    assert recorder.alive
    assert recordings_of(HALF) == ["1.jsonl"]


def test_a_reset_takes_the_worker_from_an_exercise(step: Step) -> None:
    """What is updated then belongs to the notebook, and passes nothing."""
    recorder = exercise_session.recorder()
    labkit.reset(3)
    labkit.update(step.worker, image=step.image("1.1"), update_config={"parallelism": 0})

    found = learning.check(HALF)

    assert found.outcome != "passed", found
    assert "has been reset" in found.try_next
    assert not recorder.alive


@pytest.mark.usefixtures("step")
def test_the_recorder_of_another_kernel_ends_when_an_exercise_begins_in_this_one(monkeypatch):
    there = exercise_session.recorder()
    monkeypatch.setattr(exercise_session, "_recorder", None)
    learning.exercise("never-fewer")
    until(lambda: not there.alive, "the other kernel's recorder to end", 20)
    assert there.why == "The worker was reset."


def test_an_image_that_a_learner_built_over_the_lesson_s_is_made_anew(step: Step, tmp_path: Path):
    """And so is the worker: its tasks have what the other image had."""
    folder = tmp_path / "worker"
    shutil.copytree(settings.lesson_files() / "dockercoins" / "worker", folder)
    (folder / "worker.py").write_text("raise SystemExit(3)\n")
    images.build(swarm(), folder, step.image("1.0"))
    other = images.source_of(swarm(), step.image("1.0"))
    before = swarm().service(step.worker)["ID"]

    learning.exercise(HALF)

    assert images.source_of(swarm(), step.image("1.0")) != other
    assert swarm().service(step.worker)["ID"] != before
    assert running("1.0") == 10


@pytest.mark.usefixtures("step")
def test_a_file_of_somebody_else_s_among_the_recordings_is_passed_over() -> None:
    """JupyterLab's *Duplicate* makes one."""
    (folder_of(HALF) / "1-Copy1.jsonl").write_text("nothing")
    assert learning.check(HALF).outcome == "not attempted"
    assert recordings_of(HALF) == ["1.jsonl"]


@pytest.mark.usefixtures("step")
def test_a_reset_in_a_terminal_forgets_progress_if_it_is_asked_to() -> None:
    assert standing(HALF).state != "open"
    for words, is_open in ((["reset", "2"], False), (["reset", "2", "--forget"], True)):
        said = CliRunner().invoke(cli.main, words)
        assert said.exit_code == 0, said.output
        assert (standing(HALF).state == "open") is is_open


@pytest.mark.usefixtures("alone")
def test_a_finding_is_not_lost_with_a_journal_that_cannot_be_written(monkeypatch, capsys):
    def full(*_: object) -> None:
        raise LabError("to keep your progress.", "no space left on device.")

    monkeypatch.setattr("labkit.lessons.journal.Journal.add", full)
    monkeypatch.setattr(activity_log, "_told", False)
    first, second = (learning.compare(MISSING, updated()) for _ in range(2))

    assert first.reading.choice == second.reading.choice == "one"
    assert capsys.readouterr().err.count("no space left on device") == 1


@pytest.mark.usefixtures("step")
def test_nothing_of_it_leaves_a_learners_folder() -> None:
    """What the journal names is beside it, in no path of this machine."""
    named = {event.recording for event in events() if event.recording}
    assert named
    assert not any(Path(name).is_absolute() for name in named)
    assert str(settings.home()) not in json.dumps([event.saw for event in events()])


@pytest.mark.usefixtures("step")
def test_the_first_tag_is_dockercoins_as_it_is_shipped_whatever_the_learners_files_hold() -> None:
    """Notebook 3 begins with the faster worker in the file, and 1.0 in the stack."""
    shipped = images.source_of(swarm(), STEPS[3].image("1.0"))
    labkit.reset(3)
    before = swarm().service(STEPS[3].worker)["ID"]
    labkit.reset(3)
    assert images.source_of(swarm(), STEPS[3].image("1.0")) == shipped
    assert swarm().service(STEPS[3].worker)["ID"] == before, "nothing was left to do"


def test_an_image_without_the_latest_edit_is_said(
    step: Step, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it was built before the edit, or the edit was not saved before the build."""
    folder, image = step.folder / "worker", step.image("edited")
    labkit.build(folder, image)
    assert f"made from the same files as {step.image('1.1')}" in capsys.readouterr().out
    worker = folder / "worker.py"
    before = worker.read_text()
    worker.write_text(before + "# an edit\n")
    labkit.update(step.worker, image=image)
    assert f"Files in the folder of {image} have changed" in capsys.readouterr().out
    labkit.build(folder, image)
    labkit.update(step.worker, image=image, force=True)
    said = capsys.readouterr().out
    assert "have changed" not in said
    assert "same files" not in said
    worker.write_text(before)
    labkit.build(folder, "without_a_tag")
    assert "without_a_tag:latest, " not in capsys.readouterr().out


def test_an_update_that_the_view_does_not_show_is_said(
    step: Step, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise_session.stop()
    recorder = labkit.record(step.worker)
    labkit.update(step.worker, replicas=11)
    assert "has ended" not in capsys.readouterr().out
    recorder.stop()
    labkit.update(step.worker, replicas=10)
    assert "The view of dc_worker has ended" in capsys.readouterr().out
