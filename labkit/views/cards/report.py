"""The lab report: what a learner predicted, saw and found, as one page. Pure.

The page asks for nothing outside of itself and needs no script. A recording that can no
longer be drawn is said in a sentence; no path of the learner's machine is in the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePath

from labkit.lessons.journal import Event, Progress, Standing, Wording
from labkit.recordings.recording import Recording
from labkit.views.cards import progress
from labkit.views.live import page
from labkit.views.state.words import for_html, prose
from labkit.views.static import document
from labkit.views.static.snapshot import Snapshot

#: Of a recording; the table would be long, and hashes say little without hovering.
_PARTS = ("head", "phases", "replicas", "slots")
#: Whoever checks a hundred times would have a page that no browser likes.
MOST_CHARTS = 40
#: Characters of a learner's own sentence.
_LONGEST = 5000


def report(
    progress: Progress,
    events: Iterable[Event],
    recordings: Mapping[str, Recording],
    wordings: Mapping[str, Wording] | None = None,
    *,
    now: datetime | None = None,
) -> Report:
    """Return the report of what was done.

    `recordings` has those that can still be loaded, by the name that events have for them;
    of the others the page says that they are gone. `wordings` has what questions and
    exercises say, by their names. With `now` the page says when it was made.
    """
    return Report(progress, events, recordings, wordings or {}, now)


class Report:
    """A learner's predictions, findings and charts; `page` is all of it."""

    def __init__(
        self,
        progress: Progress,
        events: Iterable[Event],
        recordings: Mapping[str, Recording],
        wordings: Mapping[str, Wording],
        now: datetime | None,
    ) -> None:
        self.progress = progress
        self._events = list(events)
        self._recordings = recordings
        self._wordings = wordings
        self._now = now
        #: The number of each recording that has a chart, by its name.
        self._numbers = self._numbered()

    @property
    def page(self) -> str:
        """It as a page of its own."""
        style = page.style((*page.STYLES, "progress", "report"))
        classes = "labkit-watch labkit-report mathjax_ignore tex2jax_ignore"
        body = f'<main class="{classes}">{"".join(self._content())}</main>'
        return document.document("Lab report", style, body)

    def save(self, path: Path | str) -> None:
        """Write the page to a file. Raises `LabError` where it cannot be written."""
        document.write(Path(path), self.page)

    def __repr__(self) -> str:
        charts = _count(len(self._numbers), "chart")
        return f'<labkit report with {charts}; .save("report.html") writes it>'

    # ---- the page ------------------------------------------------------------------

    def _content(self) -> Iterator[str]:
        yield "<header><h1>Lab report: updating a service on Docker Swarm</h1>"
        if self._now:
            yield f'<p class="labkit-quiet">Made {_time(self._now)}.</p>'
        yield "</header>"
        yield from progress.content(self.progress)
        for step in self.progress.steps:
            yield from self._chapter(step)
        if left_out := len(self._names()) - len(self._numbers):
            more = "1 more recording is" if left_out == 1 else f"{left_out} more recordings are"
            yield f"<p>{more} not drawn here.</p>"

    def _chapter(self, step: int) -> Iterator[str]:
        pieces = [*self._predictions(step), *self._exercises(step), *self._charts(step)]
        yield f"<section><h2>{for_html(self.progress.heading(step))}</h2>"
        yield f'<p class="labkit-quiet">{for_html(self.progress.counts(step))}</p>'
        yield from pieces or ["<p>Nothing was done here yet.</p>"]
        yield "</section>"

    def _predictions(self, step: int) -> Iterator[str]:
        done = [
            (each, events)
            for each in self.progress.within(step)
            if each.item.kind == "question"
            and (events := self._of(each.item.name, "predicted", "compared"))
        ]
        if done:
            yield "<h3>Predictions</h3>"
        for standing, events in done:
            yield _article(standing, self._title(standing), self._prediction(standing, events))

    def _prediction(self, standing: Standing, events: list[Event]) -> Iterator[str]:
        wording = self._wording(standing)
        if wording.text:
            yield f"<p>{prose(wording.text)}</p>"
        compared = next((each for each in reversed(events) if each.kind == "compared"), None)
        # what was chosen after the recording had answered is no prediction
        said = events[: events.index(compared) + 1] if compared else events
        choice = said[-1].choice
        yield _quoted(wording.choice(choice)) if choice else _sentence("You made no prediction.")
        if why := next((each.why for each in reversed(said) if each.why), ""):
            yield f"<blockquote>{_lines(why)}</blockquote>"
        if compared is None:
            yield _sentence("It was not compared with a recording yet.")
            return
        if compared.answer:
            yield _said("The recording showed", wording.choice(compared.answer))
        yield from self._finding(compared)

    def _exercises(self, step: int) -> Iterator[str]:
        done = [
            (each, events)
            for each in self.progress.within(step)
            if each.item.kind == "exercise"
            and (events := self._of(each.item.name, "began", "checked", "hinted", "solved"))
        ]
        if done:
            yield "<h3>Exercises</h3>"
        for standing, events in done:
            yield _article(standing, self._title(standing), self._exercise(standing, events))

    def _exercise(self, standing: Standing, events: list[Event]) -> Iterator[str]:
        if text := self._wording(standing).text:
            yield f"<p>{prose(text)}</p>"
        checks = [each for each in events if each.kind == "checked"]
        passed = [each for each in checks if each.outcome == "passed"]
        if not checks:
            yield _sentence("It was begun, and not checked yet.")
        for last in (passed or checks)[-1:]:
            yield _said("Outcome", last.outcome)
            yield from self._finding(last)
        yield f'<p class="labkit-quiet">{for_html(_effort(events, len(checks)))}</p>'

    def _finding(self, event: Event) -> Iterator[str]:
        """Return what a check or a comparison said, and where its chart is."""
        try_next = event.try_next if event.outcome != "passed" else ""
        for what, text in (("Seen", event.saw), ("Why", event.because), ("Try", try_next)):
            if text:
                yield f"<p><b>{what}:</b> {prose(text[:_LONGEST])}</p>"
        if number := self._numbers.get(event.recording):
            yield f'<p><a href="#chart-{number}">Chart {number}</a></p>'

    def _charts(self, step: int) -> Iterator[str]:
        here = [name for name in self._names(step) if name in self._numbers]
        # a recording that an earlier notebook named is drawn there
        new = [name for name in here if self._first_step(name) == step]
        if new:
            yield "<h3>Charts</h3>"
        for name in new:
            yield self._chart(name)

    def _chart(self, name: str) -> str:
        number = self._numbers[name]
        caption = f"Chart {number} · {for_html(PurePath(name).name)}"
        return (
            f'<figure id="chart-{number}"><figcaption>{caption}</figcaption>'
            f"{''.join(self._drawn(name))}</figure>"
        )

    def _drawn(self, name: str) -> Iterator[str]:
        if recording := self._recordings.get(name):
            yield from Snapshot.of(recording, _PARTS).content()
        else:
            yield _sentence("It cannot be drawn: the file is gone, or is no recording any more.")

    # ---- what is in it -------------------------------------------------------------

    def _numbered(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._names()[:MOST_CHARTS], 1)}

    def _names(self, step: int | None = None) -> list[str]:
        """Return the recordings that the events of a notebook name, or those of all."""
        steps = self.progress.steps if step is None else [step]
        named = [each for wanted in steps for each in self._events if each.step == wanted]
        return list(dict.fromkeys(each.recording for each in named if each.recording))

    def _first_step(self, name: str) -> int:
        return next(step for step in self.progress.steps if name in self._names(step))

    def _of(self, name: str, *kinds: str) -> list[Event]:
        return [each for each in self._events if each.name == name and each.kind in kinds]

    def _wording(self, standing: Standing) -> Wording:
        return self._wordings.get(standing.item.name, Wording(standing.item.title))

    def _title(self, standing: Standing) -> str:
        return self._wording(standing).title or standing.item.title


