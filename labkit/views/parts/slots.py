"""Slots over time: a row a slot, in it every task that had the slot, by tag and by stage. Pure.

The page works the same out of the same moves (`assets/js/charts/spans.js`): a move begins a span,
which ends with the next move, or now. Sent as spans it would be every move once more.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from labkit.recordings.ps import natural_key
from labkit.views.pages import render
from labkit.views.parts.axis import Axis, Chart, moment, plotly
from labkit.views.state.looks import filled
from labkit.views.state.sentences import minutes, shortened
from labkit.views.state.view_state import Json
from labkit.views.state.words import for_plotly

TITLE = "Slots: all tasks, by slot"
#: How a task is drawn in a stage: how much of its place it takes up (the nearer to running, the
#: higher), how dense it is, whether it has an outline, and what the legend says. One that has
#: ended is not drawn.
STAGES = {
    "waiting": (0.45, 0.12, True, "waiting its turn"),
    "starting": (0.62, 0.6, False, "starting"),
    "running": (1.0, 1.0, False, "running"),
    "stopping": (1.0, 0.15, True, "told to stop"),
    "lost": (1.0, 0.05, True, "its node is down"),
}
#: More slots than these are not all drawn; of more, those in which something happened last.
MOST_ROWS, _ROWS_OF_MORE = 100, 60
#: In shares of a row: where tasks stand, and the thin band of the windows below them.
_TASKS, _WINDOWS = (0.07, 0.72), (0.77, 0.95)
_SIGNS = {
    "failed": "failed",
    "delay": "delay: the updater sleeps",
    "monitor": "monitor window: a failure in here counts",
}
SHARED = {
    "stages": STAGES,
    "signs": _SIGNS,
    "rows": [MOST_ROWS, _ROWS_OF_MORE],
    "tasks": _TASKS,
    "windows": _WINDOWS,
}
#: Tasks that are drawn, at most; of more, the last ones of every row.
MOST_TASKS = 500
_HEIGHT, _HIGHEST, _LOWEST = 420, 18.0, 6.0
#: px of a row that is high enough for a label of its own, and for windows under its bars.
_ROOMY = 11

Group = int | str


class Piece(NamedTuple):
    """A part of a task's life in one stage, in a lane: `whole` row, `above`, or `below`."""

    begin: float
    end: float
    stage: str
    lane: str = "whole"

    @property
    def place(self) -> tuple[float, float]:
        """Where its bar begins in its row, and how high it is, in shares of the row."""
        top, bottom = _TASKS
        middle = (top + bottom) / 2
        top, bottom = {"above": (top, middle), "below": (middle, bottom)}.get(self.lane, _TASKS)
        high = (bottom - top) * STAGES[self.stage][0]
        return (top + bottom - high) / 2, high


@dataclass(slots=True)
class Attempt:
    """A task, what it was seen to do, and how that is drawn."""

    n: int
    group: Group
    created: float
    name: str
    node: str
    tag: int
    #: When the manager had forgotten it, or `None`.
    gone: float | None
    moves: list[Json] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def death(self) -> Json | None:
        """The move with which it failed, unless that was before the recording."""
        move = next((move for move in self.moves if move["stage"] == "failed"), None)
        return move if move and (move["at"] > 0 or move["since"] >= 0) else None

    @property
    def extent(self) -> tuple[float, float]:
        """From when until when it is drawn."""
        if self.pieces:
            return self.pieces[0].begin, self.pieces[-1].end
        return (self.death["at"],) * 2 if self.death else (0, 0)

    def draw(self, end: float) -> None:
        """Work out its pieces: one for each stage in which it was alive."""
        first, over = self.moves[0], end if self.gone is None else self.gone
        ends = [*(move["at"] for move in self.moves[1:]), over]
        spans = [(m["at"], at, m["stage"]) for m, at in zip(self.moves, ends, strict=True)]
        if 0 <= self.created < first["at"]:
            before = "waiting" if first["stage"] == "waiting" else "starting"
            spans.insert(0, (self.created, first["at"], before))
        drawn = [span for span in spans if span[2] in STAGES and span[1] > span[0]]
        for stage, same in groupby(drawn, key=lambda span: span[2]):
            together = list(same)
            self.pieces.append(Piece(together[0][0], together[-1][1], stage))

    def cut(self, older_ends: float, newer_begins: float) -> Iterator[Piece]:
        """Return its pieces, in a lane of their own while a neighbour overlaps with them."""
        for begin, end, stage, _ in self.pieces:
            inside = {at for at in (older_ends, newer_begins) if begin < at < end}
            edges = [begin, *sorted(inside), end]
            for left, right in pairwise(edges):
                middle = (left + right) / 2
                above = "above" if middle > newer_begins else "whole"
                yield Piece(left, right, stage, "below" if middle < older_ends else above)


