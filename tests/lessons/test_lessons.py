"""The lesson's edits are real edits, the learner's copy is a copy, and a reset loses nothing."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from labkit import lessons
from labkit.base import settings
from labkit.base.errors import BadComposeFile, BadValue, LabError, NotOurs, NotSettled
from labkit.engines import nodes
from labkit.lessons import workspace
from labkit.lessons.steps import edits, steps
from labkit.swarm import services
from labkit.swarm.client import Swarm
from tests.claims import each_claim
from tests.simulated import simulated_swarm
from tests.waiting import until


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What there is in a home with a fresh copy in it."""
    made = tmp_path_factory.mktemp("fresh")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(made))
        workspace.refresh()
    return made


@pytest.fixture(autouse=True)
def mine(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner's folder of their own, with a fresh copy in it."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)


def worker() -> Path:
    return workspace.mine(edits.WORKER)


def compose() -> Path:
    return workspace.mine(edits.COMPOSE)


def test_the_copy_holds_the_notebooks_and_the_application() -> None:
    lab = settings.workspace()
    assert {f"{step.notebook}.ipynb" for step in lessons.STEPS} <= {p.name for p in lab.iterdir()}
    assert worker().read_text() == workspace.shipped(edits.WORKER).read_text()


def test_the_copy_shows_no_answer_before_its_question() -> None:
    """The outputs that are stored for nbval would stand beside the predictions."""
    for step in lessons.STEPS:
        text = (settings.workspace() / f"{step.notebook}.ipynb").read_text()
        for cell in (c for c in json.loads(text)["cells"] if c["cell_type"] == "code"):
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_a_second_refresh_copies_nothing_and_never_touches_what_was_changed() -> None:
    worker().write_text("mine")
    assert workspace.refresh() == []
    assert worker().read_text() == "mine"


def test_a_newer_file_replaces_a_copy_that_nobody_changed(monkeypatch, tmp_path):
    checkout = tmp_path / "newer"
    (checkout / "dockercoins" / "worker").mkdir(parents=True)
    (checkout / "dockercoins" / edits.WORKER).write_text("newer")
    monkeypatch.setattr(settings, "lesson_files", lambda: checkout)
    assert workspace.refresh() == [f"dockercoins/{edits.WORKER}"]
    assert worker().read_text() == "newer"


def test_faster_changes_the_sleep_of_a_unit_of_work_and_shows_it(capsys):
    lessons.edit("faster")
    said = capsys.readouterr().out
    assert "-    time.sleep(0.1)" in said
    assert "+    time.sleep(0.01)" in said
    assert worker().read_text().count("time.sleep(0.01)") == 1


def test_bugged_leaves_no_import_and_still_is_python() -> None:
    """The image builds; the program fails only when it runs."""
    lessons.edit("bugged")
    tree = ast.parse(worker().read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_deaf_ignores_sigterm_and_changes_nothing_else() -> None:
    before = worker().read_text()
    lessons.edit("deaf")

    changed = [line for line in worker().read_text().splitlines() if line not in before]
    assert changed == [
        "    # A unit of work that has been begun is to be finished.",
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ]
    assert "Swarm waits ten seconds" not in worker().read_text(), "that would be the answer"


def ran(slot: str, folder: Path) -> subprocess.CompletedProcess[str] | None:
    """Run the learner's worker with no redis; `None` if it went on for a while."""
    lines = subprocess.Popen(
        [sys.executable, "-u", worker()],
        cwd=folder,
        env=os.environ | {"SLOT": slot},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert lines.stdout
    with lines:
        said = ""
        for line in lines.stdout:
            said += line
            if "Waiting 10s" in line:  # it has begun to work, and misses redis
                lines.kill()
                return None
        return subprocess.CompletedProcess(lines.args, lines.wait(), said)


@pytest.mark.parametrize(("name", "bad"), [("one bad", "3"), ("three bad", "3 6 9")])
def test_a_bad_worker_ends_at_once_in_some_slots_and_works_in_the_others(name, bad, tmp_path):
    lessons.edit(name)
    for slot in bad.split():
        ended = ran(slot, tmp_path)
        assert ended
        assert (ended.returncode, ended.stdout) == (1, "This worker cannot work here.\n")
    assert ran("30", tmp_path) is None


def test_three_bad_after_one_bad_is_three_bad() -> None:
    lessons.edit("three bad")
    three = worker().read_text()
    edits.put(edits.WORKER, ("one bad",))
    lessons.edit("three bad")
    assert worker().read_text() == three


def test_a_stuck_worker_never_begins_a_unit_of_work_and_ends_when_it_is_told_to(tmp_path: Path):
    lessons.edit("stuck")
    program = worker().with_name("stuck.py")
    program.write_text(
        "import worker\n"
        "worker.redis.incrby = lambda *_: None\n"
        "worker.get_random_bytes = lambda: print('worked', flush=True)\n"
        "sleep = worker.time.sleep\n"
        "worker.time.sleep = lambda seconds: (print('slept', flush=True), sleep(0.01))\n"
        "worker.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, program], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process:
        said = [next(process.stdout) for _ in range(6)]
        process.terminate()
        assert process.wait(timeout=5) == 0
    assert said[0].startswith("INFO:0 units of work done")
    assert set(said[1:]) == {"slept\n"}


def test_the_health_check_finds_healthy_who_has_worked_in_the_last_five_seconds(tmp_path: Path):
    lessons.edit("health check")
    text = workspace.mine(edits.DOCKERFILE).read_text()
    words = json.loads(re.findall(r"^ +CMD (\[.*\])$", text, re.MULTILINE)[0])
    probe = [sys.executable, *words[1:]]

    def healthy() -> bool:
        return subprocess.run(probe, cwd=tmp_path, capture_output=True, check=False).returncode == 0

    assert not healthy(), "it has not worked at all"
    (tmp_path / "worked").touch()
    assert healthy()
    os.utime(tmp_path / "worked", (time.time() - 6, time.time() - 6))
    assert not healthy()


@pytest.mark.parametrize(
    ("first", "then"), list(permutations(("faster", "deaf", "one bad", "stuck", "bugged"), 2))
)
def test_edits_of_one_file_can_be_made_in_any_order(first: str, then: str) -> None:
    """So whoever works on one exercise can go back to another part of the lesson."""
    lessons.edit(first)
    lessons.edit(then)
    text = worker().read_text()
    assert edits.EDITS[first].made(text)
    assert edits.EDITS[then].made(text)
    ast.parse(text)


def test_a_variant_is_the_shipped_worker_with_edits(tmp_path: Path) -> None:
    worker().write_text("mine")
    steps.write_edited(tmp_path / "worker", ("faster", "one bad"))
    text = (tmp_path / "worker" / "worker.py").read_text()
    assert "time.sleep(0.01)" in text
    assert '["3"]' in text
    assert (tmp_path / "worker" / "resp.py").exists()


def test_in_pairs_gives_worker_the_update_config_of_the_lesson_and_changes_nothing_else() -> None:
    before = yaml.safe_load(compose().read_text())
    lessons.edit("in pairs")

    after = yaml.safe_load(compose().read_text())
    assert after["services"]["worker"]["deploy"].pop("update_config") == {
        "parallelism": 2,
        "delay": "5s",
    }
    assert after == before


@pytest.mark.parametrize("name", edits.EDITS)
def test_an_edit_that_is_made_already_says_so_and_changes_nothing(name, capsys):
    lessons.edit(name)
    once = [workspace.mine(file).read_text() for file in edits.FILES]
    capsys.readouterr()
    lessons.edit(name)
    assert [workspace.mine(file).read_text() for file in edits.FILES] == once
    assert "already has the change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("by_hand", "done"),
    [
        ("      update_config: {parallelism: 2, delay: 5s}\n      replicas: 10\n", True),
        ("      replicas: 10\n      update_config: {parallelism: 3, delay: 1s}\n", False),
    ],
)
def test_an_update_config_of_the_learner_s_own_is_read_and_not_doubled(by_hand, done, capsys):
    text = compose().read_text().replace("      replicas: 10\n", by_hand)
    compose().write_text(text)

    if done:
        lessons.edit("in pairs")
        assert "already has the change" in capsys.readouterr().out
    else:
        with pytest.raises(LabError, match="the line to change was not found"):
            lessons.edit("in pairs")
    assert compose().read_text() == text


def test_a_file_in_which_the_place_is_gone_is_left_alone_with_a_sentence() -> None:
    worker().write_text("print('mine')\n")
    with pytest.raises(LabError, match="the line to change was not found"):
        lessons.edit("faster")
    assert worker().read_text() == "print('mine')\n"


@pytest.mark.parametrize("content", [None, b"caf\xe9"])
def test_a_file_that_cannot_be_read_gets_a_sentence(content: bytes | None) -> None:
    worker().unlink()
    if content is not None:
        worker().write_bytes(content)
    with pytest.raises(LabError, match=r"to read .*worker\.py"):
        lessons.edit("faster")


def test_an_unknown_edit_names_those_there_are() -> None:
    known = ", ".join(map(repr, edits.EDITS))
    with pytest.raises(BadValue, match=f"the lesson's edits are {known}, not 'quicker'"):
        lessons.edit("quicker")


@pytest.mark.parametrize("content", [b"mine\n", b"caf\xe9"])
def test_putting_a_file_back_keeps_what_the_learner_wrote(content: bytes) -> None:
    """Byte for byte, whatever its encoding."""
    worker().write_bytes(content)
    said = edits.put(edits.WORKER, ("faster",))
    kept = " (your version is kept as worker.py.yours-1)"
    assert said == "dockercoins/worker/worker.py set to its starting point" + kept
    assert worker().with_name("worker.py.yours-1").read_bytes() == content
    assert "time.sleep(0.01)" in worker().read_text()


@pytest.mark.parametrize("base", ["python:3.13-alpine", "labkit/python:debian-bookworm"])
def test_a_health_check_is_put_back_like_any_other_edit(base: str) -> None:
    """With another worker, or another probe, it would make every task unhealthy."""
    workspace.refresh(base)
    lessons.edit("health check")
    restored = "dockercoins/worker/Dockerfile restored"
    assert edits.put(edits.DOCKERFILE, (), base) == restored, "and no copy is kept"
    assert f"ARG PYTHON_IMAGE={base}" in workspace.mine(edits.DOCKERFILE).read_text().splitlines()


def test_a_copy_never_takes_the_place_of_an_earlier_one() -> None:
    for text in ("one", "two"):
        worker().write_text(text)
        workspace.keep_a_copy(worker())
    worker().with_name("worker.py.yours-1").unlink()
    worker().write_text("three")

    assert workspace.keep_a_copy(worker()).name == "worker.py.yours-1"
    assert worker().with_name("worker.py.yours-2").read_text() == "two"


def test_putting_back_one_of_the_lesson_s_own_versions_keeps_no_copy() -> None:
    lessons.edit("faster")
    lessons.edit("bugged")
    assert edits.put(edits.WORKER, ()) == "dockercoins/worker/worker.py restored"
    assert worker().read_text() == workspace.shipped(edits.WORKER).read_text()
    assert edits.put(edits.WORKER, ()) == ""


@pytest.mark.parametrize("name", [2, "2", "02", "02-updates-in-parallel", "updates-in-parallel"])
def test_a_step_is_found_by_its_number_or_its_notebook(name: int | str) -> None:
    assert lessons.find(name) is lessons.STEPS[2]


def test_an_unknown_step_names_those_there_are() -> None:
    with pytest.raises(BadValue, match=r"the steps are 0 to \d \(00-start-here, .*\), not 9"):
        lessons.find(9)


def test_every_step_has_its_notebook() -> None:
    shipped = {path.stem for path in (settings.lesson_files() / "notebooks").glob("*.ipynb")}
    assert {step.notebook for step in lessons.STEPS} == shipped


PLAIN = {
    "TaskTemplate": {
        "ContainerSpec": {"Image": "lab/dockercoins_worker:1.0", "Env": ["SLOT={{.Task.Slot}}"]},
        "Resources": {},
        "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
    }
}


@each_claim(__file__, "set", "part", "value")
def test_what_was_set_beside_the_lesson_s_file_is_seen(part: str, value: dict[str, Any]) -> None:
    """A reset makes such a worker anew: it would not behave as the lesson says."""
    assert steps._is_plain(PLAIN)
    assert steps._is_plain(
        {"TaskTemplate": PLAIN["TaskTemplate"] | {"RestartPolicy": {"Condition": "any"}}}
    )
    assert not steps._is_plain({"TaskTemplate": PLAIN["TaskTemplate"] | {part: value}})


def test_a_step_begins_when_all_of_the_stack_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of the learner's own in it is not waited for."""
    monkeypatch.setattr(steps, "_POLL_SECONDS", 0)
    running = iter([0, 0, 1])
    names = ("dc_redis", "dc_webui", "dc_mine")
    service = {"ServiceStatus": {"RunningTasks": 1, "DesiredTasks": 1}}
    listed = [{"ID": name, "Spec": {"Name": name}, **service} for name in names]

    def tasks(label: str) -> list[Any]:
        assert label == "com.docker.stack.namespace=dc"
        up = SimpleNamespace(running=True, desired_state="running")
        here = ["dc_webui", *["dc_redis"] * next(running)]
        return [SimpleNamespace(service_id=each, **vars(up)) for each in here]

    swarm = cast(Swarm, SimpleNamespace(services=lambda **_: listed, task_values=tasks))
    steps._wait_for_all(swarm, lessons.STEPS[0])

    assert next(running, None) is None
    running = iter([0])
    monkeypatch.setattr(steps, "_WAIT_SECONDS", 0)
    with pytest.raises(NotSettled, match="dc_redis do not"):
        steps._wait_for_all(swarm, lessons.STEPS[0])


def test_a_reset_removes_nothing_where_it_cannot_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Because something in the stack is somebody else's, or the learner's file has a mistake."""
    step = lessons.STEPS[0]
    monkeypatch.setattr(steps, "_build", lambda *_: [])
    with simulated_swarm() as swarm:
        steps.reset(swarm, step)
        services.update(swarm, step.worker, replicas=3)
        before = swarm.service(step.worker)["ID"]
        good = compose().read_text()
        compose().write_text(good.replace("replicas", "replicaz") + "nonsense: 1\n")
        with pytest.raises(BadComposeFile):
            steps._bring_stack(swarm, step, anew=True)
        compose().write_text(good)
        theirs = {"Name": "dc_extra", "Labels": {"com.docker.stack.namespace": "dc"}}
        template = {"ContainerSpec": {"Image": "busybox"}}
        swarm.post("/services/create", {**theirs, "TaskTemplate": template})
        with pytest.raises(NotOurs, match="service dc_extra"):
            steps.reset(swarm, step)
        assert swarm.service(step.worker)["ID"] == before


def test_a_reset_does_not_wait_for_tasks_of_a_node_that_is_down(monkeypatch: pytest.MonkeyPatch):
    """Neither where the worker is as it should be, nor where it is made anew."""
    step = lessons.STEPS[0]
    monkeypatch.setattr(steps, "_build", lambda *_: [])
    monkeypatch.setattr(steps, "_WAIT_SECONDS", 10)
    with simulated_swarm(nodes=3) as swarm:
        steps.reset(swarm, step)
        nodes.disturb(swarm, "kill", "node-2")
        until(lambda: any(each.lost for each in swarm.snapshot(step.worker).tasks), "its end")
        steps.reset(swarm, step)
        services.update(swarm, step.worker, replicas=3)
        steps.reset(swarm, step)

        assert sum(each.running for each in swarm.snapshot(step.worker).tasks) == 10
