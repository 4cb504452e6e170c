"""What a learner has done: as a table, and with all that was seen as one page.

The page of a report asks for nothing outside of itself and needs no script. A recording that
can no longer be drawn is said in a sentence; no path of the learner's machine is in the page.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from IPython import display as ipython
from IPython.core.getipython import get_ipython

from labkit.base import echo
from labkit.base.rules import counted
from labkit.lessons.journal import LATE, Event, Item, Progress
from labkit.recordings.recording import Recording
from labkit.views.live import page
from labkit.views.pages import render
from labkit.views.state.words import plain
from labkit.views.static.snapshot import Snapshot

#: Of a recording; the table would be long, and hashes say little without hovering.
_PARTS = ("head", "phases", "replicas", "slots")
#: More would be a page that no browser likes; a learner may check a hundred times.
MOST_CHARTS = 40
#: Characters of a learner's own sentence.
_LONGEST = 5000

Json = dict[str, Any]

_display: Callable[..., object] = ipython.display
_link: Callable[[str], object] = ipython.FileLink


class ProgressTable:
    """Progress, drawn: a row a notebook, and each of its items folded away."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def _repr_html_(self) -> str:
        style = page.style(("view", "progress"))
        return render("cards/progress_table.html", progress=self.progress, style=style)

    def __repr__(self) -> str:
        return "\n".join(map(plain, str(self.progress).split("\n")))


class Report:
    """A learner's predictions, findings and charts; `page` is all of it.

    `recordings` has those that can still be loaded, by the name that events have for them;
    of the others the page says that they are gone. With `now` the page says when it was made.
    `notes` are what `labkit class` reads of it when it is handed in.
    """

    def __init__(
        self,
        progress: Progress,
        events: Iterable[Event],
        recordings: Mapping[str, Recording],
        *,
        now: datetime | None = None,
        notes: Sequence[Json] = (),
    ) -> None:
        self.progress = progress
        self._events = list(events)
        self._recordings = recordings
        self._notes = notes
        self._made = f"{now:%Y-%m-%d %H:%M} {now.tzname() or ''}".strip() if now else ""
        names = self._names(*progress.steps)
        #: The number of each recording that has a chart, by its name.
        self._numbers = {name: number for number, name in enumerate(names[:MOST_CHARTS], 1)}
        self._left_out = len(names) - len(self._numbers)

    @property
    def page(self) -> str:
        """It as a page of its own."""
        body = render(
            "cards/report.html",
            progress=self.progress,
            made=self._made,
            chapters=[self._chapter(step) for step in self.progress.steps],
            numbers=self._numbers,
            left_out=self._left_out,
            longest=_LONGEST,
            alias=self._notes[0]["alias"] if self._notes else "",
            notes=json.dumps(self._notes),
        )
        return page.document("Lab report", (*page.STYLES, "progress", "report"), body)

    def save(self, path: Path | str) -> None:
        """Write the page to a file and say where, in a notebook with a link.

        Raises `LabError` where it cannot be written.
        """
        page.write(Path(path), self.page)
        echo.say(f"{Path(path).absolute()}: open it in a browser.")
        if get_ipython() is not None:
            _display(_link(os.path.relpath(path)))

    def __repr__(self) -> str:
        charts = counted(len(self._numbers), "chart")
        return f'<labkit report with {charts}; .save("report.html") writes it>'

    # ---- what is in it -------------------------------------------------------------

    def _chapter(self, step: int) -> Json:
        predicted = self._done(step, "predicted", "compared")
        tried = self._done(step, "began", "checked", "hinted", "solved")
        return {
            "step": step,
            "predictions": [it | _prediction(it["item"], it["events"]) for it in predicted],
            "exercises": [it | _exercise(it["events"]) for it in tried],
            "charts": list(self._charts(step)),
        }

    def _done(self, step: int, *kinds: str) -> Iterator[Json]:
        for standing in self.progress.within(step):
            item = standing.item
            events = [each for each in self._events if each.name == item.name]
            events = [each for each in events if each.kind in kinds]
            if events:
                yield {"standing": standing, "item": item, "events": events}

    def _charts(self, step: int) -> Iterator[tuple[int, str, str]]:
        earlier = self._names(*(each for each in self.progress.steps if each < step))
        for name in self._names(step):
            if name in self._numbers and name not in earlier:
                recording = self._recordings.get(name)
                drawn = Snapshot.of(recording, _PARTS).plain if recording else ""
                yield self._numbers[name], PurePath(name).name, drawn

    def _names(self, *steps: int) -> list[str]:
        named = [each for step in steps for each in self._events if each.step == step]
        return list(dict.fromkeys(each.recording for each in named if each.recording))


def _prediction(item: Item, events: list[Event]) -> Json:
    compared = next((each for each in reversed(events) if each.kind == "compared"), None)
    choice = (compared or events[-1]).choice
    chosen = [each for each in events if each.kind == "predicted"]
    late = "" if choice else next((e.choice for e in reversed(chosen) if e.outcome == LATE), "")
    # what was chosen after the recording had answered is not a prediction
    before = events[: events.index(compared) + 1] if compared else events
    before = [each for each in before if each.outcome != LATE]
    return {
        "choice": item.choice(choice) if choice else "",
        "late": item.choice(late) if late else "",
        "why": next((each.why for each in reversed(before) if each.why), ""),
        "compared": compared,
        "answer": item.choice(compared.answer) if compared and compared.answer else "",
    }


def _exercise(events: list[Event]) -> Json:
    """Return its last check, or the last that passed, and the help that was taken."""
    checks = [each for each in events if each.kind == "checked"]
    passed = [each for each in checks if each.outcome == "passed"]
    hints = len({each.rung for each in events if each.kind == "hinted"})
    effort = [counted(len(checks), "check"), counted(hints, "hint")]
    if any(each.kind == "solved" for each in events):
        effort.append("the solution was seen")
    last = passed or checks
    return {"check": last[-1] if last else None, "effort": ", ".join(effort)}
