"""The running replicas by tag over time, stacked, in steps. Pure."""

from collections.abc import Iterator

from labkit.views.pages import render
from labkit.views.parts.axis import Axis, Chart, moment, plotly
from labkit.views.state.looks import filled
from labkit.views.state.sentences import minutes
from labkit.views.state.view_state import Json
from labkit.views.state.words import for_plotly

TITLE = "Running replicas, by tag"
_HEIGHT = 90
#: Steps that are drawn: as many as a screen has columns.
MOST_STEPS = 1000

#: From when until when so many replicas of each tag ran.
Step = tuple[int, int, list[int]]


def steps(view_state: Json) -> list[Step]:
    """Return each step of the recording with all tags, until its end."""
    found, tags = view_state["steps"], len(view_state["tags"])
    ends = [*(at for at, _ in found[1:]), view_state["end"]["at"]]
    return [
        (at, end, counts + [0] * (tags - len(counts)))
        for (at, counts), end in zip(found, ends, strict=False)  # of no steps there is one end
    ]


def running(view_state: Json) -> list[tuple[str, int]]:
    """Return how many replicas of each tag ran at the end, in the order of `tags`."""
    counts = [0] * len(view_state["tags"])
    for _, _, last in steps(view_state)[-1:]:
        counts = last
    return [(tag, count) for (tag, *_), count in zip(view_state["tags"], counts, strict=True)]


def in_words(view_state: Json) -> str:
    """Return how many replicas ran at least, as a sentence."""
    totals = [(sum(counts), at) for at, counts in view_state["steps"]]
    if not totals:
        return "No replicas were seen."
    fewest, at = min(totals)
    return f"At least {fewest} replicas ran, the fewest at {minutes(at)}."


def svg(view_state: Json, axis: Axis, prefix: str) -> Chart:
    """Return the chart; `prefix` begins the ids of the tags' fills."""
    thin = _thin(steps(view_state), (axis.end - axis.begin) / MOST_STEPS)
    wanted = view_state["status"]["wanted"] or 0
    most = max([1, wanted, *(sum(counts) for *_, counts in thin)])
    bands = (
        (f"{prefix}-{number}", tag, list(_blocks(thin, number, axis, (_HEIGHT - 6) / most)))
        for number, (tag, *_) in enumerate(view_state["tags"])
    )
    inside = render("charts/replicas.svg", axis=axis, bands=bands, high=_HEIGHT, most=most)
    return Chart(TITLE, _HEIGHT, inside)


def _thin(found: list[Step], column: float) -> list[Step]:
    """Return the steps, of several within a screen's column the last one."""
    thin: list[Step] = []
    for begin, end, counts in found:
        if thin and begin - thin[-1][0] < column:
            begin = thin.pop()[0]
        thin.append((begin, end, counts))
    return thin


def _blocks(
    found: list[Step], number: int, axis: Axis, scale: float
) -> Iterator[tuple[str, float, str, float]]:
    """Return where a tag's replicas are drawn: x and y, and how wide and high."""
    for begin, end, counts in found:
        if counts[number] and end > axis.begin:
            high, under = counts[number] * scale, sum(counts[:number]) * scale
            # a trifle wider, or rounding to whole pixels leaves a seam here and there
            width = axis.width(begin, end + (axis.end - axis.begin) / MOST_STEPS)
            yield axis.x(begin), _HEIGHT - under - high, width, high


def figure(view_state: Json) -> Json:
    """Return the chart as areas of Plotly's."""
    dense = list(_dense(steps(view_state), max(1, view_state["end"]["at"] // 200)))
    traces = [
        plotly(
            "area",
            x=[moment(at) for at, _ in dense],
            y=[counts[number] for _, counts in dense],
            name=for_plotly(tag),
            line={"shape": "hv", "width": 0.5, "color": colour},
            fillcolor=colour,
            fillpattern=filled(colour, pattern),
        )
        for number, (tag, colour, pattern) in enumerate(view_state["tags"])
    ]
    return {"data": traces, "layout": plotly("replicas")}


def _dense(found: list[Step], apart: int) -> Iterator[tuple[int, list[int]]]:
    """Add points between the steps: the pointer finds points, and each shows what holds there."""
    for begin, end, counts in found:
        for at in (*range(begin, end, apart), max(begin, end)):
            yield at, counts


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return how many replicas of each tag ran at the end, a line each."""
    now, past = enumerate(running(view_state)), view_state["past"]
    counts = [f"{tag} × {count}" for number, (tag, count) in now if number not in past]
    return "Running replicas at the end, by tag", counts
