"""What a learner calls answers a wrong value with a sentence, before any engine is asked."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import labkit
from labkit import views
from labkit.api import doing
from labkit.base.errors import BadValue, RecordingProblem
from labkit.recordings.recording import Recording
from labkit.views import Replay
from labkit.views.state import view_state
from tests.claims import each_claim
from tests.looks import recorded

#: A recording with an update in it.
MADE = recorded({0: ["service 1.0", "1.0-1"], 1: ["service 1.1 updating"]})


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets as far as an engine fails."""
    monkeypatch.setattr(doing, "current_swarm", lambda: pytest.fail("an engine was asked for"))


@each_claim(__file__, "wrong", "name", "given", "says")
def test_a_wrong_value_gets_a_sentence(name: str, given: list[Any], says: str) -> None:
    *values, options = given if isinstance(given[-1], dict) else [*given, {}]
    with pytest.raises(BadValue) as problem:
        getattr(labkit, name)(*values, **options)
    assert says in str(problem.value)


@pytest.mark.parametrize(
    ("given", "options", "says"),
    [
        ([None], {}, "its path, or a view, not None"),
        ([MADE], {"names": "ab"}, "names must be a list of texts, not 'ab'"),
        ([MADE], {"names": [1, 2]}, "each of the names must be text, not 1"),
        ([MADE], {"names": ["one"]}, "2 recordings, but 1 names"),
    ],
)
def test_so_does_one_beside_a_recording(given: list[Any], options: Any, says: str) -> None:
    with pytest.raises(BadValue) as problem:
        labkit.show(MADE, *given, **options)
    assert says in str(problem.value)


def test_help_names_everything_that_a_behaviour_may_say() -> None:
    said = set(re.findall(r"\w+", labkit.predict.__doc__ or ""))
    assert {field.name for field in fields(labkit.Behaviour)} - said == set()


# ---- showing -----------------------------------------------------------------------


class Shown:
    """What a view was asked to show."""

    def __init__(self, *given: Any, path: Path | str | None = None) -> None:
        self.given = given
        self.path = path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Replay", "Comparison"):
        monkeypatch.setattr(views, name, type(name, (Shown,), {}))


class Holder:
    """What has a recording, such as a view."""

    recording = MADE


def told(view: object) -> tuple[str, tuple[Any, ...]]:
    assert isinstance(view, Shown)
    return type(view).__name__, view.given


@pytest.mark.usefixtures("shown")
def test_one_recording_is_replayed_whatever_it_comes_as(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    MADE.save(file)
    for given in (MADE, file, str(file), Holder()):
        assert told(labkit.show(given)) == ("Replay", (MADE,))


def test_of_a_long_file_the_last_part_is_shown_and_that_is_said(tmp_path, monkeypatch, capsys):
    """As `labkit show` does."""
    MADE.save(tmp_path / "r.jsonl")
    monkeypatch.setattr(view_state, "MOST_CHANGES", (2, 2))
    replay = labkit.show(tmp_path / "r.jsonl")

    assert isinstance(replay, Replay)
    assert replay.recording == MADE.latest(2, 2)
    assert f"{tmp_path / 'r.jsonl'}: The recording is long" in capsys.readouterr().out


def test_a_mark_on_a_file_is_kept_in_the_file(tmp_path: Path) -> None:
    """An instructor annotates a recording that is shown to a room without Docker."""
    MADE.save(tmp_path / "r.jsonl")
    replay = labkit.show(tmp_path / "r.jsonl")
    assert isinstance(replay, Replay)
    replay.mark("look here", 0)
    assert [label for _, label in Recording.load(tmp_path / "r.jsonl").marks()] == ["look here"]


@pytest.mark.usefixtures("shown")
def test_several_are_compared_by_their_names(tmp_path: Path) -> None:
    """A file's is its own; a recording goes by what was asked of Swarm."""
    MADE.save(tmp_path / "in pairs.jsonl")

    assert told(labkit.show(tmp_path / "in pairs.jsonl", Holder())) == (
        "Comparison",
        ([MADE, MADE], ["in pairs", "dc_worker 1.0 → 1.1, 1 at a time"]),
    )
    assert told(labkit.show(MADE, MADE, names=("a", "b"))) == (
        "Comparison",
        ([MADE, MADE], ("a", "b")),
    )


@pytest.mark.usefixtures("shown")
def test_what_is_no_recording_or_has_no_update_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("precious")
    still = recorded({0: ["service 1.0", "1.0-1"]})

    with pytest.raises(RecordingProblem, match="not a recording's header"):
        labkit.show(tmp_path / "other.jsonl")
    with pytest.raises(RecordingProblem, match="nothing was updated"):
        labkit.show(MADE, still)
    assert told(labkit.show(still)) == ("Replay", (still,))
