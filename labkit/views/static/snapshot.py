"""A picture that has come to its end: all of its parts, with no kernel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.recordings.values import Task
from labkit.views.state.parts import CHARTS, PARTS, known_parts
from labkit.views.state.picture import Json, Picture
from labkit.views.state.sentences import budgets, phases, running, torn
from labkit.views.state.stages import stage
from labkit.views.state.words import for_html
from labkit.views.static import drawing, still

#: Rows that a snapshot draws; a larger table would weigh on every save of the notebook.
MOST_ROWS = 500

Rows = list[tuple[Task, ps.Row]]


class Snapshot(still.Still):
    """A picture that has come to its end, drawn. Jupyter displays it as HTML.

    `heading` has the number, the time and the trouble that a live view's messages have;
    `parts` names what is shown, everything without it.
    """

    def __init__(self, heading: Json, picture: Picture, parts: Iterable[str] | None = None) -> None:
        self.parts = known_parts(parts)
        self.picture = {**heading, **picture.whole()}
        if self.picture["end"] is None:
            at = max(0, heading["now"] - self.picture["origin"])
            why = "A snapshot; the recording went on."
            self.picture["end"] = {"at": at, "why": why, "died": False}
        now = self.picture["origin"] + self.picture["end"]["at"]
        rows = picture.table(datetime.fromtimestamp(now / 1000, UTC))
        rows = [(task, row) for task, row in rows if ps.without_clean_history([row])]
        self._left_out = max(0, len(rows) - MOST_ROWS)
        self._rows = rows[:MOST_ROWS]
        tags = [self.picture["tags"][tag] for _, tag in self.picture["images"]]
        self._tag_of = {entry[1]: tags[entry[4]] for entry in self.picture["tasks"]}

    @classmethod
    def of(cls, recording: Recording, parts: Iterable[str] | None = None) -> Snapshot:
        """Return the snapshot of a recording, as far as it goes."""
        picture = Picture(recording.header)
        picture.take(recording.changes)
        finish(picture, recording)
        picture.news()
        return cls(heading(recording), picture, parts)

    @property
    def title(self) -> str:
        """What it is of."""
        return f"Update of {self.picture['service']}"

    def data(self) -> Json:
        """Return the picture, and which parts of it are shown if not all of them are."""
        return self.picture if self.parts == list(PARTS) else self.picture | {"parts": self.parts}

    def content(self) -> Iterator[str]:
        """Return the parts as HTML."""
        if "head" in self.parts:
            yield from self._head()
        elif self.picture["badge"]:
            yield f'<div class="labkit-head">{still.badge(self.picture["badge"])}</div>'
        yield drawing.svg(self.picture, self.parts)
        if "phases" in self.parts and set(self.parts) - set(CHARTS):
            yield self._phases()
        if "budget" in self.parts:
            for sentence in budgets(self.picture):
                yield f'<p class="labkit-in-words">{for_html(sentence)}</p>'
        if "table" in self.parts:
            yield from self._table()

    def __repr__(self) -> str:
        return f"<labkit snapshot of {self.picture['service']}>"

    # ---- the parts -----------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        picture, status, end = self.picture, self.picture["status"], self.picture["end"]
        state = for_html(status["state"])
        yield (
            f'<div class="labkit-head"><span class="labkit-name">{for_html(picture["service"])}'
            f"</span>{still.badge(picture['badge'])}"
            f' <span class="labkit-badge" data-state="{state}">'
            f"{state.replace('_', ' ')}</span></div>"
            f'<div class="labkit-sentence">{for_html(status["sentence"])}</div>'
        )
        if status["message"]:
            says = for_html(status["message"])
            yield f'<div class="labkit-message">Docker says: <q>{says}</q></div>'
        yield (
            f'<div class="labkit-end" data-died="{"yes" if end["died"] else "no"}">'
            f"{for_html(end['why'])}{self._last_good()}</div>"
        )
        if picture["trouble"]:
            yield f'<div class="labkit-end" data-died="yes">{for_html(picture["trouble"])}</div>'
        yield f'<div class="labkit-tags" role="list">{" ".join(self._tags())}</div>'

    def _last_good(self) -> str:
        if not self.picture["end"]["died"]:
            return ""
        seen = datetime.fromtimestamp(self.picture["seen"] / 1000, UTC)
        return f"\nThe last good snapshot is of {seen:%Y-%m-%d %H:%M:%S} UTC."

    def _tags(self) -> Iterator[str]:
        counts = [count for _, count in running(self.picture)]
        for (tag, colour, pattern), count in zip(self.picture["tags"], counts, strict=True):
            yield (
                f'<span role="listitem" data-count="{count}">{still.swatch(colour, pattern)}'
                f"<b>{for_html(tag)}</b><span> × {count} running</span></span>"
            )

    def _phases(self) -> str:
        """Return the update status over time in words, folded away."""
        items = "".join(f"<li>{for_html(line)}</li>" for line in phases(self.picture))
        summary = "<summary>The update status in words</summary>"
        return f'<details class="labkit-note">{summary}<ul>{items}</ul></details>'

    def _table(self) -> Iterator[str]:
        service = self.picture["service"]
        # docker draws a branch before the name of an older task of the same slot
        older = [each for each in self._rows if each[1].name.startswith(" ")]
        newest = [each for each in self._rows if not each[1].name.startswith(" ")]
        yield self._rows_of(newest, f"docker service ps {service}")
        if older:
            # failures are what one looks for, so they are not folded away
            is_open = " open" if any(stage(task) == "failed" for task, _ in older) else ""
            what = "older task of these slots" if len(older) == 1 else "older tasks of these slots"
            yield f"<details{is_open}><summary>{len(older)} {what}</summary>"
            yield self._rows_of(older, what)
            yield "</details>"
        if self._left_out:
            yield f'<div class="labkit-note">{self._left_out} further rows are left out.</div>'

    def _rows_of(self, rows: Rows, caption: str) -> str:
        return still.table(ps.TASK_HEADER, (self._row(*each) for each in rows), caption)

    def _row(self, task: Task, row: ps.Row) -> tuple[str, str]:
        _, colour, pattern = self._tag_of[task.id]
        cells = [
            still.cell(row.id),
            still.cell(row.name),
            still.cell(row.image, before=still.swatch(colour, pattern)),
            still.cell(row.node),
            still.cell(row.desired_state),
            still.cell(row.current_state, kind="labkit-state"),
            still.cell(row.error, kind="labkit-error", title=task.error),
            still.cell(row.ports),
        ]
        return _mood(task), "".join(cells)


def html(recording: Recording) -> str:
    """Return a recording as one HTML page that needs no engine, no kernel and no network."""
    return Snapshot.of(recording).page


def heading(recording: Recording) -> Json:
    """Return what stands over a picture of a whole recording, as over a live view's message."""
    last = round(recording.last_at.timestamp() * 1000)
    return {"seq": 0, "now": last, "seen": last, "trouble": torn(recording.torn_lines)}


def finish(picture: Picture, recording: Recording) -> None:
    """Say in a picture that its recording breaks off, if it does."""
    if recording.ended is None:
        why = "There is no end in the recording: it broke off here, or it still goes on."
        picture.end(recording.last_at, why, died=True)


def _mood(task: Task) -> str:
    """Return how loudly a row speaks."""
    return {"failed": "bad", "ended": "off", "running": "on"}.get(stage(task), "way")
