"""Several updates side by side, on a time axis that begins with each of them. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from labkit.recordings.comparison import Run, compare
from labkit.recordings.recording import Recording
from labkit.views.pages import render
from labkit.views.parts import speed
from labkit.views.parts.axis import Axis, Chart
from labkit.views.state.looks import LOOKS
from labkit.views.state.sentences import badge_of, minutes, spoken
from labkit.views.state.view_state import Json
from labkit.views.state.words import plain
from labkit.views.static import still
from labkit.views.static.drawing import stacked

#: Those of the tags' colours that make a line that can be seen on white and on black.
_COLOURS = [LOOKS[number].colour for number in (7, 6, 1, 2, 0, 3)]
#: Strokes as Plotly names them, with what SVG calls them: lines are told apart without colour.
DASHES = {
    "solid": "none",
    "dash": "8 4",
    "dot": "2 3",
    "dashdot": "8 3 2 3",
    "longdash": "14 4",
    "longdashdot": "14 3 2 3",
}
_REPLICAS, _SPEED = 140, 90

#: A column of facts: its title, the value of a run (`None` if unknown) and that in words; which
#: is best, and what that is called. Without a best it is a column only where runs differ.
_Fact = tuple[str, Callable[[Json], Any], Callable[[Any], str], Callable[..., Any] | None, str]
_FACTS: tuple[_Fact, ...] = (
    (
        "Total time",
        lambda run: run["total"],
        lambda ms: f"{ms / 1000:.1f}\N{NO-BREAK SPACE}s",
        min,
        "shortest",
    ),
    ("Slots touched", lambda run: run["touched"], str, lambda *_: None, ""),
    ("Fewest replicas", lambda run: run["fewest"], str, max, "highest"),
    ("Most replicas", lambda run: run["most"], str, None, ""),
    # what is lost differs from run to run of one update, and depends more on the faster tag
    ("Hashes", lambda run: run["lost"], lambda lost: _hashes(lost), lambda *_: None, ""),
)


class Comparison(still.Still):
    """Updates in numbers and in lines, one over the other. Jupyter displays it as HTML.

    `names` has one for each recording; without it they are told apart by what was asked.
    Raises what `labkit.recordings.comparison.compare` raises.
    """

    def __init__(self, recordings: Sequence[Recording], names: Sequence[str] | None = None) -> None:
        told = zip(compare(recordings, names), recordings, strict=True)
        self.runs = [_run(number, *each) for number, each in enumerate(told)]
        services = dict.fromkeys(recording.header.service for recording in recordings)
        self._service = plain(", ".join(services))
        self.title = f"Updates of {self._service}"

    def data(self) -> Json:
        """Return what the page draws lines of: times in ms since each update began."""
        return {"service": self._service, "runs": self.runs}

    def drawing(self) -> still.Drawing:
        """Return running replicas and hashes a second of each run."""
        return lines(self.runs, " ".join(map(_sentence, self.runs)))

    def content(self, drawing: Markup) -> Markup:
        """Return the numbers as a table, which the page keeps, and the lines."""
        facts = [fact for fact in _FACTS if fact[3] or len({fact[1](run) for run in self.runs}) > 1]
        return render(
            "static/comparison.html",
            title=self.title,
            columns=[name for name, *_ in facts],
            rows=[(run, [_cell(fact, run, self.runs) for fact in facts]) for run in self.runs],
            dashes=DASHES,
            drawing=drawing,
        )

    def __repr__(self) -> str:
        return f"<labkit comparison of {len(self.runs)} updates>"


def _run(number: int, run: Run, recording: Recording) -> Json:
    """Return a run for the page. `dash` is a stroke as Plotly names it; `total` may be null."""
    dashes = list(DASHES)
    turn = number // len(_COLOURS)
    return {
        "name": plain(run.name),
        "badge": badge_of(recording.header.provenance),
        "colour": _COLOURS[number % len(_COLOURS)],
        "dash": dashes[(number + turn) % len(dashes)],
        "began": round(run.began.timestamp() * 1000),
        "total": None if run.total is None else round(run.total / timedelta(milliseconds=1)),
        "touched": run.touched,
        "fewest": run.fewest,
        "most": run.most,
        "lost": None if run.hashes_lost is None else round(run.hashes_lost, 1),
        "state": run.state,
        "steps": [[round(at * 1000), count] for at, count in run.steps],
        "speed": [
            [round(at * 1000), None if rate is None else round(rate, 2)]
            for at, rate in run.speed
            if at >= 0
        ],
    }


def _cell(fact: _Fact, run: Json, runs: list[Json]) -> tuple[str, str]:
    """Return a fact in words, and what it is the best of, if it is.

    The best is marked only where values differ; a failed update never is.
    """
    _, value_of, in_words, best, word = fact
    value = value_of(run)
    if value is None:
        return "not known", ""
    matches = [value_of(each) for each in runs if each["state"] == "completed"]
    known = [each for each in matches if each is not None]
    wins = best and run["state"] == "completed" and len(set(known)) > 1 and value == best(known)
    return in_words(value), word if wins else ""


def _hashes(lost: float) -> str:
    count = f"{abs(lost):,.0f}"
    return "none lost" if count == "0" else f"{count} {'lost' if lost > 0 else 'gained'}"


def _sentence(run: Json) -> str:
    made = f" ({run['badge'].word})" if run["badge"] else ""
    took = "did not end" if run["total"] is None else f"took {minutes(run['total'])}"
    replicas = f"ran {run['fewest']} to {run['most']} replicas"
    return f"{run['name']}{made} {took}, {replicas}, and is {spoken(run['state'])}."


# ---- the lines ---------------------------------------------------------------------


def lines(runs: list[Json], label: str) -> still.Drawing:
    """Return running replicas and hashes a second of each run; `label` says it in words."""
    axis = Axis(0, max(map(_end, runs), default=1) or 1)
    charts = [_replicas(runs, axis)]
    if any(run["speed"] for run in runs):
        charts.append(_speed(runs, axis))
    legends = [
        render("static/comparison_legend.svg", run=run, dash=DASHES[run["dash"]]) for run in runs
    ]
    return stacked(charts, axis, 2, label, legends=legends)


def _end(run: Json) -> float:
    """Return when a run's update ended, or the last that was seen of one that did not."""
    moments = [at for at, _ in [*run["steps"], *run["speed"]]]
    return float(max(moments, default=0) if run["total"] is None else run["total"])


