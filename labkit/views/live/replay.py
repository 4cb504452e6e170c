"""A recording that is played again, poll by poll, with no engine and no kernel."""

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from markupsafe import Markup

from labkit.base.errors import BadValue
from labkit.base.files import lines
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Change, Marked
from labkit.recordings.recording.lines import change_line
from labkit.views.parts import PARTS, known_parts
from labkit.views.state.sentences import minutes
from labkit.views.state.view_state import MOST_CHANGES, Json, ViewState
from labkit.views.static import still
from labkit.views.static.snapshot import Snapshot, finish, heading

#: Deltas of a replay at most: a slider has fewer places, and each may repeat what a view lists.
MOST_FRAMES = 2000
#: When a change is shown, and the change.
_Shown = tuple[datetime, Change]


class Replay(still.Still):
    """A recording with a time slider and play/pause. Jupyter displays it as HTML.

    Without a script it is the snapshot of the recording's end. `parts` names what is
    shown, everything without it. `path` is the recording's file, if marks are to be
    written there.
    """

    def __init__(
        self,
        recording: Recording,
        parts: Iterable[str] | None = None,
        path: Path | str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.recording = recording
        self.title = f"Replay of {recording.header.service}"
        self.parts = known_parts(parts)
        self._path = None if path is None else Path(path)
        self._clock = clock

    def data(self) -> Json:
        """Return the first state, the deltas that follow with their times, and the end."""
        parts = {} if self.parts == list(PARTS) else {"parts": self.parts}
        return played(self._shown) | parts

    def drawing(self) -> still.Drawing | None:
        """Return the charts of the end."""
        return self._end.drawing()

    def content(self, drawing: Markup) -> Markup:
        """Return the end as HTML."""
        return self._end.content(drawing)

    @property
    def plain(self) -> Markup:
        """The end as HTML, for where no script runs."""
        return self._end.plain

    @property
    def _shown(self) -> Recording:
        return self.recording.latest(*MOST_CHANGES)

    @property
    def _end(self) -> Snapshot:
        return Snapshot.of(self._shown, self.parts)

    def mark(self, label: str, seconds: float) -> None:
        """Put a mark on the time axis, so many seconds after the part that is shown begins.

        It is added to the recording, and to its file if this replay knows it. Raises
        `BadValue` for a time outside the recording, and for a label with nothing in it.
        """
        shown = self._shown
        header, length = shown.header, _length(shown)
        if not isinstance(seconds, int | float) or not 0 <= seconds * 1000 <= length:
            raise BadValue(
                f"a mark must be at 0 to {math.floor(length / 1000)} seconds, within the recording "
                f"of {minutes(length)}, not at {seconds!r}"
            )
        mark = Marked(self._clock(), header.started + timedelta(seconds=seconds), label)
        if self._path is not None:
            # a link is followed here: it is the learner's own
            lines.append(self._path.resolve(strict=True), json.loads(change_line(mark)), mode=0o644)
        self.recording.add(mark)

    def __repr__(self) -> str:
        return f"<labkit replay of {self.recording.header.service}>"


def played(recording: Recording) -> Json:
    """Return a recording as its first state, and the delta that each poll brought.

    `frames` holds `[at, delta]`, as a live view would have sent them, those of several polls
    in one if there are more than `MOST_FRAMES`; `at` and `end` are in ms since the recording
    began.
    """
    state, frames = ViewState(recording.header), []
    first: Json = {}
    end = _length(recording)
    polls = [(at, [*of]) for at, of in groupby(_in_order(recording.changes), itemgetter(0))]
    together = len(polls) // MOST_FRAMES + 1
    parts = [polls[:1], *(polls[n : n + together] for n in range(1, len(polls), together))]
    for part in filter(None, parts):  # at the time of the last poll in it
        at = part[-1][0]
        state.apply(change for _, of in part for _, change in of)
        delta = state.delta()
        if not first:
            first = state.full()
        elif delta:
            # a mark may be of a moment that never came: it stands at the end
            frames.append([min(_ms(recording, at), end), delta])
    finish(state, recording)
    if delta := state.delta():
        frames.append([end, delta])
    begin = round(recording.header.started.timestamp() * 1000)
    first = heading(recording) | {"now": begin, "seen": begin} | (first or state.full())
    return {"first": first, "frames": frames, "end": end}


def _in_order(changes: Iterable[Change]) -> list[_Shown]:
    """Return when each change is to be seen: a mark at the moment that it is about.

    All others stay in the order of the file, though a clock may have been set back in it.
    """
    latest = datetime.min.replace(tzinfo=UTC)
    shown = []
    for change in changes:
        if not isinstance(change, Marked):
            latest = max(latest, change.at)
        shown.append((change.of if isinstance(change, Marked) else latest, change))
    return sorted(shown, key=itemgetter(0))


def _ms(recording: Recording, at: datetime) -> int:
    return max(0, round((at - recording.header.started) / timedelta(milliseconds=1)))


def _length(recording: Recording) -> int:
    return _ms(recording, recording.last_at)
