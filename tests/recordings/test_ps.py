"""Tables are docker's, byte for byte."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from labkit.recordings import ps
from labkit.recordings.values import Task
from labkit.swarm import services, stack
from labkit.swarm.client import Swarm
from tests.claims import each_claim
from tests.dockers import docker, needs_docker
from tests.waiting import until

T = TypeVar("T")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TASK = Task(
    id="abcdefghijklmnopqrstuvwxy",
    slot=1,
    image="lab/worker:1.0",
    node="debian",
    state="running",
    desired_state="running",
    status_at=NOW - timedelta(seconds=5),
    created_at=NOW - timedelta(seconds=9),
    service_id="service",
    node_id="node",
)


@each_claim(__file__, "ages", "length", "words")
def test_ages_are_in_dockers_words(length: dict[str, float], words: str) -> None:
    assert ps.age(timedelta(**length)) == words


def test_slots_sort_as_numbers_and_digits_before_letters() -> None:
    names = ["w.10", "w.2", "w.a", "w", "w.02", "w-1", "W.1", "w.1.b"]
    assert sorted(names, key=ps.natural_key) == [
        "W.1",
        "w",
        "w-1",
        "w.1.b",
        "w.2",
        "w.02",
        "w.10",
        "w.a",
    ]


def test_an_older_task_of_a_slot_follows_the_newest_and_is_marked_as_its_past() -> None:
    old = replace(TASK, id="old", created_at=NOW - timedelta(seconds=99))
    other = replace(TASK, id="other", slot=10)
    second = replace(TASK, id="second", slot=2)
    shown = ps.rows([old, other, second, TASK], "dc_worker", NOW)
    assert [row.name for row in shown] == [
        "dc_worker.1",
        " \\_ dc_worker.1",
        "dc_worker.2",
        "dc_worker.10",
    ]


def test_a_global_task_has_the_node_in_its_name_and_a_removed_service_goes_by_its_id() -> None:
    (row,) = ps.rows([replace(TASK, slot=None)], {}, NOW)
    assert row.name == "service.node"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("", ""),
        ("x" * 30, '"' + "x" * 30 + '"'),
        ("task: non-zero exit (1) and then some", '"task: non-zero exit (1) and t…"'),
        ("漢" * 16, '"' + "漢" * 14 + '…"'),
        ("é" * 31, '"' + "é" * 29 + '…"'),
        ("two\nlines", '"two lines"'),
    ],
)
def test_an_error_is_cut_to_thirty_columns(error: str, shown: str) -> None:
    (row,) = ps.rows([replace(TASK, error=error)], "w", NOW)
    assert row.error == shown


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("lab/w:1.0@sha256:" + "0" * 64, "lab/w:1.0"),
        ("docker.io/library/redis:7@sha256:" + "0" * 64, "redis:7"),
        ("lab/w@sha256:" + "0" * 64, "lab/w@sha256:" + "0" * 64),
        ("docker.io/lab/w", "docker.io/lab/w"),
        ("registry:5000/a/b:1", "registry:5000/a/b:1"),
        ("No Such:Image", "No Such:Image"),
    ],
)
def test_a_tag_is_shown_without_its_digest(image: str, shown: str) -> None:
    (row,) = ps.rows([replace(TASK, image=image)], "w", NOW)
    assert row.image == shown
    (whole,) = ps.rows([replace(TASK, image=image)], "w", NOW, no_trunc=True)
    assert whole.image == image


def test_grep_drops_clean_history_and_keeps_failures_and_tasks_that_are_stopping() -> None:
    def task(desired: str, state: str) -> Task:
        return replace(TASK, desired_state=desired, state=state)

    tasks = [
        task("running", "running"),
        task("shutdown", "shutdown"),
        task("shutdown", "running"),
        task("shutdown", "failed"),
    ]
    kept = ps.without_clean_history(ps.rows(tasks, "w", NOW))
    assert [(row.desired_state, row.current_state.split()[0]) for row in kept] == [
        ("Running", "Running"),
        ("Shutdown", "Running"),
        ("Shutdown", "Failed"),
    ]


def test_wide_letters_take_two_columns_of_a_table() -> None:
    assert ps.write(("NAME", "X"), [("漢字漢字漢", "1"), ("abc", "2")]).splitlines() == [
        "NAME         X",
        "漢字漢字漢   1",
        "abc          2",
    ]


@pytest.mark.parametrize(
    ("ports", "shown"),
    [
        ([(80, 80), (81, 81), (82, 80)], "*:80-81->80-81/tcp, *:82->80/tcp"),
        ([(80, 80), (81, 80)], "*:80-81->80/tcp"),
        ([(81, 9), (80, 8), (90, 8)], "*:80-81->8-9/tcp, *:90->8/tcp"),
    ],
)
def test_ports_in_a_row_are_drawn_together(ports: list[tuple[int, int]], shown: str) -> None:
    service = {
        "ID": "abcdefghijklmnopqrstuvwxy",
        "Spec": {"Name": "web"},
        "Endpoint": {
            "Ports": [
                {
                    "Protocol": "tcp",
                    "PublishMode": "ingress",
                    "PublishedPort": published,
                    "TargetPort": target,
                }
                for published, target in ports
            ]
        },
    }
    assert ps.service_row(service)[-1] == shown


STACK = Path(__file__).parents[1] / "swarm" / "stacks" / "lively.yml"


@pytest.fixture(scope="module")
def lively(swarm: Swarm, coins_images: str) -> Iterator[str]:
    """A stack with tasks that run, wait, failed, were rejected, and were replaced."""
    name = f"ps{os.getpid()}"
    stack.deploy(swarm, [STACK], name, env={"IMAGE": f"{coins_images}/dockercoins_worker:1.0"})
    running = {"service": f"{name}_updated", "desired-state": "running"}
    for _ in range(2):
        until(lambda: any(task.running for task in swarm.task_values(**running)), "a task to run")
        before = {task.id for task in swarm.task_values(**running)}
        services.update(swarm, f"{name}_updated", force=True)
        until(
            lambda old=before: {task.id for task in swarm.task_values(**running)} - old,  # type: ignore[misc]
            "a task to be replaced",
        )
    until(lambda: at_rest(swarm, name), "every task to have come to rest")
    yield name
    stack.rm(swarm, name)


def at_rest(swarm: Swarm, name: str) -> bool:
    """Whether no task of the stack is on its way to another state."""
    tasks = swarm.task_values(label=f"{stack.NAMESPACE}={name}")
    failed = [task for task in tasks if task.state == "failed"]
    still = [task for task in tasks if not (task.ended or task.running or cannot_start(task))]
    stopping = [task for task in tasks if task.running and task.desired_state != "running"]
    return len(failed) == 4 and not still and not stopping


def cannot_start(task: Task) -> bool:
    return task.state == "pending" and "no suitable node" in task.error


def tasks_of(swarm: Swarm, name: str, *, no_trunc: bool = False) -> list[ps.Row]:
    tasks = swarm.task_values(service=name)
    return ps.rows(tasks, name, datetime.now(UTC), no_trunc=no_trunc)


def shown(swarm: Swarm, command: str, name: str) -> str:
    """What labkit shows for a docker command."""
    no_trunc = "--no-trunc" in command
    match command.split():
        case ["stack", "ls"]:
            return stack.ls(swarm)
        case ["stack", "services"]:
            return stack.services(swarm, name)
        case ["stack", "ps", *_]:
            return stack.ps(swarm, name, no_trunc=no_trunc)
    return ps.write(ps.TASK_HEADER, tasks_of(swarm, name, no_trunc=no_trunc))


def assert_alike(both: Callable[[], tuple[T, T]]) -> T:
    """Hold that labkit shows what docker does.

    An age may tick between the two, so the two are taken again until none did.
    """
    deadline = time.monotonic() + 30
    while (found := both())[0] != found[1] and time.monotonic() < deadline:
        pass
    ours, theirs = found
    assert ours == theirs
    return ours


@pytest.mark.engine
@needs_docker
@pytest.mark.parametrize("command", ["stack ps", "stack ps --no-trunc", "stack services"])
def test_a_table_of_a_stack_is_dockers(swarm: Swarm, lively: str, command: str) -> None:
    ours = assert_alike(
        lambda: (shown(swarm, command, lively), docker(swarm, f"{command} {lively}"))
    )
    assert len(ours.splitlines()) > 6


@pytest.mark.engine
@needs_docker
def test_the_list_of_stacks_is_dockers(swarm: Swarm, lively: str) -> None:
    ours = assert_alike(lambda: (shown(swarm, "stack ls", ""), docker(swarm, "stack ls")))
    assert lively in ours


@pytest.mark.engine
@needs_docker
@pytest.mark.parametrize("service", ["updated", "failing", "rejected", "everywhere", "many"])
@pytest.mark.parametrize("command", ["service ps", "service ps --no-trunc"])
def test_the_tasks_of_a_service_are_shown_as_docker_shows_them(swarm, lively, service, command):
    name = f"{lively}_{service}"
    assert_alike(lambda: (shown(swarm, command, name), docker(swarm, f"{command} {name}")))


@pytest.mark.engine
@needs_docker
@pytest.mark.parametrize("service", ["updated", "failing"])
def test_what_the_lessons_grep_keeps_is_kept(swarm: Swarm, lively: str, service: str) -> None:
    name = f"{lively}_{service}"
    grep = f"service ps {name} | grep -v Shutdown.*Shutdown"

    def both() -> tuple[list[str], list[str]]:
        kept = ps.without_clean_history(tasks_of(swarm, name))
        return ps.write(ps.TASK_HEADER, kept).split(), docker(swarm, grep).split()

    assert_alike(both)
