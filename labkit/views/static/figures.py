"""Each chart as a plain Plotly figure, for `fig.show()` and for whatever else a learner tries."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from labkit.base import echo
from labkit.base.errors import BadValue
from labkit.recordings.recording import Recording
from labkit.views import parts
from labkit.views.cards.meanwhile import Meanwhile
from labkit.views.parts import phases
from labkit.views.parts.axis import Axis, moment, plotly
from labkit.views.state.view_state import Json
from labkit.views.state.words import for_plotly
from labkit.views.static.drawing import labels
from labkit.views.static.snapshot import Snapshot

if TYPE_CHECKING:
    import plotly.graph_objects as go

_GREY = "#888"


class _Plain(Snapshot):
    """A chart as the view draws it, where Plotly's Python library is missing."""

    def update_layout(self, *_: object, **__: object) -> Self:
        """Do nothing: such a chart has one look."""
        return self


def figure(recording: Recording, part: str = "replicas") -> go.Figure:
    """Return one chart of a recording: `replicas`, `slots`, `phases` or `speed`.

    The time axis counts minutes and seconds since the recording began; the lines across
    it are the moments at which the update status changed, and the marks.
    Without Plotly's Python library, as in a browser, it is the view's own chart.
    Raises `BadValue` for a part that is not a chart.
    """
    if part not in parts.CHARTS:
        raise BadValue(f"no figure is called {part!r}; there are {', '.join(sorted(parts.CHARTS))}")
    if find_spec("plotly") is None:
        echo.say("Plotly's Python library is not here: this is the view's own chart, as it is.")
        plain: Any = _Plain.of(recording, [part])
        return plain
    view_state = Snapshot.of(recording).state
    chart = _empty()
    data = parts.module(part).figure(view_state)
    chart.add_traces(data["data"]).update_layout(data["layout"])
    made = f" ({view_state['badge'].word})" if view_state["badge"] else ""
    title = {"text": for_plotly(view_state["service"]) + made, "y": 0.97}
    axis = Axis.of(view_state)
    time = plotly("time", range=[moment(axis.begin), moment(axis.end)])
    chart.update_layout(plotly("every", title=title, xaxis=time, height=chart.layout.height or 340))
    _across(chart, view_state)
    return chart


def _empty() -> go.Figure:
    """Return a figure with nothing in it. The first one takes seconds, so say what is going on."""
    with Meanwhile() as meanwhile:
        if "plotly.basedatatypes" not in sys.modules:
            meanwhile.say("Loading Plotly …")
        import plotly.graph_objects as go

        return go.Figure()


def _across(chart: go.Figure, view_state: Json) -> None:
    end = view_state["end"]["at"]
    for at, label, level, side in labels(view_state, Axis(0, end), states=True):
        chart.add_vline(moment(at), line={"width": 1, "color": _GREY})
        anchor = "right" if side == "end" else "left"
        words = {"text": for_plotly(label), "font": {"size": 11, "color": _GREY}}
        place = {"x": moment(at), "yshift": 14 * level, "xanchor": anchor}
        chart.add_annotation(**plotly("mark", **place, **words))
    for begin, stop, _ in view_state["gaps"]:
        until = moment(end if stop is None else stop)
        band = {"fillcolor": _GREY, "opacity": 0.35, "line_width": 0, "annotation_text": phases.GAP}
        chart.add_vrect(moment(begin), until, **band)
