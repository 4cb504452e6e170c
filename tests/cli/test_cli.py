"""The command line: what it exits with, and where its words go."""

import errno
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from labkit import cli, engines, views
from labkit.api import doing, up
from labkit.engines import ports
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, Marked
from labkit.recordings.values import Node
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from swarmsim import Engine
from tests.claims import each_claim
from tests.values import at, recording, service, snapshot, status, task

NOWHERE = "tcp://127.0.0.1:1"
COMMANDS = ["class", "doctor", "down", "env", "lab", "node", "notebooks", "predict"]
COMMANDS += ["progress", "record", "report", "reset", "show", "stack", "up"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own, and no engine unless a test names one."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("LABKIT_ENGINE", NOWHERE)
    return tmp_path


def labkit(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


def test_it_has_the_commands_of_the_contract():
    context = click.Context(cli.main)
    assert cli.main.list_commands(context) == COMMANDS
    assert None not in [cli.main.get_command(context, name) for name in COMMANDS]
    stack_group = cli.main.get_command(context, "stack")
    assert isinstance(stack_group, click.Group)
    assert sorted(stack_group.commands) == ["deploy", "ls", "ps", "rm", "services"]


def test_python_dash_m_is_the_same():
    words = [sys.executable, "-m", "labkit", "--version"]
    assert "labkit" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


@each_claim(__file__, "wrong", "words")
def test_wrong_usage_ends_in_2(words: str):
    assert labkit(*words.split()).exit_code == 2


@each_claim(__file__, "fails", "words")
def test_what_fails_ends_in_1_with_a_sentence_and_no_traceback(words: list[str]):
    ended = labkit(*words)
    assert ended.exit_code == 1
    assert ended.stderr.strip()
    assert "Traceback" not in ended.output
    assert isinstance(ended.exception, SystemExit)


@each_claim(__file__, "bad_settings", "variable", "value")
def test_a_bad_setting_is_refused_by_its_name_before_anything_begins(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, home: Path
):
    monkeypatch.setenv(variable, value)
    ended = labkit("up", "--engine", "simulated")
    assert ended.exit_code == 1
    assert variable in ended.stderr
    assert repr(value) in ended.stderr
    assert not list(home.iterdir())


def test_what_a_terminal_cannot_encode_is_put_plainly():
    words = [sys.executable, "-m", "labkit", "doctor"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(words, capture_output=True, text=True, env=env)
    assert "x missing engine: No engine answers at " in ran.stdout
    assert not ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("words", [["--help"], ["doctor"]])
def test_an_output_that_is_full_is_said_in_a_sentence(words: list[str]):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "labkit", *words]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 1
    assert ran.stderr == "The machine refused: No space left on device\n"


def test_a_stack_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch):
    given: dict[str, object] = {}
    nowhere = engines.Engine("yours", Swarm(None, "unix:///nowhere"), "you named it")
    monkeypatch.setattr(engines, "find", lambda: nowhere)
    monkeypatch.setattr(stack, "deploy", lambda _, files, **__: given.update(files=files))
    assert labkit("stack", "deploy", "-c", "-", "dc").exit_code == 0
    assert given["files"] == (Path("-"),)


def test_doctor_without_an_engine_ends_in_1_and_says_how_to_get_one():
    ended = labkit("doctor")
    assert ended.exit_code == 1
    assert "✗ missing engine: No engine answers at " in ended.output
    assert "→ " in ended.output


def test_doctor_speaks_json():
    lines = json.loads(labkit("doctor", "--json").output)
    assert {"name", "verdict", "saw", "mend"} == set(lines[0])
    assert {line["name"]: line["verdict"] for line in lines}["engine"] == "missing"


def test_down_where_nothing_was_made_changes_nothing():
    assert labkit("down").exit_code == 0
    assert labkit("down").output == "The lab is down.\n"


def test_a_file_that_is_no_recording_is_refused(home: Path):
    other = home / "other.jsonl"
    other.write_text("not a recording\n")
    ended = labkit("show", str(other))
    assert ended.exit_code == 1
    assert str(other) in ended.stderr
    assert not other.with_suffix(".html").exists()


# ---- showing -----------------------------------------------------------------------


class Page:
    """A view whose page says what it was made of."""

    def __init__(self, made: object, names: object = None, path: object = None) -> None:
        del path  # only marks need it
        count = len(made) if isinstance(made, list) else 1
        self.page = f"{count} {names}"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Replay", "Comparison"):
        monkeypatch.setattr(views, name, Page)


@pytest.fixture
def file(home: Path) -> Path:
    made = recording(
        snapshot(0, service(), task(1)),
        snapshot(1, service("1.1", update_status=status("updating", started_at=at(1))), task(1)),
        snapshot(
            3,
            service(
                "1.1", update_status=status("completed", started_at=at(1), completed_at=at(2.5))
            ),
            task(1, "1.1"),
        ),
    )
    made.add(Ended(at(4), "It was stopped."))
    made.add(Marked(at(5), at(2), "\x1b[31m\u202ehere"))
    made.save(home / "one.jsonl")
    return home / "one.jsonl"


@pytest.mark.usefixtures("drawn")
def test_a_recording_becomes_a_page_beside_it(file: Path):
    ended = labkit("show", str(file))
    assert ended.exit_code == 0
    assert ended.output == f"{file.with_suffix('.html')}: open it in a browser.\n"
    assert file.with_suffix(".html").read_text() == "1 None"


@pytest.mark.usefixtures("drawn")
def test_several_recordings_become_one_page_named_after_their_files(file: Path, home: Path):
    (home / "two.jsonl").write_bytes(file.read_bytes())
    assert labkit("show", str(file), str(home / "two.jsonl")).exit_code == 0
    assert (home / "comparison.html").read_text() == "2 ['one', 'two']"
    labkit("show", str(file), str(home / "two.jsonl"), "-o", str(home / "x.html"))
    assert (home / "x.html").read_text() == "2 ['one', 'two']"


@pytest.mark.usefixtures("drawn")
def test_torn_lines_are_left_out_and_counted(file: Path):
    file.write_bytes(file.read_bytes()[:-5])
    assert f"{file}: 1 line of the file could not be read" in labkit("show", str(file)).output
    file.write_text(file.read_text() + "\n{")
    assert f"{file}: 2 lines of the file could not be read" in labkit("show", str(file)).output


@pytest.mark.usefixtures("drawn")
def test_a_recording_is_never_drawn_over(file: Path):
    before = file.read_bytes()
    page = file.with_suffix(".html")
    file.rename(page)

    for words in (["show", str(page)], ["show", str(page), "-o", str(page)]):
        ended = labkit(*words)
        assert ended.exit_code == 1
        assert "it is a recording" in ended.stderr
    assert page.read_bytes() == before


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("words", [["show", "{file}", "-o"], ["report", "-o"]])
def test_no_page_takes_the_place_of_another_recording(words: list[str], file: Path, home: Path):
    other = home / "other.html"
    other.write_bytes(file.read_bytes())
    ended = labkit(*(word.format(file=file) for word in words), str(other))
    assert ended.exit_code == 1
    assert "it is a recording" in ended.stderr
    assert other.read_bytes() == file.read_bytes()


@pytest.mark.usefixtures("drawn")
def test_a_page_is_written_whole_or_not_at_all(file, home, monkeypatch):
    page = home / "x.html"
    page.write_text("the page of yesterday")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as opened:
            opened.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    ended = labkit("show", str(file), "-o", str(page))

    assert ended.exit_code == 1
    assert "No space left on device" in ended.stderr
    assert page.read_text() == "the page of yesterday"
    assert not list(home.glob(".*"))


@pytest.mark.usefixtures("drawn")
def test_a_page_that_cannot_be_written_is_refused_with_a_sentence(file: Path, home: Path):
    ended = labkit("show", str(file), "-o", str(home / "none" / "x.html"))
    assert ended.exit_code == 1
    assert "name a file in an existing folder" in ended.stderr


def test_what_recordings_tell_can_be_had_as_json(file: Path):
    ended = labkit("show", "--json", str(file), str(file))

    first, second = json.loads(ended.output)
    assert first == second
    assert first == {
        "service": "dc_worker",
        "engine": "a test",
        "provenance": "engine",
        "started": "2026-03-01T09:00:00+00:00",
        "ended": "2026-03-01T09:00:04+00:00",
        "why": "It was stopped.",
        "states": [
            {"at": "2026-03-01T09:00:01+00:00", "state": "updating", "message": ""},
            {"at": "2026-03-01T09:00:03+00:00", "state": "completed", "message": ""},
        ],
        "total_seconds": 1.5,
        "slots_touched": 1,
        "fewest_running": 1,
        "running": {"1.1": 1},
        "hashes_lost": None,
        "marks": [{"of": "2026-03-01T09:00:02+00:00", "label": "\x1b[31m\u202ehere"}],
        "torn_lines": 0,
        "left_out": 0,
    }
    assert ended.output.isascii(), "a terminal obeys nothing in it"
    assert not file.with_suffix(".html").exists()


# ---- on an engine that was there before -------------------------------------------


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Swarm]:
    """The manager on which the lab is."""
    with (
        TemporaryDirectory() as short,
        Engine(speed=100) as engine,
        engine.serve(f"unix://{short}/s") as url,
    ):
        monkeypatch.setenv("LABKIT_ENGINE", url)
        yield Swarm.at(url)


