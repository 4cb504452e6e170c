"""A view state that has come to its end: all of its parts, as HTML or text. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from markupsafe import Markup

from labkit.recordings.recording import Recording
from labkit.views import parts as known
from labkit.views.pages import render
from labkit.views.state.sentences import left_out, minutes, torn
from labkit.views.state.view_state import MOST_CHANGES, Json, ViewState
from labkit.views.state.words import plain
from labkit.views.static import still
from labkit.views.static.drawing import drawing


class Snapshot(still.Still):
    """A view state that has come to its end, drawn. Jupyter displays it as HTML.

    `heading` has the number, the time and the trouble that a live view's messages have;
    `parts` names what is shown, everything without it.
    """

    def __init__(
        self, heading: Json, view_state: ViewState, parts: Iterable[str] | None = None
    ) -> None:
        self.parts = known.known_parts(parts)
        self.state = {**heading, **view_state.full()}
        self.title = f"Update of {self.state['service']}"
        if self.state["end"] is None:
            at = max(0, heading["now"] - self.state["origin"])
            why = "A snapshot; the recording went on."
            self.state["end"] = {"at": at, "why": why, "died": False}
        now = self.state["origin"] + self.state["end"]["at"]
        rows = view_state.table(datetime.fromtimestamp(now / 1000, UTC))
        #: The state, and the rows of its table, which the page makes itself.
        self.view_state = self.state | {"rows": rows}

    @classmethod
    def of(cls, recording: Recording, parts: Iterable[str] | None = None) -> "Snapshot":
        """Return the snapshot of a recording, as far as it goes; of a long one, its last part."""
        recording = recording.latest(*MOST_CHANGES)
        view_state = ViewState(recording.header)
        view_state.apply(recording.changes)
        finish(view_state, recording)
        view_state.delta()
        return cls(heading(recording), view_state, parts)

    def data(self) -> Json:
        """Return the view state, and which parts of it are shown if not all of them are."""
        whole = self.parts == list(known.PARTS)
        return self.state if whole else self.state | {"parts": self.parts}

    def drawing(self) -> still.Drawing | None:
        """Return the charts among its parts."""
        return drawing(self.state, self.parts)

    def content(self, drawing: Markup) -> Markup:
        """Return the parts as HTML."""
        # beside charts alone, their bands have their words in their titles
        alone = not set(self.parts) - set(known.CHARTS)
        below = [known.module(part) for part in self.parts if part != "head"]
        shown = (
            part.html(self.view_state) for part in below if hasattr(part, "html") and not alone
        )
        head = known.module("head").html(self.view_state) if "head" in self.parts else ""
        return render(
            "static/snapshot.html",
            head=head,
            badge=self.state["badge"],
            drawing=drawing,
            below=shown,
        )

    def __repr__(self) -> str:
        return f"<labkit snapshot of {self.state['service']}>"


def html(recording: Recording) -> str:
    """Return a recording as one HTML page that needs no engine, no kernel and no network."""
    return Snapshot.of(recording).page


def heading(recording: Recording) -> Json:
    """Return what a live view's message begins with, of a whole recording."""
    last = round(recording.last_at.timestamp() * 1000)
    trouble = " ".join(filter(None, [left_out(recording), torn(recording.torn_lines)]))
    return {"seq": 0, "now": last, "seen": last, "trouble": trouble}


def finish(view_state: ViewState, recording: Recording) -> None:
    """Say in a view state that its recording breaks off, if it does."""
    if recording.ended is None:
        why = "The recording has no end: it broke off here, or is still going on."
        view_state.end(recording.last_at, why, died=True)


def text(recording: Recording) -> str:
    """Return all that a view of the recording shows, as lines of text.

    For a terminal, a log, a screen reader. Nothing in it is coloured, and what an engine says
    steers no terminal.
    """
    view_state = Snapshot.of(recording).view_state
    texts = [getattr(known.module(part), "text", None) for part in known.PARTS]
    (service, standing), *sections, (_, table) = [said(view_state) for said in texts if said]
    gaps = [
        f"{minutes(begin)} to {'the end' if end is None else minutes(end)}: {reason}"
        for begin, end, reason in view_state["gaps"]
    ]
    marks = [f"{minutes(at)} {label}" for at, label in view_state["marks"]]
    sections += [("Nothing was recorded", gaps), ("Marks", marks)]
    told = [
        "\n".join([f"{name}:", *(f"  {line}" for line in lines)])
        for name, lines in sections
        if lines
    ]
    rows = (plain(line, len(line)).rstrip() for line in table)
    return "\n\n".join(["\n".join([service, *standing]), *told, "\n".join(rows)])
