"""The pages of the site around the lab: `python site/documentation.py FOLDER`.

    index.html, home/    the home page, from `site/home`
    replays/             the recordings of the lesson, each as a page to play again
    docs/                the documentation, from `docs`, the READMEs and the docstrings

Sphinx makes the documentation: it reads docstrings and Markdown (MyST), has a search that needs no
server, and is well kept; MkDocs had no release since 2024. Its theme is Furo.
All that the pages load is in the folder.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from posixpath import dirname, join, normpath
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from docutils import nodes
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labkit.api import exploring
from labkit.base import settings
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.update import prediction
from labkit.swarm.spec_change import SpecChange
from labkit.views import Replay, Snapshot
from labkit.views.live import page
from labkit.views.live.replay import played
from labkit.views.parts.axis import Axis

ROOT = Path(__file__).resolve().parents[1]
HOME, DOCS = ROOT / "site" / "home", ROOT / "docs"
RECORDINGS = settings.lesson_files() / "notebooks" / "recordings"
#: Where the lab is, which `build.py` puts there.
LAB = "lab/index.html?path=00-start-here.ipynb"
#: The recording that the home page plays, and how many times as fast as it was.
_PLAYED, _SPEED = "01-rolling", 4
#: Of a replay, to the home page.
_BACK = (
    '<nav style="font: 14px system-ui, sans-serif">'
    '<a href="../index.html" style="color: inherit">All recordings</a></nav>'
)
_ICON = '<link rel="icon" href="../home/icon.svg">'
_LINK = re.compile(r"(?<=\]\()([\w./-]+\.(?:md|png))(?=[)#])")
#: Files outside of `docs` that are pages of the documentation, too.
_PAGES = {
    "README.md": "on-your-machine.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "swarmsim/README.md": "swarmsim.md",
}


def build(into: Path) -> None:
    """Write the home page, the replays and the documentation into a folder."""
    into.mkdir(parents=True, exist_ok=True)
    _documentation(into / "docs")
    _replays(into)
    _home(into)


# ---- the home page and its replays --------------------------------------------------------


def cards() -> Iterator[dict[str, Any]]:
    """Yield what the home page says of each recording, with its numbers filled in."""
    for name, said in _said().items():
        recording = _recording(name)
        facts = story.facts(recording)
        facts["seconds"] = round(facts["total_seconds"] or 0)
        drawing = Snapshot.of(recording, ["slots"]).drawing()
        seen = said["seen"].format(**facts)
        yield {"name": name, "title": said["title"], "seen": seen, "drawing": drawing}


def _home(into: Path) -> None:
    environment = Environment(
        loader=FileSystemLoader(HOME), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    text = environment.get_template("index.html").render(lab=LAB, cards=cards(), **_moving())
    (into / "index.html").write_text(text, encoding="utf-8")
    copytree(HOME / "served", into / "home", dirs_exist_ok=True)


def _moving() -> dict[str, Any]:
    """Return a recording as the home page plays it: its drawing, uncovered from left to right."""
    recording = _recording(_PLAYED)
    end = Snapshot.of(recording, ["slots"])
    axis, data = Axis.of(end.state), played(recording)
    moments = [
        (at, delta["status"]["sentence"]) for at, delta in data["frames"] if "status" in delta
    ]
    moments.insert(0, (0, data["first"]["status"]["sentence"]))
    play = {
        "speed": _SPEED,
        "begin": axis.begin,
        "end": axis.end,
        "left": axis.left,
        "right": axis.right,
        "moments": moments,
    }
    return {
        "play": play,
        "played": end.drawing(),
        "name": _PLAYED,
        "engine": recording.header.engine,
    }


def _replays(into: Path) -> None:
    """Write each recording as a page; they share plotly.js, which a page of its own contains."""
    (into / "replays").mkdir(exist_ok=True)
    library = into / page.PLOTLY
    library.parent.mkdir(exist_ok=True)
    library.write_text(page.plotly_script(), encoding="utf-8")
    inside, beside = f"<script>{page.plotly_script()}</script>", f'<script src="../{page.PLOTLY}">'
    for name, said in _said().items():
        replay = Replay(_recording(name))
        replay.title = said["title"]
        before, found, after = str(replay.page).partition(inside)  # `Markup` escapes what is put in
        assert found, "a page of its own contains plotly.js"
        before = before.replace("<title>", f"{_ICON}<title>", 1).replace("<body>", f"<body>{_BACK}")
        text = f"{before}{beside}</script>{after}"
        (into / "replays" / f"{name}.html").write_text(text, encoding="utf-8")


def _said() -> dict[str, dict[str, str]]:
    said: dict[str, dict[str, str]]
    said = yaml.safe_load((HOME / "replays.yaml").read_text(encoding="utf-8"))
    return said


def _recording(name: str) -> Recording:
    return Recording.load(RECORDINGS / f"{name}.jsonl")


# ---- the documentation --------------------------------------------------------------------


def _documentation(into: Path) -> None:
    """Run Sphinx; what it warns of, such as a link that leads nowhere, is an error."""
    with TemporaryDirectory() as kept:
        settings_of_sphinx = yaml.safe_load((HOME / "sphinx.yaml").read_text())
        settings_of_sphinx["html_static_path"] = [str(HOME / "static")]
        settings_of_sphinx["templates_path"] = [str(HOME / "templates")]
        settings_of_sphinx["html_favicon"] = str(HOME / "served" / "icon.svg")
        app = Sphinx(
            DOCS, None, into, kept, "html", settings_of_sphinx, status=None, warningiserror=True
        )
        app.add_directive("predicted", Predicted)
        app.connect("source-read", lambda _, name, text: _link(f"docs/{name}.md", text))
        app.connect("include-read", lambda _, path, __, text: _link(normpath(f"docs/{path}"), text))
        app.connect("html-page-context", _by_keyboard)
        app.build()
        if app.statuscode:
            raise SystemExit("The documentation has warnings.")


def _by_keyboard(*told: Any) -> None:
    """Let code and tables that are wider than their page be scrolled by keyboard."""
    context = told[3]
    wide = r"<pre(?=>)|<div(?= class=\"table-wrapper)"
    context["body"] = re.sub(wide, r'\g<0> tabindex="0"', context.get("body", ""))


def _link(file: str, text: list[str]) -> None:
    """Have the links of a file, which lead to files, lead to the pages that these are."""

    def to_page(link: re.Match[str]) -> str:
        target = normpath(join(dirname(file), link[1]))
        return _PAGES.get(target) or target.removeprefix("docs/")

    text[0] = _LINK.sub(to_page, text[0])


class Predicted(SphinxDirective):
    """An update of the lesson's worker, predicted and drawn when the page is built.

    Its content is YAML: what `labkit.update` takes, with a tag for the image, and the behaviour
    of new and old tasks: of all, or by slot and of the `others`.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the command, the drawing, and what the model says, as a figure."""
        asked = yaml.safe_load("\n".join(self.content))
        acts: dict[str, Any]
        acts = {key: _acts(asked.pop(key, {})) for key in ("behaviour", "old_behaviour")}
        before = exploring.made_up("dc_worker")
        change = SpecChange.of(**asked | {"image": f"lab/dockercoins_worker:{asked['image']}"})
        after = change.applied(before)
        began = datetime(2026, 1, 1, tzinfo=UTC)
        pieces = prediction.over_seeds(before, after, began=began, **acts)
        runs = [run for run in pieces if run.ended]
        drawing = Snapshot.of(runs[0], ["replicas", "slots"]).drawing()
        assert drawing
        figure = Markup(
            '<figure class="predicted"><pre>{}</pre>{}<figcaption>{}</figcaption></figure>'
        ).format(
            shlex.join(change.command("dc_worker")),
            drawing.svg,
            story.in_words(*runs),
        )
        return [nodes.raw("", figure, format="html")]


def _acts(given: Mapping[Any, Any]) -> Mapping[str, Any] | Callable[[int], Mapping[str, Any]]:
    by_slot = any(isinstance(key, int) for key in given)
    return (lambda slot: given.get(slot, given.get("others", {}))) if by_slot else given


if __name__ == "__main__":
    build(Path(sys.argv[1]))
