"""Claims about figures: each chart as a plain Plotly figure that a learner can change."""

from datetime import UTC, datetime

import pytest

from labkit import views
from labkit.base.errors import BadValue
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.views.parts import CHARTS
from labkit.views.state.looks import LOOKS
from labkit.views.static import figures
from tests.views.acted import HEADER, START, after, failing, hostile


def moment(seconds: float) -> str:
    at = datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    return at.isoformat(timespec="milliseconds")[:-6]


def test_a_figure_has_the_steps_of_the_recording(update: Recording) -> None:
    """At every moment of a step the figure stacks as many as ran."""
    figure = views.figure(update)
    stacked = {trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in figure.data}

    for at, counts in update.running_by_tag():
        now = moment((at - START).total_seconds())
        assert {tag: ys[now] for tag, ys in stacked.items() if ys[now]} == {
            tag: n for tag, n in counts.items() if n
        }


def test_a_figure_holds_each_count_until_the_next(update: Recording) -> None:
    for trace in views.figure(update).data:
        assert trace.line.shape == "hv"
        assert trace.stackgroup == "replicas"
        assert list(trace.x) == sorted(trace.x)


def test_a_tag_looks_the_same_in_every_figure(update: Recording) -> None:
    replicas, slots = views.figure(update), views.figure(update, "slots")
    looks = {trace.name: (trace.fillcolor, trace.fillpattern.shape) for trace in replicas.data}
    bars = [trace for trace in slots.data if trace.type == "bar"]

    assert {look[0] for look in looks.values()} <= {look.colour for look in LOOKS}
    assert bars
    for bar in bars:
        assert (bar.marker.color, bar.marker.pattern.shape) == looks[bar.name]


def test_the_figure_of_the_slots_has_their_tasks_and_failures() -> None:
    figure = views.figure(failing(), "slots")
    failed = next(trace for trace in figure.data if trace.name == "failed")
    running = [trace for trace in figure.data if trace.name == "1.0"]
    assert (failed.x, failed.y) == ((moment(5),), ("1",))
    assert failed.marker.symbol == "x"
    assert {"1", "2"} <= {slot for trace in running for slot in trace.y}


def test_the_figure_of_the_phases_has_the_update_status() -> None:
    bars = views.figure(failing(), "phases").data
    assert [(bar.name, bar.base[0], bar.x[0]) for bar in bars] == [
        ("not updated yet", moment(0), 3000),
        ("updating", moment(3), 2000),
        ("rollback started", moment(5), 5000),
    ]


def test_the_figure_of_the_speed_breaks_where_there_is_no_answer() -> None:
    recording = Recording(HEADER)
    for second in [*range(10), *range(20, 30)]:
        recording.add(HashesSeen(after(second), second * 4, float(second)))
    line = views.figure(recording, "speed").data[0]

    assert None in line.y
    assert not line.connectgaps
    assert {rate for rate in line.y if rate is not None} == {4.0}


def test_an_unknown_figure_names_those_that_exist(update: Recording) -> None:
    with pytest.raises(BadValue, match="'pie'; there are phases, replicas, slots, speed"):
        views.figure(update, "pie")


@pytest.mark.parametrize("part", CHARTS)
def test_a_recording_of_nothing_has_figures(part: str) -> None:
    assert not any(trace.y for trace in views.figure(Recording(HEADER), part).data)


@pytest.mark.parametrize("part", CHARTS)
def test_hostile_text_stays_text_in_a_figure(part: str) -> None:
    """Plotly reads a little markup and `$…$`; nothing of either is left in what it is given."""
    figure = views.figure(hostile(), part)
    shown = [trace.name for trace in figure.data]
    shown += [text for trace in figure.data for text in trace.customdata or ()]
    shown += [note.text for note in figure.layout.annotations]
    assert not any("<" in text or "$" in text for text in shown)
    assert any("&lt;img" in text for text in shown)


def test_without_plotly_it_is_the_chart_of_the_view(update, monkeypatch, capsys):
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    chart = views.figure(update, "slots").update_layout(title="Two at a time")
    assert chart.drawing() is not None
    assert chart.parts == ["slots"]
    assert "Plotly's Python library is not here" in capsys.readouterr().out
