"""Each chart as a plain Plotly figure, for `fig.show()` and for whatever else a learner tries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go

from labkit.base.errors import BadValue
from labkit.recordings.recording import Recording
from labkit.views.state.parts import CHARTS
from labkit.views.state.picture import Json
from labkit.views.state.words import for_plotly
from labkit.views.static.drawing import over, phases, slots
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.snapshot import Snapshot

_GREY = "#888"
#: How a task's bar looks in each stage: how much of its row it takes, and how dense it is.
_STAGES = {
    "waiting": (0.75, 0.12),
    "starting": (0.35, 1.0),
    "running": (0.75, 1.0),
    "stopping": (0.75, 0.4),
}


def figure(recording: Recording, part: str = "replicas") -> go.Figure:
    """Return one chart of a recording: `replicas`, `slots`, `phases` or `speed`.

    The time axis counts minutes and seconds since the recording began; the lines across
    it are the moments at which the update status changed, and the marks.
    Raises `BadValue` for a part that is no chart.
    """
    if part not in CHARTS:
        raise BadValue(f"no figure is called {part!r}; there are {', '.join(sorted(CHARTS))}")
    picture = Snapshot.of(recording).picture
    chart = go.Figure()
    _DRAW[part](chart, picture)
    chart.update_layout(_layout(picture))
    _across(chart, picture)
    return chart


def _replicas(chart: go.Figure, picture: Json) -> None:
    end = picture["end"]["at"]
    steps = _dense(picture["steps"], end)
    moments = [_moment(at) for at, _ in steps]
    for number, (tag, colour, pattern) in enumerate(picture["tags"]):
        counts = [step[1][number] if number < len(step[1]) else 0 for step in steps]
        chart.add_scatter(
            x=moments,
            y=counts,
            name=for_plotly(tag),
            mode="lines",
            stackgroup="replicas",
            line={"shape": "hv", "width": 0.5, "color": colour},
            fillcolor=colour,
            fillpattern=_pattern(colour, pattern),
            hovertemplate="%{y} running",
        )
    chart.update_layout(hovermode="x unified", legend={"traceorder": "reversed"})
    chart.update_yaxes(tickformat="d", rangemode="tozero", title="running replicas")


def _slots(chart: go.Figure, picture: Json) -> None:
    rows = slots.rows(slots.bars(picture))
    names = {group: for_plotly(slots.label(group, of)) for group, of in rows.items()}
    told = set()
    for stage, (width, opacity) in _STAGES.items():
        for number, (tag, colour, pattern) in enumerate(picture["tags"]):
            spans = [
                (bar, begin, end)
                for of in rows.values()
                for bar in of
                if bar.tag == number
                for begin, end, now in bar.spans(picture["end"]["at"])
                if now == stage
            ]
            if not spans:
                continue
            chart.add_bar(
                orientation="h",
                base=[_moment(begin) for _, begin, _ in spans],
                x=[end - begin for _, begin, end in spans],
                y=[names[bar.group] for bar, *_ in spans],
                width=width,
                name=for_plotly(tag),
                legendgroup=f"{number}",
                showlegend=number not in told,
                marker={"color": colour, "pattern": _pattern(colour, pattern), "opacity": opacity},
                hovertemplate="%{customdata}<extra></extra>",
                customdata=[for_plotly(f"{bar.name}: {tag}, {stage}") for bar, *_ in spans],
            )
            told.add(number)
    failed = [(bar, move) for of in rows.values() for bar in of if (move := bar.failed)]
    chart.add_scatter(
        x=[_moment(move["at"]) for _, move in failed],
        y=[names[bar.group] for bar, _ in failed],
        name="failed",
        mode="markers",
        marker={"symbol": "x", "size": 13, "color": "#d32f2f", "line": {"width": 1.5}},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[for_plotly(f"{bar.name}: {move['error']}") for bar, move in failed],
    )
    order = list(names.values())
    chart.update_layout(barmode="overlay", height=max(340, 22 * len(rows) + 140))
    chart.update_yaxes(type="category", categoryarray=order[::-1], title="slot")


def _phases(chart: go.Figure, picture: Json) -> None:
    for number, (begin, end, state, message, _) in enumerate(
        phases.held(picture, picture["end"]["at"])
    ):
        colour, shape, _ = phases.LOOKS.get(state, ("#d0d0d0", "", ""))
        chart.add_bar(
            orientation="h",
            base=[_moment(begin)],
            x=[end - begin],
            y=["update status"],
            name=phases.named(state, number),
            text=phases.named(state, number),
            insidetextanchor="middle",
            textangle=0,
            marker={"color": colour, "pattern": _pattern(colour, shape)},
            customdata=[for_plotly(message)],
            hovertemplate="%{text}<br>%{customdata}<extra></extra>",
        )
    chart.update_layout(barmode="overlay", height=220, showlegend=False)


def _speed(chart: go.Figure, picture: Json) -> None:
    chart.add_scatter(
        x=[_moment(at) for at, _ in picture["speed"]],
        y=[rate for _, rate in picture["speed"]],
        name="hashes a second",
        mode="lines",
        connectgaps=False,
        hovertemplate="%{y:.1f} hashes a second<extra></extra>",
    )
    chart.update_yaxes(rangemode="tozero", title="hashes a second")


_DRAW: dict[str, Callable[[go.Figure, Json], None]] = {
    "replicas": _replicas,
    "slots": _slots,
    "phases": _phases,
    "speed": _speed,
}


def _across(chart: go.Figure, picture: Json) -> None:
    """Draw what goes across a chart: changes of the status, marks, gaps."""
    end = picture["end"]["at"]
    for at, label, level, side in over.labels(picture, Axis(0, end), states=True):
        chart.add_vline(_moment(at), line={"width": 1, "color": _GREY})
        chart.add_annotation(
            x=_moment(at),
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=14 * level,
            xanchor="right" if side == "end" else "left",
            showarrow=False,
            text=for_plotly(label),
            font={"size": 11, "color": _GREY},
        )
    for begin, stop, _ in picture["gaps"]:
        until = _moment(end if stop is None else stop)
        chart.add_vrect(_moment(begin), until, fillcolor=_GREY, opacity=0.35, line_width=0)


def _layout(picture: Json) -> dict[str, Any]:
    made = f" ({picture['badge'].word})" if picture["badge"] else ""
    return {
        "title": {"text": for_plotly(picture["service"]) + made, "y": 0.97},
        "template": "plotly_white",
        "height": 340,
        "margin": {"l": 40, "r": 20, "t": 90, "b": 40},
        "hoverlabel": {"namelength": -1},
        "xaxis": {
            "type": "date",
            "range": [_moment(0), _moment(picture["end"]["at"])],
            "tickformat": "%-M:%S",
            "hoverformat": "%-H:%M:%S after the start",
            "title": {"text": "minutes and seconds since the recording began"},
        },
    }


def _pattern(colour: str, shape: str) -> dict[str, Any]:
    ink = "rgba(0,0,0,0.35)"
    return {"shape": shape, "bgcolor": colour, "fgcolor": ink, "size": 7, "solidity": 0.16}


def _dense(steps: list[list[Any]], end: int) -> list[list[Any]]:
    """Add points between the steps: the pointer finds points, and each shows what holds there."""
    apart = max(1, end // 200)
    following = [*(at for at, _ in steps[1:]), end]
    return [
        [moment, counts]
        for (at, counts), until in zip(steps, following, strict=False)
        for moment in (*range(at, until, apart), max(at, until))
    ]


def _moment(ms: float) -> str:
    """Return a time since the start as Plotly takes it; of a small number it makes a year."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6]