def attempts(view_state: Json) -> list[Attempt]:
    """Return the tasks that were alive during the recording, in the order they were made."""
    gone = dict(view_state["gone"])
    images, nodes, kinds = view_state["images"], view_state["nodes"], view_state["kinds"]
    found = {}
    for n, _, group, created, image, node, *_ in view_state["tasks"]:
        name, tag = f"{view_state['service']}.{group}", images[image][1]
        found[n] = Attempt(n, group, created, name, nodes[node], tag, gone.get(n))
    for n, at, kind, since, *more in view_state["moves"]:
        state, desired, stage = kinds[kind]
        error, code, *_ = more or ("", None)
        move = {"at": at, "since": since, "state": state, "desired": desired, "stage": stage}
        found[n].moves.append(move | {"error": error, "exit": code})
    for attempt in found.values():
        if attempt.moves:
            attempt.draw(view_state["end"]["at"])
    return [each for each in found.values() if each.pieces or (each.moves and each.death)]


def rows(found: list[Attempt]) -> dict[Group, list[Attempt]]:
    """Return the attempts of each row, oldest first, in the order of `docker service ps`."""
    of: dict[Group, list[Attempt]] = defaultdict(list)
    for attempt in sorted(found, key=lambda each: (each.created, each.n)):
        of[attempt.group].append(attempt)
    groups = sorted(of, key=lambda group: -max(each.moves[-1]["at"] for each in of[group]))
    kept = groups if len(groups) <= MOST_ROWS else groups[:_ROWS_OF_MORE]
    for group in kept:
        _share(of[group])
    return {group: of[group] for group in sorted(kept, key=lambda group: natural_key(str(group)))}


def _share(of: list[Attempt]) -> None:
    """Let attempts that overlap share their row: the older above."""
    extents = [each.extent for each in of]
    for n, attempt in enumerate(of):
        older = extents[n - 1][1] if n else float("-inf")
        newer = extents[n + 1][0] if n + 1 < len(of) else float("inf")
        attempt.pieces = list(attempt.cut(older, newer))


def label(group: Group, of: list[Attempt]) -> str:
    """Return what a row is called: its slot, or the node of a global task."""
    return str(group) if isinstance(group, int) else shortened(of[-1].node or group, 14)


# ---- as SVG ------------------------------------------------------------------------


def svg(view_state: Json, axis: Axis, prefix: str) -> Chart:
    """Return the chart; `prefix` begins the ids of the tags' fills, of the hatch and the cross."""
    every = attempts(view_state)
    shown = rows(every)
    most = MOST_TASKS // (len(shown) or 1)
    high = min(_HIGHEST, max(_LOWEST, _HEIGHT / (len(shown) or 1)))
    windows = {n: window for n, *window in view_state["windows"]} if high >= _ROOMY else {}
    inside = render(
        "charts/slots.svg",
        rows=[(label(group, of), of[-most:]) for group, of in shown.items()],
        story=lambda each: _story(each, view_state["tags"]),
        tags=view_state["tags"],
        windows=windows,
        every=1 if high >= _ROOMY else 5,
        high=high,
        axis=axis,
        prefix=prefix,
    )
    signs = [name.partition(":")[0] for name in _SIGNS.values()]
    seen = {piece.stage for each in every for piece in each.pieces}
    stages = {stage: look for stage, look in STAGES.items() if stage != "lost" or stage in seen}
    # in two lines: in one they are wider than a cell beside a view
    lines = [{"stages": stages, "signs": ()}, {"stages": {}, "signs": signs}] if shown else []
    legend = [render("charts/slots_legend.svg", **line, prefix=prefix) for line in lines]
    note = _left_out(every, shown, most)
    return Chart(TITLE, high * len(shown), inside, tuple(legend), note)


