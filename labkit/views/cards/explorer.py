"""What if? Settings of an update with sliders, and what it would do, drawn as they move."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import anywidget
import ipywidgets
import traitlets
from IPython import display as ipython
from markupsafe import Markup

from labkit.base.errors import LabError
from labkit.base.rules import words
from labkit.recordings import story
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.views.cards.workbench import show_controls
from labkit.views.live import page
from labkit.views.live.watch import Watch
from labkit.views.pages import render
from labkit.views.static.comparison import Comparison
from labkit.views.static.snapshot import Snapshot

Values = dict[str, Any]

_display: Callable[..., object] = ipython.display
#: Of the prediction.
CHARTS = ("phases", "replicas", "slots")
#: Seconds for which nothing is moved before what chance decides is worked out, and then until
#: the notebook gets it all: the page takes a while over that, in which it follows no slider.
_REST, _KEEP_AFTER = 0.4, 1.5
#: Seconds of work on that at a time, and of a pause in which the kernel takes what has come.
_PIECE, _BREATH = 0.004, 0.001
_SAID: Values = words(Path(__file__).with_name("explorer.yaml"))


class Settings(anywidget.AnyWidget):
    """The form; what is moved in it is in `values` at once, which only the page writes."""

    _esm = page.asset("settings.js")
    fields = traitlets.Any().tag(sync=True)
    values = traitlets.Dict().tag(sync=True, echo_update=False)
    #: What cannot be moved now.
    off = traitlets.List(traitlets.Unicode()).tag(sync=True)


class _Situation(Protocol):
    """A service as it is, and what becomes of it with the values that are chosen."""

    service: str
    #: The values at first.
    start: Values
    #: Why it cannot be run, or `""`.
    note: str

    #: Returns the lesson's image that does this.
    def image(self, does: str) -> str: ...
    #: Returns what these values would do, for one seed after another, in pieces.
    def predict(self, values: Values) -> Iterator[Recording]: ...
    #: Returns the docker command that does it, and the lines of a compose file.
    def ways(self, values: Values) -> tuple[str, str]: ...
    #: Returns what speaks against running it now, or `""`.
    def doubt(self, values: Values) -> str: ...
    #: Updates the service. Returns its recorder, and what was printed.
    def run(self, values: Values) -> tuple[Recorder, str]: ...


class Explorer:
    """Sliders, the picture that follows them, and a button that runs it.

    A saved notebook keeps the picture: it is shown as HTML first, which is hidden where the
    sliders are.
    """

    def __init__(self, situation: _Situation) -> None:
        self._situation = situation
        values = _SAID["at first"] | {"slots": situation.start["replicas"]} | situation.start
        fields = [self._field(field, values[field["name"]]) for field in _SAID["fields"]]
        self.settings = Settings(fields=fields, values=values)
        # each is a message to the page; what follows the sliders is in one, but for the words
        self._words, self._picture, self._said = (ipywidgets.HTML() for _ in range(3))
        self._run = _button("Run it …", self._ask, disabled=bool(situation.note))
        self._yes, self._no = _button("Yes, run it", self._start), _button("No", self._ask_later)
        self._buttons, self._live = ipywidgets.HBox([self._run]), ipywidgets.VBox()
        self._seeds: asyncio.Task[None] | None = None
        self._compared: Comparison | None = None
        self._display_id, self._displayed = uuid.uuid4().hex, False
        style = ipywidgets.HTML(_style())
        drawn, asked = [self._words, self._picture], [self._buttons, self._said]
        self._box = ipywidgets.VBox([style, self.settings, *drawn, *asked, self._live])
        self._box.add_class("labkit-explorer")
        self.settings.observe(self._moved, names="values")
        self._moved()

    def _field(self, field: Values, value: Any) -> Values:
        """Return a field with what depends on the service: how far it reaches, which images."""
        if "reach" in field:
            least, most, step = field["reach"]
            return field | {"reach": (min(least, value), max(most, value), step)}
        if field["name"] == "does":
            images = {does: self._situation.image(does) for _, does in field["choices"]}
            return field | {"images": images}
        return field

    # ---- what it would do ----------------------------------------------------------

    def _moved(self, _: Any = None) -> None:
        """Draw what is chosen; what chance decides follows when nothing is moved any more."""
        values = self.settings.values
        if self._seeds:
            self._seeds.cancel()
        self._ask_later()
        self.settings.off = ["after", "slots"] if values["does"] in ("runs", "ignores") else []
        try:
            runs = self._situation.predict(values)
            self.expected = next(run for run in runs if run.ended)
        except LabError as problem:
            self._say(self._words, *str(problem).splitlines())
            return
        drawing = Snapshot.of(self.expected, CHARTS).drawing()
        assert drawing, "there are charts among the parts"
        self._drawing = drawing
        self._picture.value = self._drawing.svg + self._way()
        self._say(self._words, story.in_words(self.expected))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # without a notebook nobody moves a slider
            self._say(self._words, story.in_words(self.expected, *(r for r in runs if r.ended)))
            return
        self._seeds = loop.create_task(self._over_seeds(runs))

    async def _over_seeds(self, runs: Iterator[Recording]) -> None:
        """Say what other seeds give, bit by bit: whatever is moved meanwhile goes first."""
        await asyncio.sleep(_REST)
        found, began = [], time.perf_counter()
        for run in runs:
            if run.ended:
                found.append(story.Outcome.of(run))
            if time.perf_counter() - began > _PIECE:
                await asyncio.sleep(_BREATH)
                began = time.perf_counter()
        self._say(self._words, story.in_words(self.expected, *found))
        await asyncio.sleep(_KEEP_AFTER)
        self._keep()

    def _way(self) -> Markup:
        return render("cards/explorer.html", ways=self._situation.ways(self.settings.values))

    # ---- running it ----------------------------------------------------------------

    def _ask(self, _: Any) -> None:
        asked = f"This updates {self._situation.service} now, as the command above does."
        self._say(self._said, asked, self._situation.doubt(self.settings.values))
        self._buttons.children = [self._yes, self._no]
        self._no.focus()

    def _ask_later(self, _: Any = None) -> None:
        self._say(self._said, self._situation.note)
        self._buttons.children = [self._run]

    def _start(self, _: Any) -> None:
        self._buttons.children = []
        try:
            recorder, printed = self._situation.run(self.settings.values)
        except LabError as problem:
            self._say(self._said, *str(problem).splitlines())
            return
        self.settings.off = [*self.settings.values]
        self._say(self._said, *printed.splitlines())
        self._live.children = [Watch(recorder, ["head", "slots"])]
        recorder.subscribe(lambda: self._compare(recorder))
        self._compare(recorder)  # it may have ended before that

    def _compare(self, recorder: Recorder) -> None:
        if recorder.recording.ended is None or self._compared:
            return
        try:
            both = Comparison([self.expected, recorder.recording], ["predicted", "seen"])
        except LabError as problem:  # no task had to be replaced
            self._say(self._said, *str(problem).splitlines())
            return
        self._compared = both
        self._live.children = [ipywidgets.HTML(both.plain), *self._live.children]
        self._say(self._said, "Run the cell again to explore the service as it is now.")
        self._keep()

    # ---- as a cell shows it --------------------------------------------------------

    def _say(self, where: ipywidgets.HTML, *lines: str) -> None:
        where.value = render("cards/explorer_says.html", lines=[*filter(None, lines)])

    def _still(self) -> dict[str, str]:
        parts = [_style(), Markup(self._words.value), self._drawing.image, self._way()]  # noqa: S704 - our own
        if self._compared and (both := self._compared.drawing()):
            parts.append(self._compared.content(both.image))
        html = Markup('<div class="labkit-explored labkit-watch">{}</div>')
        return {"text/plain": repr(self), "text/html": html.format(Markup("").join(parts))}

    def _keep(self) -> None:
        if self._displayed:
            _display(self._still(), raw=True, display_id=self._display_id, update=True)

    def _ipython_display_(self) -> None:
        self._displayed = True
        _display(self._still(), raw=True, display_id=self._display_id)
        show_controls(self._box, "there are sliders here that the picture follows.")

    def __repr__(self) -> str:
        return f"<labkit.explore of {self._situation.service}>"


def _style() -> Markup:
    styles = page.style(("view", "charts", "compare", "explorer"))
    return Markup("<style>{}</style>").format(styles)


def _button(words: str, pressed: Callable[[Any], None], **more: Any) -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, **more)
    button.on_click(pressed)
    return button