def _article(standing: Standing, title: str, pieces: Iterable[str]) -> str:
    words = for_html(standing.words)
    return (
        f'<article data-done="{"yes" if standing.done else "no"}">'
        f"<h4>{progress.mark(standing.mark)}{for_html(title)} "
        f'<span class="labkit-quiet">· {words}</span></h4>{"".join(pieces)}</article>'
    )


def _sentence(text: str) -> str:
    return f"<p>{_lines(text)}</p>"


def _said(what: str, text: str) -> str:
    return f"<p>{what}: <b>{_lines(text)}</b></p>"


def _quoted(label: str) -> str:
    return f"<p>You said “<b>{_lines(label)}</b>”.</p>"


def _lines(text: str) -> str:
    """Return text as HTML that keeps its line ends."""
    return "<br>".join(for_html(line, _LONGEST) for line in text[:_LONGEST].splitlines())


def _effort(events: list[Event], checks: int) -> str:
    """Return how often it was checked, and the help that was taken, before a reset too."""
    hints = len({each.rung for each in events if each.kind == "hinted"})
    words = [_count(checks, "check"), _count(hints, "hint")]
    if any(each.kind == "solved" for each in events):
        words.append("the solution was looked at")
    return ", ".join(words)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} {at.tzname() or ''}".strip()