def test_env_prints_what_a_shell_can_read(swarm: Swarm):
    assert labkit("env").output == f"export DOCKER_HOST={shlex.quote(swarm.url)}\n"


def test_up_gives_way_and_does_nothing_the_second_time_and_down_removes_it(
    swarm: Swarm, home: Path
):
    def versions() -> dict[str, Any]:
        mine = swarm.services(label=f"{stack.NAMESPACE}=dc")
        return {each["ID"]: each["Version"] for each in mine}

    nothing = {"ContainerSpec": {"Image": "labkit.invalid/none:1.0"}}
    other = swarm.post("/services/create", {"Name": "other", "TaskTemplate": nothing})

    first = labkit("up")
    assert first.exit_code == 0, first.output
    assert "Stack dc: deployed; 14 of 14 replicas run." in first.output
    mine = swarm.services(label=f"{stack.NAMESPACE}=dc")
    got = {port["PublishedPort"] for each in mine for port in each["Endpoint"].get("Ports", [])}
    assert len(got) == 3
    for port in {*ports.WANTED.values()} - got:
        assert f"in place of {port}" in first.output, "taken ports give way"
    before = versions()

    second = labkit("up")
    assert "Images: nothing to do." in second.output
    assert "Stack dc: nothing to do; 14 of 14 replicas run." in second.output
    assert versions() == before
    assert labkit("doctor").exit_code == 0

    edited = home / "lab" / "dockercoins" / "worker" / "worker.py"
    edited.write_text("# mine\n")
    assert labkit("up").exit_code == 0
    assert edited.read_text() == "# mine\n"

    assert labkit("down").exit_code == 0
    assert versions() == {}
    assert swarm.service(other["ID"]), "what is not the lab's stays"
    assert swarm.info()["Swarm"]["ControlAvailable"], "the swarm was there before, and stays"
    assert edited.exists()


