"""The slides of a notebook as a page that needs nothing outside of itself.

reveal.js shows them, and the speaker's notes; nbconvert turns their Markdown and their code into
HTML. Its own page of slides is not used: it has its scripts from a CDN, and a long section of a
notebook runs out of its slide. A recording that a note names ends the section, to be played.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markupsafe import Markup

from labkit.lessons.checks import Question
from labkit.lessons.notebooks.cells import Book, Cell, has, is_code, labelled, metadata, tags, text
from labkit.recordings.recording import Recording
from labkit.views.live import page as assets
from labkit.views.live.replay import Replay
from labkit.views.pages import render
from labkit.views.state.view_state import Json

#: The label of a note that names a recording.
RECORDING = "Recording"
REVEAL = "reveal-6.0.2"
#: What can be read from the back row; all of a view would be too small.
_PARTS = ("head", "replicas", "slots", "budget")
_FILE = re.compile(r"`([^`]+)`")


def page(title: str, book: Book, folder: Path, questions: Mapping[str, Question]) -> str:
    """Return the slides of a notebook that says which they are; recordings are in a folder.

    A question is shown as it asks, with its choices, and not as the code that asks it. Raises
    `RecordingProblem` for a recording that cannot be read.
    """
    deck = _Deck(folder, questions)
    for cell in book["cells"]:
        deck.add(cell)
    deck.close()
    script = {name: assets.asset(f"{REVEAL}/{name}.js") for name in ("reveal", "notes")}
    return render(
        "static/teaching/slides.html",
        title=title,
        deck=deck,
        script={name: Markup(source) for name, source in script.items()},  # noqa: S704
        style=[Markup(assets.asset(f"{REVEAL}/reveal.css")), assets.style(("slides",))],  # noqa: S704
        deal=Markup(assets.asset("slides.js")),  # noqa: S704 - our own
        replays={name: replay.data() for name, replay in deck.replays.items()},
        viewer=_viewer() if deck.replays else None,
    )


@dataclass
class _Slide:
    """What is on a slide, as HTML; the page deals it out to several if it is too much."""

    shown: list[Markup] = field(default_factory=list)
    notes: list[Markup] = field(default_factory=list)


class _Deck:
    """Slides side by side, each with those that lie below it."""

    def __init__(self, folder: Path, questions: Mapping[str, Question]) -> None:
        self._folder, self._questions = folder, questions
        self.stacks: list[list[_Slide]] = []
        self.replays: dict[str, Replay] = {}
        self._waiting: list[str] = []

    def add(self, cell: Cell) -> None:
        """Put a cell where its metadata say."""
        own = metadata(cell).get("slideshow")
        kind = str(own.get("slide_type")) if isinstance(own, dict) else ""
        if kind == "skip":
            return
        if kind == "slide" or not self.stacks:
            self.close()
            self.stacks.append([_Slide()])
        elif kind == "subslide":
            self.stacks[-1].append(_Slide())
        slide = self.stacks[-1][-1]
        if kind != "notes":
            slide.shown.append(self._shown(cell, kind))
            return
        slide.notes.append(_prose(cell))
        self._waiting += [
            name
            for label, words in labelled(cell)
            if label == RECORDING
            for name in _FILE.findall(words)
        ]

    def close(self) -> None:
        """Put what its notes name of recordings at the end of a section."""
        for name in self._waiting:
            self.replays[name] = Replay(Recording.load(self._folder / name), _PARTS)
            self.stacks[-1].append(_Slide([render("static/teaching/replay.html", name=name)]))
        self._waiting.clear()

    def _shown(self, cell: Cell, kind: str) -> Markup:
        asked = [name for name in tags(cell) if has(cell, "question") and name in self._questions]
        if asked:
            html = render("static/teaching/question.html", question=self._questions[asked[0]])
        else:
            html = _code(text(cell)) if is_code(cell) else _prose(cell)
        return Markup('<div class="fragment">{}</div>').format(html) if kind == "fragment" else html


def _prose(cell: Cell) -> Markup:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    pictures = cell.get("attachments") or {}
    # with its own `embed_images` the ends of folds and of keys would be misplaced
    renderer = IPythonRenderer(escape=False, attachments=pictures)
    html = str(MarkdownWithMath(renderer=renderer)(text(cell)))
    linked = html.replace('.ipynb"', '.html"')  # their slides, beside these
    return Markup(linked)  # noqa: S704 - as Jupyter shows the same cell


def _code(words: str) -> Markup:
    from nbconvert.filters.highlight import Highlight2HTML

    return Markup(Highlight2HTML()(words))  # type: ignore[no-untyped-call]  # noqa: S704 - escaped


@cache
def _viewer() -> Json:
    return {
        "style": str(assets.style()),
        "library": str(assets.plotly_script()),
        "module": str(assets.module()),
    }
