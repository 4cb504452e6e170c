"""What happened in every slot: a row each, with a bar for each of its tasks. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from labkit.recordings.ps import natural_key
from labkit.views.state.picture import Json
from labkit.views.state.sentences import minutes
from labkit.views.static.drawing.axis import Axis
from labkit.views.static.drawing.elements import Chart, Fills, element, line, rect, text, title

#: More slots than these are not drawn; of more, only those in which something happened last.
MOST_ROWS = 100
_ROWS_OF_MORE = 60
#: Tasks that are drawn, at most; of more, the last ones of every row.
MOST_TASKS = 500
_HEIGHT = 420
#: In the order in which they are painted, so that of two tasks in one row none is hidden.
_LAYERS = (("running",), ("starting", "stopping"), ("waiting",))
_ALIVE = ("waiting", "starting", "running", "stopping")


@dataclass(slots=True)
class Bar:
    """A task, and what it was seen to do."""

    n: int
    group: int | str
    name: str
    image: str
    node: str
    tag: int
    cause: str
    #: When the manager had forgotten it, or `None`.
    gone: float | None
    moves: list[Json] = field(default_factory=list)

    @property
    def last(self) -> float:
        """When it was last seen to do something."""
        return float(self.moves[-1]["at"])

    @property
    def history(self) -> bool:
        """Whether it had ended before the recording began."""
        return self.cause == "there" and self.moves[0]["stage"] in ("failed", "ended")

    def spans(self, end: float) -> Iterator[tuple[float, float, str]]:
        """Return from when until when it was in which stage, while it lived."""
        over = end if self.gone is None else self.gone
        starts = [next(same) for _, same in groupby(self.moves, key=itemgetter("stage"))]
        for move, then in zip(starts, [*starts[1:], {"at": over}], strict=True):
            if move["stage"] in _ALIVE:
                yield move["at"], then["at"], move["stage"]

    @property
    def failed(self) -> Json | None:
        """The move with which it failed."""
        return next((move for move in self.moves if move["stage"] == "failed"), None)


def bars(picture: Json) -> list[Bar]:
    """Return the tasks that were alive during the recording, in the order they were made."""
    gone = dict(picture["gone"])
    images, nodes, kinds = picture["images"], picture["nodes"], picture["kinds"]
    found = {
        n: Bar(
            n=n,
            group=group,
            name=f"{picture['service']}.{group}",
            image=images[image][0],
            node=nodes[node],
            tag=images[image][1],
            cause=cause,
            gone=gone.get(n),
        )
        for n, _, group, _, image, node, _, cause, _ in picture["tasks"]
    }
    for n, at, kind, _, *more in picture["moves"]:
        state, desired, stage = kinds[kind]
        error, code = more or ("", None)
        move = {"at": at, "state": state, "desired": desired, "stage": stage}
        found[n].moves.append(move | {"error": error, "exit": code})
    return [bar for bar in found.values() if bar.moves and not bar.history]


def rows(of: list[Bar]) -> dict[int | str, list[Bar]]:
    """Return the bars of each row, in the order of `docker service ps`."""
    found: dict[int | str, list[Bar]] = defaultdict(list)
    for bar in of:
        found[bar.group].append(bar)
    if len(found) > MOST_ROWS:
        latest = sorted(found, key=lambda group: -max(bar.last for bar in found[group]))
        found = {group: found[group] for group in latest[:_ROWS_OF_MORE]}
    return {group: found[group] for group in sorted(found, key=lambda g: natural_key(str(g)))}


def label(group: int | str, of: list[Bar]) -> str:
    """Return what a row is called: its slot, or the node of a global task."""
    if isinstance(group, int):
        return str(group)
    name = of[-1].node or group
    return name if len(name) <= 14 else name[:13] + "…"


class _Slots:
    def __init__(self, picture: Json, axis: Axis, fills: Fills) -> None:
        self._axis, self._fills = axis, fills
        self._tags = [tag for tag, *_ in picture["tags"]]
        every = bars(picture)
        shown = rows(every)
        most = MOST_TASKS // (len(shown) or 1)
        self._rows = {group: of[-most:] for group, of in shown.items()}
        self.note = _left_out(every, shown, most)
        self._windows = {n: window for n, *window in picture["windows"]}
        self._high = min(22.0, max(6.0, _HEIGHT / (len(self._rows) or 1)))

    @property
    def height(self) -> float:
        return self._high * len(self._rows)

    @property
    def _roomy(self) -> bool:
        """Whether rows are high enough for a label each, and for windows under the bars."""
        return self._high >= 11

    @property
    def _bar_high(self) -> float:
        return self._high - (5 if self._roomy else 2)

    def inside(self) -> Iterator[str]:
        begin, end = self._axis.ends
        every = 1 if self._roomy else 5
        for number, (group, of) in enumerate(self._rows.items()):
            y = number * self._high
            yield line(begin, y + self._high, end, y + self._high, stroke_opacity=0.12)
            if number % every == 0:
                yield text(begin, y + self._high / 2 + 3.5, label(group, of), "end", dx=-6)
            yield from (self._bar(bar, y, layer) for layer in _LAYERS for bar in of)
            yield from (self._windows_of(bar, y) for bar in of if self._roomy)
        # last, so that no bar hides one
        for number, of in enumerate(self._rows.values()):
            yield from (self._cross(bar, number * self._high) for bar in of)

    def _bar(self, bar: Bar, y: float, layer: tuple[str, ...]) -> str:
        """Return the pieces of a task's bar that belong to a layer."""
        inside = "".join(
            self._piece(bar.tag, begin, end, stage, y)
            for begin, end, stage in bar.spans(self._axis.end)
            if stage in layer
        )
        return element("g", title(self._words(bar)) + inside) if inside else ""

    def _piece(self, tag: int, begin: float, end: float, stage: str, y: float) -> str:
        place = self._axis.x(begin), y + 1, self._axis.width(begin, end), self._bar_high
        return self._block(stage, *place, self._fills.of(tag), self._fills.colour(tag))

    def _block(
        self, stage: str, x: str, y: float, width: str, high: float, fill: str, colour: str
    ) -> str:
        """Return a piece of a bar; what its height and fill say, the legend tells."""
        edge = {"stroke": "currentColor", "stroke_opacity": 0.45, "stroke_width": 0.75}
        if stage == "waiting":
            dashed = {"stroke": colour, "stroke_width": 1.5, "stroke_dasharray": "3 2"}
            return rect(x, y + 0.5, width, high - 1, fill="none", pointer_events="all", **dashed)
        if stage == "starting":
            return rect(x, y + high / 2, width, high / 2, fill=fill, **edge)
        if stage == "stopping":
            dim = rect(x, y, width, high, fill=fill, fill_opacity=0.35, **edge)
            return dim + rect(x, y, width, high, fill=f"url(#{self._fills.id}-hatch)")
        return rect(x, y, width, high, fill=fill, **edge)

    def _windows_of(self, bar: Bar, y: float) -> str:
        if bar.n not in self._windows:
            return ""
        begin, delay, monitor = self._windows[bar.n]
        low = y + self._high
        said = [f"{bar.name}: delay until {minutes(delay)}, monitor until {minutes(monitor)}"]
        inside = title(said)
        inside += self._band(self._axis.x(begin), self._axis.width(begin, monitor), low, thin=True)
        inside += self._band(self._axis.x(begin), self._axis.width(begin, delay), low, thin=False)
        return element("g", inside)

    def _band(self, x: str, width: str, low: float, *, thin: bool) -> str:
        if thin:
            return rect(x, low - 2.5, width, 1.5, fill="currentColor", fill_opacity=0.55)
        return rect(x, low - 3.5, width, 3, fill="currentColor", fill_opacity=0.75)

    def _cross(self, bar: Bar, y: float) -> str:
        failed = bar.failed
        if not failed:
            return ""
        place = {"x": self._axis.x(failed["at"]), "y": f"{y + 1 + self._bar_high / 2:.1f}"}
        cross = element("use", href=f"#{self._fills.id}-cross", **place)
        return element("g", title(self._words(bar)) + cross, data_failed=bar.name)

    def _words(self, bar: Bar) -> list[str]:
        words = [f"{bar.name} · {self._tags[bar.tag]} · {bar.node or 'no node yet'}"]
        for move in bar.moves:
            told = f" (told to: {move['desired']})" if move["stage"] == "stopping" else ""
            code = f", exit code {move['exit']}" if move["exit"] else ""
            words.append(f"{minutes(move['at'])} {move['state']}{told}{code}")
        errors = dict.fromkeys(move["error"] for move in bar.moves if move["error"])
        return [*words, *errors]

    def legend(self) -> str:
        """Return what the bars say; its symbols are drawn as the bars are."""
        inside, x, grey = "", 0, ("currentColor", "currentColor")
        for stage in ("waiting", "starting", "running", "stopping"):
            inside += self._block(stage, str(x), 5, "16", 14, *grey) + _said(x, stage)
            x += _room(stage)
        inside += element("use", href=f"#{self._fills.id}-cross", x=x + 8, y=12)
        inside += _said(x, "failed")
        x += _room("failed")
        for name, thin in (("delay", False), ("monitor", True)):
            inside += self._band(str(x), "16", 15, thin=thin) + _said(x, name)
            x += _room(name)
        return inside


def _said(x: int, name: str) -> str:
    return text(str(x + 20), 16, name)


def _room(name: str) -> int:
    """Return how many pixels a sign of the legend takes with its name."""
    return 28 + 6 * len(name)


def chart(picture: Json, axis: Axis, fills: Fills) -> Chart:
    """Return the chart."""
    drawn = _Slots(picture, axis, fills)
    inside = "".join(drawn.inside())
    is_global = any(isinstance(entry[2], str) for entry in picture["tasks"])
    name = "Tasks on each node" if is_global else "Tasks in each slot"
    return Chart(name, drawn.height, inside, drawn.legend() if inside else "", drawn.note)


def _left_out(every: list[Bar], shown: dict[int | str, list[Bar]], most: int) -> str:
    """Return what is not drawn, as sentences, or `""`."""
    count = len({bar.group for bar in every})
    notes = []
    if len(shown) < count:
        notes.append(
            f"Of {count:,} slots the {len(shown)} where something happened last are drawn."
        )
    if any(len(of) > most for of in shown.values()):
        notes.append(f"Of each slot the last {most} tasks are drawn.")
    return " ".join(notes)
