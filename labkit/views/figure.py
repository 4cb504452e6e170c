"""The chart as a plain Plotly figure, for `fig.show()` and for whatever else a learner tries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go

from labkit.recording import Recording
from labkit.views.drawing import mark_labels
from labkit.views.snapshot import Snapshot
from labkit.views.words import for_plotly


def figure(recording: Recording) -> go.Figure:
    """Return the running replicas by tag over time, in stacked steps.

    The time axis counts minutes and seconds since the recording began; the lines across
    it are the moments at which the update status changed.
    """
    picture = Snapshot.of(recording).picture
    end = picture["end"]["at"]
    steps = _dense(picture["steps"], end)
    moments = [_moment(at) for at, _ in steps]
    chart = go.Figure()
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
            fillpattern={
                "shape": pattern,
                "bgcolor": colour,
                "fgcolor": "rgba(0,0,0,0.35)",
                "size": 7,
                "solidity": 0.16,
            },
            hovertemplate="%{y} running",
        )
    chart.update_layout(_layout(picture))
    for at, state, level, side in mark_labels(picture):
        chart.add_vline(_moment(at), line={"width": 1, "color": "#888"})
        chart.add_annotation(
            x=_moment(at),
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=14 * level,
            xanchor=side,
            showarrow=False,
            text=for_plotly(state),
            font={"size": 11, "color": "#888"},
        )
    for start, stop, _ in picture["gaps"]:
        until = _moment(end if stop is None else stop)
        chart.add_vrect(_moment(start), until, fillcolor="#888", opacity=0.35, line_width=0)
    return chart


def _layout(picture: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": {"text": for_plotly(picture["service"]), "y": 0.96},
        "template": "plotly_white",
        "height": 340,
        "margin": {"l": 40, "r": 20, "t": 80, "b": 40},
        "hovermode": "x unified",
        "hoverlabel": {"namelength": -1},
        "legend": {"traceorder": "reversed"},
        "xaxis": {
            "type": "date",
            "range": [_moment(0), _moment(picture["end"]["at"])],
            "tickformat": "%-M:%S",
            "hoverformat": "%-H:%M:%S after the start",
            "title": {"text": "minutes and seconds since the recording began"},
        },
        "yaxis": {"tickformat": "d", "rangemode": "tozero", "title": {"text": "running replicas"}},
    }


def _dense(steps: list[list[Any]], end: int) -> list[list[Any]]:
    """Add points between the steps: the pointer finds points, and each shows what holds there."""
    apart = max(1, end // 200)
    following = [*(at for at, _ in steps[1:]), end]
    return [
        [moment, counts]
        for (at, counts), until in zip(steps, following, strict=False)
        for moment in (*range(at, until, apart), max(at, until))
    ]


def _moment(ms: int) -> str:
    """Return a time since the start as Plotly takes it; of a small number it makes a year."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6]
