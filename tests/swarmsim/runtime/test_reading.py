"""Tasks whose code can't be run act as the text of their program says."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labkit.lessons.steps import steps
from swarmsim import Engine
from swarmsim.runtime.acted import Acted, reading

Start = Callable[..., Any]


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(runtime=lambda host: Acted(host, partial(reading.behaviour, host))) as made:
        yield made


@pytest.fixture
def start(engine: Engine, tmp_path: Path) -> Start:
    """Start three replicas of an edited worker; return their service after twenty seconds."""

    def start(*edits: str, program: str = "") -> Any:
        steps.write_edited(tmp_path / "worker", edits)
        if program:
            (tmp_path / "worker" / "worker.py").write_text(program)
        client = engine.client()
        client.images.build(path=str(tmp_path / "worker"), tag="worker:1")
        service = client.services.create(
            "worker:1",
            name="worker",
            mode={"Replicated": {"Replicas": 3}},
            env=["SLOT={{.Task.Slot}}"],
            restart_policy={"Condition": "none"},
        )
        engine.advance("20s")
        return service

    return start


@pytest.mark.parametrize(
    ("edits", "ended", "says"),
    [
        ([], [], ""),
        (["bugged"], [1, 2, 3], "NameError: name 'os' is not defined"),
        (["one bad"], [3], "This worker cannot work here."),
        (["stuck"], [], ""),
        (["health check"], [], ""),
        (["stuck", "health check"], [1, 2, 3], ""),
    ],
)
def test_a_task_ends_as_its_program_would(
    start: Start, edits: list[str], ended: list[int], says: str
) -> None:
    service = start(*edits)
    states = {task["Slot"]: task["Status"]["State"] for task in service.tasks()}
    assert [slot for slot in (1, 2, 3) if states[slot] != "running"] == ended
    assert says in b"".join(service.logs(stdout=True, stderr=True)).decode()


@pytest.mark.parametrize(
    ("program", "says"), [("while True\n", "SyntaxError"), ("from os import *\nabort()", "")]
)
def test_a_task_writes_only_what_its_text_shows(start: Start, program: str, says: str) -> None:
    written = b"".join(start(program=program).logs(stdout=True, stderr=True)).decode()
    assert says in written
    assert bool(written) == bool(says)


@pytest.mark.parametrize(("edits", "ends"), [([], True), (["deaf"], False)])
def test_a_task_takes_the_stop_signal_as_its_program_would(
    engine: Engine, start: Start, edits: list[str], *, ends: bool
) -> None:
    service = start(*edits)
    service.force_update()
    engine.advance("3s")
    assert ("shutdown" in {task["Status"]["State"] for task in service.tasks()}) == ends
