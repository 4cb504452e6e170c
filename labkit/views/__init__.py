"""What is drawn: a live view, a snapshot of it, a Plotly figure, an HTML page.

Views draw recordings and poll nothing. `picture` says what there is to see, `watch.js`
draws it in the page, `snapshot` and `drawing` draw it where there is no kernel.
"""

from __future__ import annotations

from labkit.recording import Recording
from labkit.views.figure import figure
from labkit.views.snapshot import Snapshot
from labkit.views.watch import Watch

__all__ = ["Snapshot", "Watch", "figure", "html"]


def html(recording: Recording) -> str:
    """Return a recording as one HTML page that needs no engine, no kernel and no network."""
    return Snapshot.of(recording).page
