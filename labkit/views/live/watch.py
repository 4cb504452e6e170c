"""`labkit.watch`: a live view of one service, as one small widget.

Why a widget of its own, and not Plotly's: a FigureWidget weighs 5 MB each, is empty once
saved, and can fail to start within the two seconds that anywidget gives a module. This
module is 125 kB. plotly.js (1.2 MB) comes after it, once a page and kept by the browser,
from the Jupyter server (`labkit.views.live.server`); until it is there, or where it is not, a
plain chart of the same steps stands in its place.

How it keeps up while another cell blocks the kernel: a job of its own sends messages
from the kernel, at most four a second and none when nothing happened. A message that comes
before a page listens is lost; therefore every message has a number, the widget's state is
worked out at the moment somebody asks for it, and while a page may be loading the last
messages are sent once more every few seconds. A page that has missed more than those asks
for the full state, and gets it when the kernel is free.

How it ends: with the recorder. Then the output is replaced by a snapshot, in HTML and
SVG, which a saved notebook keeps without a kernel and an HTML export without JupyterLab.
Inside JupyterLab the snapshot brings itself to life again: hover, zoom, export.
After a reload JupyterLab no longer knows which output to replace, and `lab.js` finds it by its
metadata (`page.lasting`). nbval sees no replacement, so a cell that ends in a view is one whose
output is not compared.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython import display as ipython

from labkit.base.errors import NotSettled
from labkit.base.jobs import Firm, Job, Steps
from labkit.recordings.recording import Recording
from labkit.views.cards.meanwhile import Meanwhile
from labkit.views.live import page
from labkit.views.pages import render
from labkit.views.parts import known_parts
from labkit.views.state.view_state import Json, ViewState
from labkit.views.state.words import plain
from labkit.views.static import snapshot
from labkit.views.static.snapshot import text
from swarmsim.go.states import UpdateState

if TYPE_CHECKING:
    from labkit.recordings.recorder import Recorder

#: Seconds between two messages to the page, at least.
LEAST = 0.25
#: Seconds after which the page is told that the recorder goes on, if nothing else is new.
PULSE = 2.0
#: Changes that one message has; the others follow in the next. It bounds what a message
#: weighs (some 25 kB) and what it costs, however much happened at once.
MOST = 300
#: For so many seconds after a page has asked for the full state it may still lose messages;
#: every few seconds the last ones are sent once more.
LOADING, AGAIN = 15.0, 3.0
#: Bytes of messages that are kept for that.
_KEPT = 30_000

#: IPython ships no types.
_display: Callable[..., object] = ipython.display


@contextmanager
def _waiting() -> Iterator[Callable[[str], None]]:
    """Show how things stand, and turn an interruption into a sentence; the recording goes on."""
    try:
        with Meanwhile() as meanwhile:
            yield meanwhile.say
    except KeyboardInterrupt:
        raise NotSettled(
            "to wait.",
            "the wait was interrupted. The recording and the update go on.",
            "run the cell again to keep waiting.",
        ) from None


class Watch(anywidget.AnyWidget):
    """The live view of what a recorder records. It is displayed like any result of a cell."""

    _esm = str(page.module())
    _css = str(page.style())
    #: Worked out whenever it is asked for, so that a page that loads late is up to date.
    view_state = traitlets.Any().tag(sync=True, to_json=lambda _, watch: watch.full())
    plotly = traitlets.Unicode(page.PLOTLY).tag(sync=True)
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    #: Whether JupyterLab shows it beside the notebook, and not in its cell.
    beside = traitlets.Bool().tag(sync=True)

    def __init__(
        self, recorder: Recorder, parts: Sequence[str] | None = None, *, beside: bool = True
    ) -> None:
        self._recorder = recorder
        self._service = recorder.recording.header.service
        self._lock = threading.RLock()
        self._state = ViewState(recorder.recording.header)
        self._applied = 0
        self._number = 0
        self._recent: deque[tuple[int, Json]] = deque()
        self._recent_bytes = 0
        self._owed = False
        self._loaded_at = -LOADING
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        self._job = Job(self._run(), f"watch {self._service}")
        self._apply()
        self._state.delta()
        super().__init__(parts=known_parts(parts), beside=beside)
        self.on_msg(self._receive)
        page.answer_at_once(self)
        recorder.subscribe(self._job.wake)
        self._job.start()

    # ---- what a page sees ----------------------------------------------------------

    def full(self) -> Json:
        """Return the view state as the page has it after the last message."""
        with self._lock:
            self._loaded_at = time.monotonic()
            return self._heading() | self._state.full()

    def snapshot(self) -> snapshot.Snapshot:
        """Return the view as it is now, for a saved notebook: HTML and SVG, no kernel."""
        with self._lock:
            heading = self._heading() | {"beside": self.beside}
            return snapshot.Snapshot(heading, self._state, self.parts)

    def text(self) -> str:
        """Return what it shows as plain text, for where neither widgets nor HTML are displayed."""
        return text(self._recorder.recording)

    def only(self, *parts: str) -> Watch:
        """Return another view of the same recording that shows some parts only.

        The parts are head, phases, replicas, slots, speed, budget and table.
        """
        return Watch(self._recorder, parts, beside=False)

    # ---- what a learner asks -------------------------------------------------------

    @property
    def recording(self) -> Recording:
        """Everything that was seen so far."""
        return self._recorder.recording

    @property
    def path(self) -> Path | None:
        """The file that the recording goes to; `None` if it is kept in memory only."""
        return getattr(self._recorder, "path", None)

    @property
    def why(self) -> str:
        """Why it ended, as a sentence; `""` while it goes on."""
        return self._recorder.why

    def mark(self, label: str) -> None:
        """Put a mark on the time axis, now. It is kept in the recording."""
        self._recorder.mark(label)
        self._catch_up()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until the recorder has stopped by itself, and return why. As `Recorder.wait`.

        It waits as long as something moves; with a `timeout`, at most so many seconds.
        """
        with _waiting() as say:
            return self._recorder.wait(timeout, say)

    def wait_for_replicas(self, tag: str, count: int, timeout: float | None = None) -> None:
        """Wait until `count` replicas run a tag. As `Recorder.wait_for_replicas`."""
        with _waiting() as say:
            self._recorder.wait_for_replicas(tag, count, timeout, say)

    def wait_for_update(self, state: UpdateState, timeout: float | None = None) -> None:
        """Wait until the update status has been `state`. As `Recorder.wait_for_update`."""
        with _waiting() as say:
            self._recorder.wait_for_update(state, timeout, say)

    def stop(self) -> Recording:
        """Stop recording, and return the recording. Stopping twice does nothing more."""
        return self._recorder.stop()

    @property
    def ended(self) -> bool:
        """Whether the recorder has ended, so that nothing more will come."""
        return self._recorder.error is not None or self._recorder.recording.ended is not None

    def step(self) -> Json:
        """Send what changed since the last step, and return it; nothing if nothing did.

        Of very much it is the first part, and the view's job goes on with the rest.
        """
        with self._lock:
            self._apply(MOST)
            delta = self._state.delta()
            if delta:
                self._post(delta)
            return delta

    def __repr__(self) -> str:
        # nbval compares it, so there is nothing in it that differs from run to run
        return f"<labkit.watch of {self._service}>"

    def take_place_of(self, other: Watch) -> None:
        """Be displayed where another view is."""
        with other._lock:  # it leaves no snapshot there any more
            other._displayed = False
        self._display_id = other._display_id
        self._ipython_display_(update=True)

    def _ipython_display_(self, **how: bool) -> None:
        with self._lock:  # or the snapshot at the end could come before what it replaces
            self._displayed = True
            if self.ended:
                data: Json = self.snapshot().bundle(repr(self))
                metadata: Json = {}
            else:
                data, metadata = self._repr_mimebundle_() or ({}, {})
            metadata = {**metadata, **page.lasting(self._display_id)}
            _display(data, raw=True, metadata=metadata, display_id=self._display_id, **how)
            if not self.ended and not how:
                _display({"text/html": render("static/lost.html"), "text/plain": ""}, raw=True)

    # ---- the job -------------------------------------------------------------------

    def _run(self) -> Steps:
        pulse = again = time.monotonic()
        while not self.ended:
            yield PULSE
            delta, now = self.step(), time.monotonic()
            if delta:
                self._owed, pulse = True, now
            elif now - pulse >= PULSE:
                self.pulse()
                pulse = now
            loading = now - self._loaded_at < LOADING
            if self._owed and loading and now - again >= AGAIN:
                self.repeat()
                again = now
            yield Firm(LEAST)  # what comes meanwhile goes together
        self._end()

    def pulse(self) -> None:
        """Tell the page that the recorder goes on, and when it last saw the engine."""
        with self._lock:
            self._post({})

    def repeat(self) -> None:
        """Send the last messages once more, for a page that was not listening yet."""
        with self._lock:
            self._owed = False
            for _, message in self._recent:
                self.send(message)

    def flush(self) -> None:
        """Send the full state, for a page that has missed something."""
        with self._lock:
            self.send_state("view_state")

    def _end(self) -> None:
        with self._lock:
            changes = self._recorder.recording.changes
            while self.step() or self._applied < len(changes):  # some changes have no delta
                pass
            self.flush()
            self._leave_snapshot()

    def _catch_up(self) -> None:
        """Show what came after the end: the job that would have has ended as well."""
        with self._lock:
            if self.ended and self.step():
                self._leave_snapshot()

    def _receive(self, _: Any, content: Any, __: Any) -> None:
        """A page says that it has missed a message, or that somebody put a mark."""
        match content:
            case {"want": "full"}:
                self.flush()
            case {"mark": str(label), "at": int(at) | float(at)} if label.strip():
                origin = self._recorder.recording.header.started
                self._recorder.mark(label, origin + timedelta(milliseconds=at))
                self._catch_up()

    # ---- with the lock held --------------------------------------------------------

    def _apply(self, most: int = sys.maxsize) -> None:
        """Apply what the recording has that the state has not, at most so many changes."""
        changes = self._recorder.recording.changes
        until = min(len(changes), self._applied + most)
        self._state.apply(changes[self._applied : until])
        self._applied = until
        if until < len(changes):
            self._job.wake()
        elif self._recorder.error is not None:
            self._state.end(self._recorder.last_seen, self._recorder.why, died=True)

    def _post(self, delta: Json) -> None:
        self._number += 1
        message = self._heading() | delta
        self.send(message)
        self._recent.append((len(json.dumps(message)), message))
        self._recent_bytes += self._recent[-1][0]
        while self._recent_bytes > _KEPT:
            self._recent_bytes -= self._recent.popleft()[0]

    def _heading(self) -> Json:
        return {
            "seq": self._number,
            "now": round(self._recorder.now().timestamp() * 1000),
            "seen": round(self._recorder.last_seen.timestamp() * 1000),
            "trouble": plain(self._recorder.file_trouble),
        }

    def _leave_snapshot(self) -> None:
        if self._displayed:
            data = self.snapshot().bundle(repr(self))
            lasting = page.lasting(self._display_id)
            _display(data, raw=True, metadata=lasting, display_id=self._display_id, update=True)
