"""What is drawn: a live view, what stays of it, replays, comparisons, figures, text.

Views draw recordings and poll nothing. `picture` says what there is to see, the modules in
`assets/js` draw it in the page, `snapshot` and `drawing` draw it where there is no kernel.

Each name is loaded when it is first used: the Jupyter server needs `labkit.views.live.page` and
no widgets, and whoever only wants a text needs no Plotly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.views.cards.progress import ProgressTable
    from labkit.views.cards.report import Report
    from labkit.views.live.replay import Replay
    from labkit.views.live.watch import Watch
    from labkit.views.static.comparison import Comparison
    from labkit.views.static.figures import figure
    from labkit.views.static.snapshot import Snapshot, html
    from labkit.views.static.texts import text

#: No module is called what it gives: importing it would hide the name behind the module.
_HOMES = {
    "Comparison": "static.comparison",
    "ProgressTable": "cards.progress",
    "Replay": "live.replay",
    "Report": "cards.report",
    "Snapshot": "static.snapshot",
    "Watch": "live.watch",
    "figure": "static.figures",
    "html": "static.snapshot",
    "text": "static.texts",
}

__all__ = [
    "Comparison",
    "ProgressTable",
    "Replay",
    "Report",
    "Snapshot",
    "Watch",
    "figure",
    "html",
    "text",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"labkit.views has no {name!r}; it has {', '.join(_HOMES)}")
    return getattr(import_module(f"labkit.views.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