# ---- predicting --------------------------------------------------------------------


@pytest.fixture
def four_replicas(sim: Swarm, monkeypatch: pytest.MonkeyPatch) -> str:
    """A service of four replicas whose image does not exist: to predict needs no task."""
    spec = {
        "Name": "web",
        "Mode": {"Replicated": {"Replicas": 4}},
        "TaskTemplate": {"ContainerSpec": {"Image": "labkit.invalid/none:1.0"}},
    }
    sim.post("/services/create", spec)
    monkeypatch.setattr(doing, "_current", sim)
    return "web"


def test_a_prediction_is_a_sentence_and_changes_nothing(sim: Swarm, four_replicas: str):
    before = sim.service(four_replicas)
    crash = ("--exits-after", "1s", "--exit-code", "2")

    ran = labkit("predict", four_replicas, "--image", "x:2", "--update-delay=3s", *crash)

    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("Predicted: paused after ")
    assert ran.stdout.endswith("; 1 slot touched, never fewer than 3 replicas running.\n")
    assert sim.service(four_replicas) == before


def test_a_prediction_can_be_kept_and_read(four_replicas: str, tmp_path: Path):
    kept = tmp_path / "predicted.jsonl"
    stubborn = ("--image", "x:2", "--update-parallelism", "2", "--ignores-stop")

    ran = labkit("predict", four_replicas, *stubborn, "-o", str(kept), "--json")
    told = json.loads(ran.stdout)

    assert (told["provenance"], told["slots_touched"], told["fewest_running"]) == (
        "predicted",
        4,
        2,
    )
    assert 25 < told["total_seconds"] < 35, "two rounds of ten seconds, and the monitor window"
    spread = told.pop("over_seeds")
    assert (spread["states"], spread["slots_touched"]) == (["completed"], [4])
    assert story.facts(Recording.load(kept)) == told


@each_claim(__file__, "predictions", "options", "status", "says")
def test_what_cannot_be_predicted_is_refused(four_replicas, options, status, says):
    ran = labkit("predict", four_replicas, *options)
    assert (ran.exit_code, ran.stdout) == (status, "")
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("availability", "state", "says"),
    [
        ("drain", "ready", "n1 is drained: it gets no new tasks, and Swarm stops those it has."),
        ("pause", "ready", "(docker node update --availability active n1)"),
        ("active", "down", "The node n1 is down: nothing is known of its tasks."),
        ("active", "ready", ""),
    ],
)
def test_up_says_which_nodes_take_no_task(availability, state, says, capsys):
    up._say_which_take_no_task((Node(id="a", name="n1", state=state, availability=availability),))
    said = "".join(capsys.readouterr())
    assert says in said
    assert bool(says) == bool(said)


def test_a_plan_and_slides_of_one_notebook_are_written_as_pages(tmp_path: Path):
    plan, deck = tmp_path / "plan.html", tmp_path / "deck"
    labkit("notebooks", "plan", "4", "-o", str(plan))
    labkit("notebooks", "slides", "4", "--html", "-o", str(deck))
    assert "Shutting down" in plan.read_text()
    assert [each.name for each in deck.glob("*.html")] == ["04-shutting-down.html"]
