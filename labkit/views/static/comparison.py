"""Several updates side by side, on a time axis that begins with each of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from labkit.recordings.comparison import Run, compare
from labkit.recordings.recording import Recording
from labkit.views.state.badges import Badge, badge_of
from labkit.views.state.looks import LOOKS
from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes, spoken
from labkit.views.state.words import for_html, plain
from labkit.views.static import still
from labkit.views.static.drawing.elements import box, line
from labkit.views.static.drawing.lines import DASHES, lines

#: Those of the tags' colours that make a line that can be seen on white and on black.
_COLOURS = [LOOKS[number].colour for number in (7, 6, 1, 2, 0, 3)]
_NOTHING = timedelta()
_FACTS = (
    *("Update", "Total time", "Slots touched", "Fewest replicas", "Most replicas"),
    *("Hashes", "How it ended"),
)


class Comparison(still.Still):
    """Updates in numbers and in lines, one over the other. Jupyter displays it as HTML.

    `names` has one for each recording; without it they are told apart by what was asked.
    Raises what `labkit.comparison.compare` raises.
    """

    def __init__(self, recordings: Sequence[Recording], names: Sequence[str] | None = None) -> None:
        self.runs = compare(recordings, names)
        services = dict.fromkeys(recording.header.service for recording in recordings)
        self._service = plain(", ".join(services))
        self._phases = [
            _phases(run, recording) for run, recording in zip(self.runs, recordings, strict=True)
        ]
        self._badges = [badge_of(recording.header.provenance) for recording in recordings]

    @property
    def title(self) -> str:
        """What it is of."""
        return f"Updates of {self._service}"

    def data(self) -> Json:
        """Return what the page draws: times in ms since each update began."""
        told = zip(self.runs, self._phases, self._badges, strict=True)
        runs = [_run(number, *each) for number, each in enumerate(told)]
        return {"service": self._service, "runs": runs}

    def content(self) -> Iterator[str]:
        """Return the numbers as a table, and the lines."""
        runs = self.data()["runs"]
        name = for_html(self.title)
        yield f'<div class="labkit-head"><span class="labkit-name">{name}</span></div>'
        yield _table(runs)
        yield lines(runs, " ".join(map(_sentence, runs)))

    def __repr__(self) -> str:
        return f"<labkit comparison of {len(self.runs)} updates>"


def _phases(run: Run, recording: Recording) -> list[list[Any]]:
    """Return the update status from the beginning of the update on."""
    states = ((at - run.began, status) for at, status in recording.update_states())
    return [[_ms(at), status.state if status else ""] for at, status in states if at >= _NOTHING]


def _run(number: int, run: Run, phases: list[list[Any]], badge: Badge | None) -> Json:
    """Return a run for the page. `dash` is a stroke as Plotly names it; `total` may be null."""
    dashes = list(DASHES)
    turn = number // len(_COLOURS)
    return {
        "name": plain(run.name),
        "badge": badge,
        "colour": _COLOURS[number % len(_COLOURS)],
        "dash": dashes[(number + turn) % len(dashes)],
        "began": round(run.began.timestamp() * 1000),
        "total": None if run.total is None else _ms(run.total),
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
        "phases": phases,
    }


def _table(runs: list[Json]) -> str:
    """Return the facts of each run; the page's module makes the same of its data."""
    head = "".join(f'<th scope="col">{name}</th>' for name in _FACTS)
    return (
        '<div class="labkit-facts-scroll" tabindex="0" role="region" '
        'aria-label="Facts of each update"><table class="labkit-facts">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, runs))}</tbody></table></div>"
    )


def _row(run: Json) -> str:
    """Return a run's row; before its name is the line that it is drawn with."""
    look = {"stroke": run["colour"], "stroke_opacity": 1, "stroke_width": 3}
    stroke = line("1", 5, "33", 5, stroke_dasharray=DASHES[run["dash"]], **look)
    more = {"class_": "labkit-dash", "style": "width:34px", "aria_hidden": "true"}
    cells = [
        "not known" if run["total"] is None else f"{run['total'] / 1000:.1f}\N{NO-BREAK SPACE}s",
        str(run["touched"]),
        str(run["fewest"]),
        str(run["most"]),
        _hashes(run["lost"]),
        spoken(run["state"]),
    ]
    named = for_html(run["name"]) + still.badge(run["badge"])
    name = f'<th scope="row">{box(stroke, 10, width=34, **more)}{named}</th>'
    return f"<tr>{name}{''.join(map(still.cell, cells))}</tr>"


def _hashes(lost: float | None) -> str:
    if lost is None:
        return "not known"
    count = f"{abs(lost):,.0f}"
    return "none lost" if count == "0" else f"{count} {'lost' if lost > 0 else 'gained'}"


def _sentence(run: Json) -> str:
    took = "did not end" if run["total"] is None else f"took {minutes(run['total'])}"
    return (
        f"{run['name']}{_made(run)} {took}, ran {run['fewest']} to {run['most']} replicas, "
        f"and is {spoken(run['state'])}."
    )


def _made(run: Json) -> str:
    return f" ({run['badge'].word})" if run["badge"] else ""


def _ms(length: timedelta) -> int:
    return round(length / timedelta(milliseconds=1))
