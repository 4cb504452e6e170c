"""What no Docker engine is behind says so, wherever it is drawn and whoever keeps it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labkit import views
from labkit.base.errors import RecordingProblem
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.swarm.client import Swarm
from labkit.views.parts import CHARTS
from labkit.views.state.sentences import badge_of
from labkit.views.static.drawing import drawing
from labkit.views.static.snapshot import Snapshot
from tests.claims import each_claim
from tests.recordings.test_recorder import BEFORE, DONE, UPDATING, Scripted
from tests.values import at, recording


def made(provenance: Any) -> Recording:
    of = recording(BEFORE, UPDATING, DONE)
    of.header = replace(of.header, provenance=provenance)
    return of


def forms(of: Recording) -> dict[str, str]:
    """Everything that a recording can be drawn as."""
    return {
        "snapshot": Snapshot.of(of).plain,
        "one part": Snapshot.of(of, ["replicas"]).plain,
        "table alone": Snapshot.of(of, ["table"]).plain,
        "drawing": Snapshot.of(of).drawing().svg,
        "replay": views.Replay(of).plain,
        "comparison": views.Comparison([of, of]).plain,
        "text": views.text(of),
        "figure": views.figure(of).to_json(),
    }


@pytest.mark.parametrize("provenance", ["simulated", "predicted"])
def test_every_form_carries_the_badge(provenance: Any) -> None:
    for form, drawn in forms(made(provenance)).items():
        assert provenance in drawn.lower(), form


@pytest.mark.parametrize("form", ["snapshot", "one part", "table alone", "drawing", "replay"])
def test_what_the_badge_means_is_in_its_title(form: str) -> None:
    meaning = badge_of("simulated").meaning.replace("'", "&#39;")
    assert meaning in forms(made("simulated"))[form]


def test_nothing_is_said_to_have_run_where_tasks_only_act() -> None:
    badge = badge_of("acted")
    assert badge.word == "acted"
    assert "no code of the images ran" in badge.meaning
    assert badge.meaning.replace("'", "&#39;") in Snapshot.of(made("acted")).plain


def test_what_a_docker_engine_did_carries_none() -> None:
    for form, drawn in forms(made("engine")).items():
        assert "simulated" not in drawn.lower(), form
        assert "labkit-made" not in drawn, form


@pytest.mark.parametrize("part", CHARTS)
def test_a_chart_that_is_drawn_alone_says_it_too(part: str) -> None:
    assert ">simulated</text>" in drawing(Snapshot.of(made("simulated")).state, [part]).svg


def test_of_runs_that_are_compared_each_says_it_for_itself() -> None:
    """A prediction lies beside what came of it."""
    compared = views.Comparison([made("predicted"), made("engine")], ["guess", "truth"])
    guess, truth = compared.data()["runs"]
    assert guess["badge"].word == "predicted"
    assert truth["badge"] is None
    assert compared.plain.count("labkit-made") == 1


# ---- in files ----------------------------------------------------------------------


def loaded(folder: Path, row: dict) -> str:
    """The provenance that a file with this header has."""
    (folder / "r.jsonl").write_text(json.dumps(row) + "\n")
    return Recording.load(folder / "r.jsonl").header.provenance


def test_a_file_keeps_it_and_one_from_before_is_of_a_docker_engine(tmp_path: Path) -> None:
    row = json.loads(next(made("simulated").lines()))
    assert loaded(tmp_path, row) == row.pop("provenance") == "simulated"
    assert loaded(tmp_path, row) == "engine"


@pytest.mark.parametrize("provenance", ["dreamt", None, ["engine"], 3])
def test_a_provenance_that_nobody_knows_is_refused(tmp_path: Path, provenance: Any) -> None:
    """Taking it for Docker's would be a lie."""
    with pytest.raises(RecordingProblem):
        loaded(tmp_path, json.loads(next(made("engine").lines())) | {"provenance": provenance})


# ---- while it is recorded ------------------------------------------------------------


class Simulated(Scripted):
    """A source as the simulated engine is one: it has a name for itself, and a clock."""

    provenance = "simulated"

    speed = 20.0
    has_own_clock = True

    def about(self) -> str:
        return "swarmsim simulated engine (API 1.41), at 20 times real time"

    def now(self) -> Any:
        return at(100)

    def ask_now(self) -> Any:
        return at(101)


def test_a_recorder_takes_name_provenance_and_clock_from_its_source() -> None:
    with Recorder(Simulated(BEFORE, UPDATING, DONE), "dc_worker") as recorder:
        recorder.mark("here")
        recorder.wait(10)

    header = recorder.recording.header
    assert header.engine == "swarmsim simulated engine (API 1.41), at 20 times real time"
    assert header.provenance == "simulated"
    assert header.started == recorder.now() == at(100)
    assert recorder.recording.marks() == [(at(101), "here")], "a mark is of the very moment"
    assert recorder.recording.ended.at == at(100)


class Labelled(Swarm):
    """An engine that answers with these labels."""

    def __init__(self, *labels: str) -> None:
        self._labels = list(labels)

    def get(self, path: str, **_: Any) -> Any:
        version = {"Version": "20.10.24", "ApiVersion": "1.41"}
        return version if path == "/version" else {"Labels": self._labels}


@each_claim(__file__, "called", "case")
def test_an_engine_is_called_what_it_is(case: dict[str, Any]) -> None:
    engine = Labelled(*case["labels"])
    assert engine.about() == case["about"]
    assert engine.provenance == case["provenance"]
    assert engine.speed == case["speed"]
