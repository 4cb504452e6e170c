"""The update status over time, as a ribbon: a band a state, with its name in it. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from labkit.views.pages import render
from labkit.views.parts.axis import Axis, Chart, moment, percent, plotly
from labkit.views.state.sentences import minutes
from labkit.views.state.view_state import Json
from labkit.views.state.words import for_plotly

TITLE = "Update status"
#: What the grey band across all charts is called.
GAP = "not recorded"
SHARED = {"gap": GAP}
_HEIGHT = 24
_GREY = "#d0d0d0"
#: The share of the width, in %, that a letter takes in a narrow window, and the chart's name.
_LETTER, _NAME = 1.15, 15.0
#: Signs that say the same as the names.
_SIGNS = {
    "updating": "▸",
    "completed": "✓",
    "paused": "‖",
    "rollback_started": "↶",
    "rollback_completed": "✓ ↶",
    "rollback_paused": "‖ ↶",
}


class Band(NamedTuple):
    """From when until when which state held; without a colour it is none of an update."""

    begin: float
    end: float
    state: str
    message: str
    meaning: str
    name: str
    colour: str
    pattern: str

    @property
    def label(self) -> str:
        """Its name, with a sign if it is of an update."""
        return f"{_SIGNS[self.state]} {self.name}" if self.colour else self.name


def bands(view_state: Json) -> Iterator[Band]:
    """Return the states that the update status had, until the recording's end."""
    found = view_state["phases"]
    last = max([view_state["end"]["at"], *(at for at, *_ in found)])
    ends = [*(at for at, *_ in found[1:]), last]
    for (at, *rest), end in zip(found, ends, strict=False):  # of no states there is one end
        yield Band(at, end, *rest)


def in_words(view_state: Json) -> str:
    """Return the states and when they began, as a sentence."""
    states = (f"{band.name} since {minutes(band.begin)}" for band in bands(view_state))
    return f"Update status: {', '.join(states)}."


def svg(view_state: Json, axis: Axis, prefix: str) -> Chart:
    """Return the ribbon. `prefix` begins the ids of its patterns."""
    found = list(bands(view_state))
    inside = render(
        "charts/phases.svg",
        axis=axis,
        bands=[(band, _fits(band, axis)) for band in found],
        looks=list({band.state: band for band in found if band.colour}.values()),
        above=list(_above(found, axis)),
        high=_HEIGHT,
        prefix=prefix,
    )
    return Chart(TITLE, _HEIGHT, inside)


def _needs(band: Band) -> float:
    return len(band.label) * _LETTER + 2


def _fits(band: Band, axis: Axis) -> bool:
    return axis.share(band.end) - axis.share(band.begin) >= _needs(band)


def _above(found: list[Band], axis: Axis) -> Iterator[tuple[str, str, str]]:
    """Return the names that do not fit into their bands: place, words, and which end is there.

    They stand above the band, from where it begins, or up to the right edge if that is near.
    """
    taken = axis.left + _NAME
    for band in found:
        near = axis.share(band.begin) + _needs(band) > axis.right
        left = axis.right - _needs(band) if near else axis.share(band.begin)
        shown = band.end > axis.begin and axis.shows(max(band.begin, axis.begin))
        if shown and not _fits(band, axis) and left >= taken:
            taken = left + _needs(band)
            yield percent(axis.right if near else left), band.label, "end" if near else "start"


def figure(view_state: Json) -> Json:
    """Return the ribbon as bars of Plotly's."""
    traces = [
        plotly(
            "band",
            base=[moment(band.begin)],
            x=[band.end - band.begin],
            name=band.name,
            text=band.name,
            marker={"color": band.colour or _GREY, "pattern": {"shape": band.pattern}},
            customdata=[for_plotly(band.message)],
        )
        for band in bands(view_state)
    ]
    return {"data": traces, "layout": plotly("phases")}


def html(view_state: Json) -> str:
    """Return the states in words, folded away."""
    return render("parts/phases.html", lines=_lines(view_state))


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return the states in words, a line each, with Docker's message."""
    return "Update status (minutes:seconds since the recording began)", _lines(view_state)


def _lines(view_state: Json) -> list[str]:
    return [
        f"{minutes(band.begin)} {band.name}."
        + (f" Docker says: “{band.message}”." if band.message else "")
        + (f" {band.meaning}" if band.meaning else "")
        for band in bands(view_state)
    ]