def _story(attempt: Attempt, tags: list[list[str]]) -> list[str]:
    words = [f"{attempt.name} · {tags[attempt.tag][0]} · {attempt.node or 'no node yet'}"]
    for move in attempt.moves:
        told = {"stopping": f" (told to: {move['desired']})", "lost": " (its node is down)"}
        code = f", exit code {move['exit']}" if move["exit"] else ""
        words.append(f"{minutes(move['at'])} {move['state']}{told.get(move['stage'], '')}{code}")
    return [*words, *dict.fromkeys(move["error"] for move in attempt.moves if move["error"])]


def _left_out(every: list[Attempt], shown: dict[Group, list[Attempt]], most: int) -> str:
    count, notes = len({each.group for each in every}), []
    if len(shown) < count:
        notes = [f"Only the {len(shown)} most recently active of {count:,} slots are drawn."]
    if any(len(of) > most for of in shown.values()):
        notes.append(f"Only the last {most} tasks of each slot are drawn.")
    return " ".join(notes)


# ---- as a figure -------------------------------------------------------------------


def figure(view_state: Json) -> Json:
    """Return the chart as bars of Plotly's: a trace for each stage of each tag."""
    shown = rows(attempts(view_state))
    names = {group: for_plotly(label(group, of)) for group, of in shown.items()}
    every = [each for of in shown.values() for each in of]
    alike: dict[tuple[int, int], list[tuple[Attempt, Piece]]] = defaultdict(list)
    for each in every:
        for piece in each.pieces:
            alike[[*STAGES].index(piece.stage), each.tag].append((each, piece))
    traces = [_bars(view_state["tags"][tag], of, names) for (_, tag), of in sorted(alike.items())]
    for n, trace in enumerate(traces):
        trace["showlegend"] = trace["name"] not in [other["name"] for other in traces[:n]]
    yaxis = {"type": "category", "categoryarray": list(names.values()), "autorange": "reversed"}
    layout = {"barmode": "overlay", "height": max(340, 22 * len(shown) + 140)}
    layout["yaxis"] = yaxis | {"title": "slot"}
    return {"data": [*traces, _crosses(every, names)], "layout": layout}


def _bars(
    look: list[str], pieces: list[tuple[Attempt, Piece]], names: dict[Group, str]
) -> dict[str, Any]:
    tag, colour, pattern = look
    stage = pieces[0][1].stage
    return plotly(
        "slot",
        base=[moment(piece.begin) for _, piece in pieces],
        x=[piece.end - piece.begin for _, piece in pieces],
        y=[names[each.group] for each, _ in pieces],
        offset=[piece.place[0] - 0.5 for _, piece in pieces],
        width=[piece.place[1] for _, piece in pieces],
        name=for_plotly(tag),
        legendgroup=for_plotly(tag),
        marker={"color": colour, "pattern": filled(colour, pattern), "opacity": STAGES[stage][1]},
        customdata=[for_plotly(f"{each.name}: {tag}, {stage}") for each, _ in pieces],
    )


def _crosses(every: list[Attempt], names: dict[Group, str]) -> Json:
    failed = [(each, each.death) for each in every if each.death]
    return plotly(
        "cross",
        x=[moment(move["at"]) for _, move in failed],
        y=[names[each.group] for each, _ in failed],
        customdata=[for_plotly(f"{each.name}: {move['error']}") for each, move in failed],
    )


# ---- as text -----------------------------------------------------------------------


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return each task that failed while it was recorded, with its error whole."""
    failed = ((each, each.death) for each in attempts(view_state) if each.death)
    return "Failed tasks, with their errors", [
        f"{minutes(move['at'])} {each.name}, {view_state['tags'][each.tag][0]}: "
        f"{move['error'] or move['state']}"
        + (f" (exit code {move['exit']})" if move["exit"] else "")
        for each, move in failed
    ]