def _replicas(runs: list[Json], axis: Axis) -> Chart:
    most = max([1, *(count for run in runs for _, count in run["steps"])])
    paths = [speed.curve(_corners(run), axis, most, _REPLICAS - 8) for run in runs]
    title = "Running replicas; a vertical line marks the end of each update"
    return _chart(title, runs, paths, axis, _REPLICAS, f"{most}")


def _speed(runs: list[Json], axis: Axis) -> Chart:
    most = max([rate for run in runs for _, rate in run["speed"] if rate is not None], default=1)
    seen = ([(at, rate) for at, rate in run["speed"] if at <= _end(run)] for run in runs)
    paths = [speed.curve(speed.unbroken(each), axis, most or 1, _SPEED - 8) for each in seen]
    return _chart("Hashes a second", runs, paths, axis, _SPEED, f"{most:.0f}")


def _chart(
    title: str, runs: list[Json], paths: list[Markup], axis: Axis, height: int, most: str
) -> Chart:
    what: dict[str, Any] = {"runs": list(zip(runs, paths, strict=True)), "axis": axis}
    what |= {"high": height, "most": most, "dashes": DASHES, "ends": height == _REPLICAS}
    return Chart(title, height, render("static/comparison.svg", **what))


def _corners(run: Json) -> Iterator[speed.Line]:
    end = _end(run)
    steps = [(at, count) for at, count in run["steps"] if at <= end]
    steps += [(end, count) for _, count in steps[-1:]]
    turns = [
        corner for (_, held), (at, now) in pairwise(steps) for corner in ((at, held), (at, now))
    ]
    if steps:
        yield steps[:1] + turns
