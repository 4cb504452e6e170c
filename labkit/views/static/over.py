"""What is drawn across all charts: marks, changes of the update status, and gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.views.parts.axis import Axis
from labkit.views.state.sentences import shortened, spoken
from labkit.views.state.view_state import Json

#: Letters of a mark's label that are drawn.
_MOST_LETTERS = 32
#: Of labels above the charts, and px of each.
_LEVELS, _LEVEL = 3, 14
#: A letter's share of the width in a narrow window, in %.
_LETTER = 1.15

#: A moment, its label, its level above the charts, and the end of the label that is there.
Label = tuple[float, str, int, str]


def labels(view_state: Json, axis: Axis, *, states: bool) -> list[Label]:
    """Return the marks, and with `states` the changes of the update status, with labels.

    A label that would meet an earlier one goes a level higher, and one near the right end
    to the left of its mark.
    """
    moments = [(at, label) for at, label in view_state["marks"]]
    if states:
        moments += [(at, spoken(state)) for at, state, *_ in view_state["phases"][1:]]
    found: list[Label] = []
    free = [0.0] * _LEVELS
    for at, words in sorted(moments):
        shown = shortened(words, _MOST_LETTERS)
        share, width = axis.share(at), len(shown) * _LETTER + 1
        side = "end" if share + width > 100 else "start"
        begin = share - width if side == "end" else share
        level = next((n for n, until in enumerate(free) if begin >= until), _LEVELS - 1)
        free[level] = begin + width
        found.append((at, shown, level, side))
    return found


def head_room(of: Iterable[Label]) -> float:
    """Return how much room the labels need above the charts, in px."""
    return max((level + 1 for _, _, level, _ in of), default=0) * _LEVEL


def over(view_state: Json, axis: Axis, of: list[Label]) -> Json:
    """Return what a drawing has across its charts: marks with their heights, changes, gaps."""
    return {
        "marks": [(at, words, level * _LEVEL, side) for at, words, level, side in of],
        "changes": [at for at, *_ in view_state["phases"][1:]],
        "gaps": [
            (begin, axis.end if end is None else end, reason)
            for begin, end, reason in view_state["gaps"]
        ],
    }
